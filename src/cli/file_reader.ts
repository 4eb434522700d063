/**
 * The lines, or rows, of files or of standard input.
 *
 * @module
 */

import { closeSync, fstatSync, statSync } from "node:fs";
import { isAbsolute, resolve, sep } from "node:path";
import process from "node:process";
import { openFile, readSome } from "./descriptors.ts";
import { LineSplitter } from "./line_splitter.ts";
import type { Reader } from "./readers.ts";
import type { RowForm } from "./rows.ts";
import { Rows } from "./rows.ts";

/** Bytes read at once: less costs more calls, more costs memory. No bench. */
const READ_BYTES = 1 << 18;

/** A file as it was given, and where it is. */
interface GivenFile {
  file: string;
  path: string;
}

/** The file that is read, and whether it was read to its end. */
interface OpenFile {
  file: string;
  descriptor: number;
  ended: boolean;
}

/** Reads files one after another, line by line. */
export class FileReader implements Reader {
  readonly total = undefined;
  /** Those that are yet to be read. */
  readonly #files: GivenFile[];
  readonly #skipBlank: boolean;
  readonly #separator: string;
  readonly #form: RowForm | undefined;
  readonly #named: boolean;
  readonly #buffer = new Uint8Array(READ_BYTES);
  #open: OpenFile | undefined;
  #splitter: LineSplitter;
  /** Of the file that is open, if its lines are rows. */
  #rows: Rows | undefined;
  #lines = 0; // how many lines were read of it
  #last: string | undefined; // of a file that does not end with a line end
  /** Bytes of all files, undefined where one has no end yet; those read. */
  readonly #bytes: number | undefined;
  #read = 0;
  line = 0;

  constructor(
    files: string[],
    lines: {
      skipBlank: boolean;
      separator: string;
      rows: RowForm | undefined;
    },
  ) {
    // Now, as a function may change the current folder of the whole process.
    this.#files = files.map((file) => ({ file, path: lastingPath(file) }));
    this.#skipBlank = lines.skipBlank;
    this.#separator = lines.separator;
    this.#form = lines.rows;
    this.#splitter = new LineSplitter(lines.separator);
    this.#named = files.length > 1;
    this.#bytes = bytesOf(files);
  }

  get share(): number | undefined {
    const read = this.#read - this.#splitter.unread;
    return this.#bytes === undefined || read <= 0
      ? undefined
      : Math.min(1, read / this.#bytes);
  }

  get file(): string | undefined {
    return this.#named ? this.#open?.file : undefined;
  }

  next(): string | undefined {
    for (;;) {
      const text = this.#next();
      if (text === undefined) return undefined;
      this.#lines++;
      if (!this.#rows?.isOpen) this.line = this.#lines;
      if (this.#rows !== undefined) {
        const row = this.#take(this.#rows, text);
        if (row !== undefined) return row;
      } else if (!this.#skipBlank || text.trim() !== "") return text;
      // A blank line is no JSON value.
    }
  }

  #take(rows: Rows, line: string): string | undefined {
    try {
      return rows.take(line);
    } catch (cause) {
      throw this.#unfit((cause as Error).message, cause);
    }
  }

  /** The file is not what the flags say. */
  #unfit(message: string, cause?: unknown): Error {
    return new Error(
      `Cannot read inputs as ${message}, in line ${this.line} of "${this.#open?.file}"`,
      { cause },
    );
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
        this.#lines + 1
      } of "${this.#open?.file}" (${(cause as Error).message})`,
      { cause },
    );
  }

  async #openFile({ file, path }: GivenFile): Promise<number> {
    try {
      return await openFile(path);
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
    const open = this.#open!;
    if (!open.ended && await this.#readOn(open)) return true;
    if (this.#rows?.isOpen) {
      throw this.#unfit("a quoted field must end: received one that does not");
    }
    if (open.file !== "-") closeSync(open.descriptor);
    this.#open = undefined;
    return this.#openNext();
  }

  /** Reads on, once to the end: behind that, a file may grow in its last line. */
  async #readOn(open: OpenFile): Promise<boolean> {
    let count: number;
    try {
      count = await readSome(open.descriptor, this.#buffer);
    } catch (cause) {
      throw this.#unreadable(open.file, cause);
    }
    if (count > 0) {
      this.#read += count;
      this.#splitter.push(this.#buffer.subarray(0, count));
      return true;
    }
    open.ended = true; // a terminal would have to say so again
    try {
      this.#last = this.#splitter.end();
    } catch (cause) {
      throw this.#tooLong(cause);
    }
    return this.#last !== undefined;
  }

  async #openNext(): Promise<boolean> {
    const given = this.#files.shift();
    if (given === undefined) return false;
    const { file } = given;
    const descriptor = file === "-" ? 0 : await this.#openFile(given);
    this.#open = { file, descriptor, ended: false };
    this.#splitter = new LineSplitter(
      this.#separator,
      this.#form !== undefined,
    );
    this.#rows = this.#form && new Rows(this.#form);
    this.line = this.#lines = 0;
    return true;
  }
}

/** The path of a file, whichever folder is the current one later. */
function lastingPath(file: string): string {
  if (process.platform === "win32") return resolve(file); // also "C:in", of a drive
  // Not `resolve`: behind a symbolic link, ".." is not the folder before it.
  return isAbsolute(file) ? file : process.cwd() + sep + file;
}

/** How many bytes files have; undefined if one is a pipe, say. */
function bytesOf(files: string[]): number | undefined {
  let bytes = 0;
  for (const file of files) {
    try {
      const found = file === "-" ? fstatSync(0) : statSync(file);
      if (!found.isFile()) return undefined;
      bytes += found.size;
    } catch {
      return undefined; // whoever opens it says why it cannot be read
    }
  }
  return bytes;
}
