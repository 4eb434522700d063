/**
 * Many calls: each of which could use all cores, or that have one input each.
 *
 * @module
 */

import { parallelMap, Pool, type RunEvent } from "../../mod.ts";
import { RawWorkers } from "../raw.ts";
import type { Row } from "../row.ts";
import { finding } from "../row.ts";
import { spin, trivial } from "../tasks.ts";

const CALLS = 10;
const cores = navigator.hardwareConcurrency;

/** Ten calls of ten inputs, that divide the cores or take all of them each. */
export const calls: Row = {
  name: "calls",
  async *measure() {
    // Some 2 ms of computing each.
    const inputs = new Array<number>(10).fill(2_000_000);
    const started = new Map<string, number>();
    const run = (name: string, workers: number | undefined) => async () => {
      let count = 0;
      const onEvent = ({ type }: RunEvent) => {
        if (type === "worker-start") count++;
      };
      const options = { workers, onEvent };
      const results = await Promise.all(
        Array.from({ length: CALLS }, () => parallelMap(spin, inputs, options)),
      );
      started.set(name, count);
      return results;
    };
    const found = await finding(`${CALLS} calls of 10 CPU tasks at once`, [
      { name: "all cores each", run: run("all cores each", cores) },
      { name: "divided", run: run("divided", undefined) },
    ], { budget: 8000 });
    const threads = [...started].map(([name, n]) => `${name} ${n}`).join(", ");
    yield { ...found, note: `threads started: ${threads}` };
  },
};

/**
 * Makes a call for each input, all at once.
 *
 * @param pool The pool.
 * @param fn What to call.
 * @param inputs The inputs.
 * @returns Their results, in order.
 */
export function callEach<T, R>(
  pool: Pool,
  fn: (value: T) => R,
  inputs: readonly T[],
): Promise<R[]> {
  return Promise.all(
    inputs.map(async (input) => (await pool.map(fn, [input]))[0]),
  );
}

/** Calls of one input each, as a server makes them. */
export const single: Row = {
  name: "single",
  async *measure() {
    const inputs = Array.from({ length: 2000 }, (_, i) => i);
    using raw = await RawWorkers.start(trivial, 2);
    await using pool = new Pool({ workers: 2 });
    yield await finding("2,000 calls of one number each, at once", [
      { name: "raw, a message each", run: () => raw.mapBatched(inputs, 1) },
      { name: "ours", run: () => callEach(pool, trivial, inputs) },
      { name: "ours, one call", run: () => pool.map(trivial, inputs) },
    ]);
    const inTurn = async (call: (n: number) => Promise<number[]>) => {
      const results: number[] = [];
      for (const n of inputs) results.push(...await call(n));
      return results;
    };
    yield await finding("the same, one after the other", [
      { name: "raw, a message each", run: () => inTurn((n) => raw.map([[n]])) },
      { name: "ours", run: () => inTurn((n) => pool.map(trivial, [n])) },
    ]);
  },
};
