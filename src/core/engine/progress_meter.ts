/**
 * Counts completions and tells how far a run is.
 *
 * @module
 */

import type { Progress } from "../api/events.ts";
import type { Clock } from "../runtime/clock.ts";
import { tellAll, type Thrown } from "./listening.ts";

/** Counts the settled tasks of one run. */
export class ProgressMeter {
  /** How many inputs there are, once that is known. */
  total: number | undefined;
  readonly #tell: ((progress: Progress) => void) | undefined;
  readonly #clock: Clock;
  readonly #began: number = 0; // ms, if anybody is told
  #done = 0;
  #weightDone = 0;
  #failed = 0;
  #over = false;

  constructor(
    tell: ((progress: Progress) => void) | undefined,
    clock: Clock,
  ) {
    this.#tell = tell;
    this.#clock = clock;
    if (tell !== undefined) this.#began = clock.now();
  }

  /**
   * Counts settled tasks.
   *
   * @param done How many settled.
   * @param failed How many of them failed.
   * @param weight What they weigh.
   */
  add(done: number, failed: number, weight: number): void {
    this.#done += done;
    this.#weightDone += weight;
    this.#failed += failed;
  }

  /**
   * Tells how far the run is. Once it said that the run is over, nothing.
   *
   * @param state Whether it goes on.
   * @param weight What all inputs weigh, once that is known.
   * @returns What the listener threw, if it threw.
   */
  say(
    state: Progress["state"],
    weight: number | undefined,
  ): Thrown {
    if (this.#tell === undefined || this.#over) return undefined;
    this.#over = state !== "running";
    const elapsed = this.#clock.now() - this.#began;
    const rate = elapsed > 0 ? this.#done / elapsed * 1000 : 0;
    const { total } = this;
    const left = weight === undefined || total === undefined
      ? undefined
      : total > this.#done
      ? Math.max(0, weight - this.#weightDone)
      : 0;
    return tellAll([this.#tell], {
      state,
      done: this.#done,
      failed: this.#failed,
      total,
      elapsed,
      rate,
      eta: state !== "stopped" && left !== undefined && rate > 0
        ? elapsed * left / this.#weightDone
        : undefined,
    });
  }
}
