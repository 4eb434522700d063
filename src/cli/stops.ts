/**
 * Why a job is stopped: the first reason, and what comes while it ends.
 *
 * @module
 */

import type { SignalName } from "./exit_status.ts";

const signal = Promise.withResolvers<void>();

/** Settles with the first signal that is to end the job. */
export const signalled: Promise<void> = signal.promise;

/** Notes that a signal is to end the job. */
export const noteSignal: () => void = signal.resolve;

/** Why a job ended before all inputs were through. */
export type Stop =
  | { by: "halt" }
  /** The program that read standard output has closed it. */
  | { by: "reader" }
  | { by: "signal"; name: SignalName }
  | { by: "error"; error: unknown };

/** The reasons to stop a job, as they come. */
export class Stops {
  readonly #first = Promise.withResolvers<Stop>();
  readonly #later = Promise.withResolvers<Stop>();
  readonly #over = Promise.withResolvers<void>();
  #reason: Stop | undefined;

  /** Settles with the first reason. */
  readonly first: Promise<Stop> = this.#first.promise;
  /**
   * Settles with the next one that is not `halt`: results that are still to be
   * written are given up then.
   */
  readonly later: Promise<Stop> = this.#later.promise;

  /** Settles when no more calls are to begin. */
  readonly over: Promise<void> = this.#over.promise;

  /** Notes that no more calls are to begin. */
  end(): void {
    this.#over.resolve();
  }

  /**
   * Takes a reason.
   *
   * @param stop Why the job is to end.
   * @returns Whether it is the first.
   */
  add(stop: Stop): boolean {
    if (this.#reason === undefined) {
      this.#reason = stop;
      this.#first.resolve(stop);
      return true;
    }
    if (stop !== this.#reason && stop.by !== "halt") this.#later.resolve(stop);
    return false;
  }
}
