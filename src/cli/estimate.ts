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
  /** How many calls failed and are made again: these have not ended. */
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
  const inputs = again === 0 ? progress : withoutRetried(progress, again);
  if (progress.total !== undefined || total === undefined) return inputs;
  const { count, exact } = total;
  const isKnown = exact && kept === 0;
  const left = isKnown ? count : twoFigures(count - kept);
  const all = Math.max(left, sent);
  const { done, elapsed } = inputs;
  const eta = done === 0 ? undefined : elapsed * (all - done) / done;
  return { ...inputs, total: all, estimated: !isKnown, eta };
}

/** Counts inputs: for the engine, each attempt is a task. */
function withoutRetried(progress: Progress, again: number): Progress {
  const { done: tasks, failed, total, rate } = progress;
  const done = Math.max(0, tasks - again);
  return {
    ...progress,
    done,
    failed: Math.max(0, failed - again),
    total: total && total - again,
    rate: tasks === 0 ? 0 : rate * done / tasks,
  };
}

/** No more of a number is known. */
function twoFigures(number: number): number {
  return number > 0 ? Number(number.toPrecision(2)) : 0;
}
