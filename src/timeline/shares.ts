/**
 * Where the time of the workers went: pure, from the tracks.
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

/** How much the workers waited: shares of their time while a run went on. */
export interface Waits {
  /** Before the last input was sent. */
  starved: number;
  /** After it, while the last tasks ran. */
  tail: number;
}

/**
 * Works out how much the workers waited, and whether there was more to come.
 * The end of the inputs is not in any event, only when the last one was sent: a
 * source whose length is unknown may go on for long after that.
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
  const ends = runs.map(({ from }) => ({ sent: from, heard: from, next: 0 }));
  for (const { run, first, tasks, from, to = last } of chunks) {
    const end = ends[run];
    // A task that is sent again is no new input.
    if (first >= end.next) end.sent = Math.max(end.sent, from);
    end.next = Math.max(end.next, first + tasks);
    end.heard = Math.max(end.heard, to);
  }
  const more: Span[] = [];
  const over: Span[] = [];
  runs.forEach(({ from, to = last, total }, position) => {
    const { sent, heard } = ends[position];
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
  /** How many workers were being started while a run went on. */
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
  const started = new Set(lives.map(({ worker }) => worker)).size;
  const spans = tracks.flatMap(({ startUp }) => startUp)
    .filter(({ from, to }) => inRuns(from, to) > 0);
  const quickest = spans.reduce(
    (least, { from, to }) => Math.min(least, to - from),
    Infinity,
  );
  return {
    started,
    restarts: lives.length - started,
    startUp: lengthOf(intersect(union(spans), time)),
    quickestStart: spans.length > 0 ? quickest : 0,
  };
}
