// Two right ways to count in several workers. See broken_counter.ts first.
//
//     deno run scripts/fixed_counter.ts
//     bun scripts/fixed_counter.ts

import { parallelMap, type TaskContext } from "../mod.ts";

const AMOUNTS = [3, 2, 9, 1];

/**
 * Returns the amounts, and adds them up in the caller.
 *
 * Right nearly always: what a worker finds out, it returns. Nothing is shared,
 * so nothing can be disturbed, and the sum is the same on every run.
 */
export async function countByReturning(): Promise<number> {
  const check = (amount: number) => amount; // stands for the real work
  const amounts = await parallelMap(check, AMOUNTS, { workers: 2 });
  return amounts.reduce((total, amount) => total + amount, 0);
}

/**
 * Adds to memory that all workers share.
 *
 * Right when others must see the number while the work goes on, such as a
 * limit that all workers together must keep to. `Atomics.add` reads, adds and
 * writes in one go: with `total[0] += amount`, two workers could read the same
 * number, and one of the two amounts would be lost.
 */
export async function countInSharedMemory(): Promise<number> {
  const total = new Int32Array(new SharedArrayBuffer(4));
  const add = (amount: number, { state }: TaskContext<Int32Array>) => {
    Atomics.add(state, 0, amount);
  };
  await parallelMap(add, AMOUNTS, { workers: 2, workerData: total });
  return total[0];
}

if (import.meta.main) {
  console.log(`returned, and added up here: TOTAL ${await countByReturning()}`);
  console.log(
    `in shared memory:            TOTAL ${await countInSharedMemory()}`,
  );
}
