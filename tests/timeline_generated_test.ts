// What is said of facts and recordings made by chance: whatever they are, some
// sentences must never be said. A seed that fails can be run again.

import { assert, assertEquals } from "@std/assert";
import type { RunEvent } from "../mod.ts";
import { type Facts, Timeline } from "../src/timeline/mod.ts";
import { writeReport } from "../src/timeline/report.ts";
import { judge } from "../src/timeline/verdict.ts";
import { FACTS } from "./fixtures/facts.ts";
import { seeded } from "./seeded.ts";
import { eventsOf } from "./fixtures/scene.ts";
import { isBrief, test } from "./harness.ts";

const SEEDS = isBrief ? 200 : 2000;

/** Makes one thing or the other, by chance. */
class Chance {
  readonly next: () => number;
  constructor(seed: number) {
    this.next = seeded(seed);
  }

  is(probability: number): boolean {
    return this.next() < probability;
  }

  count(most: number): number {
    return Math.floor(this.next() * (most + 1));
  }

  /** Tiny or huge, as likely as the other. */
  ms(least = -4, most = 5): number {
    return this.is(0.1) ? 0 : 10 ** (least + (most - least) * this.next());
  }

  of<T>(...choices: T[]): T {
    return choices[this.count(choices.length - 1)];
  }
}

/** Any facts that can be together. */
function someFacts(chance: Chance): Facts {
  const runs = chance.of(0, 1, 1, 1, 3);
  const calls = chance.of(0, 0, 4);
  const workers = runs === 0 ? 0 : chance.of(0, 1, 2, 4, 32);
  const tasks = runs === 0 ? calls : chance.of(0, 1, 2, 9, 100_000);
  const used = Math.min(tasks, 1 + chance.count(Math.max(1, workers) - 1));
  const cores = chance.of(1, 2, 16);
  const workersAtOnce = Math.min(used, 1 + chance.count(used));
  const tasksInWorker = tasks === 0 ? 0 : chance.of(1, 1, 4);
  const [wall, work] = [chance.ms(), chance.ms()];
  const cuts = [chance.next(), chance.next(), chance.next()].sort();
  const inTask = chance.ms();
  const least = inTask * chance.next();
  const speedUp = chance.is(0.5)
    ? undefined
    : chance.next() * Math.min(cores, used);
  const slowest = Array.from({ length: Math.min(5, tasks) }, (_, index) => ({
    index,
    run: index % Math.max(1, runs),
    ms: chance.ms(),
    ended: chance.is(0.9),
  })).sort((a, b) => b.ms - a.ms);
  return {
    ...FACTS,
    runs,
    calls,
    workers,
    tasks,
    used,
    cores,
    workersAtOnce,
    tasksInWorker,
    tasksAtOnce: workersAtOnce * tasksInWorker,
    wall,
    work,
    open: chance.is(0.1) ? runs : 0,
    stopped: chance.is(0.1) ? runs : 0,
    heard: chance.of("all", "all", "all", "part", "two pools"),
    inputs: chance.is(0.2) ? undefined : chance.count(tasks + 2),
    again: chance.count(2),
    failed: chance.count(2),
    chunks: chance.count(tasks),
    largestChunk: chance.of(1, 1, 9),
    chunkSizeGiven: chance.is(0.3),
    cpu: speedUp === undefined && chance.is(0.5)
      ? undefined
      : { least, most: least + (inTask - least) * chance.next(), inTask },
    atOnce: chance.next() * workersAtOnce * tasksInWorker,
    speedUp,
    crowded: workersAtOnce > cores && (speedUp ?? 0) > 0.85 * cores,
    spent: {
      startUp: cuts[0],
      work: cuts[1] - cuts[0],
      transport: cuts[2] - cuts[1],
      waiting: 1 - cuts[2],
    },
    started: chance.count(used),
    restarts: chance.of(0, 0, 9),
    startUp: wall * chance.next(),
    quickestStart: wall * chance.next(),
    reading: wall * chance.next(),
    starved: chance.of(0, chance.next()),
    tail: chance.of(0, chance.next()),
    transportPerTask: chance.of(0, chance.ms()),
    slowest,
  };
}

/** Any events, in an order in which a pool might report them, or nearly so. */
function someEvents(chance: Chance): RunEvent[] {
  const events: RunEvent[] = [];
  const workers = chance.of(0, 1, 2, 2, 4, 8);
  const cores = chance.of(1, 2, 4);
  const metered = chance.is(0.8);
  const overlap = chance.is(0.3);
  const tiny = chance.is(0.2); // tasks beside their messages
  const off = Array.from({ length: 9 }, () =>
    // clocks that were set
    chance.is(0.1) ? 1e5 * (chance.next() - 0.5) : 0);
  let [at, chunk, run] = [chance.ms(), 0, 0];
  const pools = chance.of(1, 1, 1, 2);
  for (let pool = 0; pool < pools; pool++) {
    [chunk, run] = [0, chance.is(0.1) ? 3 : 0];
    for (let runs = chance.of(1, 1, 1, 4); runs > 0; runs--) {
      run++;
      const total = chance.is(0.7) ? chance.count(40) : undefined;
      const runtime = workers === 0 ? "inline" : "bun";
      const start = { run, total, name: "", workers, cores, runtime };
      events.push({ type: "run-start", ...start, at });
      const free = Array.from({ length: Math.max(1, workers) }, () => {
        return at + (chance.is(0.3) ? chance.ms() : 0);
      });
      const most = at + 10 * chance.ms();
      for (let first = 0; first < (total ?? 20);) {
        const worker = free.indexOf(Math.min(...free));
        let from = free[worker];
        if (from > most && chance.is(0.5)) break;
        if (chance.is(0.2)) {
          const to = from + chance.ms();
          events.push({ type: "worker-start", worker, from, to });
          events.push({ type: "worker-ready", worker, at: from = to });
        }
        const tasks = 1 + chance.count(3);
        const same = { run, chunk: ++chunk, worker, first };
        if (chance.is(0.02)) chunk++;
        const attempt = 1 + chance.count(1);
        const reading = chance.is(0.2) ? chance.ms() : 0;
        const to = from;
        events.push(
          { type: "chunk-send", ...same, tasks, attempt, reading, from, to },
        );
        let end = from +
          (tiny ? chance.ms(-1, 1) : chance.is(0.5) ? chance.ms() : 0);
        if (chance.is(0.05)) {
          const why = chance.of("lost" as const, "timeout" as const);
          const failed = { run, worker, index: first, why, again: false };
          events.push({ type: "task-fail", ...failed, at: end });
          events.push({ type: "worker-end", worker, lost: true, at: end });
        } else {
          const [began, ended] = [
            new Float64Array(tasks),
            new Float64Array(tasks),
          ];
          const begin = end;
          for (let i = 0; i < tasks; i++) {
            began[i] = off[worker] + (overlap ? begin : end);
            end = Math.max(
              end,
              begin + (tiny ? chance.ms(-3, -1) : chance.ms()),
            );
            ended[i] = chance.is(0.02) ? NaN : off[worker] + end;
          }
          const cpu = metered && chance.is(0.9)
            ? chance.of(1, chance.next(), 3) * (end - from)
            : undefined;
          end += !tiny && chance.is(0.5) ? chance.ms() : 0;
          const done = { ...same, from: began, to: ended, failed: [], cpu };
          events.push({ type: "chunk-done", ...done, at: end });
        }
        free[worker] = overlap && chance.is(0.5) ? from : end;
        first += chance.is(0.05) ? 0 : tasks;
      }
      const last = Math.max(...free);
      const ok = chance.is(0.9);
      if (chance.is(0.97)) {
        const end = ok ? last : at + (last - at) * chance.next();
        events.push({ type: "run-end", run, ok, at: end });
      }
      at = chance.is(0.2) ? at : last + chance.ms();
    }
  }
  const time = (event: RunEvent) => "at" in event ? event.at : event.from;
  return events.sort((a, b) => time(a) - time(b));
}

/** Fails on a sentence that can never be true. */
function check(text: string, facts: Facts, seed: number): void {
  const say = `seed ${seed}: ${text}`;
  assert(!/NaN|Infinity|undefined|null/.test(text), say);
  assert(!/(^|[\s(])[-−]\d/.test(text), `negative, ${say}`);
  for (const [, percent] of text.matchAll(/(\d+) %/g)) {
    assert(Number(percent) <= 100, say);
  }
  for (const [, some, all] of text.matchAll(/(\d+) (?:of (\d+) )?workers? /g)) {
    assert(Number(some) <= Number(all ?? facts.workers), say);
    assert(Number(all ?? 0) <= facts.workers, say);
  }
  for (const [, times] of text.matchAll(/([\d.]+)× as fast as a loop/g)) {
    const { cpu, speedUp = 0, cores, workers } = facts;
    const rounding = Number(times) < 10 ? 0.05 : 0.5;
    assert(cpu !== undefined, say);
    assert(Number(times) <= Math.min(cores, workers) + rounding, say);
    assert(Number(times) <= speedUp + rounding, say);
  }
  const options = text.match(
    /concurrency|retries|timeout|transfer|ordered|bufferSize|maxTasks|backend/,
  );
  assertEquals(options, null, say);
  assert(facts.chunkSizeGiven || !text.includes("chunkSize"), say);
  assert(facts.workers === 0 || !text.includes('"workers"'), say);
}

function never(text: string, pattern: RegExp, seed: number): void {
  const at = text.search(pattern);
  assert(at < 0, `seed ${seed}: ${text.slice(Math.max(0, at - 80), at + 40)}`);
}

test("verdict: no sentence that can never be true, of any facts", () => {
  for (let seed = 1; seed <= 10 * SEEDS; seed++) {
    const facts = someFacts(new Chance(seed));
    const verdict = judge(facts);
    check(verdict.text, facts, seed);
    check(writeReport(facts, verdict), facts, seed);
  }
});

test("verdict: no sentence that can never be true, of any recording", {
  timeout: 300_000,
}, () => {
  const kinds = new Set<string>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const timeline = new Timeline();
    const events = someEvents(new Chance(seed));
    events.forEach(timeline.record);
    const { verdict, ...facts } = timeline.summary();
    kinds.add(verdict.kind);
    check(timeline.report(), facts, seed);
    const shares = [facts.starved, facts.tail, ...Object.values(facts.spent)];
    for (const share of shares) assert(share >= 0 && share <= 1, `${seed}`);
    assert(facts.used <= Math.max(1, facts.workers), `seed ${seed}`);
    assert(facts.workersAtOnce <= Math.max(1, facts.workers), `seed ${seed}`);
    for (const row of facts.rows) {
      const { present, startUp, work, transport, waiting } = row;
      for (const ms of [startUp, work, transport, waiting]) {
        assert(ms >= 0 && ms <= present + 1e-6, `seed ${seed}`);
      }
    }
    // The tasks had no more CPU time than their workers reported.
    let reported = 0;
    for (const event of events) {
      if (event.type === "chunk-done") reported += event.cpu ?? 0;
    }
    assert((facts.cpu?.least ?? 0) <= reported + 1e-6, `seed ${seed}`);
    assert((facts.speedUp ?? 0) <= facts.cores + 1e-9, `seed ${seed}`);
    if (seed > SEEDS / 10) continue;
    const [, body] = timeline.toHtml().split(/<\/style>|<script/);
    never(body, /NaN|Infinity|undefined|(left|width):-|\D-\d+ %/, seed);
    never(timeline.toTrace(), /NaN|null|"dur":-/, seed);
  }
  assert(kinds.size >= 16, `only ${[...kinds].join()}`);
});

/** A worker's thread: what it runs, and how busy it is at any time. */
function someThread(chance: Chance): { events: RunEvent[]; truth: number } {
  const lanes = chance.of(1, 1, 3);
  const scale = chance.of(0.1, 1, 10);
  const free = new Array(lanes).fill(0);
  const chunks: { from: number; to: number; tasks: [number, number][] }[] = [];
  for (let n = chance.count(30); n > 0; n--) {
    const lane = chance.count(lanes - 1);
    const from = free[lane] + (chance.is(0.5) ? chance.ms(-2, 1) * scale : 0);
    let to = from;
    const tasks: [number, number][] = [];
    for (let task = chance.count(3); task >= 0; task--) {
      const began = to;
      to += chance.ms(-1, 1) * scale;
      tasks.push([began, to]);
      if (task > 0) to += chance.ms(-3, -1);
    }
    chunks.push({ from, to, tasks });
    free[lane] = to;
  }
  const end = Math.max(...free, 1);
  // The share of a core that the thread has changes whenever anything does.
  const times = chunks.flatMap(({ tasks }) => tasks.flat());
  const cuts = [0, ...times, end].sort((a, b) => a - b);
  const kind = chance.of(0, 0.5, 1, undefined);
  const rates = cuts.map(() => kind ?? chance.of(0, 1, chance.next()));
  const running = (time: number) =>
    chunks.some(({ tasks }) => tasks.some(([a, b]) => a <= time && time < b));
  const used = (until: number, counts: (time: number) => boolean) => {
    let sum = 0;
    for (let i = 0; i + 1 < cuts.length && cuts[i] < until; i++) {
      const [from, to] = [cuts[i], Math.min(until, cuts[i + 1])];
      if (counts((from + to) / 2)) sum += rates[i] * (to - from);
    }
    return sum;
  };
  // As src/core/worker/cpu_meter.ts reads it.
  let [at, last]: [number, number | undefined] = [-Infinity, undefined];
  const read = (now: number) => {
    if (now - at < 10) return undefined;
    at = now;
    const total = used(now, () => true);
    const since = last === undefined ? undefined : total - last;
    last = total;
    return since;
  };
  const cpu = new Map<object, number | undefined>();
  const moments = chunks.flatMap((chunk) => [
    { at: chunk.from, read: () => read(chunk.from) },
    { at: chunk.to, read: () => cpu.set(chunk, read(chunk.to)) },
  ]);
  for (const moment of moments.sort((a, b) => a.at - b.at)) moment.read();
  const events = eventsOf({
    workers: 1,
    cores: 1,
    runs: [{ from: 0, to: end }],
    chunks: chunks.map((chunk) => ({
      worker: 0,
      sent: chunk.from,
      heard: chunk.to,
      tasks: chunk.tasks,
      cpu: cpu.get(chunk),
    })),
  });
  return { events, truth: used(end, running) };
}

test("timeline: the tasks had as much CPU time as is said", {
  timeout: 300_000,
}, () => {
  let sure = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { events, truth } = someThread(new Chance(seed));
    const timeline = new Timeline();
    events.forEach(timeline.record);
    const { cpu, speedUp, wall } = timeline.summary();
    if (speedUp !== undefined) {
      sure++;
      assert(speedUp <= truth / wall + 1e-6, `seed ${seed}: ${speedUp}`);
    }
    if (cpu === undefined) continue;
    assert(cpu.least <= truth + 1e-6, `seed ${seed}: ${cpu.least}, ${truth}`);
    assert(cpu.most >= truth - 1e-6, `seed ${seed}: ${truth}, ${cpu.most}`);
  }
  assert(sure > SEEDS / 20, `sure of ${sure}`);
});
