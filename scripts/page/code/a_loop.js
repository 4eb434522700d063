// Step 2: one addition after the other.

export async function aLoop(slowAdd, pairs) {
  const sums = [];
  for (const pair of pairs) {
    sums.push(await slowAdd(pair));
  }
  return sums;
}
