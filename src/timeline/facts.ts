/**
 * The numbers behind the report: pure, from the tracks.
 *
 * @module
 */

import { parallelism } from "./parallelism.ts";
import type { Recording } from "./recording.ts";
import { type RowFacts, rowOf, waits } from "./shares.ts";
import { intersect, lengthOf, union } from "./spans.ts";
import { callsTime, type Track } from "./tracks.ts";

/** A task and how long it took. */
export interface SlowTask {
  /** Position of the input. */
  index: number;
  /** Milliseconds in the worker. */
  ms: number;
}

/** The numbers behind the report. Every time is in milliseconds. */
export interface Facts {
  /** Which runtime: `deno`, `bun`, …; undefined without a run. */
  runtime: string | undefined;
  /** Cores of the machine. */
  cores: number;
  /** How many workers there might have been. */
  workers: number;
  /** How many workers had a task. */
  used: number;
  /** How many runs, and how many of them were stopped before their end. */
  runs: number;
  /** Runs that a failure or an abort ended. */
  stopped: number;
  /** Calls in the caller's own thread, timed by hand. */
  calls: number;
  /** Tasks that ran, each try counted, and calls. */
  tasks: number;
  /** Tasks that failed, each try counted. */
  failed: number;
  /** Messages that carried tasks. */
  chunks: number;
  /** Time in which runs and calls went on. */
  wall: number;
  /** How long all tasks took, added up. */
  work: number;
  /** CPU time of the workers in their tasks; undefined if nobody told. */
  cpu: number | undefined;
  /** Whether the tasks computed, rather than slept or waited. */
  computing: boolean;
  /** How many tasks were in progress at once, at most. */
  peak: number;
  /** How long one thread alone would have taken, as far as can be told. */
  loop: number;
  /** `loop` by `wall`. */
  speedUp: number;
  /** `speedUp` by the workers that had a task, or the tasks at once if more. */
  efficiency: number;
  /** Part of `wall` in which any worker was being started. */
  startUp: number;
  /** Where the time of each worker went. */
  rows: RowFacts[];
  /** Time the caller took to read the inputs. */
  reading: number;
  /** Share of the workers' time before the last chunk was sent, spent waiting. */
  starved: number;
  /** Share of the workers' time after it, spent waiting. */
  tail: number;
  /** The five slowest tasks, slowest first. */
  slowest: SlowTask[];
}

/**
 * Above this share of the core time they could have, tasks certainly computed:
 * they come to 1 on a machine of their own, and sleeping ones to 0.14.
 */
const COMPUTING = 0.4;

/**
 * Above this share they did if there was enough CPU time to trust it: on a
 * machine with three times as much to do as it has cores, they came to 0.14.
 */
const COMPUTING_ON_BUSY = 0.1;

/** CPU ms of a worker to be trusted: Deno's clock ticks every 10 ms. */
const TICK_MS = 10;

/**
 * Works out the numbers.
 *
 * @param recording What was recorded.
 * @param places Its tracks.
 * @returns The numbers.
 */
export function factsOf(recording: Recording, places: Track[]): Facts {
  const { runs, calls, chunks, failures, cpu, last } = recording;
  const time = union([
    ...runs.map(({ from, to = last }) => ({ from, to })),
    ...callsTime(calls),
  ]);
  const wall = lengthOf(time);
  const cores = Math.max(1, ...runs.map((run) => run.cores));
  const flow = parallelism(
    joined(places.map(({ from }) => from)),
    joined(places.map(({ to }) => to)),
    cores,
  );
  const work = sum(places, ({ from, to }) => sumOf(from, to));
  const used = places.filter(({ from }) => from.length > 0).length;
  const computing = (cpu ?? 0) > Math.min(
    COMPUTING * flow.possible,
    Math.max(COMPUTING_ON_BUSY * flow.possible, TICK_MS * used),
  );
  // Tasks that compute share the cores, and each takes longer for it.
  const loop = computing ? Math.min(work, flow.possible) : work;
  const speedUp = wall > 0 ? loop / wall : 0;
  return {
    runtime: runs[0]?.runtime,
    cores,
    workers: Math.max(0, ...runs.map((run) => run.workers)),
    used,
    runs: runs.length,
    stopped: runs.filter((run) => !run.ok).length,
    calls: calls.length,
    tasks: sum(places, ({ from, lost }) => from.length + lost.length),
    failed: failures.length +
      sum(places, ({ failed }) => failed.reduce((n, one) => n + one, 0)),
    chunks: chunks.length,
    wall,
    work,
    cpu,
    computing,
    peak: flow.peak,
    loop,
    speedUp,
    efficiency: used > 0 ? speedUp / Math.max(used, flow.peak) : 0,
    startUp: lengthOf(
      intersect(union(places.flatMap(({ startUp }) => startUp)), time),
    ),
    rows: places.map(rowOf),
    reading: sum(chunks, ({ reading }) => reading),
    ...waits(recording, places),
    slowest: slowest(places),
  };
}

function slowest(places: Track[]): SlowTask[] {
  const top: SlowTask[] = [];
  for (const { index, from, to } of places) {
    for (let i = 0; i < from.length; i++) {
      const ms = to[i] - from[i];
      if (top.length === 5 && ms <= top[4].ms) continue;
      const at = top.findIndex((other) => other.ms < ms);
      top.splice(at < 0 ? top.length : at, 0, { index: index[i], ms });
      top.length = Math.min(top.length, 5);
    }
  }
  return top;
}

function sumOf(from: Float64Array, to: Float64Array): number {
  return from.reduce((total, began, i) => total + to[i] - began, 0);
}

/** One array of several. */
export function joined(parts: Float64Array[]): Float64Array {
  const all = new Float64Array(sum(parts, ({ length }) => length));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function sum<T>(list: readonly T[], value: (one: T) => number): number {
  return list.reduce((total, one) => total + value(one), 0);
}
