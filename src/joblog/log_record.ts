/**
 * The lines of a log, written and read.
 *
 * @module
 */

import { show } from "./check_options.ts";
import type { InputKey } from "./input_keys.ts";
import { keyOf } from "./input_keys.ts";

/** What became of an input, as its line says it. */
export type LogRecord =
  & { index: number; key: InputKey; note: LogNote }
  & (
    /** `text` is the JSON of the result; undefined if the result is. */
    | { ok: true; text: string | undefined }
    | { ok: false; error: string; stack: string }
  );

/**
 * What else a line says: by name, in the order in which it is written. It may
 * give a failure another `error` and `stack`, but no other field of a line.
 */
export type LogNote = Record<string, string | number | null>;

/** What a note must not say: the log reads it. */
const OWN = new Set(["index", "input", "nth", "ok", "result"]);

/** Stand before a result. In no string is a quotation mark left as it is. */
const OK = ',"ok":true';
const RESULT = ',"result":';
const OK_RESULT = OK + RESULT;

/**
 * Writes the line of one input.
 *
 * @param record What became of it.
 * @returns The line, with its end.
 * @throws {TypeError} When its note does not fit.
 */
export function formatRecord(record: LogRecord): string {
  const { index, key, note } = record;
  checkNote(note, index);
  const head = `{"index":${index},"input":"${key.digest}","nth":${key.nth}`;
  if (!record.ok) {
    const { error, stack } = record;
    const tail = JSON.stringify({ ok: false, error, stack, ...note });
    return `${head},${tail.slice(1)}\n`;
  }
  const notes = JSON.stringify(note).slice(1, -1);
  const result = record.text === undefined ? "" : RESULT + record.text;
  return `${head}${notes && `,${notes}`}${OK}${result}}\n`;
}

function checkNote(note: LogNote, index: number): void {
  if (Object(note) !== note || Array.isArray(note)) {
    throw wrongNote(index, "be an object", show(note));
  }
  for (const name of Object.keys(note)) {
    const value: unknown = note[name];
    if (OWN.has(name)) {
      const received = `"${name}" (give it another name)`;
      throw wrongNote(index, "leave the fields of the log alone", received);
    }
    // Not what has fields itself: one could look like the mark of a result.
    if (
      typeof value !== "string" && typeof value !== "number" && value !== null
    ) {
      const received = `${show(value)} as "${name}"`;
      throw wrongNote(index, "hold strings, numbers and null", received);
    }
  }
}

function wrongNote(index: number, rule: string, received: string): TypeError {
  return new TypeError(
    `Cannot log input ${index} as its note must ${rule}: received ${received}`,
  );
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
    const record = JSON.parse(line);
    const { input, nth, ok } = record;
    return typeof input === "string" && typeof nth === "number" &&
        (ok === false || (ok === true && isInPlace(line, record)))
      ? { key: keyOf(input, nth), ok }
      : undefined;
  } catch {
    return undefined; // not JSON: damaged
  }
}

/** Whether the result of a record stands where `resultOf` looks for it. */
function isInPlace(line: string, record: object): boolean {
  const names = Object.keys(record);
  return names.at(-1) === "result"
    ? names.at(-2) === "ok" && line.includes(OK_RESULT)
    : names.at(-1) === "ok" && !("result" in record) && line.includes(OK);
}

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
 * Cuts the result out of the line of an input that succeeded. Parsed and
 * written again, its text might differ.
 *
 * @param line The line without its end.
 * @returns The JSON of the result; undefined if the result is.
 */
export function resultOf(line: string): string | undefined {
  const at = line.indexOf(OK) + OK.length;
  return line.startsWith(RESULT, at)
    // An editor may have put white space behind it, as in a line end of CRLF.
    ? line.trimEnd().slice(at + RESULT.length, -1).trimEnd()
    : undefined;
}
