// What a pool on NATS costs: tasks of 100 ms and tiny ones beside a pool of this
// machine, chunks a second, and the time to a first result. Needs nats-server.
//
//     npm run bench:nats

import { availableParallelism } from "node:os";
import process from "node:process";
import { NatsPool } from "@parallel/map-nats";
import { Pool } from "../mod.ts";

const ROUNDS = 3;
const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const double = (n: number) => 2 * n;
const sleep = async (n: number) => {
  await new Promise((resolve) => setTimeout(resolve, 100));
  return 2 * n;
};

async function time(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** The least, the median and the most of some times. */
function show(what: string, times: number[], unit = "ms"): void {
  const [least, median, most] = times.sort((a, b) => a - b).map(Math.round);
  console.log(`${what}: ${median} ${unit} (${least} to ${most})`);
}

function check(results: number[], count: number): void {
  const wrong = results.findIndex((n, i) => n !== 2 * i);
  if (results.length !== count || wrong >= 0) throw new Error(`at ${wrong}`);
}

const { versions } = process as { versions: Record<string, string> };
const name = ["deno", "bun", "node"].find((name) => name in versions)!;
const cores = availableParallelism();
console.log(
  `${name} ${versions[name]}, ${cores} cores, ${new Date().toISOString()}`,
);

const first: number[] = [];
for (let i = 0; i < ROUNDS; i++) {
  first.push(
    await time(async () => {
      await using pool = await NatsPool.local({ slots: 2, backend: "threads" });
      await pool.map(double, [1]);
    }),
  );
}
show("a server, a machine, a first result, and the end of all", first);

await using here = new Pool({ workers: 2, backend: "threads" });
await using there = await NatsPool.local({ slots: 2, backend: "threads" });
const sides = { here, there } as const;
const rows = [
  ["40 tasks of 100 ms", sleep, 40, undefined],
  ["100,000 tiny tasks", double, 100_000, undefined],
  ["2,000 chunks of one tiny task", double, 2000, 1],
] as const;
for (const [title, fn, count, chunkSize] of rows) {
  const times: Record<string, number[]> = { here: [], there: [] };
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [side, pool] of Object.entries(sides)) {
      const map = async () => {
        const options = { chunkSize };
        check(await (pool as Pool).map(fn, range(count), options), count);
      };
      const ms = await time(map);
      if (round > 0) times[side].push(ms); // the first warms up
    }
  }
  show(`${title}, on this machine`, times.here);
  show(`${title}, on NATS`, times.there);
}
