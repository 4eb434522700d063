/**
 * Reads and writes bytes by file descriptor: the one way that works for files,
 * pipes and terminals alike, on Deno and on Bun, and is fast on both.
 *
 * @module
 */

import { read, write } from "node:fs";

/**
 * How long to wait until a descriptor that had no bytes, or no room, is tried
 * again, in ms. Less would cost calls, more would delay the bytes. It has no
 * bench: few programs hand over a pipe that needs it.
 */
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

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, BUSY_MS));
}
