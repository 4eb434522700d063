import { assertEquals, assertMatch } from "@std/assert";
import { type Inputs, type MapFunction, Pool } from "../mod.ts";
import { Timeline, type VerdictKind } from "../src/timeline/mod.ts";
import { test } from "./harness.ts";

const cores = navigator.hardwareConcurrency;

/** Really sleeps: its worker cannot do anything else. */
function nap(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Really computes: tens of ms on a core of its own. */
function compute(steps: number): number {
  let sum = 0;
  for (let i = 0; i < steps; i++) sum += Math.sqrt(i);
  return sum;
}

interface Provocation {
  workers: number;
  chunkSize?: number;
  init?: () => void;
  /** Whether the workers are there before the recording begins. */
  ready?: boolean;
}

/**
 * Really runs it, and expects that verdict. On a machine that others use, the
 * reason may really be another one: three tries.
 */
async function provoke<T>(
  kind: VerdictKind,
  fn: MapFunction<T, unknown, void>,
  inputs: Inputs<T> | (() => Inputs<T>),
  { ready = true, chunkSize, ...options }: Provocation,
): Promise<string> {
  for (let tries = 1;; tries++) {
    const timeline = new Timeline();
    await using pool = new Pool(options);
    if (ready) await pool.start();
    const source = typeof inputs === "function" ? inputs() : inputs;
    await pool.map(fn, source, { chunkSize, onEvent: timeline.record });
    const { verdict } = timeline.summary();
    if (verdict.kind !== kind && tries < 3) continue;
    assertEquals(verdict.kind, kind, timeline.report());
    const last = timeline.report().split("\n").at(-1);
    assertEquals(last, `${verdict.text}.`);
    return verdict.text;
  }
}

test("verdict: nothing was recorded", () => {
  const { verdict } = new Timeline().summary();
  assertEquals(verdict.kind, "nothing");
  assertEquals(
    new Timeline().report(),
    "Nothing was recorded: pass timeline.record as onEvent.",
  );
});

test("verdict: a plain loop", () => {
  const timeline = new Timeline();
  for (const ms of [5, 5, 5]) timeline.measure(() => nap(ms));
  const { verdict, calls } = timeline.summary();
  assertEquals([verdict.kind, calls], ["loop", 3]);
  assertMatch(verdict.text, /^One thread made 3 calls, one after another, in/);
});

test("verdict: everything ran in this thread", async () => {
  await provoke("inline", nap, [1, 1], { workers: 0 });
});

test("verdict: there was one input", async () => {
  await provoke("one-input", nap, [10], { workers: 2 });
});

test("verdict: one input took most of the time", async () => {
  const text = await provoke("one-slow", nap, [5, 400, 5, 5], { workers: 2 });
  assertMatch(text, /^Input 1 took \d+ % of the time: no number of workers/);
});

test("verdict: more workers compute than there are cores", {
  ignore: cores > 16, // 32 workers prove no more than 8
  timeout: 60_000,
}, async () => {
  const workers = 2 * cores;
  const steps = new Array(workers).fill(6e7);
  const text = await provoke("cores", compute, steps, { workers });
  assertMatch(
    text,
    /^\d+ cores?, \d+ workers computing: (\d+|one) of them wai/,
  );
});

test("verdict: workers that sleep do not need a core", {
  ignore: cores > 16,
  timeout: 60_000,
}, async () => {
  const workers = 2 * cores;
  const naps = new Array(workers).fill(300);
  await provoke("good", nap, naps, { workers });
});

test("verdict: a slow source of inputs", async () => {
  async function* source() {
    for (let i = 0; i < 6; i++) {
      await new Promise((resolve) => setTimeout(resolve, 60));
      yield 1;
    }
  }
  const text = await provoke("starved", nap, source, { workers: 2 });
  assertMatch(text, /^The workers waited \d+ % of their time for inputs/);
});

test("verdict: inputs that take the caller long to make", async () => {
  function* source() {
    for (let i = 0; i < 6; i++) {
      nap(40);
      yield 1;
    }
  }
  const text = await provoke("starved", nap, source, { workers: 2 });
  assertMatch(text, /^Reading the inputs took \d+ ms of the \d+ ms/);
});

test("verdict: transport costs more than the work", async () => {
  const inputs = Array.from({ length: 50_000 }, (_, id) => ({ id }));
  const text = await provoke("transport", ({ id }) => ({ id }), inputs, {
    workers: 2,
  });
  assertMatch(
    text,
    /^Each input took .* µs of work and .* of transport: a plain loop would/,
  );
});

test("verdict: a message for each tiny input", async () => {
  const inputs = Array.from({ length: 2000 }, (_, i) => i);
  const options = { workers: 2, chunkSize: 1 };
  await provoke("small-chunks", (n: number) => n + 1, inputs, options);
});

test("verdict: starting the workers took most of the time", async () => {
  const text = await provoke("start-up", nap, [1, 1, 1], {
    workers: 2,
    ready: false,
    init() {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
    },
  });
  assertMatch(text, /a plain loop would be faster, unless a Pool is kept/);
});

test("verdict: chunks so large that workers went without", async () => {
  const options = { workers: 3, chunkSize: 4 };
  const text = await provoke(
    "large-chunks",
    nap,
    [20, 20, 20, 20, 20],
    options,
  );
  assertMatch(text, /^5 inputs went in 2 messages, so 2 of 3 workers had any/);
});

test("verdict: one worker is no faster than a loop", async () => {
  await provoke("one-worker", nap, [40, 40, 40], { workers: 1 });
});

test("verdict: nothing left for some workers", async () => {
  const options = { workers: 2, chunkSize: 4 };
  const text = await provoke("uneven", nap, [60, 60, 60, 60, 60], options);
  assertMatch(text, /^The workers had nothing left for \d+ % of their time/);
});

test("verdict: as good as it gets", async () => {
  const text = await provoke("good", nap, new Array(6).fill(80), {
    workers: 2,
  });
  assertMatch(text, /^2 workers did .* of work in .*: \d\.\d× as fast as a lo/);
});

test("verdict: otherwise the largest loss", { timeout: 20_000 }, async () => {
  const text = await provoke("mixed", nap, new Array(8).fill(200), {
    workers: 2,
    ready: false,
    init() {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 480);
    },
  });
  assertMatch(text, /most of the rest was start-up \(\d+ %\)$/);
});
