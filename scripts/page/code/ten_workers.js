// Step 5: all of them at once.

import { Pool } from "@parallel/map";
import { slowAdd } from "./slow_add.js";

export async function tenWorkers(pairs, { time, onEvent }) {
  const pool = new Pool({ workers: 10, onEvent });
  await pool.start(); // the clock does not run yet
  const sums = time(() => pool.map(slowAdd, pairs));
  return await sums.finally(() => pool.close());
}
