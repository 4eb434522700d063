// Step 7, the first right way: what a worker finds out, it returns.

import { parallelMapStream } from "@parallel/map";

async function check(amount) {
  await new Promise((wake) => setTimeout(wake, 100 * amount)); // the work
  return amount;
}

export async function byReturning(amounts, { show, onEvent }) {
  let total = 0; // in one place: here
  const checked = parallelMapStream(check, amounts, { workers: 2, onEvent });
  for await (const amount of checked) show("page", total += amount);
  return total;
}
