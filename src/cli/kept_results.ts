/**
 * The results an earlier run left in its log.
 *
 * @module
 */

import { closeSync, openSync, readSync } from "node:fs";
import type { InputKey } from "./input_keys.ts";
import { NumberTable, shortKey } from "./input_keys.ts";
import type { LogHeader } from "./log_record.ts";
import { formatHeader, isOf, readRecord, resultOf } from "./log_record.ts";
import { UsageError } from "./messages.ts";

/** Bytes read at once: less costs more calls, more costs memory. No bench. */
const BLOCK_BYTES = 1 << 20;

const NEWLINE = 10;

/** Finds results by the key of their input; they stay in the file. */
export class KeptResults {
  /** Bytes of the log up to the end of its last whole line. */
  readonly bytes: number;
  /** Whether nothing was recorded yet. */
  readonly empty: boolean;
  /** How many whole lines are no records. */
  readonly damaged: number;
  readonly #file: number;
  readonly #decoder = new TextDecoder();
  readonly #places: NumberTable; // number of the line by short key
  readonly #starts: number[]; // of the lines, in bytes; one more for the end
  #block = { from: 0, bytes: new Uint8Array(0) };

  private constructor(file: number, scan: Scan) {
    this.#file = file;
    this.#places = scan.places;
    this.#starts = scan.starts;
    this.bytes = scan.starts.at(-1)!;
    this.empty = scan.starts.length <= 2; // the header at most
    this.damaged = scan.damaged;
  }

  /**
   * Reads a log.
   *
   * @param path Its file, which must exist.
   * @param header What it must be of.
   * @returns What it keeps.
   * @throws {UsageError} When it is no log, or of another function.
   */
  static open(path: string, header: LogHeader): KeptResults {
    const file = openSync(path, "r");
    try {
      return new KeptResults(file, scan(file, path, header));
    } catch (error) {
      closeSync(file);
      throw error;
    }
  }

  /**
   * Finds the result of an input.
   *
   * @param key Its key.
   * @returns The JSON of the result; undefined when the log has none.
   */
  find(key: InputKey): string | undefined {
    if (this.#places.size === 0) return undefined;
    const line = this.#places.get(shortKey(key));
    if (line === undefined) return undefined;
    const from = this.#starts[line];
    const to = this.#starts[line + 1] - 1;
    const text = this.#decoder.decode(this.#read(from, to));
    return isOf(text, key) ? resultOf(text) : undefined;
  }

  /** Keeps the block it read last: the next result is mostly asked for next. */
  #read(from: number, to: number): Uint8Array {
    const { from: start, bytes } = this.#block;
    if (from < start || to > start + bytes.length) {
      const block = new Uint8Array(Math.max(BLOCK_BYTES, to - from));
      this.#block = {
        from,
        bytes: block.subarray(0, fill(this.#file, block, from)),
      };
    }
    return this.#block.bytes.subarray(
      from - this.#block.from,
      to - this.#block.from,
    );
  }

  /** Closes the file. */
  close(): void {
    closeSync(this.#file);
  }
}

interface Scan {
  places: NumberTable;
  starts: number[];
  damaged: number;
}

function scan(file: number, path: string, header: LogHeader): Scan {
  const found: Scan = { places: new NumberTable(), starts: [0], damaged: 0 };
  const wanted = formatHeader(header);
  const decoder = new TextDecoder();
  let rest = new Uint8Array(0);
  for (let at = 0;;) {
    const block = new Uint8Array(rest.length + BLOCK_BYTES);
    block.set(rest);
    const count = fill(file, block.subarray(rest.length), at);
    at += count;
    const bytes = block.subarray(0, rest.length + count);
    let from = 0;
    for (let end; (end = bytes.indexOf(NEWLINE, from)) >= 0; from = end + 1) {
      takeLine(decoder.decode(bytes.subarray(from, end)));
      found.starts.push(found.starts.at(-1)! + end + 1 - from);
    }
    rest = bytes.slice(from);
    if (count > 0) continue;
    // The rest is a line that was not written to its end, which will be cut. If
    // there is no other line, make sure that it is a log which is cut.
    if (found.starts.length === 1) {
      const torn = decoder.decode(rest);
      if (!wanted.startsWith(torn)) throw refusal(torn);
    }
    return found;
  }

  function takeLine(line: string): void {
    const number = found.starts.length - 1;
    if (number === 0) {
      if (`${line}\n` !== wanted) throw refusal(line);
      return;
    }
    const record = readRecord(line);
    if (record === undefined) found.damaged++;
    else if (record.ok) found.places.set(shortKey(record.key), number);
  }

  function refusal(line: string): UsageError {
    return new UsageError(
      `Cannot run as --joblog must be a new file, or a log that starts with ${wanted.trim()}: received "${path}", which starts with ${
        line.slice(0, 80)
      }`,
    );
  }
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
