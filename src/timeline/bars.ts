/**
 * What a chart draws of a track: each task its bar, or, in a large run, short
 * neighbours as one. Pure, without page.
 *
 * @module
 */

import { type Integral, lanesOf, type Span, subtract } from "./spans.ts";
import type { Track } from "./tracks.ts";

/** What a bar is. */
export type BarKind = "start-up" | "task" | "failed" | "transport";

/** One bar of a chart. */
export interface Bar extends Span {
  kind: BarKind;
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

/** The bars of one track. */
export interface DrawnTrack {
  bars: Bar[];
  /** How many lanes they need. */
  lanes: number;
}

/**
 * Turns a track into bars, in the order of their starts.
 *
 * @param track The track.
 * @param options How fine.
 * @returns Its bars.
 */
export function barsOf(track: Track, options: BarOptions): DrawnTrack {
  const { startUp, inFlight, lost } = track;
  const lanes = lanesOf(track);
  const onTheWay = subtract(inFlight, track, lost) // in flight, and no task runs
    .filter(({ from, to }) => to - from >= options.leastGap);
  const bars = [
    ...startUp.map((span) => bar("start-up", span)),
    ...onTheWay.map((span) => bar("transport", span)),
    ...taskBars(track, lanes.of, options),
    ...lost.map(({ index, why, from, to }) => ({
      ...bar("failed", { from, to }, index),
      why,
    })),
  ];
  bars.sort((a, b) => a.from - b.from);
  return { bars, lanes: lanes.count };
}

/** A bar: of a task if it has an index. */
function bar(kind: BarKind, { from, to }: Span, index?: number): Bar {
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
    const ms = to[i] - from[i];
    const key = 2 * lane[i] + failed[i];
    const into = ms < least ? open.get(key) : undefined;
    if (into !== undefined && to[i] - into.from < least) {
      into.to = Math.max(into.to, to[i]);
      into.tasks++;
      into.first = Math.min(into.first, index[i]);
      into.last = Math.max(into.last, index[i]);
      into.work += ms;
      continue;
    }
    const kind = failed[i] ? "failed" : "task";
    const drawn = bar(kind, { from: from[i], to: to[i] }, index[i]);
    drawn.lane = lane[i];
    if (failed[i]) drawn.why = "threw";
    bars.push(drawn);
    if (ms < least) open.set(key, drawn);
  }
  if (share !== undefined) {
    for (const drawn of bars) {
      const { from, to } = drawn;
      if (to > from) drawn.share = Math.min(1, share(from, to) / (to - from));
    }
  }
  return bars;
}
