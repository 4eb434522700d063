/**
 * The engine on machines larger than ours: its real code, with simulated
 * workers and a simulated clock. Each message costs the caller's thread some
 * time, so does each start, and each worker is a core of its own. What it says
 * of many workers, and what was made of it, stands in docs/chunks.md.
 *
 * ```sh
 * deno run -A bench/simulate.ts
 * ```
 *
 * Prints for each kind of work and number of workers the efficiency (the work
 * divided by what all workers could have done until the end) and how busy the
 * caller was. What it says of 2 workers can be checked on two cores: `--real`
 * runs the same work there.
 *
 * @module
 */

import process from "node:process";
import { parseArgs } from "node:util";
import { Pool } from "../mod.ts";
import { callsHere } from "../src/core/calls/calls_here.ts";
import { Paces } from "../src/core/engine/paces.ts";
import type { Clock } from "../src/core/runtime/clock.ts";
import type {
  Backend,
  WorkerHandle,
  WorkerListener,
} from "../src/core/runtime/runtime.ts";
import { type Board, createBoard } from "../src/core/wire/board.ts";
import type { ChunkMessage, ToWorker } from "../src/core/wire/protocol.ts";
import { createWire } from "../src/core/wire/wire.ts";
import { heavyTail } from "./rows/computing.ts";

/** What things cost, in ms: measured on Deno 2.9.5 (CONTRIBUTING, rule 12). */
const COST = {
  /** The caller's thread, for a message it sends, and for one it hears. */
  send: 0.02,
  hear: 0.02,
  /** The caller's thread, for each number it packs or unpacks. */
  value: 0.00004,
  /** On the way to the other thread. */
  travel: 0.03,
  /** The caller's thread, to start a worker; and until that is ready. */
  start: 20,
  ready: 10,
};

/** Work: how many tasks, and how long each takes in ms, from its index. */
interface Work {
  count: number;
  ms(index: number): number;
  /** Whether the caller says what they weigh. */
  weighed?: boolean;
}

/** A heavy task among the last, as in the row "skew" of the bench. */
const SKEWED = heavyTail("late");

/** Kinds of work. */
const WORKS: Record<string, Work> = {
  "100,000 tasks of 1 µs": { count: 100_000, ms: () => 0.001 },
  "1,000,000 tasks of 5 µs": { count: 1_000_000, ms: () => 0.005 },
  "100,000 tasks of 20 µs": { count: 100_000, ms: () => 0.02 },
  "20,000 tasks of 0.5 ms": { count: 20_000, ms: () => 0.5 },
  "20,000 tasks of 0.1 to 2 ms": {
    count: 20_000,
    ms: (i) => 0.1 + 1.9 * ((i * 7919) % 20_000) / 20_000,
  },
  "2,000 tasks of 5 to 50 ms": {
    count: 2000,
    ms: (i) => 5 + 45 * ((i * 7919) % 2000) / 2000,
  },
  "3,000 tasks of 10 µs, then 20 of 200 ms": {
    count: 3020,
    ms: (i) => i < 3000 ? 0.01 : 200,
  },
  "200 tasks, a late one of 50 times the mean": {
    count: 200,
    ms: (i) => SKEWED[i] / 1e6,
  },
  "the same with weight": {
    count: 200,
    ms: (i) => SKEWED[i] / 1e6,
    weighed: true,
  },
};

/** Everything that will happen, in the order of its time. */
class Simulation implements Clock {
  readonly origin = 0;
  /** The time on the caller's thread. */
  time = 0;
  /** How long the caller's thread had something to do. */
  busy = 0;
  #order = 0;
  #events: { at: number; order: number; act: () => void }[] = [];

  now(): number {
    return this.time;
  }

  stepped(): number {
    return 0;
  }

  /** Lets the caller's thread do something at a time, or when it is free. */
  at(at: number, act: () => void): () => void {
    const event = { at, order: this.#order++, act };
    let low = 0;
    for (let high = this.#events.length; low < high;) {
      const middle = (low + high) >> 1;
      if (this.#events[middle].at > at) low = middle + 1;
      else high = middle;
    }
    this.#events.splice(low, 0, event); // the last one is the next one
    return () => this.#events = this.#events.filter((one) => one !== event);
  }

  after(ms: number, callback: () => void): () => void {
    return this.at(this.time + ms, callback);
  }

  turn(callback: () => void): void {
    this.at(this.time, callback);
  }

  settled(): Promise<void> {
    return Promise.resolve();
  }

  /** The caller's thread computes. */
  spend(ms: number): void {
    this.time += ms;
    this.busy += ms;
  }

  /** Takes the next event; says whether there was one. */
  step(): boolean {
    const next = this.#events.pop();
    if (next === undefined) return false;
    this.time = Math.max(this.time, next.at);
    next.act();
    return true;
  }
}

/** Tasks that take less in all are begun in one step of a worker, in ms. */
const STEP_MS = 0.2;

/** Starts workers that only take time. */
function simulated(
  world: Simulation,
  ms: (index: number) => number,
): Backend {
  const { packing } = createWire();

  function start(listener: WorkerListener): WorkerHandle {
    world.spend(COST.start);
    let free = world.time + COST.ready; // from when on it has nothing to do
    let tag = 0;
    let alive = true;
    let board: Board;
    const queue: ChunkMessage[] = [];

    function say(at: number, message: unknown, values: number): void {
      world.at(at + COST.travel, () => {
        if (!alive) return;
        world.spend(COST.hear + values * COST.value);
        listener.onMessage([tag, message]);
      });
    }

    /** Begins the first chunk, when it has come and those before it are done. */
    function begin(): void {
      const message = queue[0]!;
      const values = Array.from(packing.unpack(message.values)) as number[];
      free = Math.max(free, world.time + COST.travel);
      takeStep(message, values, 0, free);
    }

    /** Begins the next tasks, unless they were taken back, and comes again. */
    function takeStep(
      message: ChunkMessage,
      values: number[],
      from: number,
      began: number,
    ): void {
      let to = from;
      const until = free + STEP_MS;
      while (
        to < values.length && free < until && board.claim(message.serial + to)
      ) free += ms(values[to++]);
      if (to > from) {
        const wait = () => takeStep(message, values, to, began);
        world.at(free, wait);
        return;
      }
      answer(message, values.slice(0, to), free - began);
      queue.shift();
      if (queue.length > 0) begin();
    }

    function answer(
      { serial }: ChunkMessage,
      results: number[],
      ms: number,
    ): void {
      const tasks = results.length;
      const { packed: values, bytes } = packing.pack(results, false);
      const [failures, times, cpu] = [[], undefined, undefined];
      const done = { serial, tasks, values, failures, bytes, times, cpu, ms };
      say(free, { type: "done", ...done }, tasks);
    }

    return {
      post(message: ToWorker) {
        world.spend(COST.send);
        if (message.type === "start") {
          tag = message.tag;
          say(free, { type: "ready", disposes: false }, 0);
        } else if (message.type === "chunk") {
          const { run, values } = message;
          board = run?.board === undefined ? board : createBoard(run.board);
          world.spend(packing.unpack(values).length * COST.value);
          if (queue.push(message) === 1) world.at(world.time, begin);
        }
      },
      terminate() {
        alive = false;
        world.at(world.time, () => listener.onEnd({}));
      },
      setBusy() {},
    };
  }

  const startBlocks = true;
  return { sharesMemory: true, stopsLoops: true, startBlocks, start };
}

/** Simulates one run on a warm pool. */
async function simulate(
  workers: number,
  { count, ms, weighed }: Work,
): Promise<{ took: number; work: number; load: number }> {
  const world = new Simulation();
  const backend = simulated(world, ms);
  const plan = {
    workers,
    cores: workers,
    runtime: "simulated",
    place: { entry: undefined, inline: false },
    restricts: false,
    cannotTime: false,
    divides: false,
    enter() {},
    leave() {},
    backend: () => backend,
    startMessage: (worker: number) => ({
      type: "start" as const,
      cores: 1,
      depth: 1,
      tag: worker + 1,
      worker,
      timed: false,
      stepped: 0,
      workerData: { value: undefined, errors: [] },
      init: undefined,
    }),
  };
  const calls = callsHere({ workers }, false, world, plan, new Paces());
  const play = async (promise: Promise<unknown>) => {
    let over = false;
    void promise.then(() => over = true);
    for (;;) {
      for (let i = 0; i < 20; i++) await undefined;
      if (over || !world.step()) return;
    }
  };
  await play(calls.start(simulate));
  const began = world.time;
  world.busy = 0;
  const inputs = Array.from({ length: count }, (_, i) => i);
  const weight = weighed ? (index: number) => ms(index) : undefined;
  await play(calls.map((n: number) => n, inputs, { weight }, simulate));
  const took = world.time - began;
  const work = inputs.reduce((sum, index) => sum + ms(index), 0);
  return { took, work, load: world.busy / took };
}

const { values: { real } } = parseArgs({
  args: process.argv.slice(2),
  options: { real: { type: "boolean" } },
});
const percent = (share: number) => `${(100 * share).toFixed(0)} %`;

console.log("| work | workers | time | efficiency | caller busy |");
console.log("| --- | --- | --- | --- | --- |");
for (const [name, work] of Object.entries(WORKS)) {
  for (const workers of [2, 8, 16, 64, 128, 256]) {
    const { took, work: sum, load } = await simulate(workers, work);
    const efficiency = sum / (workers * took);
    console.log(
      `| ${name} | ${workers} | ${took.toFixed(0)} ms | ${
        percent(efficiency)
      } | ${percent(load)} |`,
    );
  }
}
console.log("\nFrom how many workers on the caller has no time left (95 %):\n");
for (const [name, work] of Object.entries(WORKS)) {
  let workers = 2;
  while (workers <= 512 && (await simulate(workers, work)).load < 0.95) {
    workers = Math.ceil(workers * 1.25);
  }
  console.log(`${name}: ${workers <= 512 ? workers : "more than 512"}`);
}
if (real) {
  console.log("\nOn this machine, with 2 workers:\n");
  const wait = (ms: number) => {
    const until = performance.now() + ms;
    while (performance.now() < until);
    return ms;
  };
  for (const [name, { count, ms }] of Object.entries(WORKS)) {
    await using pool = new Pool({ workers: 2 });
    await pool.start();
    const inputs = Array.from({ length: count }, (_, i) => ms(i));
    await pool.map(wait, inputs.slice(0, 100));
    const began = performance.now();
    await pool.map(wait, inputs);
    const took = performance.now() - began;
    const sum = inputs.reduce((a, b) => a + b, 0);
    console.log(
      `${name}: ${took.toFixed(0)} ms, efficiency ${percent(sum / 2 / took)}`,
    );
  }
}
