/**
 * What the command says on standard error, and the exit status that goes with it.
 *
 * @module
 */

import process from "node:process";
import { plural } from "../words/units.ts";

/** Clears the line at a terminal, as a bar may stand in it. */
const CLEAR = process.stderr.isTTY ? "\r\x1b[K" : "";

/**
 * Writes one line to standard error.
 *
 * @param text What to say; its line breaks become spaces.
 */
export function say(text: string): void {
  console.error(`${CLEAR}pmap: ${text.replace(/\s*[\r\n]+\s*/g, " ")}`);
}

/**
 * Shows a text in a message.
 *
 * @param text Any text.
 * @returns At most 60 characters of it, in quotes.
 */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}

/** Says which flag or argument is wrong, and what it must be. */
export class UsageError extends Error {
  /** The class as text, for logs. */
  override readonly name: string = "UsageError";
}

/** The signals that end a job, with its exit status: 128 + the signal's number. */
export const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** Why a job ended before all inputs were through. */
export type Stop =
  | { by: "halt" }
  /** The program that read standard output has closed it. */
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
 * Says how a job ended, unless all went well.
 *
 * @param ending How it ended.
 * @param logged Whether there is a log to go on with.
 * @returns The exit status.
 * @throws The error that ended the job, if one did.
 */
export function conclude(ending: Ending, logged: boolean): number {
  const { stop, done, failed, kept } = ending;
  if (stop?.by === "error") throw stop.error;
  if (stop?.by === "reader") return failed > 0 ? 1 : 0;
  const finished = plural(done + failed + kept, "input");
  if (stop?.by === "signal") {
    const cure = logged ? "; go on with --resume" : "";
    say(`ended by ${stop.name} after ${finished}${cure}`);
    return SIGNALS[stop.name];
  }
  if (stop?.by === "halt") {
    say(`stopped by --halt after ${plural(failed, "failure")} of ${finished}`);
    return 1;
  }
  if (failed === 0) return 0;
  say(`${failed} of ${finished} failed`);
  return 1;
}
