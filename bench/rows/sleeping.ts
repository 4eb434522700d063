/**
 * The lecture's ten pairs, each of which blocks its worker for 0.1 s.
 *
 * @module
 */

import { parallelMap, Pool } from "../../mod.ts";
import { rawOnce, RawWorkers, split } from "../raw.ts";
import { finding, type Row } from "../row.ts";
import { PAIRS, slowAdd } from "../tasks.ts";

const loop = { name: "loop", run: () => PAIRS.map(slowAdd) };

/** Warm and cold. */
export const sleeping: Row = {
  name: "sleeping",
  async *measure() {
    const effort = { budget: 6000, warmups: 1, least: 4 };
    for (const workers of [5, 10]) {
      using raw = await RawWorkers.start(slowAdd, workers);
      await using pool = new Pool({ workers });
      const parts = split(PAIRS, workers);
      yield await finding(`the ten sleeping pairs, ${workers} warm workers`, [
        { name: "raw", run: () => raw.map(parts) },
        ...(workers === 5 ? [loop] : []),
        { name: "ours", run: () => pool.map(slowAdd, PAIRS) },
      ], { aim: "1.01 ×", ...effort });
    }
    yield await finding("the ten sleeping pairs, 10 cold workers", [
      { name: "raw", run: () => rawOnce(slowAdd, split(PAIRS, 10)) },
      { name: "ours", run: () => parallelMap(slowAdd, PAIRS, { workers: 10 }) },
    ], { aim: "1.05 ×", ...effort });
  },
};
