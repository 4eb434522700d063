/**
 * The results an earlier run left in its log.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { closeSync, openSync, readSync } from "node:fs";
import { isJson } from "../words/plain_data.ts";
import { JobLogError } from "./errors.ts";
import type { InputKey } from "./input_keys.ts";
import { NumberTable } from "./input_keys.ts";
import { LineReader } from "./line_reader.ts";
import { isOf, readRecord } from "./log_record.ts";
import { beginningOf, isTornHeader } from "./torn_header.ts";

/** Bytes read at once: less costs more calls, more costs memory. No bench. */
const BLOCK_BYTES = 1 << 20;

const NEWLINE = 10;

/** Finds results by the key of their input; they stay in the file. */
export class KeptResults {
  /** Bytes of the log up to the end of its last whole line. */
  readonly bytes: number;
  /** How many whole lines come after the header. */
  readonly lines: number;
  /** How many whole lines are no records. */
  readonly damaged: number;
  /** How many results there are. */
  readonly results: number;
  /** How many of them are of another header than the last. */
  readonly older: number;
  /** Whether the header that was asked for is yet to be written. */
  readonly lacksHeader: boolean;
  readonly #file: number;
  readonly #decoder = new TextDecoder();
  readonly #places: NumberTable; // number of the line by short key
  readonly #starts: number[]; // of the lines, in bytes; one more for the end
  readonly #reader: LineReader;

  private constructor(file: number, scan: Scan, header: string) {
    this.#file = file;
    this.#reader = new LineReader((buffer, at) => fill(file, buffer, at));
    this.#places = scan.places;
    this.#starts = scan.starts;
    this.bytes = scan.starts.at(-1)!;
    this.lines = linesOf(scan);
    this.damaged = scan.damaged;
    this.results = scan.places.size;
    this.lacksHeader = scan.header === undefined ||
      !isSame(scan.header, header);
    this.older = this.lacksHeader ? this.results : scan.older;
  }

  /**
   * Opens a log, only to read it. Close what it keeps.
   *
   * @param path Its file, which must exist.
   * @param setup See `read`.
   * @returns What it keeps.
   * @throws {JobLogError} When it is of something else.
   */
  static open(path: string, setup: KeptSetup): KeptResults {
    const file = openSync(path, "r");
    try {
      return KeptResults.read(file, path, setup);
    } catch (error) {
      closeSync(file);
      throw error;
    }
  }

  /**
   * Reads a log.
   *
   * @param file Its file, which must stay open.
   * @param path Its path, for errors.
   * @param setup What it must be of.
   * @returns What it keeps.
   * @throws {JobLogError} When it is of something else.
   */
  static read(
    file: number,
    path: string,
    { header, accepts }: KeptSetup,
  ): KeptResults {
    const found = scan(file, path, header);
    const { header: last, headers } = found;
    // One of no inputs is of whoever goes on with it, if it is a log: what begins
    // otherwise may be a file of somebody else. And nobody accepts by what is no
    // boolean, as a promise is.
    const accepted = last === undefined || isSame(last, header) ||
      (linesOf(found) === 0 && beginningOf(last) === beginningOf(header)) ||
      accepts(JSON.parse(last)) === true;
    if (!accepted) {
      const which = headers > 1 ? "last header" : "header";
      throw otherHeader(path, header, last, which);
    }
    return new KeptResults(file, found, header);
  }

  /**
   * Finds the line of an input that has a result.
   *
   * @param key Its key.
   * @returns The line without its end; undefined when the log has none.
   */
  find(key: InputKey): string | undefined {
    if (this.#places.size === 0) return undefined;
    const line = this.#places.get(key.short);
    if (line === undefined) return undefined;
    const from = this.#starts[line]!;
    const to = this.#starts[line + 1]! - 1;
    const text = this.#decoder.decode(this.#reader.read(from, to));
    return isOf(text, key) ? text : undefined;
  }

  /** Closes the file: only of what `open` has given. */
  close(): void {
    closeSync(this.#file);
  }
}

/** What a log must be of. */
export interface KeptSetup {
  /** The header that is asked for, without its line end. */
  header: string;
  /** Decides whether it may be of another. */
  accepts: (there: Record<string, unknown>) => boolean;
}

interface Scan {
  /** The last, which says what the log is of now; undefined if it is empty. */
  header: string | undefined;
  /** How many there are: one more for each time that it changed. */
  headers: number;
  places: NumberTable;
  starts: number[];
  damaged: number;
  /** How many results stood before the last header. */
  older: number;
}

/** How many whole lines are no headers. */
function linesOf({ starts, headers }: Scan): number {
  return Math.max(0, starts.length - 1 - headers);
}

function scan(file: number, path: string, header: string): Scan {
  const found: Scan = {
    header: undefined,
    headers: 0,
    places: new NumberTable(),
    starts: [0],
    damaged: 0,
    older: 0,
  };
  const decoder = new TextDecoder();
  const block = new Uint8Array(BLOCK_BYTES);
  // Parts of a line that goes on in the next block. They are put together once,
  // and not searched again: a line may have many blocks.
  let parts: Uint8Array[] = [];
  for (let at = 0;;) {
    const count = fill(file, block, at);
    if (count === 0) break;
    const bytes = block.subarray(0, count);
    let from = 0;
    for (let end; (end = bytes.indexOf(NEWLINE, from)) >= 0; from = end + 1) {
      takeLine(lineOf(bytes.subarray(from, end)));
      found.starts.push(at + end + 1);
    }
    if (from < count) parts.push(bytes.slice(from));
    at += count;
  }
  // The rest is a line that was not written to its end, which will be cut. If
  // there is no other line, make sure that it is a log which is cut.
  if (found.starts.length === 1) {
    const torn = lineOf(new Uint8Array(0));
    if (!isTornHeader(torn, header)) throw refusal(path, header, torn);
  }
  return found;

  function lineOf(end: Uint8Array): string {
    if (parts.length === 0) return decoder.decode(end);
    const bytes = Buffer.concat([...parts, end]);
    parts = [];
    return decoder.decode(bytes);
  }

  function takeLine(line: string): void {
    const number = found.starts.length - 1;
    if (number === 0) {
      const first = line.trimEnd(); // an editor may have made its end CRLF
      if (!isHeader(first, header)) throw refusal(path, header, line);
      found.header = first;
      found.headers = 1;
      return;
    }
    const record = readRecord(line);
    if (record === undefined) found.damaged++;
    else if ("header" in record) {
      found.header = record.header;
      found.headers++;
      found.older = found.places.size;
    } else if (record.ok) found.places.set(record.key.short, number);
  }
}

/** Whether a first line is that of such a log, also of another version. */
function isHeader(line: string, header: string): boolean {
  return line === header || (line.startsWith(kindOf(header)) && isJson(line));
}

/** What every header of such a log begins with. */
function kindOf(header: string): string {
  return header.slice(0, header.indexOf(":"));
}

/** Of what is no log of this kind. */
function refusal(path: string, header: string, line: string): JobLogError {
  return new JobLogError(
    `Cannot open job log as it must be a new file, or a log that starts with ${header}: received "${path}", which starts with ${
      escaped(line.slice(0, 80))
    } (it is no log: give another path)`,
  );
}

/** Of a log whose results are of something else: says what the two differ in. */
function otherHeader(
  path: string,
  header: string,
  last: string,
  which: string,
): JobLogError {
  return new JobLogError(
    `Cannot open job log as it must be a new file, or one whose header has ${
      difference(header, last)
    }: received "${path}", whose ${which} has ${
      difference(last, header)
    } (to run everything again, give another path or delete it)`,
  );
}

/** Whether two headers have the same, in whatever order. */
function isSame(one: string, other: string): boolean {
  return one === other ||
    difference(one, other) === "{}" && difference(other, one) === "{}";
}

/** What a header has that another has not, or not like that, as JSON. */
function difference(header: string, other: string): string {
  const [there, fields]: Record<string, unknown>[] = [other, header]
    .map((text) => JSON.parse(text));
  return JSON.stringify(
    Object.fromEntries(
      Object.entries(fields!).filter(([key, value]) =>
        JSON.stringify(value) !== JSON.stringify(there![key])
      ),
    ),
  );
}

/** Shows what cannot be seen, such as a line end of CRLF. */
function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"');
}

/** Reads until the buffer is full or the file ends. */
function fill(file: number, buffer: Uint8Array, at: number): number {
  let count = 0;
  while (count < buffer.length) {
    const more = readSync(
      file,
      buffer,
      count,
      buffer.length - count,
      at + count,
    );
    if (more === 0) break;
    count += more;
  }
  return count;
}
