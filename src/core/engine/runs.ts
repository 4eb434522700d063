/**
 * The runs that an engine has in progress: whose turn it is, and whom to tell
 * what happens in the pool.
 *
 * @module
 */

import type { RunEvent } from "../api/events.ts";
import { endsError } from "./failures.ts";
import type { Thrown } from "./listening.ts";
import type { Run } from "./run.ts";
import type { Loss } from "./settling.ts";

/**
 * After how many ends in a row of workers that were at no task nobody can be
 * served: more, and a module that ends its worker is loaded in vain for longer.
 */
const MOST_FRUITLESS_ENDS = 3;

/** The runs in progress. */
export class Runs {
  readonly all: Set<Run> = new Set<Run>();
  /** Those that may have a chunk, in the order of their turns. */
  readonly ready: Set<Run> = new Set<Run>();
  /** Those to look at: they may have ended, or have more. */
  readonly touched: Set<Run> = new Set<Run>();
  readonly #onEvent: ((event: RunEvent) => void) | undefined;
  #thrown: Thrown;
  #stopped: { error: unknown } | undefined;
  /**
   * How many workers have ended at no task since the last answer, by the run that
   * they had chunks of: others may have answers meanwhile.
   */
  readonly #endsOf = new Map<Run | undefined, number>();

  /**
   * Has none yet.
   *
   * @param onEvent The listener of the pool.
   */
  constructor(onEvent: ((event: RunEvent) => void) | undefined) {
    this.#onEvent = onEvent;
  }

  /** What a listener of the pool threw when there was no run left to tell. */
  get thrown(): Thrown {
    return this.#thrown;
  }

  /** How much work is ready, in ms of one worker, if that is known. */
  get msLeft(): number | undefined {
    let sum = 0;
    for (const run of this.ready) {
      const { msLeft } = run;
      if (msLeft === undefined) return undefined;
      sum += msLeft;
    }
    return sum;
  }

  /** Says what happened in the pool to all that listen. */
  emit(event: RunEvent): void {
    try {
      this.#onEvent?.(event);
    } catch (error) {
      if (this.all.size === 0) this.#thrown ??= { error };
      for (const run of [...this.all]) run.stop(error);
    }
    // A copy here as well: a listener that makes a call adds a run.
    for (const run of [...this.all]) {
      if (!run.over) run.hear(event);
      if (run.over) this.touched.add(run);
    }
  }

  /** Ends runs, as no worker can serve them: all, or those that are given. */
  refuse(error: unknown, runs: Iterable<Run> = this.all): void {
    for (const run of [...runs]) {
      run.refuse(error);
      this.touched.add(run);
    }
  }

  /** An answer was taken; of a call that is over, what its listeners threw. */
  answered(run: Run): void {
    this.#thrown ??= run.late;
    this.#endsOf.delete(undefined);
    this.#endsOf.delete(run);
  }

  /**
   * Counts the end of a worker that is no task's fault. After too many in a row
   * the run is refused, or all of them, if the workers had none.
   *
   * @param run The run that the worker had chunks of, if it had any.
   * @param loss How it ended.
   */
  countEnd(run: Run | undefined, loss: Loss): void {
    if (run?.over) return; // it would be kept for ever
    const ends = (this.#endsOf.get(run) ?? 0) + 1;
    this.#endsOf.set(run, ends);
    if (ends < MOST_FRUITLESS_ENDS) return;
    this.#endsOf.delete(run);
    const error = endsError(MOST_FRUITLESS_ENDS, loss);
    this.refuse(error, run === undefined ? this.all : [run]);
  }

  /** Takes a run, which ends at once if all were ended. */
  add(run: Run): void {
    this.all.add(run);
    if (this.#stopped) run.stop(this.#stopped.error);
  }

  /** Ends all, and those that come later. */
  stop(error: unknown): void {
    this.#stopped = { error };
    for (const run of [...this.all]) {
      run.stop(error);
      this.touched.add(run);
    }
  }

  /** Whether other runs have tasks that wait: one that has none is not ready. */
  othersWait(run: Run): boolean {
    for (const other of this.ready) {
      if (other === run) continue;
      if (other.readAhead()) return true;
      this.ready.delete(other); // until it is touched
      if (other.over) this.touched.add(other); // its inputs ended it
    }
    return false;
  }

  /** A chunk of it goes: the end of the line is its place, as runs take turns. */
  sent(run: Run): void {
    this.ready.delete(run);
    this.ready.add(run);
  }

  /** Forgets one that is over. */
  remove(run: Run): void {
    this.all.delete(run);
    this.ready.delete(run);
    this.#endsOf.delete(run);
  }
}
