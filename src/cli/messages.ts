/**
 * What the command says on standard error.
 *
 * @module
 */

import process from "node:process";
import type { TextOutput } from "../progress/mod.ts";
import {
  type Around,
  MOST_UNWRITTEN,
  Output,
  unlessSignalled,
} from "./output.ts";

/**
 * What a terminal obeys instead of showing it: control characters, and those
 * that turn the direction of writing.
 */
// deno-lint-ignore no-control-regex
const COMMANDS = /[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g;

/**
 * Makes one line of a text that anybody may have written, such as a function
 * that throws it.
 *
 * @param text Any text.
 * @returns The text: line breaks are spaces, and control characters are shown.
 */
export function plainLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, " ").replace(
    COMMANDS,
    (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

let unwritten = 0; // messages
let written = 0; // messages
let characters = 0; // of those that are unwritten
let canWrite = true;
let emptied = Promise.withResolvers<void>(); // when none is unwritten
let isHeard = false; // whether errors of standard error are
/** What writes them where that must not keep this thread from all else. */
let apart: Output | undefined;

/** Nobody reads standard error, or its disk is full: that must not end the job. */
function stopSaying(): void {
  canWrite = false;
  emptied.resolve();
}

/**
 * Writes one line to standard error, if that can be written.
 *
 * @param text What to say.
 */
export function say(text: string): void {
  put(`${clear()}pmap: ${plainLine(text)}\n`);
}

/**
 * Signals are heard from now on: not where this thread waits for a reader, as
 * process.stderr of Deno 2.9.5 has it do (tests/cli_signals_test.ts). A terminal
 * has one, and lines beside a bar are to come after it.
 */
export function sayBesideSignals(): void {
  if (!("Deno" in globalThis) || process.stderr.isTTY) return;
  apart = new Output(2, () => {}, { end: "" });
}

function put(text: string): void {
  if (apart !== undefined) return apart.write(text);
  if (!isHeard) process.stderr.on("error", stopSaying);
  isHeard = true;
  if (!canWrite) return;
  if (unwritten++ === 0) emptied = Promise.withResolvers();
  characters += text.length;
  try {
    // Not console.error: what a function in this thread did to it is not known.
    process.stderr.write(text, () => {
      written++;
      characters -= text.length;
      if (--unwritten === 0) emptied.resolve();
    });
  } catch { // on Deno, where it is written at once
    stopSaying();
  }
}

/**
 * Waits until all that was said is written; after a signal, while somebody reads
 * it. To a pipe, Bun and Node.js write when it is read, and what is left at the
 * exit of the process is lost.
 *
 * @returns Whether it is written.
 */
export function allSaid(): Promise<boolean> {
  return apart?.drainedUnlessSignalled() ??
    unlessSignalled(allWritten(), () => written);
}

async function allWritten(): Promise<void> {
  while (unwritten > 0 && canWrite) await emptied.promise;
}

/**
 * Tells whether messages wait for a slow reader.
 *
 * @returns Whether to wait for `allSaid` before there are more.
 */
export function isSaidMuch(): boolean {
  return apart?.full ?? (canWrite && characters > MOST_UNWRITTEN);
}

let bar = ""; // as it stands in the line of the cursor, if one does
let last = ""; // of it, which is to stay, while lines are being written
let beside = 0; // writes of lines that have not ended

/** Clears the line if a bar stands in it. */
function clear(): string {
  return bar === "" || beside > 0 ? "" : "\r\x1b[K";
}

/** Where a bar is drawn: on standard error, between lines of results. */
export const BAR_OUTPUT: TextOutput = {
  write(text) {
    const stays = !text.endsWith("\r");
    bar = stays ? "" : text;
    if (beside === 0) put(text);
    else if (stays) last += text;
  },
  get isTTY() {
    return process.stderr.isTTY;
  },
  get columns() {
    return process.stderr.columns;
  },
};

/**
 * Makes room for lines at the terminal where the bar is. It is drawn again when
 * they are written: a part of them would be drawn over otherwise, and a bar in
 * the same write would come after a later one.
 */
export const BESIDE_BAR: Around = {
  before() {
    const cleared = clear();
    beside++;
    return cleared;
  },
  after() {
    if (--beside > 0) return;
    const text = last + bar;
    last = "";
    if (text !== "") put(text);
  },
};

/**
 * Shows a text in a message.
 *
 * @param text Any text.
 * @returns At most 60 characters of it, in quotes.
 */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}
