/**
 * What travels between a job and its workers, as plain data.
 *
 * @module
 */

import type { TaskContext } from "../../mod.ts";
import type { WriteEntry } from "./outbox.ts";

/** How a line becomes the argument of a function, and its result a line. */
export interface LineRules {
  /** Whether inputs are JSON. */
  json: boolean;
  /** Whether an input is the JSON of the texts of several. */
  batch: boolean;
  /** Whether a result is a list of what is to be written, as JSON. */
  flat: boolean;
  /** Whether times are wanted for the log. */
  detailed: boolean;
  /** Whether failures are final, so that they can be told early. */
  final: boolean;
  /** Which machine the log is to name; undefined for this one. */
  machine?: string;
}

/** What every worker of a job knows. */
export interface Setup extends LineRules {
  /** Absolute URL of the user's module. */
  url: string;
  /** Name of its export. */
  name: string;
  /** The function itself, if it is not in a module. */
  expression: string | undefined;
  /**
   * Int32s: the first is not 0 once no call may start, the second once the module
   * has loaded in a worker, and the others count, for each number of a worker, the
   * workers that had it. Undefined in processes, which share no memory.
   */
  flags: SharedArrayBuffer | undefined;
  /**
   * Where workers write results that may be late: two for each number of a
   * worker, if it is no process.
   */
  outboxes: SharedArrayBuffer[];
}

/** What the call brings along for every worker. */
export interface Brought {
  openOutbox(memory: SharedArrayBuffer): WriteEntry;
  openCaller: OpenCaller;
}

/** Makes what calls a function for a line. */
export type OpenCaller = (
  fn: (...args: unknown[]) => unknown,
  rules: LineRules,
  outbox?: WriteEntry,
) => Caller;

/** Where in `flags` it stands that no call may start. */
export const HALTED = 0;
/** Where, that the module has loaded in a worker. */
export const LOADED = 1;
/** Where, how many workers had a number, from number 0 on. */
export const TURNS = 2;

/**
 * An input: its text. With its index among all where the engine counts others:
 * an earlier run has results, or it is pmap that tries again.
 */
export type Sent = string | SentWithIndex;

/** The same, where more is said than its text. */
export interface SentWithIndex {
  index: number;
  text: string;
  /** Which attempt it is, where it is not the engine that tries again. */
  attempt?: number;
}

/** When, where and at which attempt a call was made. */
export type Call = {
  /** When it started, in milliseconds since 1970. */
  start: number | null;
  /** How long it took, in milliseconds. */
  ms: number | null;
  /** Number of the worker, from 0. */
  worker: number | null;
  /** Which attempt it was, from 1. */
  attempt: number;
  /** Name of the machine, if it is another; workers are counted on each. */
  machine?: string;
};

/**
 * The JSON of a result. Alone unless details are wanted, as strings cross
 * cheapest (bench/cli_lines.ts); undefined if the job was halted before the
 * call.
 */
export type Done = string | ({ text: string } & Call) | undefined;

/** What a call throws: what went wrong, in words. */
export type Thrown = Call & {
  /**
   * At what: the input was no JSON, so that the function was not called; the
   * call threw; or its result is not to be written as JSON.
   */
  at: "input" | "call" | "result";
  error: string;
  stack: string;
};

/** Calls the user's function; what a worker holds between calls. */
export type Caller<D = unknown> = (
  sent: Sent,
  context: TaskContext<unknown, D>,
) => Done | Promise<Done>;
