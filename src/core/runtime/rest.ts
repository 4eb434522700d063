/**
 * Tells a worker that has been idle for a while from one between two chunks.
 *
 * @module
 */

import { after, now } from "./timers.ts";

/**
 * How long a worker is idle before it rests, in milliseconds. Less, and a
 * program that calls now and then feels it: on Deno, rest and its end take
 * 20 µs, a call of one task 75 to 170 µs. More, and a program that left its
 * pool open ends later by as much.
 */
const IDLE_MS = 20;

/** Watches the work of one worker. */
export class Rest {
  readonly #onChange: (resting: boolean) => void;
  #idleSince: number | undefined;
  #resting = false;
  #callOff: (() => void) | undefined;

  constructor(onChange: (resting: boolean) => void) {
    this.#onChange = onChange;
  }

  /** Whether it rests now. */
  get resting(): boolean {
    return this.#resting;
  }

  /** Hears whether the worker has work; ends a rest at once. */
  setBusy(busy: boolean): void {
    this.#idleSince = busy ? undefined : now();
    if (!busy) {
      // One timer for many chunks: to set one for each would be felt.
      if (!this.#resting) this.#callOff ??= this.#lookIn(IDLE_MS);
    } else if (this.#resting) {
      this.#resting = false;
      this.#onChange(false);
    }
  }

  #lookIn(ms: number): () => void {
    return after(ms, () => {
      this.#callOff = undefined;
      if (this.#idleSince === undefined) return; // until it is idle again
      const left = IDLE_MS - (now() - this.#idleSince);
      if (left > 0) this.#callOff = this.#lookIn(left);
      else {
        this.#resting = true;
        this.#onChange(true);
      }
    });
  }

  /** Watches no more. */
  stop(): void {
    this.#callOff?.();
    this.#callOff = undefined;
  }
}
