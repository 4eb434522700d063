/**
 * Whether a worker may still load for a run that is over: nobody hears of that.
 *
 * @module
 */

import type { Clock } from "../runtime/clock.ts";

/**
 * For how long a worker that still loads for a run that is over is waited for, in
 * ms: from its start, or from when its thread was first known to be free for that.
 * Later it is ended, and another tries what hangs there. No bench.
 */
const LOAD_MS = 60_000;

/** What is known of one worker. */
export class Loading {
  /** How many pings the worker has not answered. */
  pings = 0;
  /** Whether it was sent one right before its run, as that has a limit. */
  pingedFirst = false;
  readonly #clock: Clock;
  readonly #madeAt: number;
  #goesOn = false; // it was not heard since
  /** Until when that is believed: as it is new, or its thread was free before. */
  #until = 0;
  #isNew = true; // it has answered none of any run: no task can have left anything

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#madeAt = clock.now();
  }

  /** Whether it still loads, as far as is known, for a run that is over. */
  get goesOn(): boolean {
    return this.#goesOn;
  }

  /** Whether it has had so long for its first function that it has that. */
  get isLate(): boolean {
    return this.#clock.now() - this.#madeAt > LOAD_MS;
  }

  /** Whether it may be loading the function of a run of which it has said nothing. */
  get mayBegin(): boolean {
    return this.pings === 0 || this.#clock.now() < this.#until;
  }

  /** It answered a ping: its thread was free. */
  hearPong(): void {
    this.pings = Math.max(0, this.pings - 1); // a task may post any number
    if (this.#goesOn) this.#believe(); // what it was to load comes after that
  }

  /** From now on, once: else it might be silent for ever, call after call. */
  #believe(): void {
    this.#until ||= this.#clock.now() + LOAD_MS;
  }

  /** It has answered a chunk: all before that was read. */
  hearAnswer(): void {
    this.#goesOn = this.#isNew = false;
    this.#until = 0;
  }

  /** Its run is over, and it has begun nothing of it. */
  drop(): void {
    this.#goesOn = true;
    if (this.#isNew) this.#until = this.#madeAt + LOAD_MS;
    else if (this.pingedFirst && this.pings === 0) this.#believe();
  }
}
