/**
 * Lets the caller's timers have their turn while inputs are read that come
 * without a pause: a source that computes each, or answers in the same turn.
 *
 * @module
 */

import type { Clock } from "../runtime/clock.ts";

/** For how many ms an iterator may be asked for values without a pause. No bench. */
const MOST_MS = 2;

/**
 * The same for what is awaited. Each 2 ms, a pause made Node.js 24 read 100,000
 * values of an async generator 1.3 times as long. No bench.
 */
const MOST_AWAITING_MS = 10;

/** Tells when to stop reading. */
export class ReadingTime {
  readonly #clock: Clock;
  readonly #most: number;
  #until = 0;
  #read = 0;

  /**
   * Begins now.
   *
   * @param clock The time.
   * @param awaited Whether the values are awaited.
   */
  constructor(clock: Clock, awaited: boolean) {
    this.#clock = clock;
    this.#most = awaited ? MOST_AWAITING_MS : MOST_MS;
    this.#begin();
  }

  #begin(): void {
    this.#read = 0;
    this.#until = this.#clock.now() + this.#most;
  }

  /**
   * Whether it is over; to be asked after each value. It looks at the clock now
   * and then, as that costs as much as a fast `next`.
   *
   * @param read How many values were read since it began; one more by default.
   * @returns Whether to stop.
   */
  isOver(read: number = ++this.#read): boolean {
    const look = read % 64 === 0 || (read & (read - 1)) === 0;
    return look && this.#clock.now() > this.#until;
  }

  /** Calls back in a later turn, and begins again: others have had theirs. */
  turn(callback: () => void): void {
    this.#clock.turn(() => {
      this.#begin();
      callback();
    });
  }

  /** Lets others have their turn. */
  async pause(): Promise<void> {
    await new Promise<void>((resolve) => this.turn(resolve));
  }
}
