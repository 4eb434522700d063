/**
 * Records as programs have them, there and back: whole, and with a short
 * answer.
 *
 * @module
 */

import { Pool } from "../../mod.ts";
import { RawWorkers, split } from "../raw.ts";
import { type Kind, KINDS, ODD_KINDS } from "../records.ts";
import { type Finding, finding, type Row } from "../row.ts";
import { brief, same } from "../tasks.ts";

const COUNT = 20_000;

/** Values in a message of those who batch by hand. */
const BATCH = 500;

async function* measure(
  kinds: Record<string, Kind>,
  aim: (kind: Kind) => string,
): AsyncIterable<Finding> {
  for (const kind of Object.values(kinds)) {
    const inputs = kind.make(COUNT);
    const halves = split(inputs, 2);
    for (const [how, fn] of [["brief", brief], ["whole", same]] as const) {
      using raw = await RawWorkers.start(fn, 2);
      await using pool = new Pool({ workers: 2 });
      yield await finding(`20,000 ${kind.title}, ${how}`, [
        { name: "raw", run: () => raw.map(halves) },
        { name: "raw, batched", run: () => raw.mapBatched(inputs, BATCH) },
        { name: "loop", run: () => inputs.map((record) => fn(record)) },
        { name: "ours", run: () => pool.map(fn, inputs) },
      ], { aim: aim(kind), warmups: 3 });
    }
  }
}

/** 20,000 records of five kinds. */
export const records: Row = {
  name: "records",
  measure: () => measure(KINDS, ({ nested }) => nested ? "0.6 ×" : "0.8 ×"),
};

/** 20,000 records that are, or hold, what packing cannot take. */
export const oddRecords: Row = {
  name: "odd-records",
  measure: () => measure(ODD_KINDS, () => "1.05 ×"),
};
