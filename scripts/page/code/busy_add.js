// Step 6: an addition that keeps one core busy first. What the loop computes is
// looked at in the end, so that no compiler leaves the loop out.

export function busyAdd([a, b]) {
  let x = 0;
  for (let step = 1; step <= 10_000_000; step++) x = Math.sqrt(x + step);
  return x > 0 ? a + b : NaN;
}
