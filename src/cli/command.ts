/**
 * What a command line asks for, as plain data. It looks at no file.
 *
 * @module
 */

import { readCallee } from "./callee.ts";
import type { FlagName, Values } from "./flags.ts";
import type { HaltRule } from "./halt.ts";
import { checkWithOn } from "./on.ts";
import { readFlags } from "./read_flags.ts";
import type { RowForm } from "./rows.ts";
import type { ClusterPlace } from "./seam.ts";
import { timerTime, UsageError } from "./values.ts";

/** Where the inputs come from. */
export type InputSource =
  /** Files one after another; `-` is standard input. */
  | { from: "files"; files: string[] }
  /** The command line itself. */
  | { from: "arguments"; values: string[] };

/**
 * How often a call is made again that failed, and by whom: the engine tells
 * nothing of a failure that is not the last.
 */
export type Retries =
  | { by: "engine"; most: number }
  /** `delay` in ms before the first, and twice as long before each further. */
  | { by: "job"; most: number; delay: number };

/** A job as the command line describes it. */
export interface Settings {
  /** The function to call: a module, and the name of its export. */
  module: string;
  name: string;
  /** Or the function itself, in JavaScript. */
  expression: string | undefined;
  /** The machines that do the job, and have the module; undefined: this one. */
  on: ClusterPlace | undefined;
  source: InputSource;
  /** What ends the text of an input. */
  separator: "\n" | "\0";
  /** Whether each line is one JSON value; otherwise it is the text itself. */
  json: boolean;
  /** Whether lines are rows, which become JSON. */
  rows: RowForm | undefined;
  /** How many inputs a call gets, as an array; undefined: one, alone. */
  batch: number | undefined;
  /** Whether results come in the order of the inputs. */
  ordered: boolean;
  /** Whether strings are written as they are. */
  raw: boolean;
  /** Whether a result may be several lines, or none. */
  flat: boolean;
  /** Whether the input is written beside its result. */
  withInput: boolean;
  /** Where results go, if not to standard output. */
  output: string | undefined;
  /** Where inputs that failed go. */
  failed: string | undefined;
  workers: number | undefined;
  /** Whether they are processes. */
  processes: boolean;
  /** Millions of bytes for each. */
  maxMemory: number | undefined;
  chunkSize: number | undefined;
  concurrency: number | undefined;
  /** Milliseconds for one call. */
  timeout: number | undefined;
  /** Milliseconds for the module to load, or for a machine to be there. */
  loadTimeout: number;
  retries: Retries;
  halt: HaltRule;
  /** The log, and whether to go on from what it holds, of which function. */
  log: { file: string; resume: false | "same" | "changed" } | undefined;
  bar: boolean;
  /** File of the timeline. */
  timeline: string | undefined;
  dryRun: boolean;
}

/** What a command line asks for. */
export type Command =
  | { to: "help"; form: "short" | "long" }
  | { to: "tell version" }
  | { to: "complete"; shell: "bash" | "zsh" | "fish" }
  | { to: "run"; settings: Settings };

/** Flags of which only one can be given. */
const EXCLUSIVE: FlagName[][] = [
  ["lines", "null", "args", "csv", "tsv"],
  ["raw", "with-input"],
  ["unordered", "keep-order"],
];

/** Flags that need another, and what that is there. */
const NEEDS: [flag: FlagName, other: FlagName, why: string][] = [
  ["resume", "joblog", " FILE, the log of the earlier run"],
  ["resume-changed", "joblog", " FILE, the log of the earlier run"],
  ["retry-delay", "retries", " N"],
];

/** Flags that are about workers. */
const NEED_WORKERS: FlagName[] = ["timeout", "processes", "max-memory"];

/**
 * The least and the usual time for a module to load, in ms, and for a machine
 * that has it to be there. No bench.
 */
const LOAD_MS = { least: 5000, usual: 60_000, there: 10_000 };

/**
 * Reads the command line.
 *
 * @param args The arguments after the program's name.
 * @returns What they ask for.
 * @throws {UsageError} When they cannot be run.
 */
export function readCommand(args: string[]): Command {
  const { values, positionals } = readFlags(args);
  if (values.help) return { to: "help", form: values.help };
  if (values.version) return { to: "tell version" };
  if (values.completion) return { to: "complete", shell: values.completion };
  const { expression, on } = values;
  const [module, ...rest] = expression === undefined
    ? positionals
    : ["-e", ...positionals];
  checkTogether(values);
  const { timeout, joblog, halt = { when: "never" } } = values;
  const resume = values["resume-changed"]
    ? "changed"
    : values.resume
    ? "same"
    : false;
  return {
    to: "run",
    settings: {
      ...readCallee(module, on),
      expression,
      on,
      source: readSource(values, rest),
      separator: values.null ? "\0" : "\n",
      json: !values.args && !values.lines && !values.null,
      rows: values.csv ? "csv" : values.tsv ? "tsv" : undefined,
      batch: values.batch,
      ordered: !values.unordered,
      raw: values.raw ?? false,
      flat: values.flat ?? false,
      withInput: values["with-input"] ?? false,
      output: values.output === "-" ? undefined : values.output,
      failed: values.failed,
      workers: values.workers,
      processes: values.processes ?? false,
      maxMemory: values["max-memory"],
      chunkSize: values["chunk-size"],
      concurrency: values.concurrency,
      timeout,
      loadTimeout: timerTime(values["load-timeout"] ?? usualLoadTime(values)),
      retries: readRetries(values, halt),
      halt,
      log: joblog === undefined ? undefined : { file: joblog, resume },
      bar: values.bar ?? false,
      timeline: values.timeline,
      dryRun: values["dry-run"] ?? false,
    },
  };
}

function readRetries(values: Values, halt: HaltRule): Retries {
  const { retries: most = 0, "retry-delay": delay } = values;
  if (delay !== undefined) return { by: "job", most, delay };
  // With --halt, it is the job that tries again and not the engine: that would
  // say nothing of what failed, and waits for its retry, when the job halts.
  return halt.when === "never" || most === 0
    ? { by: "engine", most }
    : { by: "job", most, delay: 0 };
}

/**
 * Says whether each input is one task of the engine, of the same index: a log
 * leaves some out, and the job itself sends some again.
 *
 * @param settings Of the job.
 */
export function isOneTaskEach(
  { log, retries }: Pick<Settings, "log" | "retries">,
): boolean {
  return log === undefined && retries.by === "engine";
}

function usualLoadTime({ on, timeout }: Values): number {
  if (on !== undefined) return LOAD_MS.there;
  return timeout === undefined
    ? LOAD_MS.usual
    : Math.max(timeout, LOAD_MS.least);
}

function readSource(values: Values, rest: string[]): InputSource {
  const { args, failed } = values;
  if (
    args && failed !== undefined && rest.some((text) => text.includes("\n"))
  ) {
    throw new UsageError(
      "Cannot run as --failed keeps each of --args as a line: received one with a line end in it (-0 reads such inputs, and keeps them)",
    );
  }
  if (args) return { from: "arguments", values: rest };
  return { from: "files", files: rest.length === 0 ? ["-"] : rest };
}

function checkTogether(values: Values): void {
  for (const flags of EXCLUSIVE) {
    const [one, other] = flags.filter((flag) => values[flag] !== undefined);
    if (other === undefined) continue;
    throw new UsageError(
      `Cannot run as --${one} and --${other} exclude each other: received both`,
    );
  }
  for (const [flag, other, why] of NEEDS) {
    if (values[flag] === undefined || values[other] !== undefined) continue;
    throw new UsageError(
      `Cannot run as --${flag} needs --${other}${why}: received none`,
    );
  }
  checkWithOn(values);
  if (values.workers !== 0) return;
  for (const flag of NEED_WORKERS) {
    if (values[flag] === undefined) continue;
    throw new UsageError(
      `Cannot run as --${flag} needs workers: received --workers 0`,
    );
  }
}
