/**
 * In which lane a task is drawn, where tasks of one worker overlap.
 *
 * @module
 */

import type { Span, Stretches } from "./spans.ts";

/** Which lane each task is drawn in. */
export interface Lanes {
  /** How many lanes; one, unless tasks overlap. */
  count: number;
  /** Lane of each task, from 0. */
  of: Uint16Array;
  /** The same for those that never came back. */
  ofLost: Uint16Array;
}

/**
 * Gives each task of a worker a lane, so that tasks which overlap
 * (`concurrency`) are not drawn over each other: the first lane that is free.
 *
 * @param tasks The tasks of one worker, in the order of their starts.
 * @param lost Those that never came back, in any order.
 * @param most How many lanes there may be: with more tasks at once, some share.
 * @returns The lanes.
 */
export function lanesOf(
  { from, to }: Stretches,
  lost: readonly Span[] = [],
  most = Infinity,
): Lanes {
  const ends: number[] = [];
  let next = 0; // the lane that is shared next
  const place = (from: number, to: number) => {
    let lane = ends.findIndex((end) => end <= from);
    if (lane < 0) lane = ends.length < most ? ends.length : next++ % most;
    ends[lane] = Math.max(to, ends[lane] ?? to);
    return lane;
  };
  const of = new Uint16Array(from.length);
  const ofLost = new Uint16Array(lost.length);
  const waiting = [...lost.keys()].sort((a, b) =>
    lost[b]!.from - lost[a]!.from
  );
  for (let i = 0; i <= from.length; i++) {
    const until = from[i] ?? Infinity;
    for (let n; (n = waiting.at(-1)) !== undefined;) {
      if (lost[n]!.from > until) break;
      ofLost[n] = place(lost[n]!.from, lost[n]!.to);
      waiting.pop();
    }
    if (i < from.length) of[i] = place(from[i]!, to[i]!);
  }
  return { count: Math.max(1, ends.length), of, ofLost };
}
