/**
 * The bars of a chart: what they stand for, and which of them are one.
 *
 * @module
 */

import { type Integral, type Lanes, type Span, subtract } from "./spans.ts";
import type { Track } from "./tracks.ts";

/** One bar of a chart. */
export interface Bar extends Span {
  kind: "start-up" | "task" | "failed" | "transport" | "present";
  /** Of the lanes of its row, from 0. */
  lane: number;
  /** How many tasks it stands for; 0 for other kinds. */
  tasks: number;
  /** Lowest and highest index of them. */
  first: number;
  last: number;
  /** How long they took, added up. */
  work: number;
  /** Whether the task did not come back, and why. */
  why: string | undefined;
  /** Share of a core it had, from 0 to 1. */
  share: number;
}

/** How bars are drawn. */
export interface BarOptions {
  /** Tasks shorter than this are drawn together, in ms; 0 draws each. */
  least: number;
  /** Gaps shorter than this are not drawn, in ms. */
  leastGap: number;
  /** Core time a task could have; undefined if cores were free. */
  share: Integral | undefined;
}

/**
 * Turns a track into bars.
 *
 * @param track The track.
 * @param lanes The lane of each of its tasks.
 * @param options How they are drawn.
 * @returns The bars, in the order of their starts.
 */
export function barsOf(track: Track, lanes: Lanes, options: BarOptions): Bar[] {
  const { startUp, inFlight, lost } = track;
  const tasks = taskBars(track, lanes.of, options);
  const onTheWay = subtract(inFlight, tasks, lost) // in flight, and no task runs
    .filter(({ from, to }) => to - from >= options.leastGap);
  const others = [
    ...startUp.map((span) => bar("start-up", span)),
    ...onTheWay.map((span) => bar("transport", span)),
    ...lost.map(({ index, why, from, to }, n) => ({
      ...bar("failed", { from, to }, index),
      lane: lanes.ofLost[n]!,
      why,
    })),
  ];
  return [...tasks, ...joined(others, options.least)]
    .sort((a, b) => a.from - b.from);
}

/**
 * Makes one bar of short neighbours that are of one lane and one kind.
 *
 * @param bars The bars, in any order.
 * @param least What is shorter is drawn together, in ms; 0 joins nothing.
 * @returns The bars that are left, in the order of their starts.
 */
export function joined(bars: Bar[], least: number): Bar[] {
  const open = new Map<string, Bar>();
  return bars.sort((a, b) => a.from - b.from).filter((bar) => {
    if (bar.to - bar.from >= least) return true;
    const key = `${bar.kind} ${bar.lane} ${bar.why}`;
    const into = open.get(key);
    if (into !== undefined && bar.to - into.from < least) {
      join(into, bar);
      return false;
    }
    open.set(key, bar);
    return true;
  });
}

/** Lets a bar stand for another one, too. */
function join(into: Bar, { to, tasks, first, last, work }: Bar): void {
  into.to = Math.max(into.to, to);
  into.tasks += tasks;
  into.first = Math.min(into.first, first);
  into.last = Math.max(into.last, last);
  into.work += work;
}

/**
 * Makes a bar.
 *
 * @param kind Its kind.
 * @param span Its time.
 * @param index The index of its task, if it is of one.
 * @returns The bar.
 */
export function bar(
  kind: Bar["kind"],
  { from, to }: Span,
  index?: number,
): Bar {
  const tasks = index === undefined ? 0 : 1;
  const [first, last] = [index ?? 0, index ?? 0];
  const work = tasks * (to - from);
  const [lane, share, why] = [0, 1, undefined];
  return { kind, from, to, lane, tasks, first, last, work, why, share };
}

function taskBars(track: Track, lane: Uint16Array, options: BarOptions): Bar[] {
  const { index, from, to, failed } = track;
  const { least, share } = options;
  const bars: Bar[] = [];
  const open = new Map<number, Bar>(); // by lane, and whether it failed
  for (let i = 0; i < from.length; i++) {
    const ms = to[i]! - from[i]!;
    const key = 2 * lane[i]! + failed[i]!;
    const into = ms < least ? open.get(key) : undefined;
    const kind = failed[i] ? "failed" : "task";
    const drawn = bar(kind, { from: from[i]!, to: to[i]! }, index[i]);
    if (into !== undefined && drawn.to - into.from < least) {
      join(into, drawn);
      continue;
    }
    drawn.lane = lane[i]!;
    if (failed[i]) drawn.why = "threw";
    bars.push(drawn);
    if (ms < least) open.set(key, drawn);
  }
  for (const bar of bars) {
    const { from, to } = bar;
    if (share && to > from) {
      bar.share = Math.min(1, share(from, to) / (to - from));
    }
  }
  return bars;
}
