// What the reader plays with: how an addition spends its time, and how much.

export async function add([a, b], { data: { sleeps, steps } }) {
  let x = 1;
  if (sleeps) await new Promise((wake) => setTimeout(wake, steps * 10));
  else for (let i = 0; i < steps * 1e6; i++) x = Math.sqrt(x + i);
  return x > 0 ? a + b : NaN;
}
