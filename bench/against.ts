/**
 * The library beside another checkout of it, in turn in one run: what a change
 * costs. Give the folder of the other one:
 *
 * ```sh
 * git worktree add ../before main~10
 * deno run -A bench/against.ts ../before
 * bun bench/against.ts ../before --only records
 * ```
 *
 * @module
 */

import process from "node:process";
import { resolve } from "@std/path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import * as now from "../mod.ts";
import { compare, type Side } from "./compare.ts";
import { coldPrograms, runProcess, RUNTIME } from "./processes.ts";
import {
  digest,
  object,
  PAIRS,
  slowAdd,
  spin,
  sum,
  text,
  trivial,
} from "./tasks.ts";

type Library = typeof now;
type Fn = (value: never) => unknown;

const { values: { only }, positionals: [folder] } = parseArgs({
  args: process.argv.slice(2),
  options: { only: { type: "string" } },
  allowPositionals: true,
});
if (folder === undefined) {
  console.error("Usage: against.ts FOLDER [--only WORK]");
  process.exit(2);
}
const url = (root: string) => pathToFileURL(resolve(root, "mod.ts")).href;
const BOTH: [name: string, library: Library, root: string][] = [
  ["before", await import(url(folder)), resolve(folder)],
  ["now", now, resolve(import.meta.dirname!, "..")],
];

const list = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));
const same = (value: unknown) => value;
const MB = 1 << 20;

/** What is mapped on a warm pool of two workers. */
const WORKS: Record<string, [Fn, () => unknown[], object?]> = {
  "numbers: 100,000": [trivial, () => list(100_000, (i) => i)],
  "numbers: 1,000": [trivial, () => list(1000, (i) => i)],
  "objects: 20,000": [object, () => list(20_000, (id) => ({ id, v: id / 2 }))],
  "digests: 20,000": [digest, () => list(20_000, (i) => `line ${i} of it`)],
  "strings: 20,000": [text, () => list(20_000, (i) => `line ${i} of it`)],
  "records: 10,000 nested": [
    same,
    () =>
      list(10_000, (id) => ({
        id,
        user: { name: `user ${id}`, tags: ["a", "b"], seen: id % 2 === 0 },
        points: [id, id + 1, id + 2],
      })),
  ],
  "records: 5,000 shapes on a map": [
    same,
    () =>
      list(5000, (i) => ({
        type: "Feature",
        properties: { name: `place ${i}`, height: i / 7 },
        geometry: { type: "Line", coordinates: list(9, (k) => [k + i, i / 3]) },
      })),
  ],
  "lists: 20,000 of four numbers": [
    same,
    () => list(20_000, (i) => [i, i + 1, i + 2, i + 3]),
  ],
  "dates: 5,000 objects with a Map": [
    same,
    () => list(5000, (i) => ({ at: new Date(i), by: new Map([["k", i]]) })),
  ],
  "errors: 500 as values": [
    same,
    () => list(500, (i) => ({ i, error: new TypeError(`no ${i}`) })),
  ],
  "buffers: 16 of 8 MB, copied": [
    sum,
    () => list(16, (i) => new Float64Array(MB).fill(i).buffer),
  ],
  "buffers: 16 of 8 MB, moved": [
    sum,
    () => list(16, (i) => new Float64Array(MB).fill(i).buffer),
    { transfer: true },
  ],
  "buffers: 500 of 1 kB, moved": [
    sum,
    () => list(500, (i) => new Float64Array(128).fill(i).buffer),
    { transfer: true },
  ],
  "computing: 20 of 3 ms": [spin, () => list(20, () => 3_000_000)],
  "timed: 10,000 numbers": [
    trivial,
    () => list(10_000, (i) => i),
    { timeout: 60_000 },
  ],
};

async function drain(results: AsyncIterable<number>): Promise<number> {
  let total = 0;
  for await (const n of results) total += n;
  return total;
}

/** What is more than one call. */
const OTHERS: Record<string, (library: Library, root: string) => unknown> = {
  "stream: 200,000 in order": async ({ Pool }) => {
    await using pool = new Pool({ workers: 2 });
    const numbers = list(200_000, (i) => i);
    return await drain(pool.stream(trivial, numbers));
  },
  "ping: 2,000 calls of one number": async ({ Pool }) => {
    await using pool = new Pool({ workers: 1 });
    let total = 0;
    for (let i = 0; i < 2000; i++) total += (await pool.map(trivial, [i]))[0];
    return total;
  },
  "cycle: a new pool, 10 numbers, closed": async ({ Pool }) => {
    await using pool = new Pool({ workers: 2 });
    return await pool.map(trivial, list(10, (i) => i));
  },
  "sleeping: ten pairs, 10 cold workers": ({ parallelMap }) =>
    parallelMap(slowAdd, PAIRS, { workers: 10 }),
  "cold: 8 numbers, the whole process": async (_, root) => {
    const flags = RUNTIME === "deno" ? ["run", "-A"] : [];
    const args = [...flags, programs.get(root)!];
    const { code, output } = await runProcess(process.execPath, args, 60_000);
    if (code !== 0) throw new Error(output);
  },
};

/** Compares, and prints a line. */
async function report(name: string, sides: Side[]): Promise<void> {
  const effort = { budget: 5000, warmups: 3, least: 15, most: 101 };
  const [before, after] = await compare(sides, effort);
  const share = (of: number) => `${(100 * of / before.median).toFixed(1)} %`;
  console.log(
    `${name.padEnd(40)}${share(after.median).padStart(8)}  ` +
      `${before.median.toFixed(1)} → ${
        after.median.toFixed(1)
      } ms, quartiles ` +
      `${share(before.low)} to ${share(before.high)} → ` +
      `${share(after.low)} to ${share(after.high)}, ${before.runs} runs`,
  );
}

const programs = new Map<string, string>();
for (const [, , root] of BOTH) {
  programs.set(root, (await coldPrograms(root)).ours);
}
console.log(`${RUNTIME}: now in % of before (medians, in turn in one run)`);
for (const [name, [fn, make, options]] of Object.entries(WORKS)) {
  if (!name.includes(only ?? "")) continue;
  const pools = BOTH.map(([, { Pool }]) => new Pool({ workers: 2 }));
  await report(
    name,
    BOTH.map(([name], i) => ({
      name,
      before: make,
      run: (inputs: []) => pools[i].map(fn, inputs, options),
    })),
  );
  await Promise.all(pools.map((pool) => pool.close()));
}
for (const [name, run] of Object.entries(OTHERS)) {
  if (!name.includes(only ?? "")) continue;
  await report(
    name,
    BOTH.map(([name, library, root]) => ({
      name,
      run: () => run(library, root),
    })),
  );
}
