/**
 * How many tasks ran, or how many workers were busy, at the same time: pure,
 * without clock.
 *
 * @module
 */

import { firstAfter, type Span } from "./spans.ts";

/** Stretches of time, as two lists: a run may have a million tasks. */
export interface Stretches {
  /** When each began. */
  readonly from: Float64Array;
  /** When each ended. */
  readonly to: Float64Array;
}

/**
 * Turns spans into stretches.
 *
 * @param spans Spans in any order.
 * @returns The same as two lists.
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
 * Goes through starts and ends in the order of time.
 *
 * @param parts Stretches, in any order.
 * @returns How many of them were open at any time.
 */
export function overlaps(parts: readonly Stretches[]): Overlaps {
  const starts = joined(parts.map(({ from }) => from)).sort();
  const ends = joined(parts.map(({ to }) => to)).sort();
  const at = new Float64Array(2 * starts.length);
  const open = new Int32Array(at.length);
  for (let n = 0, i = 0, j = 0; n < at.length; n++) {
    // At the same time, ends come first: one task took over from another.
    const starting = i < starts.length && !(ends[j] <= starts[i]);
    at[n] = starting ? starts[i++] : ends[j++];
    open[n] = Math.max(0, i - j); // one without length ends first
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
 * Finds the most that were open at once.
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
 * Finds the time in which at least one was open.
 *
 * @param overlaps From `overlaps`.
 * @returns Stretches that do not overlap, in order.
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

/** What the time between two moments is worth, in ms. */
export type Integral = (from: number, to: number) => number;

/**
 * Gives time a worth by how many were open in it, and adds it up.
 *
 * @param overlaps From `overlaps`.
 * @param worth What a millisecond is worth while so many are open. Before the
 * first and after the last it is worth nothing.
 * @returns Looks up any stretch of time.
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
  const until = new Float64Array(at.length); // the worth of all time before
  for (let n = 1; n < at.length; n++) {
    until[n] = until[n - 1] + weights[open[n - 1]] * (at[n] - at[n - 1]);
  }
  const upTo = (time: number) => {
    const next = firstAfter(at, time);
    if (next === 0) return 0;
    if (next === at.length) return until[next - 1];
    const last = next - 1;
    return until[last] + weights[open[last]] * (time - at[last]);
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
 * Gives each task of a worker a lane, so that tasks which overlap
 * (`concurrency`) are not drawn over each other: the first lane that is free.
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
