/**
 * What a command line asks for: how it is read, and what it means as plain data.
 *
 * @module
 */

import { accessSync, constants, existsSync, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import type { HaltRule } from "./failures.ts";
import { readHalt } from "./failures.ts";
import { UsageError } from "./messages.ts";

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

/** Every flag, for the platform's parser. */
const FLAGS = {
  "args": { type: "boolean" },
  "bar": { type: "boolean" },
  "chunk-size": { type: "string" },
  "concurrency": { type: "string" },
  "dry-run": { type: "boolean" },
  "halt": { type: "string" },
  "help": { type: "boolean", short: "h" },
  "joblog": { type: "string" },
  "lines": { type: "boolean" },
  "resume": { type: "boolean" },
  "retries": { type: "string" },
  "timeline": { type: "string" },
  "timeout": { type: "string" },
  "unordered": { type: "boolean" },
  "version": { type: "boolean" },
  "workers": { type: "string", short: "j" },
} as const;

type Flag = keyof typeof FLAGS;
type Given = Map<Flag, string | true>;

/**
 * Reads the command line.
 *
 * @param args The arguments after the program's name.
 * @returns What they ask for.
 * @throws {UsageError} When they cannot be run.
 */
export function readCommand(args: string[]): Command {
  // Not strict: the words for what is wrong are ours, and the same everywhere.
  const { tokens, positionals } = parseArgs({
    args,
    options: FLAGS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given: Given = new Map();
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const name = checkFlag(token.name, token.rawName, token.value);
    given.set(name, token.value ?? true);
  }
  if (given.has("help")) return { to: "help" };
  if (given.has("version")) return { to: "tell version" };
  const [module, ...rest] = positionals;
  if (module === undefined) {
    throw new UsageError(
      "Cannot run as the first argument must be MODULE or MODULE#EXPORT: received none (pmap --help shows examples)",
    );
  }
  const log = text(given, "joblog");
  if (given.has("resume") && log === undefined) {
    throw new UsageError(
      "Cannot run as --resume needs --joblog FILE, the log of the earlier run: received none",
    );
  }
  if (given.has("args") && given.has("lines")) {
    throw new UsageError(
      "Cannot run as --args and --lines exclude each other: received both",
    );
  }
  return {
    to: "run",
    settings: {
      target: readTarget(module),
      source: readSource(given.has("args"), rest),
      json: !given.has("args") && !given.has("lines"),
      ordered: !given.has("unordered"),
      workers: whole(given, "workers", 0),
      chunkSize: whole(given, "chunk-size", 1),
      concurrency: whole(given, "concurrency", 1),
      timeout: milliseconds(given, "timeout"),
      retries: whole(given, "retries", 0) ?? 0,
      halt: readHalt(text(given, "halt") ?? "never"),
      log: log === undefined
        ? undefined
        : { file: log, resume: given.has("resume") },
      bar: given.has("bar"),
      timeline: text(given, "timeline"),
      dryRun: given.has("dry-run"),
    },
  };
}

/** Checks that a flag is known, and has a value if and only if it takes one. */
function checkFlag(
  name: string,
  raw: string,
  value: string | undefined,
): Flag {
  if (!Object.hasOwn(FLAGS, name)) {
    const near = Object.keys(FLAGS).find((flag) =>
      name.length > 2 && (flag.startsWith(name) || name.startsWith(flag))
    );
    const cure = raw.startsWith("--")
      ? near === undefined ? "pmap --help lists them" : `is it --${near}?`
      : "put -- before arguments that start with a dash";
    throw new UsageError(
      `Cannot run as flags must be known ones: received ${raw} (${cure})`,
    );
  }
  const flag = name as Flag;
  if (FLAGS[flag].type === "boolean" && value !== undefined) {
    throw new UsageError(
      `Cannot run as --${flag} takes no value: received "${value}"`,
    );
  }
  if (FLAGS[flag].type === "string" && (value === undefined || value === "")) {
    throw new UsageError(
      `Cannot run as --${flag} needs a value: received none`,
    );
  }
  return flag;
}

function readSource(args: boolean, values: string[]): InputSource {
  if (args) return { from: "arguments", values };
  for (const file of values) {
    if (file === "-") continue;
    let why: string | undefined;
    try {
      accessSync(file, constants.R_OK);
      if (statSync(file).isDirectory()) why = "a folder";
    } catch (error) {
      why = (error as NodeJS.ErrnoException).code === "ENOENT"
        ? "no such file"
        : "a file that may not be read";
    }
    if (why !== undefined) {
      throw new UsageError(
        `Cannot run as inputs must be files that can be read (or values after --args): received "${file}", ${why}`,
      );
    }
  }
  return { from: "files", files: values.length === 0 ? ["-"] : values };
}

function text(given: Given, flag: Flag): string | undefined {
  const value = given.get(flag);
  return value === true ? undefined : value;
}

function whole(given: Given, flag: Flag, from: number): number | undefined {
  const value = text(given, flag);
  if (value === undefined) return undefined;
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= from && number <= 1e9) return number;
  throw new UsageError(
    `Cannot run as --${flag} must be a whole number from ${from}: received "${value}"`,
  );
}

function milliseconds(given: Given, flag: Flag): number | undefined {
  const value = text(given, flag);
  if (value === undefined) return undefined;
  const number = Number(value);
  if (/^\d+(\.\d+)?$/.test(value) && number > 0) return number;
  throw new UsageError(
    `Cannot run as --${flag} must be a number of milliseconds above 0: received "${value}"`,
  );
}

/** The function to call. */
export interface Target {
  /** Absolute URL of its module. */
  url: string;
  /** Name of the export. */
  name: string;
  /** As the user knows it: file and export, without the folder. */
  title: string;
}

// Two letters at least, as C:\work.ts is a path.
const URL_SCHEME = /^[a-z][a-z0-9+.-]+:/i;

/**
 * Reads `MODULE#EXPORT`, a path or a URL with the name of an export.
 *
 * @param text As it was given.
 * @returns The function to call; the default export without `#`.
 * @throws {UsageError} When there is no such file.
 */
export function readTarget(text: string): Target {
  const cut = text.lastIndexOf("#");
  const module = cut < 0 ? text : text.slice(0, cut);
  const name = cut < 0 ? "default" : text.slice(cut + 1);
  if (module === "" || name === "") {
    throw new UsageError(
      `Cannot run as the first argument must be MODULE or MODULE#EXPORT: received "${text}"`,
    );
  }
  const title = `${basename(module)}#${name}`;
  if (URL_SCHEME.test(module)) return { url: module, name, title };
  const path = resolve(module);
  if (!existsSync(path) || statSync(path).isDirectory()) {
    throw new UsageError(
      `Cannot run as MODULE must be a file that exists, or a URL: received "${module}"`,
    );
  }
  return { url: pathToFileURL(path).href, name, title };
}
