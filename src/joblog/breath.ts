/**
 * Lets the program's timers, signals and files have their turn while outcomes
 * come without a pause, as those of an earlier run do.
 *
 * @module
 */

import * as timers from "node:timers";

/**
 * The timers and the clock as they were when this was loaded: tests put others in
 * their place, which stand still. With those, no outcome would ever be given.
 */
const { setImmediate } = timers;
const now = performance.now.bind(performance);

/**
 * For how many ms outcomes may come without a pause. Less, and there are more
 * pauses, of some µs each; more, and an abort comes later. No bench.
 */
const MOST_MS = 10;

/** Tells when others are to have their turn. */
export class Breath {
  #until = now() + MOST_MS;
  #turn: Promise<void> | undefined; // the one in progress

  /** Whether they have waited for long enough. */
  get isDue(): boolean {
    return now() > this.#until;
  }

  /**
   * Lets them have it.
   *
   * @returns Settled in a later turn of the event loop, for all who wait at once.
   */
  take(): Promise<void> {
    return this.#turn ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#turn = undefined;
        this.#until = now() + MOST_MS;
        resolve();
      });
    });
  }
}
