// Measures one peer at one kind of work, beside raw workers and ours, in this
// process. Arguments: the peer, the work. Prints the timings as JSON.

import process from "node:process";
import { parallelMap, Pool } from "../../mod.ts";
import { compare, type Effort, type Side } from "../compare.ts";
import { rawOnce, RawWorkers, split } from "../raw.ts";
import { callEach } from "../rows/calls.ts";
import { bestSplit, heavyTail } from "../rows/computing.ts";
import * as tasks from "../tasks.ts";
import { PEERS, type TaskName } from "./adapters.ts";

const [peer, work] = process.argv.slice(2);
const startPeer = PEERS[peer];

/** A kind of work on pools that are up. */
interface Warm {
  task: TaskName;
  inputs: unknown[];
  parts?: unknown[][];
  workers?: number;
  moved?: boolean;
  /** Whether ours makes a call for each input, and raw sends a message, as peers do. */
  single?: boolean;
  effort?: Effort;
}

if (peer === "multithreading" && work === "copied") {
  throw new Error("it always moves buffers"); // its move() leaves no choice
}

const few: Effort = { budget: 3000, warmups: 1, least: 3, most: 9 };

const tail = (long: "early" | "late"): Warm => ({
  task: "spin",
  inputs: heavyTail(long),
  parts: bestSplit(heavyTail(long)),
  // The parts of raw are in another order.
  effort: { ...few, unchecked: true },
});

const buffers = () =>
  Array.from(
    { length: 64 },
    (_, i) => new Float64Array(1 << 20).fill(i).buffer,
  );

const WARM: Record<string, () => Warm> = {
  numbers: () => ({
    task: "trivial",
    inputs: Array.from({ length: 20_000 }, (_, i) => i),
    effort: few,
  }),
  single: () => ({
    task: "trivial",
    inputs: Array.from({ length: 2000 }, (_, i) => i),
    single: true,
    effort: few,
  }),
  objects: () => ({
    task: "object",
    inputs: Array.from({ length: 20_000 }, (_, id) => ({ id, v: id / 2 })),
    effort: few,
  }),
  copied: () => ({ task: "sum", inputs: buffers(), effort: few }),
  moved: () => ({ task: "sum", inputs: buffers(), moved: true, effort: few }),
  early: () => tail("early"),
  late: () => tail("late"),
  sleeping5: () => ({
    task: "slowAdd",
    inputs: tasks.PAIRS,
    workers: 5,
    effort: few,
  }),
  sleeping10: () => ({
    task: "slowAdd",
    inputs: tasks.PAIRS,
    workers: 10,
    effort: few,
  }),
  ten: () => ({
    task: "spin",
    inputs: new Array(10).fill(3_000_000),
    effort: few,
  }),
};

async function warm(
  { task, inputs, parts, workers = 2, moved = false, single, effort }: Warm,
) {
  const fn = tasks[task] as (value: never) => unknown;
  const halves = parts ?? split(inputs, workers);
  const raw = await RawWorkers.start(fn, workers);
  const pool = new Pool({ workers });
  const other = await startPeer(workers);
  const copy = moved
    ? () => inputs.map((value) => (value as ArrayBuffer).slice())
    : () => inputs;
  const sides: Side[] = [
    {
      name: "raw",
      before: () => moved ? split(copy(), workers) : halves,
      run: (parts: ArrayBuffer[][]) =>
        single ? raw.mapBatched(inputs, 1) : raw.map(parts, moved ? parts : []),
    },
    {
      name: "ours",
      before: copy,
      run: (all: never[]) =>
        single
          ? callEach(pool, fn, all)
          : pool.map(fn, all, { transfer: moved }),
    },
    {
      name: peer,
      before: copy,
      run: (all: unknown[]) => other.map(task, all, moved),
    },
  ];
  return await compare(sides, effort);
}

async function once(workers: number, task: TaskName, inputs: unknown[]) {
  const fn = tasks[task] as (value: never) => unknown;
  return await compare([
    { name: "raw", run: () => rawOnce(fn, split(inputs, workers)) },
    {
      name: "ours",
      run: () => parallelMap(fn, inputs as never[], { workers }),
    },
    {
      name: peer,
      run: async () => {
        const pool = await startPeer(workers);
        const results = await pool.map(task, inputs, false);
        await pool.close();
        return results;
      },
    },
  ], { ...few, most: 15 });
}

const timings = work === "cold10"
  ? await once(10, "slowAdd", tasks.PAIRS)
  : work === "cycles"
  ? await once(2, "trivial", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  : await warm(WARM[work]());
console.log(`\n${JSON.stringify(timings)}`);
process.exit(0);
