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
  const lanes = lanesOf(track);
  const bars = [
    ...track.startUp.map((span) => bar("start-up", span)),
    ...gaps(track, options.leastGap),
    ...taskBars(track, lanes.of, options),
    ...track.lost.map(({ index, why, from, to }) => ({
      ...bar("failed", { from, to }),
      tasks: 1,
      first: index,
      last: index,
      work: to - from,
      why,
    })),
  ];
  bars.sort((a, b) => a.from - b.from);
  return { bars, lanes: lanes.count };
}

function bar(kind: BarKind, { from, to }: Span): Bar {
  return {
    kind,
    from,
    to,
    lane: 0,
    tasks: 0,
    first: 0,
    last: 0,
    work: 0,
    why: undefined,
    share: 1,
  };
}

/** Time on the way: in flight, and no task runs. */
function gaps(track: Track, least: number): Bar[] {
  return subtract(track.inFlight, track, track.lost)
    .filter(({ from, to }) => to - from >= least)
    .map((span) => bar("transport", span));
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
    const drawn: Bar = {
      ...bar(failed[i] ? "failed" : "task", { from: from[i], to: to[i] }),
      lane: lane[i],
      tasks: 1,
      first: index[i],
      last: index[i],
      work: ms,
      why: failed[i] ? "threw" : undefined,
    };
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
