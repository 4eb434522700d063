/**
 * How a job ended, in a line and an exit status.
 *
 * @module
 */

import { many, say } from "./say.ts";

/** Exit statuses of a job that a signal ended: 128 and the signal's number. */
export const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** Why a job ended before all inputs were through. */
export type Stop =
  | { by: "halt" }
  /** Whoever read the results is gone. */
  | { by: "reader" }
  | { by: "signal"; name: keyof typeof SIGNALS }
  | { by: "error"; error: unknown };

/** How a job ended. */
export interface Ending {
  stop: Stop | undefined;
  /** How many inputs succeeded in this run. */
  done: number;
  /** How many inputs failed. */
  failed: number;
  /** How many results an earlier run had left. */
  kept: number;
}

/**
 * Says how a job ended, where that is worth a line.
 *
 * @param ending How it ended.
 * @param logged Whether there is a log to go on with.
 * @returns The exit status.
 * @throws What made the job end, if that was no ordinary reason.
 */
export function conclude(ending: Ending, logged: boolean): number {
  const { stop, done, failed, kept } = ending;
  if (stop?.by === "error") throw stop.error;
  if (stop?.by === "reader") return failed > 0 ? 1 : 0;
  const finished = many(done + failed + kept, "input");
  if (stop?.by === "signal") {
    const cure = logged ? "; go on with --resume" : "";
    say(`ended by ${stop.name} after ${finished}${cure}`);
    return SIGNALS[stop.name];
  }
  if (stop?.by === "halt") {
    say(`stopped by --halt after ${many(failed, "failure")} of ${finished}`);
    return 1;
  }
  if (failed === 0) return 0;
  say(`${failed} of ${finished} failed`);
  return 1;
}
