/**
 * How many tasks, or workers, were at something at the same time: pure, without
 * clock.
 *
 * @module
 */

/** Stretches of time, such as those of tasks. */
export interface Stretches {
  /** When each began. */
  readonly from: Float64Array;
  /** When each ended. */
  readonly to: Float64Array;
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
    open[n] = i - j;
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
  return open.reduce((most, count) => Math.max(most, count), 0);
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
    if (before <= 0 && open[n] > 0) from[count] = at[n];
    if (before > 0 && open[n] <= 0) to[count++] = at[n];
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
  { at, open }: Overlaps,
  worth: (open: number) => number,
): Integral {
  const until = new Float64Array(at.length); // what all before comes to
  for (let n = 1; n < at.length; n++) {
    until[n] = until[n - 1] + worth(open[n - 1]) * (at[n] - at[n - 1]);
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
    return until[low - 1] + worth(open[low - 1]) * (time - at[low - 1]);
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
