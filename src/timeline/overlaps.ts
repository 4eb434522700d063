/**
 * How many tasks, or workers, were at something at the same time: pure, without
 * clock.
 *
 * @module
 */

import type { Span } from "./spans.ts";

/** Stretches of time, such as those of tasks. */
export interface Stretches {
  /** When each began. */
  readonly from: Float64Array;
  /** When each ended. */
  readonly to: Float64Array;
}

/**
 * Reads spans as stretches.
 *
 * @param spans Spans in any order.
 * @returns The same time.
 */
export function stretches(spans: readonly Span[]): Stretches {
  return {
    from: Float64Array.from(spans, ({ from }) => from),
    to: Float64Array.from(spans, ({ to }) => to),
  };
}

/** How many stretches of time were open, from each moment to the next. */
export interface Overlaps {
  /** When the number changed, in order. */
  readonly at: Float64Array;
  /** How many were open from then on. */
  readonly open: Int32Array;
}

/**
 * Goes through the starts and ends of stretches of time.
 *
 * @param parts Where they are, in any order.
 * @returns How many of all were open at any time.
 */
export function overlaps(parts: readonly Stretches[]): Overlaps {
  const starts = joined(parts.map(({ from }) => from)).sort();
  const ends = joined(parts.map(({ to }) => to)).sort();
  const at = new Float64Array(2 * starts.length);
  const open = new Int32Array(at.length);
  for (let n = 0, i = 0, j = 0; n < at.length; n++) {
    // An end before a start at the same time: one took over from the other.
    const starting = i < starts.length && !(ends[j] <= starts[i]);
    at[n] = starting ? starts[i++] : ends[j++];
    open[n] = Math.max(0, i - j); // what took no time ends before it starts
  }
  return { at, open };
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const total = parts.reduce((sum, { length }) => sum + length, 0);
  const all = new Float64Array(total);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/**
 * Finds the most that were open at any time.
 *
 * @param overlaps From `overlaps`.
 * @returns How many.
 */
export function mostOpen({ open }: Overlaps): number {
  let most = 0;
  for (let n = 0; n < open.length; n++) most = Math.max(most, open[n]);
  return most;
}

/**
 * Keeps the time in which any was open, as stretches that do not overlap.
 *
 * @param overlaps From `overlaps`.
 * @returns The stretches, in order.
 */
export function anyOpen({ at, open }: Overlaps): Stretches {
  const from = new Float64Array(at.length / 2);
  const to = new Float64Array(from.length);
  let count = 0;
  let before = 0; // how many were open
  for (let n = 0; n < at.length; n++) {
    if (before === 0 && open[n] > 0) from[count] = at[n];
    if (before > 0 && open[n] === 0) to[count++] = at[n];
    before = open[n];
  }
  return { from: from.slice(0, count), to: to.slice(0, count) };
}

/** Adds up what a stretch of time was worth, in ms. */
export type Integral = (from: number, to: number) => number;

/**
 * Weighs time by how many were open in it.
 *
 * @param overlaps From `overlaps`.
 * @param worth What a millisecond counts while that many are open; nothing
 * counts before the first began and after the last ended.
 * @returns What any stretch of time comes to.
 */
export function integral(
  overlaps: Overlaps,
  worth: (open: number) => number,
): Integral {
  const { at, open } = overlaps;
  const weights = new Float64Array(mostOpen(overlaps) + 1);
  for (let count = 0; count < weights.length; count++) {
    weights[count] = worth(count);
  }
  const until = new Float64Array(at.length); // what all before comes to
  for (let n = 1; n < at.length; n++) {
    until[n] = until[n - 1] + weights[open[n - 1]] * (at[n] - at[n - 1]);
  }
  const upTo = (time: number) => {
    let low = 0;
    for (let high = at.length; low < high;) {
      const middle = (low + high) >> 1;
      if (at[middle] <= time) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return 0;
    if (low === at.length) return until[low - 1];
    return until[low - 1] + weights[open[low - 1]] * (time - at[low - 1]);
  };
  return (from, to) => to > from ? upTo(to) - upTo(from) : 0;
}

/** Which lane each task is drawn in. */
export interface Lanes {
  /** How many lanes; one, unless tasks overlap. */
  count: number;
  /** Lane of each task, from 0. */
  of: Uint16Array;
}

/**
 * Tasks that overlap in one worker (`concurrency`) need lanes of their own:
 * puts each in the first that is free.
 *
 * @param tasks The tasks of one worker, in the order of their starts.
 * @returns The lanes.
 */
export function lanesOf({ from, to }: Stretches): Lanes {
  const ends: number[] = [];
  const of = new Uint16Array(from.length);
  for (let i = 0; i < from.length; i++) {
    let lane = ends.findIndex((end) => end <= from[i]);
    if (lane < 0) lane = ends.length;
    ends[lane] = to[i];
    of[i] = lane;
  }
  return { count: Math.max(1, ends.length), of };
}
