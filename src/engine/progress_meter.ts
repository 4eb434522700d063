/**
 * Counts completions and tells how far a run is.
 *
 * @module
 */

import type { Progress } from "../events.ts";

/** Counts the settled tasks of one run. */
export class ProgressMeter {
  /** How many inputs there are, once that is known. */
  total: number | undefined;
  readonly #tell: ((progress: Progress) => void) | undefined;
  readonly #began = performance.now();
  #done = 0;
  #failed = 0;

  constructor(tell: ((progress: Progress) => void) | undefined) {
    this.#tell = tell;
  }

  /**
   * Counts settled tasks, and tells.
   *
   * @param done How many settled.
   * @param failed How many of them failed.
   */
  add(done: number, failed: number): void {
    this.#done += done;
    this.#failed += failed;
    this.say("running");
  }

  /**
   * Tells how far the run is.
   *
   * @param state Whether it goes on.
   */
  say(state: Progress["state"]): void {
    if (this.#tell === undefined) return;
    const elapsed = performance.now() - this.#began;
    const rate = elapsed > 0 ? this.#done / elapsed * 1000 : 0;
    const { total } = this;
    this.#tell({
      state,
      done: this.#done,
      failed: this.#failed,
      total,
      elapsed,
      rate,
      eta: total !== undefined && rate > 0
        ? (total - this.#done) / rate * 1000
        : undefined,
    });
  }
}
