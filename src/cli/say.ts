/**
 * What the command says on standard error.
 *
 * @module
 */

import process from "node:process";

/** Clears the line, where a bar may be. */
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

/**
 * Counts something.
 *
 * @param count How many.
 * @param noun What, in the singular.
 * @returns Such as `1 input` or `1,000 inputs`.
 */
export function many(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}
