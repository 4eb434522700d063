/**
 * Lets the caller's timers have their turn. Where answers come faster than they
 * are taken, Bun 1.4.5 and Node.js 24 go from one to the next: with short tasks
 * and inputs without end, a signal of 150 ms aborted after 28 s on Bun.
 *
 * @module
 */

import type { Clock } from "../runtime/clock.ts";

/**
 * How often to look whether timers come, in ms. Less costs more timers; more, and
 * an abort comes later. No bench.
 */
const LOOK_MS = 100;

/** For how many ms they may fail to come until nothing more is sent. No bench. */
const LATE_MS = 25;

/**
 * Chunks that are sent in one turn at most. With less, many short turns; with
 * more, as of thousands of tasks that wait beside each other, each of them a
 * chunk, the caller's thread is held for as many times 50 µs. No bench.
 */
const MOST_SENT = 256;

/** Tells when to send nothing. */
export class Breath {
  readonly #clock: Clock;
  readonly #onGoOn: () => void;
  #cameAt: number; // the last timer did; at first, this was made
  #askedAt = 0; // for the timer that has not come
  #cancel: (() => void) | undefined; // while it has not come
  #justAsked = false; // in this turn, in which none can come
  #holds = false;
  #sent = 0; // in this turn
  #waits = false; // for another

  /**
   * Holds nothing yet.
   *
   * @param clock The time.
   * @param onGoOn Called when something may be sent again.
   */
  constructor(clock: Clock, onGoOn: () => void) {
    this.#clock = clock;
    this.#onGoOn = onGoOn;
    this.#cameAt = clock.now();
  }

  /** Whether nothing is to be sent now; to be asked each time before that. */
  get holds(): boolean {
    if (this.#sent++ >= MOST_SENT) {
      this.#wait();
      return true;
    }
    const now = this.#clock.now();
    if (this.#cancel !== undefined) {
      return this.#holds = !this.#justAsked && now - this.#askedAt > LATE_MS;
    }
    if (now - this.#cameAt < LOOK_MS) return false;
    this.#askedAt = now;
    this.#cancel = this.#clock.after(0, () => this.#come());
    this.#justAsked = true;
    void Promise.resolve().then(() => this.#justAsked = false);
    return false;
  }

  /** Chunks are to be sent, in this turn. */
  begin(): void {
    this.#sent = 0;
  }

  #wait(): void {
    if (this.#waits) return;
    this.#waits = true;
    this.#clock.turn(() => {
      this.#waits = false;
      this.#onGoOn();
    });
  }

  #come(): void {
    const held = this.#holds;
    this.rest();
    if (held) this.#onGoOn();
  }

  /** There is nothing to send. */
  rest(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#holds = false;
    this.#cameAt = this.#clock.now();
  }
}
