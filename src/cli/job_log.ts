/**
 * The log of a job: a line per input, written as it happens.
 *
 * @module
 */

import {
  closeSync,
  existsSync,
  fdatasync,
  fsyncSync,
  ftruncateSync,
  openSync,
  realpathSync,
  statSync,
  writeSync,
} from "node:fs";
import { KeptResults } from "./kept_results.ts";
import { lockLog } from "./lock.ts";
import type { LogHeader, LogRecord } from "./log_record.ts";
import { formatHeader, formatRecord } from "./log_record.ts";
import { UsageError } from "./messages.ts";

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

/** Writes a record of each input, and has the results of the earlier run. */
export class JobLog {
  /** The results of the earlier run. */
  readonly kept: KeptResults;
  readonly #file: number;
  readonly #unlock: () => void;
  readonly #onError: (error: unknown) => void;
  #waiting = "";
  #flushing = false;
  #syncing: ReturnType<typeof setTimeout> | undefined;

  private constructor(
    file: number,
    kept: KeptResults,
    unlock: () => void,
    onError: (error: unknown) => void,
  ) {
    this.#file = file;
    this.kept = kept;
    this.#unlock = unlock;
    this.#onError = onError;
  }

  /**
   * Opens a log for writing, and locks it.
   *
   * @param path Its file.
   * @param resume Whether it may hold an earlier run, to go on with.
   * @param header What it must be of.
   * @param onError Told when it cannot be written.
   * @returns The log.
   * @throws {UsageError} When it is in use, holds an earlier run that is not
   * to be gone on with, or is something else.
   */
  static async open(
    path: string,
    resume: boolean,
    header: LogHeader,
    onError: (error: unknown) => void,
  ): Promise<JobLog> {
    let file: number;
    try {
      // A pipe or device may not end, cannot be cut, and keeps nothing.
      if (existsSync(path) && !statSync(path).isFile()) {
        throw new Error("not a regular file");
      }
      file = openSync(path, "a"); // so that it is there, and has a real path
    } catch (error) {
      throw new UsageError(
        `Cannot run as --joblog must be a file that can be written: received "${path}" (${
          (error as Error).message
        })`,
      );
    }
    let unlock = () => {};
    let kept: KeptResults | undefined;
    try {
      unlock = await lockLog(realpathSync(path));
      kept = KeptResults.open(path, header);
      if (!resume && !kept.empty) {
        throw new UsageError(
          `Cannot run as --joblog must be a new file without --resume, which goes on with an earlier run: received "${path}"`,
        );
      }
      ftruncateSync(file, kept.bytes); // without a torn last line
      const log = new JobLog(file, kept, unlock, onError);
      if (kept.bytes === 0) log.#write(formatHeader(header));
      return log;
    } catch (error) {
      kept?.close();
      unlock();
      closeSync(file);
      throw error;
    }
  }

  /**
   * Adds a record; it is written before the next turn of the event loop.
   *
   * @param record What became of one input.
   */
  add(record: LogRecord): void {
    this.#waiting += formatRecord(record);
    if (this.#waiting.length > WRITE_AT) this.flush();
    else if (!this.#flushing) {
      this.#flushing = true;
      setImmediate(() => {
        this.#flushing = false;
        this.flush();
      });
    }
  }

  /** Writes what waits. */
  flush(): void {
    if (this.#waiting === "") return;
    const text = this.#waiting;
    this.#waiting = "";
    try {
      this.#write(text);
    } catch (error) {
      this.#onError(error);
    }
  }

  #write(text: string): void {
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) {
      at += writeSync(this.#file, bytes, at, bytes.length - at);
    }
    this.#syncing ??= setTimeout(() => {
      this.#syncing = undefined;
      fdatasync(this.#file, () => {}); // an error: this file system has none
    }, SYNC_MS);
  }

  /** Writes what waits, down to the disk, and gives the lock back. */
  close(): void {
    this.flush();
    clearTimeout(this.#syncing);
    try {
      fsyncSync(this.#file);
    } catch {
      // this file system has none
    }
    closeSync(this.#file);
    this.kept.close();
    this.#unlock();
  }
}

/**
 * Looks at a log without changing it.
 *
 * @param path Its file.
 * @param header What it must be of.
 * @returns What it keeps; undefined when there is no such file.
 */
export function lookAtLog(
  path: string,
  header: LogHeader,
): KeptResults | undefined {
  return existsSync(path) ? KeptResults.open(path, header) : undefined;
}
