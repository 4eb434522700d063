/**
 * Tasks that overlap in one worker (`concurrency`) need lanes of their own:
 * pure, without clock.
 *
 * @module
 */

/** Which lane each task is drawn in. */
export interface Lanes {
  /** How many lanes; one, unless tasks overlap. */
  count: number;
  /** Lane of each task, from 0. */
  of: Uint16Array;
}

/**
 * Puts each task in the first lane that is free.
 *
 * @param from When each began, in order.
 * @param to When each ended.
 * @returns The lanes.
 */
export function lanesOf(from: Float64Array, to: Float64Array): Lanes {
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
