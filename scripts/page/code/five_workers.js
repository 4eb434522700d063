// Step 4: five additions at a time.

import { Pool } from "@parallel/map";
import { slowAdd } from "./slow_add.js";

export async function fiveWorkers(pairs, { time, onEvent }) {
  const pool = new Pool({ workers: 5, onEvent });
  await pool.start(); // the clock does not run yet
  const sums = time(() => pool.map(slowAdd, pairs));
  return await sums.finally(() => pool.close());
}
