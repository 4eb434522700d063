/**
 * The inputs of a job: bytes of files or of standard input cut into lines, or the
 * arguments of the command.
 *
 * @module
 */

import { closeSync } from "node:fs";
import type { Settings } from "./command.ts";
import { openFile, readSome } from "./descriptors.ts";
import { LineSplitter } from "./line_splitter.ts";
import type { Sent } from "./travel.ts";

/** How inputs are given out. */
export interface Gate {
  /** Whether with their index, as some of them will not run. */
  indexed: boolean;
  /** Told each input that is given. */
  taken?: ((input: Sent) => void) | undefined;
  /** Whether to give no more. */
  ended(): boolean;
  /** Whether to wait for `room`, because results wait for their turn. */
  full(): boolean;
  room(): Promise<void>;
}

/** The inputs of a job, one after another, as far as a gate lets them. */
export class Inputs implements AsyncIterable<Sent> {
  readonly #gate: Gate;
  readonly #reader: Reader;
  readonly #arguments: boolean;
  readonly #batch: boolean;
  /** From which index on lines are how far ahead of indexes, and in which file. */
  readonly #places: {
    index: number;
    ahead: number;
    file: string | undefined;
  }[] = [];
  #count = 0;

  /**
   * Opens the inputs.
   *
   * @param settings Where they are and what a line is.
   * @param gate How they are given out.
   */
  constructor({ source, json, separator, batch }: Settings, gate: Gate) {
    this.#gate = gate;
    this.#arguments = source.from === "arguments";
    this.#batch = batch !== undefined;
    const reader = source.from === "arguments"
      ? new ArgumentReader(source.values)
      : new FileReader(source.files, { skipBlank: json, separator });
    this.#reader = batch === undefined
      ? reader
      : new BatchReader(reader, batch);
  }

  /**
   * Names an input in a message.
   *
   * @param index Which, from 0.
   * @returns Its index, and its line if it came from a file.
   */
  nameOf(index: number): string {
    if (this.#arguments) return `input ${index}`;
    const place = this.#places.findLast((place) => place.index <= index)!;
    const of = place.file === undefined ? "" : ` of ${place.file}`;
    const from = this.#batch ? "from " : "";
    return `input ${index} (${from}line ${index + place.ahead}${of})`;
  }

  /** Written by hand: a generator would make three promises an input, not one. */
  [Symbol.asyncIterator](): AsyncIterator<Sent, undefined> {
    return {
      next: () => {
        const value = this.#take();
        return value === undefined
          ? this.#wait()
          : Promise.resolve({ done: false, value });
      },
      return: () => Promise.resolve({ done: true, value: undefined }),
    };
  }

  #take(): Sent | undefined {
    if (this.#gate.full() || this.#gate.ended()) return undefined;
    const text = this.#reader.next();
    if (text === undefined) return undefined;
    const index = this.#count++;
    const { line, file } = this.#reader;
    const ahead = line - index; // changes where a line is blank
    const last = this.#places.at(-1);
    if (last === undefined || last.ahead !== ahead || last.file !== file) {
      this.#places.push({ index, ahead, file });
    }
    const input = this.#gate.indexed ? { index, text } : text;
    this.#gate.taken?.(input);
    return input;
  }

  async #wait(): Promise<IteratorResult<Sent, undefined>> {
    const { full, room, ended } = this.#gate;
    for (;;) {
      if (full()) await room();
      const value = this.#take();
      if (value !== undefined) return { done: false, value };
      if (ended()) return { done: true, value: undefined };
      if (full()) continue;
      if (!await this.#reader.fill()) return { done: true, value: undefined };
    }
  }
}

/** Reads the texts of inputs. */
interface Reader {
  /** Gives the next of those that were read; undefined: call `fill`. */
  next(): string | undefined;
  /** Reads more; false at the end. */
  fill(): Promise<boolean>;
  /** In which line of its file the last one was, from 1. */
  readonly line: number;
  /** In which file, if there are several. */
  readonly file: string | undefined;
}

class ArgumentReader implements Reader {
  readonly file = undefined;
  line = 0;
  readonly #values: string[];

  constructor(values: string[]) {
    this.#values = values;
  }

  next(): string | undefined {
    return this.#values[this.line++];
  }

  fill(): Promise<boolean> {
    return Promise.resolve(false);
  }
}

/** Reads batches: the JSON of the texts of several inputs. */
class BatchReader implements Reader {
  readonly #reader: Reader;
  readonly #most: number;
  #texts: string[] = [];
  #isEnd = false;
  line = 0;
  file: string | undefined;

  constructor(reader: Reader, most: number) {
    this.#reader = reader;
    this.#most = most;
  }

  next(): string | undefined {
    while (this.#texts.length < this.#most) {
      const text = this.#reader.next();
      if (text === undefined) break;
      if (this.#texts.push(text) === 1) {
        this.line = this.#reader.line;
        this.file = this.#reader.file;
      }
    }
    const { length } = this.#texts;
    if (length === 0 || (length < this.#most && !this.#isEnd)) return undefined;
    const texts = this.#texts;
    this.#texts = [];
    return JSON.stringify(texts);
  }

  async fill(): Promise<boolean> {
    if (this.#isEnd) return false;
    this.#isEnd = !await this.#reader.fill();
    return !this.#isEnd || this.#texts.length > 0;
  }
}

/** Bytes read at once: less costs more calls, more costs memory. No bench. */
const READ_BYTES = 1 << 18;

class FileReader implements Reader {
  readonly #files: string[];
  readonly #skipBlank: boolean;
  readonly #separator: string;
  readonly #named: boolean;
  readonly #buffer = new Uint8Array(READ_BYTES);
  #open: { file: string; descriptor: number } | undefined;
  #splitter: LineSplitter;
  #last: string | undefined; // of a file that does not end with a line end
  line = 0;

  constructor(
    files: string[],
    lines: { skipBlank: boolean; separator: string },
  ) {
    this.#files = [...files];
    this.#skipBlank = lines.skipBlank;
    this.#separator = lines.separator;
    this.#splitter = new LineSplitter(lines.separator);
    this.#named = files.length > 1;
  }

  get file(): string | undefined {
    return this.#named ? this.#open?.file : undefined;
  }

  next(): string | undefined {
    for (;;) {
      const text = this.#next();
      if (text === undefined) return undefined;
      this.line++;
      // A blank line is no JSON value.
      if (!this.#skipBlank || text.trim() !== "") return text;
    }
  }

  #next(): string | undefined {
    try {
      const text = this.#splitter.next() ?? this.#last;
      if (text === this.#last) this.#last = undefined;
      return text;
    } catch (cause) {
      throw this.#tooLong(cause);
    }
  }

  #tooLong(cause: unknown): Error {
    return new RangeError(
      `Cannot read inputs as a line must fit in one string: received line ${
        this.line + 1
      } of "${this.#open?.file}" (${(cause as Error).message})`,
      { cause },
    );
  }

  async #openFile(file: string): Promise<number> {
    try {
      return await openFile(file);
    } catch (cause) {
      throw this.#unreadable(file, cause);
    }
  }

  #unreadable(file: string, cause: unknown): Error {
    return new Error(
      `Cannot read inputs as "${file}" must stay readable: received ${
        (cause as Error).message
      }`,
      { cause },
    );
  }

  async fill(): Promise<boolean> {
    if (this.#open === undefined && !await this.#openNext()) return false;
    const { file, descriptor } = this.#open!;
    let count: number;
    try {
      count = await readSome(descriptor, this.#buffer);
    } catch (cause) {
      throw this.#unreadable(file, cause);
    }
    if (count > 0) {
      this.#splitter.push(this.#buffer.subarray(0, count));
      return true;
    }
    try {
      this.#last = this.#splitter.end();
    } catch (cause) {
      throw this.#tooLong(cause);
    }
    if (this.#last !== undefined) return true; // once more for what comes after
    if (file !== "-") closeSync(descriptor);
    this.#open = undefined;
    return this.#openNext();
  }

  async #openNext(): Promise<boolean> {
    const file = this.#files.shift();
    if (file === undefined) return false;
    const descriptor = file === "-" ? 0 : await this.#openFile(file);
    this.#open = { file, descriptor };
    this.#splitter = new LineSplitter(this.#separator);
    this.line = 0;
    return true;
  }
}
