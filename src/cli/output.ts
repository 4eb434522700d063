/**
 * Standard output: lines, written together as they come.
 *
 * @module
 */

import { writeAll } from "./descriptors.ts";
import { signalled } from "./stops.ts";

/**
 * Characters at which a write begins before the turn of the event loop ends.
 * Fewer make more writes, more take memory. No bench.
 */
const WRITE_AT = 1 << 16;

/**
 * Characters that may wait for a slow reader, of results as of messages, before no
 * more results are taken. Set by the memory they take; no bench.
 */
export const MOST_UNWRITTEN = 1 << 22;

/**
 * For how many ms a reader may take nothing of what waits for it when the job
 * was stopped. Less would cut off a slow one, more makes Ctrl-C wait. No bench.
 */
const STALLED_MS = 500;

/** What is done where something else stands at the end of what was written. */
export interface Around {
  /**
   * A write begins.
   *
   * @returns What is to be written before the lines.
   */
  before(): string;
  /** It has ended, or cannot be. */
  after(): void;
}

/** Writes lines to a file descriptor. */
export class Output {
  readonly #file: number;
  readonly #onError: (error: unknown) => void;
  readonly #end: string;
  readonly #around: Around | undefined;
  #waiting = "";
  #scheduled = false;
  #writing: Promise<void> | undefined;
  #broken = false;
  #written = 0; // bytes

  /**
   * Makes an output.
   *
   * @param file File descriptor.
   * @param onError Told once, when it cannot be written.
   * @param how What ends a line, and what is done around each write.
   */
  constructor(
    file: number,
    onError: (error: unknown) => void,
    { end = "\n", around }: { end?: string; around?: Around | undefined } = {},
  ) {
    this.#file = file;
    this.#onError = onError;
    this.#end = end;
    this.#around = around;
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
    this.#waiting += this.#end;
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

  /**
   * Waits until everything is written, or nobody reads on.
   *
   * @returns Whether it is written.
   */
  drainedIfRead(): Promise<boolean> {
    return whileRead(this.drained(), () => this.#written);
  }

  /**
   * Waits until everything is written; after a signal, while somebody reads.
   *
   * @returns Whether it is written.
   */
  drainedUnlessSignalled(): Promise<boolean> {
    return unlessSignalled(this.drained(), () => this.#written);
  }

  #start(): void {
    if (this.#writing !== undefined || this.#waiting === "") return;
    if (this.#broken) {
      this.#waiting = "";
      return;
    }
    const before = this.#around?.before() ?? "";
    const bytes = new TextEncoder().encode(before + this.#waiting);
    this.#waiting = "";
    this.#writing = writeAll(this.#file, bytes, (count) => {
      this.#written += count;
    }).catch((error) => {
      this.#broken = true;
      this.#onError(error);
    }).then(() => {
      this.#writing = undefined;
      this.#around?.after();
      if (this.#waiting.length > 0) this.#start();
    });
  }
}

/** Waits for all to be written, or until nobody reads on: then it gives false. */
async function whileRead(
  all: Promise<unknown>,
  written: () => number,
): Promise<boolean> {
  const drained = all.then(() => true);
  for (let before = -1; before < written();) {
    before = written();
    let timer: ReturnType<typeof setTimeout>;
    const late = new Promise<boolean>((resolve) =>
      timer = setTimeout(resolve, STALLED_MS, false)
    );
    const isDrained = await Promise.race([drained, late]);
    clearTimeout(timer!);
    if (isDrained) return true;
  }
  return false;
}

/**
 * Waits for all to be written; after a signal, while somebody reads.
 *
 * @param all Settles when it is.
 * @param written How much is.
 * @returns Whether it is written.
 */
export function unlessSignalled(
  all: Promise<void>,
  written: () => number,
): Promise<boolean> {
  return Promise.race([
    all.then(() => true),
    signalled.then(() => whileRead(all, written)),
  ]);
}

/** What takes lines. */
export interface Taker {
  name: string;
  /** Whether the lines are results. */
  results: boolean;
}

/** The one of most commands. */
export const STANDARD_OUTPUT: Taker = {
  name: "standard output",
  results: true,
};

/** What a pipe and a socket say when who read them has left. */
const LEFT = ["EPIPE", "ECONNRESET"];

/**
 * Words why lines are not written.
 *
 * @param error What the write said.
 * @param to What was to take them.
 * @returns The error; undefined when who read the results has left, which is
 * none.
 */
export function wordUnwritten(error: unknown, to: Taker): Error | undefined {
  const { code = "", message } = error as NodeJS.ErrnoException;
  if (to.results && LEFT.includes(code)) return undefined;
  return new Error(
    `Cannot write as ${to.name} must take them: received an error (${message})`,
    { cause: error },
  );
}
