/**
 * Where the time of the workers went, and how much of it the tasks certainly had
 * a core, although other programs may have used the same cores: pure, from the
 * tracks.
 *
 * @module
 */

import type { Recording } from "./recording.ts";
import {
  type Integral,
  integral,
  intersect,
  lengthOf,
  mostOpen,
  type Overlaps,
  overlaps,
  type Span,
  subtract,
  sum,
  union,
} from "./spans.ts";
import type { Track } from "./tracks.ts";

/** Where the time of one worker went. */
export interface RowFacts {
  /** As in `worker 0`, or `this thread`. */
  name: string;
  /** How many tasks ran there, failed ones included. */
  tasks: number;
  /** Milliseconds in which the worker was alive while something was recorded. */
  present: number;
  /** Milliseconds until the worker could take its first task. */
  startUp: number;
  /** Milliseconds in which a task ran. */
  work: number;
  /** Milliseconds in which tasks were on their way, and none ran. */
  transport: number;
  /** Milliseconds with nothing to do, of what was recorded. */
  waiting: number;
}

/** A track, and when tasks ran in it, those that never came back included. */
export interface Worked {
  track: Track;
  /** How many ran at any time. */
  tasks: Overlaps;
  /** How many at once, at most: more than 1 only with `concurrency`. */
  atOnce: number;
  /** How long any ran. */
  inTask: Integral;
}

/**
 * Reads a track.
 *
 * @param track What happened in one place.
 * @returns When tasks ran there.
 */
export function worked(track: Track): Worked {
  const tasks = overlaps([track, track.lost]);
  return {
    track,
    tasks,
    atOnce: mostOpen(tasks),
    inTask: integral(tasks, (open) => Math.min(1, open)),
  };
}

/**
 * Works out where the time went in one place.
 *
 * @param worked What happened there.
 * @param time Time that counts, from `union`; all, unless given.
 * @returns The shares.
 */
export function rowOf(
  { track, inTask }: Worked,
  time: readonly Span[] = track.present,
): RowFacts {
  const present = intersect(track.present, time);
  const began = lengthOf(intersect(track.startUp, present));
  const flying = intersect(track.inFlight, present);
  const within = (spans: readonly Span[]) =>
    sum(spans, ({ from, to }) => inTask(from, to));
  const rest = lengthOf(present) - began;
  const work = Math.min(rest, within(present));
  const transport = Math.min(
    rest - work,
    Math.max(0, lengthOf(flying) - within(flying)),
  );
  return {
    name: track.name,
    tasks: track.from.length + track.lost.length,
    present: lengthOf(present),
    startUp: began,
    work,
    transport,
    waiting: rest - work - transport,
  };
}

/** Where the time of several workers went: shares that come to 1. */
export interface Spent {
  /** Until a worker could take its first task. */
  startUp: number;
  /** In which a task ran. */
  work: number;
  /** In which tasks were on their way, and none ran. */
  transport: number;
  /** With nothing to do, of what was recorded. */
  waiting: number;
}

/**
 * Works out where the time of several workers went.
 *
 * @param all What happened there.
 * @param time Time that counts, from `union`.
 * @returns The shares; all 0 if there was no such time.
 */
export function spentBy(all: readonly Worked[], time: Span[]): Spent {
  const spent: Spent = { startUp: 0, work: 0, transport: 0, waiting: 0 };
  const rows = all.map((worked) => rowOf(worked, time));
  const present = sum(rows, (row) => row.present);
  if (present === 0) return spent;
  for (const name of ["startUp", "work", "transport", "waiting"] as const) {
    spent[name] = Math.min(1, sum(rows, (row) => row[name]) / present);
  }
  return spent;
}

/** How many indexes one number holds, a bit for each. */
const BITS = 32;

/** A set of indexes that may have millions, in whatever order they come. */
class Indexes {
  readonly #bits = new Map<number, number>();

  /** Adds consecutive ones; tells whether any of them is new. */
  add(first: number, count: number): boolean {
    let isNew = false;
    for (let offset = 0; offset < count; offset++) {
      const index = first + offset;
      const place = Math.floor(index / BITS);
      const before = this.#bits.get(place) ?? 0;
      const after = before | 1 << index % BITS;
      if (after === before) continue;
      this.#bits.set(place, after);
      isNew = true;
    }
    return isNew;
  }
}

/** How much the workers waited: shares of their time while a run went on. */
export interface Waits {
  /** Before the last input was sent. */
  starved: number;
  /** After it, while the last tasks ran. */
  tail: number;
}

/**
 * Works out how much the workers waited, and whether there was more to come. No
 * event says when the inputs ended, only when the last one was sent: a source
 * whose length is unknown may go on for long after that.
 *
 * @param recording What was recorded.
 * @param tracks Tracks of its workers.
 * @param time Time of the runs, from `union`.
 * @returns Two shares.
 */
export function waitsOf(
  recording: Recording,
  tracks: readonly Track[],
  time: Span[],
): Waits {
  const { chunks, runs, workers, last } = recording;
  // Starting a worker blocks the caller on Deno: it cannot send in that time.
  const starting = union(workers);
  const ends = runs.map(({ from }) => ({ sent: from, heard: from }));
  const known = runs.map(() => new Indexes());
  for (const { run, first, tasks, from, to = last } of chunks) {
    const end = ends[run]!;
    // A task that is sent again is no new input. With `weight`, a new one may come
    // before others.
    if (known[run]!.add(first, tasks)) end.sent = Math.max(end.sent, from);
    end.heard = Math.max(end.heard, to);
  }
  const more: Span[] = [];
  const over: Span[] = [];
  runs.forEach(({ from, to = last, total }, position) => {
    const { sent, heard } = ends[position]!;
    more.push({ from, to: sent });
    over.push({ from: sent, to: Math.min(heard, to) });
    if (total === undefined) more.push({ from: heard, to });
  });
  const coming = union(more);
  const ending = subtract(union(over), coming);
  let starved = 0;
  let tail = 0;
  let present = 0;
  for (const track of tracks) {
    const there = intersect(track.present, time);
    const idle = subtract(there, track.startUp, track.inFlight, track.ending);
    starved += lengthOf(intersect(subtract(idle, starting), coming));
    tail += lengthOf(intersect(idle, ending));
    present += lengthOf(there);
  }
  if (present === 0) return { starved: 0, tail: 0 };
  return {
    starved: Math.min(1, starved / present),
    tail: Math.min(1, tail / present),
  };
}

/** What went into starting workers. */
export interface Starts {
  /**
   * How many workers were being started while a run went on: each one-shot call
   * has workers of its own.
   */
  started: number;
  /** How often one more was started in the place of one of them. */
  restarts: number;
  /** Milliseconds of the runs in which any worker was being started. */
  startUp: number;
  /** The quickest of these starts, in ms. */
  quickestStart: number;
}

/**
 * Works out what went into starting workers.
 *
 * @param recording What was recorded.
 * @param tracks Tracks of its workers.
 * @param time Time of the runs, from `union`.
 * @returns How often and how long.
 */
export function startsOf(
  { workers }: Recording,
  tracks: readonly Track[],
  time: Span[],
): Starts {
  const inRuns = integral(overlaps([time]), (open) => open);
  const lives = workers.filter(({ from, to, ready = to }) =>
    to > from && inRuns(from, ready) > 0
  );
  const started = new Set(lives.map(({ pool, worker }) => `${pool} ${worker}`));
  const spans = tracks.flatMap(({ startUp }) => startUp)
    .filter(({ from, to }) => inRuns(from, to) > 0);
  const quickest = spans.reduce(
    (least, { from, to }) => Math.min(least, to - from),
    Infinity,
  );
  return {
    started: started.size,
    restarts: lives.length - started.size,
    startUp: lengthOf(intersect(union(spans), time)),
    quickestStart: spans.length > 0 ? quickest : 0,
  };
}

/** CPU time of tasks, as far as it is known, in ms. */
export interface CpuTime {
  /** They certainly had this much. */
  least: number;
  /** They cannot have had more. */
  most: number;
  /** How long their workers were in a task, whether on a core or not. */
  inTask: number;
}

/**
 * The CPU time that is reported with a chunk may have been used so many ms
 * before the chunk began: a worker reads its CPU clock when a chunk begins and
 * when it ends, but not within 10 ms of the last reading. Source:
 * src/core/worker/cpu_meter.ts.
 */
const BEFORE_CHUNK_MS = 10;

/**
 * How coarse a CPU clock may be, in ms. On Deno in a virtual machine it counted
 * in steps of 10 ms; no bench.
 */
const TICK_MS = 10;

/** Fewer messages than this do not show what one costs. No bench. */
const LEAST_MESSAGES = 10;

/**
 * The share of messages that nothing holds up, on however busy a machine. More,
 * and a busy machine makes messages look dear; less, and one odd message
 * decides. No bench.
 */
const QUICK = 0.1;

/**
 * Works out how much CPU time the tasks had. A worker reports the CPU time of
 * its thread, which also packs and unpacks, starts, and runs tasks that nobody
 * recorded. So `least` assumes that the thread computed whenever it was outside
 * of the tasks: only CPU time beyond that was certainly in them.
 *
 * @param all What happened in each worker.
 * @returns The bounds; undefined if no worker reported any CPU time.
 */
export function cpuTime(all: readonly Worked[]): CpuTime | undefined {
  let reported = false;
  const sum: CpuTime = { least: 0, most: 0, inTask: 0 };
  for (const { track: { answers, lost }, atOnce, inTask } of all) {
    const total = inTask(-Infinity, Infinity);
    let known = 0; // ms in tasks that readings account for
    let most = 0; // CPU time of these readings
    let readAt = -Infinity;
    for (const answer of answers.toSorted((a, b) => a.ended - b.ended)) {
      const { began, ended, cpu } = answer;
      if (cpu === undefined) continue;
      reported = true;
      const since = Math.max(readAt, began - BEFORE_CHUNK_MS);
      const inside = inTask(since, ended);
      const outside = ended - since - inside;
      sum.least += Math.min(inside, Math.max(0, cpu - outside));
      most += Math.min(inside, Math.max(0, cpu));
      known += inTask(Math.max(readAt, began), ended);
      readAt = ended;
    }
    // When tasks overlap, a reading at the start of one is never reported, and
    // with it goes CPU time of the others.
    const readable = atOnce < 2 && lost.length === 0;
    const unread = readable ? total - known : total;
    const tick = known > 0 ? TICK_MS : 0;
    sum.most += Math.min(total, most + tick + Math.max(0, unread));
    sum.inTask += total;
  }
  if (!reported) return undefined;
  return { ...sum, most: Math.max(sum.least, sum.most) };
}

/**
 * Works out what a message costs: the time from the end of one chunk in a
 * worker to the start of the next, without the time in which neither was on its
 * way. The first chunk of a run does not count, as the worker loads the function
 * before it. Other programs on the cores, or a busy caller, hold up many
 * messages, but not all: what is returned is a cost that one in ten stays below.
 *
 * @param all What happened in each worker.
 * @returns Milliseconds for each task; 0 if the messages were too few.
 */
export function transportPerTask(all: readonly Worked[]): number {
  const costs: number[] = [];
  for (const { track: { answers, startUp } } of all) {
    answers.forEach((next, i) => {
      const last = answers[i - 1];
      if (last?.run !== next.run) return;
      if (startUp.some(({ from }) => last.ended <= from && from < next.began)) {
        return; // the first of another worker
      }
      const idle = Math.max(0, next.from - last.to);
      const cost = next.began - last.ended - idle;
      costs.push(Math.max(0, cost) / next.tasks);
    });
  }
  if (costs.length < LEAST_MESSAGES) return 0;
  return costs.sort((a, b) => a - b)[Math.floor(QUICK * costs.length)]!;
}
