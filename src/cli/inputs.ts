/**
 * The inputs of a job: bytes of files or of standard input cut into lines, or the
 * arguments of the command.
 *
 * @module
 */

import { closeSync, openSync } from "node:fs";
import type { Settings } from "./command.ts";
import { readSome } from "./descriptors.ts";
import type { InputKey } from "./input_keys.ts";

/** One input as it was read. */
export interface Input {
  /** Position among the inputs, from 0. */
  index: number;
  /** The line, or the argument. */
  text: string;
  /** Which line of its file it is, or which argument, from 1. */
  line: number;
  /** The file, if there are several. */
  file: string | undefined;
  /** Its key in the log, if there is a log. */
  key: InputKey | undefined;
}

/** Reads inputs one after another. */
export interface InputReader {
  /** Gives the next of the inputs that were read; undefined: call `fill`. */
  take(): Input | undefined;
  /** Reads more; false at the end. */
  fill(): Promise<boolean>;
}

/** Bytes read at once: less costs more calls, more costs memory. No bench. */
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
  #last: string | undefined; // of a file that does not end with a line end
  #index = 0;
  #line = 0;

  constructor(files: string[], skipBlank: boolean) {
    this.#files = [...files];
    this.#skipBlank = skipBlank;
    this.#named = files.length > 1;
  }

  take(): Input | undefined {
    for (;;) {
      const text = this.#next();
      if (text === undefined) return undefined;
      const line = ++this.#line;
      if (this.#skipBlank && text.trim() === "") continue; // no JSON value
      const file = this.#named ? this.#open?.file : undefined;
      return { index: this.#index++, text, line, file, key: undefined };
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
        this.#line + 1
      } of "${this.#open?.file}" (${(cause as Error).message})`,
      { cause },
    );
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

/**
 * Cuts bytes into lines. `\n` and `\r\n` end a line, a byte order mark at the
 * start is left out, and bytes that are not UTF-8 become U+FFFD.
 */
export class LineSplitter {
  readonly #decoder = new TextDecoder();
  #text = "";
  #at = 0; // where the next line starts in the text
  #held: string[] = []; // parts of a line that goes on in the next bytes

  /**
   * Takes more bytes, once `next` has given all lines of the last ones.
   *
   * @param bytes The next ones.
   */
  push(bytes: Uint8Array): void {
    this.#text = this.#decoder.decode(bytes, { stream: true });
    this.#at = 0;
  }

  /**
   * Gives the next line.
   *
   * @returns The line without its end; undefined when more bytes are needed.
   */
  next(): string | undefined {
    const end = this.#text.indexOf("\n", this.#at);
    if (end < 0) {
      if (this.#at < this.#text.length) this.#hold();
      return undefined;
    }
    const line = this.#text.slice(this.#at, end);
    this.#at = end + 1;
    return this.#join(line);
  }

  /**
   * Ends the bytes.
   *
   * @returns The last line, where no line end followed it.
   */
  end(): string | undefined {
    this.#text = this.#decoder.decode();
    this.#at = 0;
    this.#hold();
    const line = this.#join("");
    return line === "" ? undefined : line;
  }

  #hold(): void {
    this.#held.push(this.#text.slice(this.#at));
    this.#at = this.#text.length;
  }

  #join(end: string): string {
    let line = end;
    if (this.#held.length > 0) {
      line = this.#held.join("") + end;
      this.#held = [];
    }
    return line.endsWith("\r") ? line.slice(0, -1) : line;
  }
}
