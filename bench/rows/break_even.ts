/**
 * From which length of a task on two workers beat a loop.
 *
 * @module
 */

import { parallelMap, Pool } from "../../mod.ts";
import { compare, type Timing } from "../compare.ts";
import type { Finding, Row } from "../row.ts";
import { spin } from "../tasks.ts";

/** A value of one kind, that says for how many steps to compute. */
interface Kind {
  name: string;
  input(steps: number): unknown;
  fn(value: never): unknown;
}

// The steps are read and the loop is written out in each: a shipped function
// sees nothing around it.
const KINDS: Kind[] = [
  { name: "numbers", input: (steps) => steps, fn: spin },
  {
    name: "small objects",
    input: (steps) => ({ id: 7, steps }),
    fn({ id, steps }: { id: number; steps: number }) {
      let x = 1;
      for (let i = 0; i < steps; i++) x = (Math.imul(x, 1664525) + i) | 0;
      return { id, x };
    },
  },
];

/** Warm pools, and cold calls. */
export const breakEven: Row = {
  name: "breakeven",
  async *measure() {
    const tasks = 10_000;
    for (const { name, input, fn } of KINDS) {
      await using pool = new Pool({ workers: 2 });
      const run = (inputs: unknown[]) => pool.map(fn, inputs as never[]);
      const at = await crossing(tasks, input, fn, run);
      yield saying(
        `break-even, ${tasks.toLocaleString("en")} ${name}, warm pool`,
        at,
        `two workers win from ${at.us.toFixed(2)} µs a task on`,
      );
    }
    for (const tasks of [100, 10_000]) {
      const [{ input, fn }] = KINDS;
      const run = (inputs: unknown[]) =>
        parallelMap(fn, inputs as never[], { workers: 2 });
      const at = await crossing(tasks, input, fn, run);
      yield saying(
        `break-even, ${tasks.toLocaleString("en")} numbers, cold call`,
        at,
        `two workers win from ${
          (at.us * tasks / 1000).toFixed(0)
        } ms of work in all on (${at.us.toFixed(1)} µs a task)`,
      );
    }
  },
};

interface Crossing {
  /** µs a task at which both take as long. */
  us: number;
  timings: Timing[];
}

/** Closes in on the task length where the loop and two workers are even. */
async function crossing(
  tasks: number,
  input: Kind["input"],
  fn: Kind["fn"],
  run: (inputs: unknown[]) => unknown,
): Promise<Crossing> {
  let low = 1; // steps at which the loop wins
  let high = 2e8 / tasks; // and at which it loses
  let timings: Timing[] = [];
  for (let tries = 0; tries < 7; tries++) {
    const steps = Math.round(Math.sqrt(low * high));
    const inputs = Array.from({ length: tasks }, () => input(steps));
    timings = await compare([
      { name: "loop", run: () => inputs.map((value) => fn(value as never)) },
      { name: "ours", run: () => run(inputs) },
    ], { budget: 900, least: 5, most: 21 });
    const [loop, ours] = timings;
    if (loop.median < ours.median) low = steps;
    else high = steps;
  }
  return { us: timings[0].median * 1000 / tasks, timings };
}

function saying(title: string, { timings }: Crossing, note: string): Finding {
  return { title, timings, base: "loop", note };
}
