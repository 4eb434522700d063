/**
 * Where the time of the workers went: pure, from the tracks.
 *
 * @module
 */

import type { Integral } from "./overlaps.ts";
import type { Recording } from "./recording.ts";
import { intersect, lengthOf, type Span, subtract, union } from "./spans.ts";
import type { Track } from "./tracks.ts";

/** Where the time of one worker went. */
export interface RowFacts {
  /** As in `worker 0`, or `this thread`. */
  name: string;
  /** How many tasks ran there, failed ones included. */
  tasks: number;
  /** Milliseconds in which there was a worker, and anything was recorded. */
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

/** A track, and how long any task ran in it. */
export interface Worked {
  track: Track;
  inTask: Integral;
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
    spans.reduce((total, { from, to }) => total + inTask(from, to), 0);
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

/** Where the time of the workers that had a task went: shares, 1 together. */
export type Spent = Record<
  "startUp" | "work" | "transport" | "waiting",
  number
>;

/**
 * Works out where the time of several places went.
 *
 * @param all What happened there.
 * @param time Time that counts, from `union`.
 * @returns The shares; all 0 if there was no such time.
 */
export function spentBy(all: readonly Worked[], time: Span[]): Spent {
  const spent: Spent = { startUp: 0, work: 0, transport: 0, waiting: 0 };
  const rows = all.map((worked) => rowOf(worked, time));
  const present = rows.reduce((total, row) => total + row.present, 0);
  if (present === 0) return spent;
  for (const name of ["startUp", "work", "transport", "waiting"] as const) {
    const total = rows.reduce((sum, row) => sum + row[name], 0);
    spent[name] = Math.min(1, total / present);
  }
  return spent;
}

/**
 * Tells waiting while there was more to come from waiting when there was not.
 * What is known of the end of the inputs is only when the last of them was
 * sent: a source that does not say how many there are may end much later.
 *
 * @param recording What was recorded.
 * @param places Its tracks.
 * @param time Time of the runs, from `union`.
 * @returns Two shares of the time the workers were there.
 */
export function waits(
  recording: Recording,
  places: readonly Track[],
  time: Span[],
): { starved: number; tail: number } {
  const { chunks, runs, workers, last } = recording;
  // While a worker is started, the caller may be unable to send.
  const starting = union(workers.map(({ from, to }) => ({ from, to })));
  const ends = runs.map(({ from }) => ({ sent: from, heard: from, next: 0 }));
  for (const { run, first, tasks, from, to = last } of chunks) {
    const end = ends[run];
    // Not when a task is sent again: its run may have no more for the others.
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
  let starved = 0;
  let tail = 0;
  let present = 0;
  for (const { startUp, inFlight, ending, ...track } of places) {
    const there = intersect(track.present, time);
    const idle = subtract(there, union([...startUp, ...inFlight, ...ending]));
    starved += lengthOf(intersect(subtract(idle, starting), union(more)));
    tail += lengthOf(intersect(idle, subtract(union(over), union(more))));
    present += lengthOf(there);
  }
  if (present === 0) return { starved: 0, tail: 0 };
  return {
    starved: Math.min(1, starved / present),
    tail: Math.min(1, tail / present),
  };
}
