/**
 * Waits for the answer to a chunk for a while only: then what is done of it is
 * wanted, and the rest can go elsewhere.
 *
 * @module
 */

import type { Clock } from "../runtime/clock.ts";

/**
 * How long a chunk may take before its worker is asked to answer with what it
 * has, in milliseconds: ten times what a chunk is made for (chunking.ts). Less,
 * and tasks that take a little longer than the last ones go twice; more, and
 * finished tasks wait for slow neighbours while other workers idle. No bench.
 */
const PATIENCE_MS = 50;

/** The patience with one worker. */
export class Patience {
  readonly #clock: Clock;
  readonly #onEnd: () => void;
  #since: number | undefined;
  #cancel: (() => void) | undefined;

  /**
   * Waits for nothing yet.
   *
   * @param clock The time.
   * @param onEnd Called when a chunk has taken too long.
   */
  constructor(clock: Clock, onEnd: () => void) {
    this.#clock = clock;
    this.#onEnd = onEnd;
  }

  /**
   * The worker begins a chunk, or has none.
   *
   * @param canYield Whether there is a chunk that it can answer in parts.
   */
  begin(canYield: boolean): void {
    if (!canYield) return this.stop();
    this.#since = this.#clock.now();
    // One timer for many chunks: to set one for each would be felt.
    if (this.#cancel === undefined) this.#lookIn(PATIENCE_MS);
  }

  /** Waits no more. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#since = undefined;
  }

  #lookIn(ms: number): void {
    this.#cancel = this.#clock.after(ms, () => {
      this.#cancel = undefined;
      if (this.#since === undefined) return;
      const left = this.#since + PATIENCE_MS - this.#clock.now();
      if (left > 0) this.#lookIn(left);
      else this.#onEnd();
    });
  }
}
