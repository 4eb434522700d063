/**
 * What travels between the command and its function in the workers.
 *
 * @module
 */

/** What every worker of a job knows. */
export interface Setup {
  /** Absolute URL of the user's module. */
  url: string;
  /** Name of its export. */
  name: string;
  /** Whether inputs are JSON. */
  json: boolean;
  /** How often a call that failed is repeated. */
  retries: number;
  /** Whether times are wanted for the log. */
  detailed: boolean;
  /** One Int32, not 0 once no call may start. */
  halted: SharedArrayBuffer;
}

/** An input: its text, with its index where that is not the task's own. */
export type Sent = string | [index: number, text: string];

/** What became of a call, where that takes more than index and result. */
export type Detail =
  | { was: "done"; index: number; text: string; call: Call }
  | {
    was: "failed";
    index: number;
    /** Whether the input was no JSON. */
    malformed: boolean;
    error: string;
    stack: string;
    call: Call;
  }
  /** Every attempt ended with its worker, by timeout or otherwise. */
  | { was: "given up"; index: number; task: number }
  /** The job was halted before it started. */
  | { was: "not started"; index: number };

/** When, where and at which attempt a call was made. */
export interface Call {
  /** When it started, in milliseconds since 1970. */
  start: number;
  /** How long it took, in milliseconds. */
  ms: number;
  /** Number of the worker, from 0. */
  worker: number;
  /** Which attempt it was, from 1. */
  attempt: number;
}

/**
 * What a worker answers. A result that nobody wants details of is its index,
 * a space and its JSON in one string: strings cross cheapest, and a million
 * objects would cost more than the function (bench/cli_lines.ts).
 */
export type Reply = string | Detail;
