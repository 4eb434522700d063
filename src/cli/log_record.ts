/**
 * The lines of a log, written and read.
 *
 * @module
 */

import type { InputKey } from "./input_keys.ts";
import type { Call } from "./worker_side.ts";

/** What is written of one call. */
export type LogRecord =
  & { index: number; key: InputKey; call: Call | undefined }
  & (
    /** `text` is the JSON of the result. */
    | { ok: true; text: string }
    | { ok: false; error: string; stack: string }
  );

/** What a log is of: the run that goes on with it must be of the same. */
export interface LogHeader {
  /** File and export of the function. */
  title: string;
  /** Whether inputs are JSON. */
  json: boolean;
}

/** Stands before the result in a line, and not earlier: what is there is ours. */
const RESULT = ',"result":';

/**
 * Compares the key in a line.
 *
 * @param line The line.
 * @param key The whole key of an input.
 * @returns Whether the line is of that input.
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
 * Cuts the result out of the line of an input that succeeded. Parsed and
 * written again, its text might differ.
 *
 * @param line The line without its end.
 * @returns The JSON of the result.
 */
export function resultOf(line: string): string {
  return line.slice(line.indexOf(RESULT) + RESULT.length, -1);
}
