/**
 * Reading and writing bytes by file descriptor, the one way that is equally
 * fast and complete for files, pipes and terminals on Deno and Bun.
 *
 * @module
 */

import { read, write, writeSync } from "node:fs";

/** How long to wait before asking a busy descriptor again, in milliseconds. */
const BUSY_MS = 5;

/**
 * Reads what is there, or waits for it.
 *
 * @param file File descriptor.
 * @param buffer Where to.
 * @returns How many bytes; 0 at the end.
 */
export async function readSome(
  file: number,
  buffer: Uint8Array,
): Promise<number> {
  for (;;) {
    const count = await new Promise<number | undefined>((resolve, reject) =>
      read(file, buffer, 0, buffer.length, null, (error, count) => {
        if (error === null || error === undefined) resolve(count);
        else if (error.code === "EAGAIN") resolve(undefined);
        else if (error.code === "EOF") resolve(0);
        else reject(error);
      })
    );
    if (count !== undefined) return count;
    await pause(); // another process made the pipe non-blocking
  }
}

/**
 * Writes bytes, all of them.
 *
 * @param file File descriptor.
 * @param bytes What to write.
 */
export async function writeAll(file: number, bytes: Uint8Array): Promise<void> {
  let at = 0;
  while (at < bytes.length) {
    const count = await new Promise<number>((resolve, reject) =>
      write(file, bytes, at, bytes.length - at, null, (error, count) => {
        if (error === null || error === undefined) resolve(count);
        else if (error.code === "EAGAIN") resolve(0);
        else reject(error);
      })
    );
    if (count === 0) await pause();
    at += count;
  }
}

/**
 * Writes bytes, all of them, before it returns.
 *
 * @param file File descriptor of a file, not a pipe.
 * @param bytes What to write.
 */
export function writeAllSync(file: number, bytes: Uint8Array): void {
  let at = 0;
  while (at < bytes.length) {
    at += writeSync(file, bytes, at, bytes.length - at);
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, BUSY_MS));
}
