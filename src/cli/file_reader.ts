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

/** The file that is read. */
interface OpenFile {
  file: string;
  descriptor: number;
  /** Whether it was read to its end. */
  ended: boolean;
  splitter: LineSplitter;
  /** What its last line is, once it has ended without a line end. */
  last: string | undefined;
  /** If its lines are rows. */
  rows: Rows | undefined;
  /** How many lines were read of it. */
  lines: number;
  /** In which of them the last input began, from 1. */
  line: number;
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
  /** Bytes of all files, undefined where one has no end yet; those read. */
  readonly #bytes: number | undefined;
  #read = 0;

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
    this.#named = files.length > 1;
    this.#bytes = bytesOf(files);
  }

  get share(): number | undefined {
    const read = this.#read - (this.#open?.splitter.unread ?? 0);
    return this.#bytes === undefined || read <= 0
      ? undefined
      : Math.min(1, read / this.#bytes);
  }

  get file(): string | undefined {
    return this.#named ? this.#open?.file : undefined;
  }

  get line(): number {
    return this.#open?.line ?? 0;
  }

  next(): string | undefined {
    const open = this.#open;
    if (open === undefined) return undefined;
    const { rows } = open;
    for (;;) {
      const text = this.#next(open);
      if (text === undefined) return undefined;
      open.lines++;
      if (!rows?.isOpen) open.line = open.lines;
      if (rows !== undefined) {
        const row = this.#take(rows, text, open);
        if (row !== undefined) return row;
      } else if (!this.#skipBlank || text.trim() !== "") return text;
      // A blank line is no JSON value.
    }
  }

  #take(rows: Rows, line: string, open: OpenFile): string | undefined {
    try {
      return rows.take(line);
    } catch (cause) {
      throw this.#unfit(open, (cause as Error).message, cause);
    }
  }

  /** The file is not what the flags say. */
  #unfit({ line, file }: OpenFile, message: string, cause?: unknown): Error {
    return new Error(
      `Cannot read inputs as ${message}, in line ${line} of "${file}"`,
      { cause },
    );
  }

  #next(open: OpenFile): string | undefined {
    try {
      const text = open.splitter.next();
      if (text !== undefined) return text;
      const { last } = open;
      open.last = undefined;
      return last;
    } catch (cause) {
      throw this.#tooLong(open, cause);
    }
  }

  #tooLong({ lines, file }: OpenFile, cause: unknown): Error {
    return new RangeError(
      `Cannot read inputs as a line must fit in one string: received line ${
        lines + 1
      } of "${file}" (${(cause as Error).message})`,
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
    const open = this.#open ??= await this.#openNext();
    if (open === undefined) return false;
    if (!open.ended && await this.#readOn(open)) return true;
    if (open.rows?.isOpen) {
      throw this.#unfit(
        open,
        "a quoted field must end: received one that does not",
      );
    }
    if (open.file !== "-") closeSync(open.descriptor);
    this.#open = undefined; // also while the next one opens, or if it does not
    this.#open = await this.#openNext();
    return this.#open !== undefined;
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
      open.splitter.push(this.#buffer.subarray(0, count));
      return true;
    }
    open.ended = true; // a terminal would have to say so again
    try {
      open.last = open.splitter.end();
    } catch (cause) {
      throw this.#tooLong(open, cause);
    }
    return open.last !== undefined;
  }

  async #openNext(): Promise<OpenFile | undefined> {
    const given = this.#files.shift();
    if (given === undefined) return undefined;
    const { file } = given;
    return {
      file,
      descriptor: file === "-" ? 0 : await this.#openFile(given),
      ended: false,
      splitter: new LineSplitter(this.#separator, this.#form !== undefined),
      last: undefined,
      rows: this.#form && new Rows(this.#form),
      lines: 0,
      line: 0,
    };
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
