/**
 * What a command line asks for, as plain data.
 *
 * @module
 */

import type { HaltRule } from "./halt.ts";
import type { Target } from "./target.ts";

/** Where the inputs come from. */
export type InputSource =
  /** Files one after another; `-` is standard input. */
  | { from: "files"; files: string[] }
  /** The command line itself. */
  | { from: "arguments"; values: string[] };

/** A job as the command line describes it. */
export interface Settings {
  /** The function to call. */
  target: Target;
  source: InputSource;
  /** Whether each line is one JSON value; otherwise it is the text itself. */
  json: boolean;
  /** Whether results come in the order of the inputs. */
  ordered: boolean;
  workers: number | undefined;
  chunkSize: number | undefined;
  concurrency: number | undefined;
  /** Milliseconds for one call. */
  timeout: number | undefined;
  retries: number;
  halt: HaltRule;
  /** File of the log, and whether to go on from what it holds. */
  log: { file: string; resume: boolean } | undefined;
  bar: boolean;
  /** File of the timeline. */
  timeline: string | undefined;
  dryRun: boolean;
}

/** What a command line asks for. */
export type Command =
  | { to: "help" }
  | { to: "tell version" }
  | { to: "run"; settings: Settings };
