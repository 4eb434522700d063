// What recording a timeline costs, on tasks of 1 ms: pairs of runs without and
// with it, one after the other, and the median of their ratios.
//
//   deno run -A bench/timeline_overhead.ts
//   bun bench/timeline_overhead.ts

import { assertEquals } from "@std/assert";
import process from "node:process";
import { Pool, type RunEvent } from "../mod.ts";
import { Timeline } from "../src/timeline/mod.ts";

/** Pairs of runs: an even number, as each goes first in half of them. */
const PAIRS = 200;

/** Tasks in one run: short runs, so that a pair meets the same neighbours. */
const TASKS = 100;

/** One, which a busy machine with two cores can still serve. */
const WORKERS = 1;

/** Computes for 1 ms by the clock, however busy the machine is. */
function work(n: number): number {
  const end = performance.now() + 1;
  while (performance.now() < end);
  return n * 2;
}

const inputs = Array.from({ length: TASKS }, (_, i) => i);

await using pool = new Pool({ workers: WORKERS });
await pool.start();

/** One run, in ms. */
async function time(onEvent?: (event: RunEvent) => void): Promise<number> {
  const from = performance.now();
  const results = await pool.map(work, inputs, { onEvent });
  const ms = performance.now() - from;
  assertEquals(results, inputs.map((n) => n * 2));
  return ms;
}

/** A new timeline each time: none grows large. */
async function timeRecorded(): Promise<number> {
  const timeline = new Timeline();
  const ms = await time(timeline.record);
  assertEquals(timeline.summary().tasks, TASKS);
  return ms;
}

await time();
await timeRecorded();

const ratios: number[] = [];
const plain: number[] = [];
let quickest = Infinity; // with recording
for (let pair = 0; pair < PAIRS; pair++) {
  const recordedFirst = pair % 2 === 0;
  const first = recordedFirst ? await timeRecorded() : await time();
  const second = recordedFirst ? await time() : await timeRecorded();
  const [recorded, without] = recordedFirst ? [first, second] : [second, first];
  ratios.push(recorded / without);
  plain.push(without);
  quickest = Math.min(quickest, recorded);
}

const sorted = ratios.toSorted((a, b) => a - b);
const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))];
const median = (sorted[PAIRS / 2 - 1] + sorted[PAIRS / 2]) / 2;
const overhead = (ratio: number) => `${((ratio - 1) * 100).toFixed(2)} %`;
const { versions } = process;
const version = versions.bun ?? versions.deno;
const runtime = versions.bun === undefined ? "deno" : "bun";
console.log(
  `${runtime} ${version}, ${navigator.hardwareConcurrency} cores, ${process.platform} ${process.arch}, ${
    new Date().toISOString().slice(0, 10)
  }`,
);
console.log(
  `${TASKS} tasks of 1 ms, ${WORKERS} worker, ${PAIRS} pairs; a run takes ${
    plain.toSorted((a, b) => a - b)[PAIRS / 2].toFixed(0)
  } ms`,
);
console.log(
  `recording costs ${overhead(median)} (median; quartiles ${
    overhead(at(0.25))
  } to ${overhead(at(0.75))}), of the quickest runs ${
    overhead(quickest / Math.min(...plain))
  }`,
);
