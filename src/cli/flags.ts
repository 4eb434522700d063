/**
 * The flags, each in one place: name, value, what the help says, and the check.
 * The help, the completion of shells and the reading of a command line come
 * from this table.
 *
 * @module
 */

import { readHalt } from "./halt.ts";
import { readTime, readWhole } from "./values.ts";

/** The parts of the help, in their order. */
export type Part =
  | "Inputs"
  | "Results"
  | "Work"
  | "Watch"
  | "Resume"
  | "Other";

/** All that is known of a flag. */
export interface Flag<T = unknown> {
  /** Where the help lists it. */
  part: Part;
  /** What the help says of it. */
  doc: string;
  /** The letter of its short form. */
  short?: string;
  /** How the help names its value; a flag without takes none. */
  value?: string;
  /** What a shell offers as value: files, or these words. */
  offers?: "files" | readonly string[];
  /**
   * Checks its value.
   *
   * @param text As it was given; empty for a flag that takes none.
   * @param flag Its name with dashes, for errors.
   * @returns What it means.
   * @throws {UsageError} When it does not fit.
   */
  read(text: string, flag: string): T;
}

const given = () => true;
const text = (value: string) => value;
const from = (least: number) => (value: string, flag: string) =>
  readWhole(value, flag, least);

/** A flag without a value. */
function plain(
  part: Part,
  doc: string,
  more: Partial<Flag> = {},
): Flag<boolean> {
  return { ...more, part, doc, read: given };
}

/** A flag whose value is a file. */
function file(part: Part, doc: string, more: Partial<Flag> = {}): Flag<string> {
  return { ...more, part, doc, value: "FILE", offers: "files", read: text };
}

/** Every flag. */
export const FLAGS = {
  "lines": plain("Inputs", "each line is the input, as a string"),
  "args": plain("Inputs", "the arguments are the inputs, as strings"),
  "unordered": plain("Results", "write results as they come"),
  "dry-run": plain("Results", "write the calls that would be made; make none"),
  "workers": {
    part: "Work",
    doc: "how many workers: 4 (all cores); 0 uses none, to debug",
    short: "j",
    value: "N",
    read: from(0),
  },
  "concurrency": {
    part: "Work",
    doc: "calls at once in each worker, for async functions (1)",
    value: "N",
    read: from(1),
  },
  "chunk-size": {
    part: "Work",
    doc: "inputs in one message (found by measuring)",
    value: "N",
    read: from(1),
  },
  "timeout": {
    part: "Work",
    doc: "end a call, and its worker, after that time: 500 (ms), 5s, 2m, 1h",
    value: "TIME",
    read: readTime,
  },
  "load-timeout": {
    part: "Work",
    doc: "how long MODULE may take to load (60s; with --timeout that, from 5s)",
    value: "TIME",
    read: readTime,
  },
  "retries": {
    part: "Work",
    doc: "call again, up to N times, when a call fails (0)",
    value: "N",
    read: from(0),
  },
  "halt": {
    part: "Work",
    doc:
      "stop at the first failure: now (drop running calls) or soon (let them end); now,fail=3 at the third; soon,fail=5% once 5% failed (never)",
    value: "WHEN",
    offers: ["never", "now", "soon"],
    read: readHalt,
  },
  "bar": plain("Watch", "show progress on standard error"),
  "timeline": file("Watch", "write a picture of who did what when, as HTML"),
  "joblog": file(
    "Resume",
    "log every input as it ends, as NDJSON: index, hash of the input, start, ms, worker, attempt, and result or error",
  ),
  "resume": plain("Resume", "go on with that log, or start it"),
  "resume-changed": plain(
    "Resume",
    "the same, also if the function was edited or is another",
  ),
  "help": {
    part: "Other",
    doc: "this text; -h is one screen of it",
    short: "h",
    read: (_: string, flag: string) => flag === "-h" ? "short" : "long",
  },
  "version": plain("Other", "the version"),
} as const satisfies Record<string, Flag>;

/** The name of a flag, without dashes. */
export type FlagName = keyof typeof FLAGS;

/** What the flags of a command line mean. */
export type Values = {
  [N in FlagName]?: ReturnType<(typeof FLAGS)[N]["read"]>;
};
