// The lecture shows what it says it shows: results, their order, who did what.
// Never how long it took.

import {
  parallelMap,
  parallelMapSettled,
  parallelMapStream,
  Pool,
  type RunEvent,
} from "../mod.ts";
import { assert, assertEquals } from "@std/assert";
import {
  countByReturning,
  countInSharedMemory,
} from "../scripts/fixed_counter.ts";
import { busyAdd, PAIRS, slowAdd } from "../scripts/lecture/additions.ts";
import { lazyMap } from "../scripts/lecture/lazy_map.ts";
import { test } from "./harness.ts";
import { RUN, runProgram } from "./run_program.ts";

const SUMS = [11, 12, 13, 14, 15, 6, 4, 2, 4, 7];
const timeout = 300_000;
/** Deno asks for this when a worker imports a file. */
const READ = "Deno" in globalThis ? ["--allow-read"] : [];
const additions = new URL("../scripts/lecture/additions.ts", import.meta.url);

test(
  "the ten pairs give the ten sums, in every form",
  { timeout },
  async () => {
    assertEquals(PAIRS.map(slowAdd), SUMS, "a loop");
    assertEquals([...lazyMap(slowAdd, PAIRS)], SUMS, "a lazy map");
    const workers = 10;
    assertEquals(
      await parallelMap(slowAdd, PAIRS, { workers }),
      SUMS,
      "shipped",
    );
    assertEquals(
      await parallelMap(slowAdd, PAIRS, { workers, module: additions }),
      SUMS,
      "imported",
    );
    assertEquals(
      await parallelMap("slowAdd", PAIRS, { workers, module: additions }),
      SUMS,
      "by name",
    );
    assertEquals(
      await parallelMapSettled(slowAdd, PAIRS, { workers }),
      SUMS.map((value) => ({ status: "fulfilled" as const, value })),
      "settled",
    );
    assertEquals(
      await Array.fromAsync(parallelMapStream(slowAdd, PAIRS, { workers })),
      SUMS,
      "streamed",
    );
    assertEquals(
      await parallelMap(slowAdd, PAIRS, { workers: 3, backend: "threads" }),
      SUMS,
      "threads",
    );
    assertEquals(await parallelMap(busyAdd, PAIRS), SUMS, "as many as cores");
    assertEquals(
      await parallelMap(busyAdd, PAIRS, { workers: 0 }),
      SUMS,
      "in this thread",
    );
  },
);

test("the lazy map adds up nothing until it is asked", () => {
  const added: number[] = [];
  const sums = lazyMap(([a, b]) => {
    added.push(a + b);
    return a + b;
  }, PAIRS);
  assertEquals(added, []);
  assertEquals([sums.next().value, sums.next().value], [11, 12]);
  assertEquals(added, [11, 12]);
});

test("ten workers take one sleeping pair each", { timeout }, async () => {
  const events: RunEvent[] = [];
  const onEvent = (event: RunEvent) => events.push(event);
  await using pool = new Pool({ workers: 10 });
  await pool.start();
  assertEquals(await pool.map(slowAdd, PAIRS, { onEvent }), SUMS);
  const sent = events.filter((event) => event.type === "chunk-send");
  assertEquals(sent.map((chunk) => chunk.tasks), Array(10).fill(1));
  assertEquals(new Set(sent.map((chunk) => chunk.worker)).size, 10);
});

test(
  "five workers take at most five sleeping pairs at a time",
  { timeout },
  async () => {
    let inFlight = 0;
    const counts: number[] = [];
    const onEvent = (event: RunEvent) => {
      if (event.type === "chunk-send") counts.push(inFlight += event.tasks);
      if (event.type === "chunk-done") inFlight -= event.from.length;
    };
    await using pool = new Pool({ workers: 5 });
    await pool.start();
    assertEquals(await pool.map(slowAdd, PAIRS, { onEvent }), SUMS);
    assertEquals(counts.slice(0, 5), [1, 2, 3, 4, 5]);
    assertEquals(Math.max(...counts), 5);
  },
);

test(
  "lesson.ts tells its seven steps and closes with a table",
  { timeout },
  () => {
    const { code, out, err } = runProgram([
      ...RUN,
      ...READ,
      "scripts/lesson.ts",
    ]);
    assertEquals([code, err], [0, ""]);
    const headings = out.match(/^\d(?=\. )/gm);
    assertEquals(headings, ["1", "2", "3", "4", "5", "6", "7"]);
    const rows = out.split("speed-up  results\n")[1].trim().split("\n");
    const results = rows.map((row) => row.match(/ {2}((\d+ )*\d+)$/)?.[1]);
    assertEquals(rows.map((row) => row[0]).join(""), "123456667");
    assertEquals(results, ["11", ...Array(7).fill(SUMS.join(" ")), "0"]);
  },
);

test("broken_counter.ts stays broken: each worker has a total of its own", {
  timeout,
}, () => {
  const { code, out, err } = runProgram(
    [...RUN, ...READ, "scripts/broken_counter.ts"],
  );
  assertEquals([code, err], [0, ""]);
  const amounts: number[] = [];
  const totals = new Map<string, number>();
  const lines = out.matchAll(/worker (\d): SUB TOTAL SO FAR (\d+)/g);
  for (const [, worker, text] of lines) {
    const total = Number(text);
    amounts.push(total - (totals.get(worker) ?? 0));
    totals.set(worker, total);
  }
  assertEquals(amounts.sort((a, b) => a - b), [1, 2, 3, 9], "each amount once");
  assertEquals([...totals.keys()].sort(), ["0", "1"], "both workers took part");
  assert(![...totals.values()].includes(15), "no worker saw all");
  assert(out.includes("TOTAL 0\n"), "the program's own total is 0");
});

test("both fixed counters count to 15", { timeout }, async () => {
  assertEquals(await countByReturning(), 15);
  assertEquals(await countInSharedMemory(), 15);
  const { code, out, err } = runProgram([...RUN, "scripts/fixed_counter.ts"]);
  assertEquals([code, err], [0, ""]);
  assertEquals(out.match(/TOTAL \d+/g), ["TOTAL 15", "TOTAL 15"]);
});
