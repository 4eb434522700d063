/**
 * What the size of a chunk does, and whether the automatic one is any good.
 *
 * @module
 */

import { Pool } from "../../mod.ts";
import { RawWorkers, split } from "../raw.ts";
import { finding, type Row } from "../row.ts";
import { object, spin, trivial } from "../tasks.ts";

const SIZES = [1, 10, 100, 1000, 10_000];

/** Chunks of each size, against automatic ones. */
export const chunkSize: Row = {
  name: "chunks",
  async *measure() {
    // Some 20 µs of computing.
    const short = new Array<number>(5_000).fill(20_000);
    const points = Array.from({ length: 10_000 }, (_, id) => ({ id, v: id }));
    const ids = points.map(({ id }) => id);
    yield await sweep("10,000 trivial number tasks", trivial, ids);
    yield await sweep("10,000 small objects", object, points);
    yield await sweep("5,000 CPU tasks of 20,000 steps", spin, short);
  },
};

async function sweep<T, R>(title: string, fn: (value: T) => R, inputs: T[]) {
  using raw = await RawWorkers.start(fn, 2);
  await using pool = new Pool({ workers: 2 });
  const halves = split(inputs, 2);
  return await finding(`${title}, by chunkSize`, [
    { name: "raw", run: () => raw.map(halves) },
    { name: "loop", run: () => inputs.map((value) => fn(value)) },
    { name: "automatic", run: () => pool.map(fn, inputs) },
    ...SIZES.map((chunkSize) => ({
      name: String(chunkSize),
      run: () => pool.map(fn, inputs, { chunkSize }),
    })),
  ], { budget: 4000 });
}
