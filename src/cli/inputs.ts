/**
 * The inputs of a job, read from files, standard input or the command line.
 *
 * @module
 */

import { closeSync, openSync } from "node:fs";
import { readSome } from "./files.ts";
import { LineSplitter } from "./lines.ts";
import type { InputKey } from "./log_record.ts";
import type { Settings } from "./settings.ts";

/** One input as it was read. */
export interface Input {
  /** Position among the inputs, from 0. */
  index: number;
  /** The line, or the argument. */
  text: string;
  /** Number of its line in its file, or of the argument, from 1. */
  line: number;
  /** The file, where there is more than one. */
  file: string | undefined;
  /** Its key, once it has one. */
  key: InputKey | undefined;
}

/** Reads inputs one after another. */
export interface InputReader {
  /** The next input that is there; undefined when `fill` must bring more. */
  take(): Input | undefined;
  /** Brings more; false at the end. */
  fill(): Promise<boolean>;
}

/** Bytes read at once: less costs calls, more costs nothing but memory. */
const READ_BYTES = 1 << 18;

/**
 * Opens the inputs of a job.
 *
 * @param settings Where they are and what a line is.
 * @returns Their reader.
 */
export function openInputs(settings: Settings): InputReader {
  const { source, json } = settings;
  return source.from === "arguments"
    ? new ArgumentReader(source.values)
    : new FileReader(source.files, json);
}

class ArgumentReader implements InputReader {
  #index = 0;

  constructor(readonly values: string[]) {}

  take(): Input | undefined {
    const index = this.#index;
    if (index === this.values.length) return undefined;
    this.#index++;
    const text = this.values[index];
    return { index, text, line: index + 1, file: undefined, key: undefined };
  }

  fill(): Promise<boolean> {
    return Promise.resolve(false);
  }
}

class FileReader implements InputReader {
  readonly #files: string[];
  readonly #skipBlank: boolean;
  readonly #named: boolean;
  readonly #buffer = new Uint8Array(READ_BYTES);
  #open: { file: string; descriptor: number } | undefined;
  #splitter = new LineSplitter();
  #last: string | undefined; // a line that no line end followed
  #index = 0;
  #line = 0;

  constructor(files: string[], skipBlank: boolean) {
    this.#files = [...files];
    this.#skipBlank = skipBlank;
    this.#named = files.length > 1;
  }

  take(): Input | undefined {
    for (;;) {
      const text = this.#splitter.next() ?? this.#takeLast();
      if (text === undefined) return undefined;
      const line = ++this.#line;
      if (this.#skipBlank && text.trim() === "") continue; // no JSON value
      const file = this.#named ? this.#open?.file : undefined;
      return { index: this.#index++, text, line, file, key: undefined };
    }
  }

  #takeLast(): string | undefined {
    const last = this.#last;
    this.#last = undefined;
    return last;
  }

  async fill(): Promise<boolean> {
    if (this.#open === undefined && !this.#openNext()) return false;
    const { file, descriptor } = this.#open!;
    let count: number;
    try {
      count = await readSome(descriptor, this.#buffer);
    } catch (cause) {
      throw new Error(
        `Cannot read inputs as "${file}" must stay readable: received ${
          (cause as Error).message
        }`,
        { cause },
      );
    }
    if (count > 0) {
      this.#splitter.push(this.#buffer.subarray(0, count));
      return true;
    }
    this.#last = this.#splitter.end();
    if (this.#last !== undefined) return true; // once more for what comes after
    if (file !== "-") closeSync(descriptor);
    this.#open = undefined;
    return this.#openNext();
  }

  #openNext(): boolean {
    const file = this.#files.shift();
    if (file === undefined) return false;
    const descriptor = file === "-" ? 0 : openSync(file, "r");
    this.#open = { file, descriptor };
    this.#splitter = new LineSplitter();
    this.#line = 0;
    return true;
  }
}
