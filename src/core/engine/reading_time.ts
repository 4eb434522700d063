/**
 * Lets the caller's timers have their turn while inputs are read that come
 * without a pause: a source that computes each, or answers in the same turn.
 *
 * @module
 */

import type { Clock } from "../runtime/clock.ts";

/** For how many ms inputs may be read without a pause. No bench. */
const MOST_MS = 2;

/** Tells when to stop reading. */
export class ReadingTime {
  readonly #clock: Clock;
  #until: number;
  #read = 0;

  /**
   * Begins now.
   *
   * @param clock The time.
   */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#until = clock.now() + MOST_MS;
  }

  /**
   * Whether it is over; to be asked after each value that was read. It looks at
   * the clock now and then, as that costs as much as a fast `next`.
   *
   * @returns Whether to stop.
   */
  isOver(): boolean {
    const read = ++this.#read;
    const look = read % 64 === 0 || (read & (read - 1)) === 0;
    return look && this.#clock.now() > this.#until;
  }

  /** Lets others have their turn, and begins again. */
  async pause(): Promise<void> {
    await new Promise<void>((resolve) => this.#clock.turn(resolve));
    this.#read = 0;
    this.#until = this.#clock.now() + MOST_MS;
  }
}
