// Shows that nothing is left behind: memory, threads and handles after many
// pools, many tasks, and a long stream.
//
//   deno run -A scripts/flat.ts
//   bun scripts/flat.ts
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { parallelMapStream, Pool } from "../mod.ts";

/** Resident memory in MB, threads and open files of this process (Linux). */
function measure(): { MB: number; threads: number; files: number } {
  const { gc } = globalThis as { gc?: () => void };
  gc?.();
  const { Bun } = globalThis as { Bun?: { gc(force: boolean): void } };
  Bun?.gc(true);
  const status = readFileSync("/proc/self/status", "utf8");
  return {
    MB: Math.round(process.memoryUsage().rss / 2 ** 20),
    threads: Number(status.match(/Threads:\s+(\d+)/)?.[1]),
    files: readdirSync("/proc/self/fd").length,
  };
}

const inc = (n: number) => n + 1;

function* count(most: number) {
  for (let n = 0; n < most; n++) yield n;
}

async function pools(times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    await using pool = new Pool({ workers: 2 });
    await pool.map(inc, [1, 2, 3, 4]);
  }
}

async function stream(tasks: number): Promise<void> {
  let sum = 0;
  for await (const n of parallelMapStream(inc, count(tasks), { workers: 2 })) {
    sum += n;
  }
  if (sum !== tasks * (tasks + 1) / 2) throw new Error(`wrong sum ${sum}`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      pools: { type: "string", default: "1000" },
      tasks: { type: "string", default: "10000000" },
    },
  });
  const rows: Record<string, object> = { "at the start": measure() };
  const steps = 5;
  for (let step = 1; step <= steps; step++) {
    const times = Number(values.pools) / steps;
    await pools(times);
    rows[`after ${times * step} pools`] = measure();
  }
  {
    await using pool = new Pool({ workers: 2 });
    for (let step = 1; step <= steps; step++) {
      const inputs = Array.from({ length: 200_000 }, (_, i) => i);
      await pool.map((n: number) => ({ n }), inputs);
      rows[`after ${200_000 * step} tasks of one pool`] = measure();
    }
  }
  for (let step = 1; step <= steps; step++) {
    const tasks = Number(values.tasks) / steps;
    await stream(tasks);
    rows[`after ${tasks * step} streamed`] = measure();
  }
  console.table(rows);
}

if (import.meta.main) await main();
