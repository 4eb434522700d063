/**
 * The lines of a log, written and read.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import { show } from "../words/show.ts";
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
 * What else a line says: by name, in the order of the object, where names that
 * are whole numbers come first. It may give a failure another `error` and
 * `stack`, but no other field of a line. NaN and infinities are written as null.
 */
export type LogNote = Record<string, string | number | null>;

/** What a note must not say: the log reads it. */
const OWN = new Set(["sum", "index", "input", "nth", "ok", "result"]);

/** How a line begins: the sum of what comes after it, in hex. */
const SUM = /^\{"sum":"([0-9a-f]{8})",/;
const SUM_LENGTH = '{"sum":"01234567",'.length;

/** What comes next: which input it is of. */
const KEY = /^"index":\d+,"input":"([0-9a-f]{32})","nth":(\d+)/;

/** Stands before a header that is not the first line. */
const HEADER = '"header":';

/**
 * Says what became of the input. It is the first such mark of a line: no note has
 * that name, and in no string is a quotation mark left as it is.
 */
const OK = ',"ok":';
const SUCCEEDED = `${OK}true`;
const FAILED = `${OK}false`;

/** Stands before a result, at once behind the mark. */
const RESULT = ',"result":';

/**
 * Writes the line of one input.
 *
 * @param record What became of it.
 * @returns The line, with its end.
 * @throws {TypeError} When its note does not fit.
 */
export function formatRecord(record: LogRecord): string {
  const { index, key } = record;
  const note = checkNote(record.note, index);
  const head = `"index":${index},"input":"${key.digest}","nth":${key.nth}`;
  if (!record.ok) {
    const { error, stack } = record;
    return summed(`${head}${FAILED}${fieldsOf({ error, stack, ...note })}`);
  }
  const result = record.text === undefined ? "" : RESULT + record.text;
  return summed(`${head}${fieldsOf(note)}${SUCCEEDED}${result}`);
}

/** The fields of a note, each behind a comma. */
function fieldsOf(note: LogNote): string {
  const fields = JSON.stringify(note).slice(1, -1);
  return fields && `,${fields}`;
}

/** A line of its fields, after their sum, by which a change is seen. */
function summed(fields: string): string {
  return `{"sum":"${sumOf(fields)}",${fields}}\n`;
}

function sumOf(text: string): string {
  return crc32(text.trimEnd()).toString(16).padStart(8, "0");
}

/** A copy of a note that fits: what is checked is what is written. */
function checkNote(given: LogNote, index: number): LogNote {
  // A promise or a Map has no names: all that it says would be lost.
  if (Object.prototype.toString.call(given) !== "[object Object]") {
    throw wrongNote(index, "be an object", show(given));
  }
  const note = { ...given };
  for (const [name, value] of Object.entries<unknown>(note)) {
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
  return note;
}

function wrongNote(index: number, rule: string, received: string): TypeError {
  return new TypeError(
    `Cannot log input ${index} as its note must ${rule}: received ${received}`,
  );
}

/**
 * Writes the line by which a log is of something else from there on.
 *
 * @param header The header as JSON.
 * @returns The line, with its end.
 */
export function formatHeader(header: string): string {
  return summed(HEADER + header);
}

/**
 * Reads a line that is not the first.
 *
 * @param line The line without its end.
 * @returns The key of its input and whether that succeeded, or a header;
 * undefined for anything but a whole line, such as what a power cut or an edit
 * leaves.
 */
export function readRecord(
  line: string,
): { key: InputKey; ok: boolean } | { header: string } | undefined {
  const sum = SUM.exec(line)?.[1];
  // An editor may have put white space behind it, as in a line end of CRLF.
  const whole = line.trimEnd();
  const fields = whole.slice(SUM_LENGTH, -1);
  if (!whole.endsWith("}") || sumOf(fields) !== sum) return undefined;
  // Now it is as it was written: no need to parse a result of 100 MB.
  if (fields.startsWith(HEADER)) {
    return { header: fields.slice(HEADER.length).trimEnd() };
  }
  const [start, digest, nth] = KEY.exec(fields) ?? [];
  if (digest === undefined) return undefined;
  const at = fields.indexOf(OK, start!.length);
  const ok = fields.startsWith(SUCCEEDED, at);
  if (!ok && !fields.startsWith(FAILED, at)) return undefined;
  return { key: keyOf(digest, Number(nth)), ok };
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
  const at = line.indexOf(SUCCEEDED) + SUCCEEDED.length;
  return line.startsWith(RESULT, at)
    // An editor may have put white space behind it, as in a line end of CRLF.
    ? line.trimEnd().slice(at + RESULT.length, -1).trimEnd()
    : undefined;
}
