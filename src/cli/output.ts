/**
 * Standard output: results put in the order of their inputs, and written as lines.
 *
 * @module
 */

import { writeAll } from "./descriptors.ts";

/**
 * How many results, or how many characters of them, may wait for an earlier
 * one that takes long. Fewer, and its workers have nothing to do the sooner;
 * more take more memory. Set by that memory; no bench.
 */
const MOST_RESULTS = 100_000;
const MOST_CHARACTERS = 1 << 26;

/** Lets results out in the order of their inputs: those that come early wait. */
export class Turnstile {
  readonly #out: (text: string) => void;
  readonly #ordered: boolean;
  readonly #early = new Map<number, string | undefined>();
  #characters = 0;
  #next = 0;
  #wake: (() => void) | undefined;

  /**
   * Makes a turnstile.
   *
   * @param ordered Whether results wait; if not, each goes out as it comes.
   * @param out Takes each result in its turn.
   */
  constructor(ordered: boolean, out: (text: string) => void) {
    this.#ordered = ordered;
    this.#out = out;
  }

  /** Whether no more inputs should be started for now. */
  get full(): boolean {
    return this.#early.size > MOST_RESULTS ||
      this.#characters > MOST_CHARACTERS;
  }

  /**
   * Takes what became of an input; each index comes once.
   *
   * @param index Position of the input, from 0.
   * @param text Its result; undefined when it has none.
   */
  put(index: number, text: string | undefined): void {
    if (!this.#ordered) {
      if (text !== undefined) this.#out(text);
      return;
    }
    if (index !== this.#next) {
      this.#early.set(index, text);
      this.#characters += text?.length ?? 0;
      return;
    }
    if (text !== undefined) this.#out(text);
    this.#next++;
    while (this.#early.size > 0 && this.#early.has(this.#next)) {
      const text = this.#early.get(this.#next);
      this.#early.delete(this.#next++);
      if (text === undefined) continue;
      this.#characters -= text.length;
      this.#out(text);
    }
    if (this.#wake !== undefined && !this.full) {
      this.#wake();
      this.#wake = undefined;
    }
  }

  /**
   * Waits until it is not full.
   *
   * @returns Settled when there is room.
   */
  async room(): Promise<void> {
    if (this.full) await new Promise<void>((wake) => this.#wake = wake);
  }
}

/**
 * Characters at which a write begins before the turn of the event loop ends.
 * Fewer make more writes, more take memory. No bench.
 */
const WRITE_AT = 1 << 16;

/**
 * Characters that may wait for a slow reader of standard output before no more
 * results are taken. Set by the memory they take; no bench.
 */
const MOST_UNWRITTEN = 1 << 22;

/** Writes lines to a file descriptor. */
export class Output {
  readonly #file: number;
  readonly #onError: (error: unknown) => void;
  #waiting = "";
  #scheduled = false;
  #writing: Promise<void> | undefined;
  #broken = false;

  /**
   * Makes an output.
   *
   * @param file File descriptor.
   * @param onError Told once, when it cannot be written.
   */
  constructor(file: number, onError: (error: unknown) => void) {
    this.#file = file;
    this.#onError = onError;
  }

  /** Whether to wait for `drained` before more is written. */
  get full(): boolean {
    return this.#waiting.length > MOST_UNWRITTEN;
  }

  /**
   * Writes a line.
   *
   * @param line Its text, without line end.
   */
  write(line: string): void {
    this.#waiting += line;
    this.#waiting += "\n";
    if (this.#waiting.length > WRITE_AT) this.#start();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        this.#start();
      });
    }
  }

  /**
   * Waits until everything is written.
   *
   * @returns Settled when nothing waits.
   */
  async drained(): Promise<void> {
    while (this.#waiting !== "" || this.#writing !== undefined) {
      this.#start();
      await this.#writing;
    }
  }

  #start(): void {
    if (this.#writing !== undefined || this.#waiting === "") return;
    if (this.#broken) {
      this.#waiting = "";
      return;
    }
    const bytes = new TextEncoder().encode(this.#waiting);
    this.#waiting = "";
    this.#writing = writeAll(this.#file, bytes).catch((error) => {
      this.#broken = true;
      this.#onError(error);
    }).then(() => {
      this.#writing = undefined;
      if (this.#waiting.length > 0) this.#start();
    });
  }
}
