/**
 * How far a job is, while its inputs are still being read: pure.
 *
 * @module
 */

import type { Progress } from "../../mod.ts";
import type { BarProgress } from "../progress/mod.ts";

/** What is known of the calls of a job. */
export interface Calls {
  /** How many inputs there are; undefined where nothing tells. */
  total: { count: number; exact: boolean } | undefined;
  /** How many of them were sent to be called. */
  sent: number;
  /** How many calls were made again. */
  again: number;
  /** How many results an earlier run has left: these are not sent. */
  kept: number;
}

/**
 * Estimates what the engine cannot know before it has all inputs: how many calls
 * there will be, and when they end.
 *
 * @param progress What the engine tells.
 * @param calls What is known of them.
 * @returns The same, with a total where there can be one.
 */
export function estimate(progress: Progress, calls: Calls): BarProgress {
  const { total, sent, again, kept } = calls;
  if (progress.total !== undefined || total === undefined) return progress;
  const { count, exact } = total;
  const isKnown = exact && kept === 0;
  const left = isKnown ? count : twoFigures(count - kept);
  const all = Math.max(left, sent) + again;
  const { done, elapsed } = progress;
  const eta = done === 0 ? undefined : elapsed * (all - done) / done;
  return { ...progress, total: all, estimated: !isKnown, eta };
}

/** No more of a number is known. */
function twoFigures(number: number): number {
  return number > 0 ? Number(number.toPrecision(2)) : 0;
}
