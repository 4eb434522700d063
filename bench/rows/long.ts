/**
 * Values that are long: pages of text, and passages with a vector of numbers,
 * there and back: whole, and with a short answer.
 *
 * @module
 */

import { Pool } from "../../mod.ts";
import { RawWorkers, split } from "../raw.ts";
import { pages, passages } from "../records.ts";
import { type Finding, finding, type Row } from "../row.ts";
import { brief, lengthOf, same } from "../tasks.ts";

/** Values in a message of those who batch by hand. */
const BATCH = 200;

async function* measure<T>(
  title: string,
  inputs: T[],
  short: (value: T) => unknown,
): AsyncIterable<Finding> {
  const halves = split(inputs, 2);
  for (const [how, fn] of [["brief", short], ["whole", same<T>]] as const) {
    using raw = await RawWorkers.start(fn, 2);
    await using pool = new Pool({ workers: 2 });
    yield await finding(`${title}, ${how}`, [
      { name: "raw", run: () => raw.map(halves) },
      { name: "raw, batched", run: () => raw.mapBatched(inputs, BATCH) },
      { name: "loop", run: () => inputs.map((value) => fn(value)) },
      { name: "ours", run: () => pool.map(fn, inputs) },
    ], { aim: "1.05 ×", warmups: 3 });
  }
}

/** Texts of which none is as long as another. */
export const longTexts: Row = {
  name: "pages",
  measure: () =>
    measure("4,000 pages of 0.1 to 10 kB of text", pages(4000), lengthOf),
};

/** Records with a typed array each. */
export const vectors: Row = {
  name: "vectors",
  measure: () =>
    measure("4,000 passages with 384 floats each", passages(4000), brief),
};
