import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  parallelMap,
  parallelMapSettled,
  Pool,
  type RunEvent,
} from "../mod.ts";
import { Timeline } from "../src/timeline/mod.ts";
import { barsOf } from "./fixtures/bars.ts";
import { test } from "./harness.ts";
import { RUN_ALL, runProgram } from "./run_program.ts";

interface TraceEvent {
  ph: string;
  cat: string;
  name: string;
  tid: number;
  ts: number;
  dur: number;
  args: { index: number; attempt: number };
}

function traceOf(timeline: Timeline): TraceEvent[] {
  return JSON.parse(timeline.toTrace()).traceEvents;
}

test("Timeline records every task once, on one clock", async () => {
  const timeline = new Timeline();
  const inputs = Array.from({ length: 200 }, (_, i) => i);
  const before = performance.now();
  await parallelMap((n: number) => n, inputs, {
    workers: 2,
    onEvent: timeline.record,
  });
  const wall = performance.now() - before;
  const { tasks, failed, runs, rows, ...facts } = timeline.summary();
  assertEquals([tasks, failed, runs], [200, 0, 1]);
  assert(facts.wall <= wall, `${facts.wall} of ${wall}`);
  assertEquals(rows.reduce((sum, row) => sum + row.tasks, 0), 200);
  for (const row of rows) {
    const shares = row.work + row.startUp + row.transport + row.waiting;
    assertAlmostEquals(shares, row.present, 1e-6);
    assert(row.present <= wall + 1e-6);
  }
  const seen = traceOf(timeline).filter(({ cat }) => cat === "task");
  const indexes = seen.map(({ args }) => args.index).sort((a, b) => a - b);
  assertEquals(indexes, inputs);
});

test("Timeline records all runs of a pool, and its workers", async () => {
  const timeline = new Timeline();
  await using pool = new Pool({ workers: 2, onEvent: timeline.record });
  await pool.start();
  await pool.map((n: number) => n, [1, 2, 3]);
  await pool.map((n: number) => n, [4]);
  const { runs, tasks, rows } = timeline.summary();
  assertEquals([runs, tasks, rows.length], [2, 4, 2]);
  for (const { startUp } of rows) assert(startUp > 0);
});

test("Timeline.record can be handed over as it is", () => {
  const { record } = new Timeline();
  const event: RunEvent = { type: "worker-ready", worker: 9, at: 1 };
  record(event);
  record({ type: "worker-end", worker: 9, lost: true, at: 2 });
  record({ type: "run-end", run: 7, ok: true, at: 3 });
});

test("Timeline.measure() times calls in this thread", async () => {
  const timeline = new Timeline();
  assertEquals(timeline.measure(() => 7), 7);
  assertThrows(
    () =>
      timeline.measure(() => {
        throw new RangeError("no");
      }),
    RangeError,
  );
  assertEquals(await timeline.measure(() => Promise.resolve(8)), 8);
  await assertRejects(() =>
    timeline.measure(() => Promise.reject(new Error()))
  );
  const { calls, tasks, failed } = timeline.summary();
  assertEquals([calls, tasks, failed], [4, 4, 2]);
  assertEquals(barsOf(timeline.toHtml()).map(({ kind }) => kind), [
    "task",
    "failed",
    "task",
    "failed",
  ]);
});

test("Timeline.measure() hides no rejection that nobody handles", () => {
  const program = "tests/fixtures/programs/measured.ts";
  const { code, err } = runProgram([...RUN_ALL, program]);
  assertEquals(code, 1);
  assertMatch(err, /nobody awaits me/);
});

test("Timeline.measure() gives what it is given, and asks it for nothing", async () => {
  const timeline = new Timeline();
  class Own extends Promise<number> {}
  const own = timeline.measure(() => Own.resolve(5));
  assertEquals([own instanceof Own, await own], [true, 5]);
  const child = Object.assign(Promise.resolve(6), { kill: () => 7 });
  const same = timeline.measure(() => child);
  assertEquals([same === child, same.kill(), await same], [true, 7, 6]);
  // Of some libraries, it is then that a query is sent.
  const query = { then: () => assert(false) };
  assertEquals(timeline.measure(() => query) === query, true);
});

test("Timeline counts failed tasks, tries and lost workers", async () => {
  const timeline = new Timeline();
  await parallelMapSettled(
    async (n: number, { attempt }) => {
      if (n === 1 && attempt === 1) throw new Error("once");
      if (n === 2) await new Promise(() => {});
      return n;
    },
    [0, 1, 2, () => {}] as number[],
    {
      workers: 1,
      chunkSize: 1,
      timeout: 150,
      retries: 1,
      onEvent: timeline.record,
    },
  );
  const { failed, stopped } = timeline.summary();
  assertEquals([failed, stopped], [4, 0], "a throw, two timeouts, a function");
  const tries = traceOf(timeline).filter(({ args }) => args?.index === 1)
    .map(({ cat, args }) => [cat, args.attempt]);
  assertEquals(tries, [["failed", 1], ["task", 2]]);
  const labels = barsOf(timeline.toHtml()).filter(({ kind }) =>
    kind === "failed"
  ).map(({ label }) => label.split(" · ").filter((_, i) => i !== 1).join(" "));
  assertMatch(labels[0], /^input 1 threw worker 0/);
  assertMatch(labels[1], /^input 2 timeout worker 0/);
  assertMatch(labels[2], /^input 2 timeout worker 0/);
});

test("Timeline reports that a run was stopped", async () => {
  const timeline = new Timeline();
  await assertRejects(() =>
    parallelMap(
      (n: number) => {
        if (n === 1) throw new Error("one");
      },
      [0, 1, 2],
      { workers: 1, onEvent: timeline.record },
    )
  );
  assertEquals(timeline.summary().stopped, 1);
  assertMatch(timeline.report(), /^.*, 1 failed, stopped early\n/);
});

test("Timeline gives overlapping tasks lanes of their own", async () => {
  const timeline = new Timeline();
  const nap = (ms: number) => new Promise((wake) => setTimeout(wake, ms));
  await parallelMap(nap, [50, 50, 50], {
    workers: 1,
    concurrency: 3,
    onEvent: timeline.record,
  });
  const tasks = traceOf(timeline).filter(({ cat }) => cat === "task");
  assertEquals(new Set(tasks.map(({ tid }) => tid)).size, 3);
  const { spent, tasksAtOnce } = timeline.summary();
  assert(spent.work <= 1, "three at once in one worker are not 300 %");
  assertEquals(tasksAtOnce, 3);
});

test("Timeline names the inputs that tasks are of", async () => {
  const inputOf = (index: number) => [7, 3, 7][index]!;
  const timeline = new Timeline({ inputOf });
  const both = new Timeline({ inputOf: () => 7 });
  const onEvent = (event: RunEvent) => {
    timeline.record(event);
    both.record(event);
  };
  const fn = (n: number) => {
    if (n === 1) throw new Error("it failed");
  };
  await parallelMapSettled(fn, [0, 1, 2], { workers: 1, onEvent });
  const tasks = traceOf(timeline).filter(({ ph }) => ph === "X");
  const named = tasks.map(({ cat, name }) => `${cat}: ${name}`)
    .filter((text) => text.includes("input")).sort();
  assertEquals(named, ["failed: input 3", "task: input 7", "task: input 7"]);
  assertEquals(timeline.summary().inputs, 2);
  const slowest = timeline.summary().slowest.map(({ index }) => index);
  assertEquals(slowest.sort(), [3, 7], "each once, by its slowest task");
  assertEquals(both.summary().inputs, 1);
});

test("Timeline refuses what inputOf cannot be", () => {
  const make = (options: object) => () => new Timeline(options);
  assertThrows(make({ inputOf: 1 }), TypeError, "must be a function");
  assertThrows(make({ inputof: () => 1 }), TypeError, "among inputOf");
});
