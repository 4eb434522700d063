// BROKEN ON PURPOSE: a counter that two workers seem to share, and do not.
//
//     deno run --allow-read scripts/broken_counter.ts
//     bun scripts/broken_counter.ts
//
// The amounts add up to 15. Before you run it: what will TOTAL be?
// The two ways to do it right are in fixed_counter.ts.

import { Pool, type PoolOptions, type TaskContext } from "../mod.ts";

/** What is added. */
export const AMOUNTS = [3, 2, 9, 1];

/** One variable? One in each thread that imports this file. */
let total = 0;

/** Adds to the total of the worker it runs in. */
export function increment(amount: number, { worker }: TaskContext): void {
  total += amount;
  console.log(`   worker ${worker}: SUB TOTAL SO FAR ${total}`);
}

/** Lets two workers increment, and tells what became of the total here. */
export async function brokenCounter(options?: PoolOptions): Promise<number> {
  const { url: module } = import.meta;
  await using pool = new Pool({ ...options, workers: 2, module });
  await pool.start();
  await pool.map(increment, AMOUNTS);
  console.log(`   the program that asked: TOTAL ${total}`);
  return total;
}

// Each worker imports this file too. Without this `if`, it would start workers
// of its own, which would import this file, which would…
if (import.meta.main) {
  await brokenCounter();
  console.log(`
Each worker imported this file, and got a total of its own: it begins at 0, and
only the amounts that came to that worker are in it. Nobody incremented the
total of the program itself. It is still 0.`);
}
