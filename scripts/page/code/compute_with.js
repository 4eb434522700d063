// Step 6: the same as steps 4 and 5, with additions that compute.

import { Pool } from "@parallel/map";
import { busyAdd } from "./busy_add.js";

export async function computeWith(workers, pairs, { time, onEvent }) {
  const pool = new Pool({ workers, onEvent });
  await pool.start();
  const sums = time(() => pool.map(busyAdd, pairs));
  return await sums.finally(() => pool.close());
}
