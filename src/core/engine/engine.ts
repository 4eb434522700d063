/**
 * What takes runs and has their tasks done: the scheduler of this machine, or
 * another engine. What is above it is the same for all.
 *
 * @module
 */

import type { RunOptions } from "../api/options.ts";
import type { ChunkTimes } from "./chunking.ts";
import type { Run } from "./run.ts";

/** Takes runs. */
export interface Engine {
  /** Whether it takes no more. */
  readonly closed: boolean;
  /** Whether no worker has anything to do. */
  readonly atRest: boolean;
  /** Says how long the chunks of a run should be, if not as on this machine. */
  times?(options: RunOptions): ChunkTimes;
  /** Starts all workers; settles when they are ready. */
  start(): Promise<void>;
  /** Takes a run. */
  add(run: Run): void;
  /** Looks at a run that was ended, or has more inputs or more room now. */
  touch(run: Run): void;
  /**
   * Ends all runs and workers.
   *
   * @param finish Whether to let the runs end by themselves first.
   * @returns Settled when nothing is left; rejects with what a listener threw
   * when there was no run left to tell.
   */
  close(finish?: boolean): Promise<void>;
}

/** What a call is told that was pending when its pool was closed. */
export function closedError(): DOMException {
  return new DOMException("The pool was closed", "AbortError");
}
