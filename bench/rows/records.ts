/**
 * Records as programs have them, there and back: whole, and with a short
 * answer.
 *
 * @module
 */

import { type Kind, KINDS, ODD_KINDS } from "../records.ts";
import type { Finding, Row } from "../row.ts";
import { brief } from "../tasks.ts";
import { thereAndBack } from "../there_and_back.ts";

const COUNT = 20_000;

/** Values in a message of those who batch by hand. */
const BATCH = 500;

async function* measure(
  kinds: Record<string, Kind>,
  aim: (kind: Kind) => string,
): AsyncIterable<Finding> {
  for (const kind of Object.values(kinds)) {
    yield* thereAndBack(`20,000 ${kind.title}`, kind.make(COUNT), {
      short: brief,
      batch: BATCH,
      aim: aim(kind),
    });
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
