/**
 * Looks for tasks of one worker that have run longer than `timeout`.
 *
 * @module
 */

import type { Clock } from "../runtime/clock.ts";
import type { InFlight } from "./in_flight.ts";
import type { Loss } from "./settling.ts";

/** How long a worker whose thread is free may take to answer, in ms. */
const PONG_MS = 250;

/** Longer than a timer can wait means for ever. */
const LONGEST_MS = 0x7fffffff;

/** What a deadline needs of its slot. */
export interface DeadlineHost {
  readonly clock: Clock;
  /** Asks the worker for a sign of life: `pong` follows if it can answer. */
  ping(): void;
  /** Tasks have run too long. */
  onOverdue(loss: Loss): void;
}

/** Watches one worker. */
export class Deadline {
  readonly #host: DeadlineHost;
  #inFlight: InFlight | undefined;
  #cancel = () => {};
  #asked = false;

  constructor(host: DeadlineHost) {
    this.#host = host;
  }

  /** Watches what is in flight, if its run has a limit. */
  watch(inFlight: InFlight): void {
    this.stop();
    const { run } = inFlight;
    const { timeout } = run?.options ?? {};
    if (timeout === undefined || timeout > LONGEST_MS || run?.ended) return;
    this.#inFlight = inFlight;
    this.#wait(timeout, () => this.#look(timeout));
  }

  #wait(ms: number, then: () => void): void {
    this.#cancel = this.#host.clock.after(ms, then);
  }

  #look(timeout: number): void {
    const { serials: at, again } = this.#inFlight!.overdue(timeout);
    if (at.length === 0) {
      this.#wait(again, () => this.#look(timeout));
    } else if ((this.#inFlight!.run?.options.concurrency ?? 1) === 1) {
      this.#host.onOverdue({ at, timeout });
    } else this.#ask(timeout);
  }

  /**
   * Several tasks are in flight, and one is overdue. If the thread is free they
   * wait, each for itself; if not, one of them holds up the others.
   */
  #ask(timeout: number): void {
    this.#asked = true;
    this.#wait(
      PONG_MS,
      () => this.#host.onOverdue({ at: this.#inFlight!.at(), timeout }),
    );
    this.#host.ping();
  }

  /** The worker answered: its thread is free. */
  pong(): void {
    if (!this.#asked) return;
    const inFlight = this.#inFlight!;
    const { timeout = Infinity } = inFlight.run?.options ?? {};
    const { serials: at } = inFlight.overdue(timeout);
    if (at.length > 0) this.#host.onOverdue({ at, timeout, sure: true });
    else this.watch(inFlight);
  }

  /** Watches no more. */
  stop(): void {
    this.#cancel();
    this.#asked = false;
  }
}
