/**
 * The numbers behind the report: pure, from the tracks.
 *
 * @module
 */

import type { Heard, Recording } from "./recording.ts";
import {
  type CpuTime,
  cpuTime,
  type RowFacts,
  rowOf,
  type Spent,
  spentBy,
  type Starts,
  startsOf,
  transportPerTask,
  type Waits,
  waitsOf,
  worked,
} from "./shares.ts";
import {
  integral,
  lengthOf,
  mostOpen,
  type Overlaps,
  overlaps,
  spansWith,
  sum,
  union,
} from "./spans.ts";
import { callsTime, type Track } from "./tracks.ts";

/** A task and how long it took. */
export interface SlowTask {
  /** Position of the input. */
  index: number;
  /** Position of its run among those recorded; 0 without a run. */
  run: number;
  /** Milliseconds in the worker. */
  ms: number;
  /** Whether it came back; if not, its start is only known roughly. */
  ended: boolean;
}

/**
 * The numbers behind the report. Every time is in milliseconds, every share
 * from 0 to 1. If there is any run, calls in the caller's own thread count only
 * in `calls` and `rows`.
 */
export interface Facts extends Starts, Waits {
  /** Which runtime: `deno`, `bun`, …; undefined without a run. */
  runtime: string | undefined;
  /** Cores of the machine. */
  cores: number;
  /** How many workers there might have been. */
  workers: number;
  /** How many workers had a task. */
  used: number;
  /** How many runs. */
  runs: number;
  /** Runs that are not over. */
  open: number;
  /** Runs that a failure, an abort or their reader ended early. */
  stopped: number;
  /** How much of what the workers did was recorded. */
  heard: Heard;
  /** Calls in the caller's own thread, timed by hand. */
  calls: number;
  /** How many inputs the runs had; undefined if nothing shows it. */
  inputs: number | undefined;
  /**
   * Whether there may have been others, or some that waited to be mapped again:
   * `inputOf` was given.
   */
  partial: boolean;
  /** Tasks that ran, each try counted; without a run, calls. */
  tasks: number;
  /** How many of them were a second try, or a later one. */
  again: number;
  /** How many never came back: they took too long, or their worker was lost. */
  lost: number;
  /** Tasks that failed, each try counted, also those that were never sent. */
  failed: number;
  /** Messages that carried tasks. */
  chunks: number;
  /** Tasks in the largest of them. */
  largestChunk: number;
  /**
   * Whether the first message had several tasks: `chunkSize` was given, or the
   * function was known from an earlier run.
   */
  chunkSizeGiven: boolean;
  /** Time in which runs went on, or, without a run, calls. */
  wall: number;
  /** How long all tasks took, added up; not how long they computed. */
  work: number;
  /** CPU time the tasks had; undefined if no worker reported any. */
  cpu: CpuTime | undefined;
  /** How many tasks were in progress at once, on average over `wall`. */
  atOnce: number;
  /** How many tasks were in progress at once, at most. */
  tasksAtOnce: number;
  /** How many of them in one worker; more than 1 only with `concurrency`. */
  tasksInWorker: number;
  /** How many workers were in a task at once, at most. */
  workersAtOnce: number;
  /**
   * CPU time that the tasks certainly had, divided by `wall`: a loop in one
   * thread needs at least so many times as long. Undefined if the tasks may have
   * waited, as nobody knows how long they would have waited one by one.
   */
  speedUp: number | undefined;
  /** Whether the tasks filled the cores, in more workers than there are cores. */
  crowded: boolean;
  /** Where the time of the workers that had a task went, while a run went on. */
  spent: Spent;
  /** Where the time of each worker went. */
  rows: RowFacts[];
  /** Time in which the caller's thread read the inputs, and weighed them. */
  reading: number;
  /** What sending a task and its result cost at least, in ms; 0 if unknown. */
  transportPerTask: number;
  /** The slowest try of each of the five slowest inputs, slowest first. */
  slowest: SlowTask[];
}

/**
 * Tasks that had this share of the core time they could have had are tasks that
 * compute. On an idle machine these reach 1, and tasks that sleep stay below
 * 0.14; but where there was three times more work than cores, tasks that
 * compute fell to 0.14 as well. Those figures were taken by hand: no bench.
 */
const COMPUTING = 0.75;

/**
 * Less CPU time than this, in ms, may be noise, as some clocks count in steps of
 * 10 ms. No bench.
 */
const LEAST_CPU_MS = 50;

/**
 * If the tasks certainly had this share of all cores, the cores were full: the
 * rest goes to the caller and the system. No bench.
 */
const FULL = 0.85;

/** How many slow inputs are listed: what is read at a glance. No bench. */
const SLOWEST = 5;

/**
 * Works out the numbers.
 *
 * @param recording What was recorded.
 * @param tracks Its tracks.
 * @returns The numbers.
 */
export function factsOf(recording: Recording, tracks: Track[]): Facts {
  const { runs, calls, chunks, failures, last } = recording;
  const all = tracks.map(worked);
  const workers = runs.length === 0
    ? all // the calls
    : all.filter(({ track }) => track.worker !== undefined);
  const used = workers.filter(({ tasks }) => tasks.at.length > 0);
  const ran = used.map(({ track }) => track);
  const time = runs.length === 0
    ? callsTime(calls)
    : union(runs.map(({ from, to = last }) => ({ from, to })));
  const wall = lengthOf(time);
  const during = (open: Overlaps, worth: (open: number) => number) => {
    const weigh = integral(open, worth);
    return sum(time, ({ from, to }) => weigh(from, to));
  };
  const tasksInWorker = most(used.map(({ atOnce }) => atOnce));
  const tasks = overlaps(ran.flatMap((track) => [track, track.lost]));
  const busy = tasksInWorker < 2
    ? tasks
    : overlaps(used.map(({ tasks }) => spansWith(tasks, (open) => open > 0)));
  const workersAtOnce = mostOpen(busy);
  // Only those of machines that came later can be more than a run began with.
  const begun = most(runs.map(({ workers }) => workers));
  const joined = begun === 0 ? 0 : Math.max(0, workersAtOnce - begun);
  const cores = Math.max(1, most(runs.map(({ cores }) => cores))) + joined;
  const cpu = cpuTime(used);
  const speedUp = speedUpOf(
    cpu,
    during(busy, (open) => Math.min(open, cores)),
    wall,
  );
  return {
    runtime: runs[0]?.runtime,
    cores,
    workers: begun + joined,
    used: used.length,
    runs: runs.length,
    open: runs.filter(({ to }) => to === undefined).length,
    stopped: runs.filter(({ ok }) => !ok).length,
    heard: recording.heard,
    calls: calls.length,
    inputs: inputsOf(recording),
    partial: recording.inputOf !== undefined,
    tasks: sum(ran, ({ from, lost }) => from.length + lost.length),
    again: sum(
      ran,
      ({ attempt, lost }) =>
        attempt.filter((tries) => tries > 1).length +
        lost.filter(({ chunk }) => chunk && chunk.attempt > 1).length,
    ),
    lost: sum(ran, ({ lost }) => lost.filter(isGone).length),
    failed: failures.length +
      sum(ran, ({ failed }) => failed.reduce((count, one) => count + one, 0)),
    chunks: chunks.length,
    largestChunk: most(chunks.map(({ tasks }) => tasks)),
    chunkSizeGiven: chunks.some(({ first, tasks }) => first === 0 && tasks > 1),
    wall,
    work: sum(ran, workOf),
    cpu,
    atOnce: wall > 0 ? during(tasks, (open) => open) / wall : 0,
    tasksAtOnce: mostOpen(tasks),
    tasksInWorker,
    workersAtOnce,
    speedUp,
    crowded: workersAtOnce > cores && (speedUp ?? 0) > FULL * cores,
    spent: spentBy(used, time),
    ...startsOf(recording, tracks, time),
    rows: all.map((worked) => rowOf(worked)),
    reading: sum(chunks, ({ reading }) => reading),
    ...waitsOf(recording, workers.map(({ track }) => track), time),
    transportPerTask: transportPerTask(used),
    slowest: slowest(ran),
  };
}

/** The speed-up that the CPU time proves, if it is most of what was possible. */
function speedUpOf(
  cpu: CpuTime | undefined,
  possible: number,
  wall: number,
): number | undefined {
  const { least } = cpu ?? { least: 0 };
  if (possible === 0 || least < Math.max(LEAST_CPU_MS, COMPUTING * possible)) {
    return undefined;
  }
  return Math.min(least, possible) / wall;
}

/** The number of inputs: known in advance, or once a run settled all tasks. */
function inputsOf(recording: Recording): number | undefined {
  const { runs, chunks, failures, inputOf } = recording;
  const seen = runs.map(() => 0);
  const see = (run: number, next: number) =>
    seen[run] = Math.max(seen[run]!, next);
  for (const { run, first, tasks } of chunks) see(run, first + tasks);
  for (const { run, index } of failures) see(run, index + 1);
  let inputs = 0;
  for (let i = 0; i < runs.length; i++) {
    const { total, to, ok } = runs[i]!;
    if (total === undefined && (to === undefined || !ok)) return undefined;
    const tasks = total ?? seen[i]!;
    inputs += inputOf === undefined
      ? tasks
      : new Set(Array.from({ length: tasks }, (_, task) => inputOf(task))).size;
  }
  return inputs;
}

function workOf({ from, to, lost }: Track): number {
  return to.reduce((ms, end, i) => ms + end - from[i]!, lengthOf(lost));
}

/** An input that was tried several times is listed once, by its slowest try. */
function slowest(tracks: readonly Track[]): SlowTask[] {
  const top: SlowTask[] = [];
  const see = (run: number, index: number, ms: number, ended: boolean) => {
    if (top.length === SLOWEST && ms <= top[SLOWEST - 1]!.ms) return;
    const other = top.findIndex((one) =>
      one.index === index && one.run === run
    );
    if (other >= 0) {
      if (ms <= top[other]!.ms) return;
      top.splice(other, 1);
    }
    const at = top.findIndex((other) => other.ms < ms);
    top.splice(at < 0 ? top.length : at, 0, { index, run, ms, ended });
    top.length = Math.min(top.length, SLOWEST);
  };
  for (const { run, index, from, to, lost } of tracks) {
    for (let i = 0; i < from.length; i++) {
      see(run[i]!, index[i]!, to[i]! - from[i]!, true);
    }
    for (const one of lost) {
      see(one.run, one.index, one.to - one.from, !isGone(one));
    }
  }
  return top;
}

/** Whether a task never came back: of some, only the result could not. */
function isGone({ why }: Track["lost"][number]): boolean {
  return why !== "unsendable";
}

function most(counts: readonly number[]): number {
  return counts.reduce((most, count) => Math.max(most, count), 0);
}
