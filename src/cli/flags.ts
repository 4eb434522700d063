/**
 * The flags, each in one place: name, value, what the help says, and the check.
 * The help, the completion of shells and the reading of a command line come
 * from this table.
 *
 * @module
 */

import { readHalt } from "./halt.ts";
import { readOn } from "./on.ts";
import {
  readOutput,
  readPath,
  readTime,
  readWhole,
  readWorkers,
  UsageError,
} from "./values.ts";

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
  /** Other names by which it is taken: those of other programs. */
  also?: readonly { name: string; short?: string }[];
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
const from = (least: number, most?: number) => (value: string, flag: string) =>
  readWhole(value, flag, least, most);

/** A flag without a value. */
function plain(
  part: Part,
  doc: string,
  more: Partial<Flag> = {},
): Flag<boolean> {
  return { ...more, part, doc, read: given };
}

/** A flag whose value is a file. */
function file(
  part: Part,
  doc: string,
  more: Partial<Flag<string>> = {},
): Flag<string> {
  return { part, doc, value: "FILE", offers: "files", read: readPath, ...more };
}

/** Every flag. */
export const FLAGS = {
  "lines": plain("Inputs", "each line is the input, as a string"),
  "null": plain(
    "Inputs",
    "the same, of texts that end with a zero byte, as those of find -print0",
    { short: "0" },
  ),
  "args": plain("Inputs", "the arguments are the inputs, as strings"),
  "csv": plain(
    "Inputs",
    "each row is an object of strings, by the names in the first row; --failed keeps JSON",
  ),
  "tsv": plain(
    "Inputs",
    "the same, of fields between tabs, as they stand: quotes mean nothing",
  ),
  "batch": {
    part: "Inputs",
    doc: "the function gets an array of N inputs, the last time the rest",
    value: "N",
    read: from(1),
  },
  "expression": {
    part: "Inputs",
    doc: "the function itself, in JavaScript, instead of MODULE",
    short: "e",
    value: "FUNCTION",
    read: text,
  },
  "raw": plain("Results", "write strings as they are, without quotes", {
    short: "r",
    also: [{ name: "raw-output" }],
  }),
  "flat": plain(
    "Results",
    "write a line for each value of an array or a generator, and none for undefined",
  ),
  "with-input": plain("Results", "write {index, input, result}", {
    also: [{ name: "tag" }],
  }),
  "unordered": plain("Results", "write results as they come"),
  "keep-order": plain(
    "Results",
    "write them in the order of the inputs (default)",
    {
      short: "k",
    },
  ),
  "output": file(
    "Results",
    "write to FILE.part, which becomes FILE at exit status 0; - is standard output",
    { short: "o", read: readOutput },
  ),
  "failed": file(
    "Results",
    "keep the inputs that failed, as read: run them again as another FILE",
  ),
  "dry-run": plain("Results", "write the calls that would be made; make none"),
  "on": {
    part: "Work",
    doc:
      "have the machines of a pool do it: nats://HOST:PORT/POOL, or POOL on the servers in NATS_URL; needs @parallel/map-nats",
    value: "URL",
    read: readOn,
  },
  "workers": {
    part: "Work",
    doc:
      "how many workers: 4, 50%, +1, -1 (default: all cores); 0 for none, to debug",
    short: "j",
    value: "N",
    also: [{ name: "jobs" }, { name: "max-procs", short: "P" }],
    read: readWorkers,
  },
  "processes": plain(
    "Work",
    "workers are processes: a crash ends one call, not the job; each input is a message of its own, unless --chunk-size is given",
  ),
  "max-memory": {
    part: "Work",
    doc:
      "MB for each worker, from 64: with --processes, a call that takes more fails; without, a worker that holds more is replaced between two calls",
    value: "MB",
    read: from(64),
  },
  "concurrency": {
    part: "Work",
    doc: "calls at once in each worker, for async functions (1)",
    value: "N",
    read: from(1, 65_536),
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
    doc:
      "how long MODULE may take to load (60s; with --timeout as long, but 5s at least); with --on, how long to wait for a machine (10s)",
    value: "TIME",
    read: readTime,
  },
  "retries": {
    part: "Work",
    doc: "call again, up to N times, when a call fails or takes too long (0)",
    value: "N",
    read: from(0),
  },
  "retry-delay": {
    part: "Work",
    doc: "wait before the first retry, and twice as long before each further",
    value: "TIME",
    read: readTime,
  },
  "halt": {
    part: "Work",
    doc:
      "stop at the first failure: now (drop running calls) or soon (let them end); now,fail=3 at the third; soon,fail=5% at a failure when 5% of 20 or more inputs that ended have failed (never)",
    value: "WHEN",
    offers: ["never", "now", "soon"],
    read: readHalt,
  },
  "bar": plain(
    "Watch",
    "show progress on standard error; ~ marks a total estimated from the bytes read so far",
    {
      also: [{ name: "eta" }, { name: "progress" }],
    },
  ),
  "timeline": file("Watch", "write a picture of who did what when, as HTML"),
  "joblog": file(
    "Resume",
    "log every input as it ends, as NDJSON: index, hash of the input, start, ms, worker, attempt, and result or error",
  ),
  "resume": plain("Resume", "go on with that log, or start it"),
  "resume-changed": plain(
    "Resume",
    "the same, also if the function was edited or is another: old results are kept",
  ),
  "completion": {
    part: "Other",
    doc: "write what makes that shell complete pmap: bash, zsh or fish",
    value: "SHELL",
    offers: ["bash", "zsh", "fish"],
    read: readShell,
  },
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

function readShell(value: string, flag: string): "bash" | "zsh" | "fish" {
  if (value === "bash" || value === "zsh" || value === "fish") return value;
  throw new UsageError(
    `Cannot run as ${flag} must be bash, zsh or fish: received "${value}"`,
  );
}
