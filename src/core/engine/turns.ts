/**
 * For how long a busy worker is sent more of the run it is at: then it idles
 * for once, and another run has its turn.
 *
 * @module
 */

import type { Clock } from "../runtime/clock.ts";

/**
 * How long a worker is sent more of one run while another waits, in ms. Less,
 * and a run with many lanes has them empty for more of the time; more, and a
 * small call waits longer beside a large one. No bench.
 */
const TURN_MS = 20;

/** The turns of runs at workers. */
export class Turns {
  readonly #clock: Clock;
  /** When the turn at each slot began, by its number. */
  readonly #since: number[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A worker that had nothing to do gets a chunk. */
  begin(slot: number): void {
    this.#since[slot] = this.#clock.now();
  }

  /** Whether the worker of a slot is to be sent no more of its run. */
  isOver(slot: number): boolean {
    return this.#clock.now() - (this.#since[slot] ?? 0) >= TURN_MS;
  }
}
