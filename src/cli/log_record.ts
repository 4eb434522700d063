/**
 * The lines of a log, written and read.
 *
 * @module
 */

import { hash } from "node:crypto";
import { NumberTable } from "./number_table.ts";
import type { Call } from "./protocol.ts";

/** What is written of one call. */
export type LogRecord =
  & { index: number; key: InputKey; call: Call | undefined }
  & (
    /** `text` is the JSON of the result. */
    | { ok: true; text: string }
    | { ok: false; error: string; stack: string }
  );

/** An input by its content, so that a changed or re-ordered list is safe. */
export interface InputKey {
  /** First 128 bits of the SHA-256 of its text, in hex. */
  digest: string;
  /** Which of the inputs with this text it is, from 1. */
  nth: number;
}

/** What must be the same in the run that goes on with a log. */
export interface LogHeader {
  /** File and export of the function. */
  title: string;
  /** Whether inputs are JSON. */
  json: boolean;
}

/** Where a result starts in the line of its record; nothing before it is free. */
const RESULT = ',"result":';

/**
 * Makes the keys of inputs in the order in which they are read.
 *
 * @returns A function from the text of an input to its key.
 */
export function createKeys(): (text: string) => InputKey {
  // Two texts with the same short key only count as one here: where the list
  // was re-ordered, one of them may run again.
  const counts = new NumberTable();
  return (text) => {
    const digest = hash("sha256", text, "hex").slice(0, 32);
    const short = shortKey({ digest, nth: 1 });
    const nth = (counts.get(short) ?? 0) + 1;
    counts.set(short, nth);
    return { digest, nth };
  };
}

/**
 * Shortens a key to 52 bits, so that a million take little memory. Two keys
 * may have one such number: see `isOf`.
 *
 * @param key A key.
 * @returns A whole number below 2^52.
 */
export function shortKey({ digest, nth }: InputKey): number {
  const hex = nth === 1 ? digest : hash("sha256", `${digest} ${nth}`, "hex");
  return Number.parseInt(hex.slice(0, 13), 16);
}

/**
 * Tells whether a line is that of an input.
 *
 * @param line The line.
 * @param key The whole key of the input.
 * @returns Whether it is.
 */
export function isOf(line: string, { digest, nth }: InputKey): boolean {
  const at = line.indexOf(',"input":"');
  return line.startsWith(`,"input":"${digest}","nth":${nth},`, at);
}

/**
 * Writes the first line of a log.
 *
 * @param header What the log is of.
 * @returns The line, with its end.
 */
export function formatHeader(header: LogHeader): string {
  const { title, json } = header;
  return `${JSON.stringify({ pmap: 1, function: title, json })}\n`;
}

/**
 * Writes the line of one input.
 *
 * @param record What became of it.
 * @returns The line, with its end.
 */
export function formatRecord(record: LogRecord): string {
  const { index, key, call } = record;
  const { start = null, ms = null, worker = null, attempt = null } = call ?? {};
  const head = `{"index":${index},"input":"${key.digest}","nth":${key.nth}` +
    `,"start":${start},"ms":${ms},"worker":${worker},"attempt":${attempt}`;
  if (record.ok) return `${head},"ok":true${RESULT}${record.text}}\n`;
  const error = JSON.stringify(record.error);
  const stack = JSON.stringify(record.stack);
  return `${head},"ok":false,"error":${error},"stack":${stack}}\n`;
}

/**
 * Reads the line of one input.
 *
 * @param line The line without its end.
 * @returns Its key and whether it succeeded; undefined for anything but the
 * whole line of a record, such as what a power cut leaves.
 */
export function readRecord(
  line: string,
): { key: InputKey; ok: boolean } | undefined {
  try {
    const { input, nth, ok } = JSON.parse(line);
    return typeof input === "string" && typeof nth === "number" &&
        typeof ok === "boolean" && (!ok || line.includes(RESULT))
      ? { key: { digest: input, nth }, ok }
      : undefined;
  } catch {
    return undefined; // not JSON: damaged
  }
}

/**
 * Takes the result out of the line of an input that succeeded. The text as it
 * was written: parsed and written again it might differ.
 *
 * @param line The line without its end.
 * @returns The JSON of the result.
 */
export function resultOf(line: string): string {
  return line.slice(line.indexOf(RESULT) + RESULT.length, -1);
}
