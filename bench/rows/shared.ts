/**
 * Numbers in shared memory, which nobody copies: when is it worth the trouble
 * to have them there.
 *
 * @module
 */

import { Pool } from "../../mod.ts";
import { RawWorkers, split } from "../raw.ts";
import { finding, type Row } from "../row.ts";
import { trivial } from "../tasks.ts";

const COUNT = 1_000_000;

function sharedArray(): Float64Array<SharedArrayBuffer> {
  return new Float64Array(new SharedArrayBuffer(8 * COUNT));
}

/** A million trivial number tasks. */
export const shared: Row = {
  name: "shared",
  async *measure() {
    const inputs = Array.from({ length: COUNT }, (_, i) => i);
    const halves = split(inputs, 2);
    const typed = Float64Array.from(inputs);
    const from = sharedArray();
    from.set(inputs);
    const output = sharedArray();
    using raw = await RawWorkers.start(trivial, 2);
    await using pool = new Pool({ workers: 2 });
    yield await finding("1,000,000 trivial number tasks", [
      { name: "raw", run: () => raw.map(halves) },
      {
        name: "raw, typed, moved",
        before: () => halves.map((half) => Float64Array.from(half)),
        run: (parts: Float64Array[]) => raw.mapTyped(parts),
      },
      { name: "raw, shared", run: () => raw.mapShared(from, output) },
      { name: "loop", run: () => from.map(trivial) },
      {
        name: "ours, typed",
        run: () => pool.map(trivial, typed, { output: Float64Array }),
      },
      { name: "ours", run: () => pool.map(trivial, from, { output }) },
    ], { aim: "0.20 ×", least: 7, most: 15, budget: 12_000 });
  },
};
