/**
 * The file of a log: opened for one process alone, and written as it happens.
 *
 * @module
 */

import {
  closeSync,
  fdatasync,
  fsyncSync,
  ftruncateSync,
  openSync,
  realpathSync,
  writeSync,
} from "node:fs";
import * as timers from "node:timers";
import { JobLogError } from "./errors.ts";
import type { KeptSetup } from "./kept_results.ts";
import { KeptResults } from "./kept_results.ts";
import { checkLockName, lockLog } from "./lock.ts";
import { formatHeader } from "./log_record.ts";

/**
 * The timers as they were when this was loaded: tests put others in their place,
 * which stand still. With those, no outcome would ever be given.
 */
const { setImmediate, clearImmediate, setTimeout, clearTimeout } = timers;

/**
 * Characters at which a write begins before the turn of the event loop ends.
 * Fewer make more writes, more take memory. No bench.
 */
const WRITE_AT = 1 << 16;

/**
 * For how many ms what was written may be in the memory of the system alone: as
 * much of the work is lost in a power cut, and none of it in a crash. Less
 * makes the disk busier. No bench.
 */
const SYNC_MS = 1000;

/** Adds lines to a file that no other process writes. */
export class LogFile {
  /** The results of the earlier run. */
  readonly kept: KeptResults;
  readonly #path: string;
  readonly #file: number;
  readonly #unlock: () => void;
  #waiting = "";
  #scheduled: ReturnType<typeof setImmediate> | undefined;
  #syncing: ReturnType<typeof setTimeout> | undefined;
  #failure: { error: unknown; said: boolean } | undefined;
  #closed = false; // then its descriptor may be of another file

  private constructor(
    path: string,
    opened: { file: number; kept: KeptResults; unlock: () => void },
  ) {
    this.#path = path;
    this.#file = opened.file;
    this.kept = opened.kept;
    this.#unlock = opened.unlock;
  }

  /**
   * Opens a log for writing, and locks it.
   *
   * @param path Its file.
   * @param setup What it is of: a new one begins with its header.
   * @returns The file.
   * @throws {JobLogError} When it is in use, or is of something else.
   * @throws What the system has against it.
   */
  static async open(path: string, setup: KeptSetup): Promise<LogFile> {
    const { header } = setup;
    checkLockName(path);
    // Opened before it is locked, as only what is there has a real path. It is
    // read by this descriptor: by its path, it may be another file by then.
    const file = openSync(path, "a+");
    let unlock = () => {};
    try {
      unlock = await lockLog(realpathSync(path));
      const kept = KeptResults.read(file, path, setup);
      ftruncateSync(file, kept.bytes); // without a torn last line
      const log = new LogFile(path, { file, kept, unlock });
      if (kept.bytes === 0) log.#write(`${header}\n`);
      else if (kept.lacksHeader) log.#write(formatHeader(header));
      return log;
    } catch (error) {
      unlock();
      closeSync(file);
      throw error;
    }
  }

  /**
   * Adds a line; it is written before the next turn of the event loop. Once the
   * file is closed it is dropped: the caller's `note` may close the log.
   *
   * @param line The line, with its end.
   * @throws When an earlier line could not be written.
   */
  add(line: string): void {
    if (this.#closed) return;
    this.#check();
    this.#waiting += line;
    if (this.#waiting.length > WRITE_AT) this.flush();
    else {
      this.#scheduled ??= setImmediate(() => {
        this.#scheduled = undefined;
        this.#writeWaiting();
      });
    }
  }

  /**
   * Waits, where something was added, for what comes in the same turn of the event
   * loop.
   *
   * @returns Settled when that has ended.
   */
  async turn(): Promise<void> {
    if (this.#waiting === "") return;
    await new Promise((resolve) => setImmediate(resolve));
  }

  /**
   * Writes what waits.
   *
   * @throws When it cannot be written.
   */
  flush(): void {
    this.#writeWaiting();
    this.#check();
  }

  #check(): void {
    if (this.#failure === undefined) return;
    this.#failure.said = true;
    throw this.#failure.error;
  }

  #writeWaiting(): void {
    const text = this.#waiting;
    this.#waiting = "";
    if (text === "" || this.#failure !== undefined) return;
    try {
      this.#write(text);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** For whoever adds the next line, or closes. */
  #fail(cause: unknown): void {
    const why = (cause as Error).message;
    const error = new JobLogError(
      `Cannot write job log as its file must take what is written: received "${this.#path}" (${why})`,
      { cause },
    );
    this.#failure ??= { error, said: false };
  }

  #write(text: string): void {
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) {
      at += writeSync(this.#file, bytes, at, bytes.length - at);
    }
    this.#syncing ??= setTimeout(() => {
      this.#syncing = undefined;
      if (this.#closed) return;
      fdatasync(this.#file, (error) => {
        if (error && isLoss(error)) this.#fail(error);
      });
    }, SYNC_MS);
  }

  /**
   * Writes what waits, down to the disk, and gives the lock back.
   *
   * @throws {JobLogError} When something could not be written, and nobody was told yet.
   */
  close(): void {
    try {
      if (!this.#failure?.said) this.flush();
      try {
        syncFile(this.#file);
      } catch (error) {
        this.#fail(error);
        this.#check();
      }
    } finally {
      this.#closed = true;
      clearImmediate(this.#scheduled);
      clearTimeout(this.#syncing);
      closeSync(this.#file);
      this.#unlock();
    }
  }
}

/**
 * Waits until what was written is on the disk, where the file system knows that.
 *
 * @param file Its descriptor.
 * @throws When it may not be there.
 */
export function syncFile(file: number): void {
  try {
    fsyncSync(file);
  } catch (error) {
    if (isLoss(error)) throw error;
  }
}

/**
 * Tells whether what was written may not be on the disk.
 *
 * @param error Why it could not be synchronised.
 * @returns False where the file system only knows no such thing.
 */
export function isLoss(error: unknown): boolean {
  const { code = "" } = error as NodeJS.ErrnoException;
  return ["EIO", "ENOSPC", "EDQUOT", "EFBIG"].includes(code);
}
