// Step 7, the file: the page and each worker load it.

export let total = 0; // one variable?

export async function increment(amount, { worker }) {
  await new Promise((wake) => setTimeout(wake, 100 * amount)); // the work
  total += amount;
  return { worker, total };
}
