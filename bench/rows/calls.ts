/**
 * Many calls at once, each of which could use all cores.
 *
 * @module
 */

import { parallelMap, type RunEvent } from "../../mod.ts";
import type { Row } from "../row.ts";
import { finding } from "../row.ts";
import { spin } from "../tasks.ts";

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
