/**
 * Lets others have their turn while one chunk after another cannot be sent at
 * all: nothing is waited for then, and a million such inputs would fill one turn
 * of the event loop.
 *
 * @module
 */

import type { Clock } from "../runtime/clock.ts";

/** For how many ms chunks may fail to be sent without a pause. No bench. */
const MOST_MS = 10;

/** Notes chunks of which nothing could be sent. */
export class VainSends {
  readonly #clock: Clock;
  readonly #onGoOn: () => void;
  #since: number | undefined;
  #pauses = false;

  /**
   * Has noted none.
   *
   * @param clock The time.
   * @param onGoOn Called when others have had their turn.
   */
  constructor(clock: Clock, onGoOn: () => void) {
    this.#clock = clock;
    this.#onGoOn = onGoOn;
  }

  /** Whether nothing is to be sent now. */
  get hold(): boolean {
    return this.#pauses;
  }

  /** Nothing of a chunk could be sent. */
  note(): void {
    const now = this.#clock.now();
    this.#since ??= now;
    if (this.#pauses || now - this.#since < MOST_MS) return;
    this.#pauses = true;
    this.#clock.turn(() => {
      this.#pauses = false;
      this.#since = undefined;
      this.#onGoOn();
    });
  }
}
