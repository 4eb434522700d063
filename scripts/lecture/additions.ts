// The ten pairs of the lecture, and three ways to add one up.

/** Two numbers to add. */
export type Pair = [number, number];

/** The pairs that every step of the lecture adds up. */
export const PAIRS: Pair[] = [
  [10, 1],
  [10, 2],
  [10, 3],
  [10, 4],
  [10, 5],
  [3, 3],
  [2, 2],
  [1, 1],
  [1, 3],
  [4, 3],
];

/**
 * Adds, after a sleep of 100 ms. The sleep blocks the whole thread, as
 * Python's `time.sleep` does: while it lasts, nothing else runs there.
 */
export function slowAdd([a, b]: Pair): number {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  return a + b;
}

/** Adds, after a loop of three million steps that keeps one core busy. */
export function busyAdd([a, b]: Pair): number {
  let x = 0;
  for (let step = 1; step <= 3_000_000; step++) x = Math.sqrt(x + step);
  // x is looked at, so that no compiler leaves the loop out.
  return x > 0 ? a + b : NaN;
}
