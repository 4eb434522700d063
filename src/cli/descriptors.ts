/**
 * Reads and writes bytes by file descriptor: the one way that works for files,
 * pipes and terminals alike, on Deno and on Bun, and is fast on both.
 *
 * @module
 */

import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  open,
  openSync,
  read,
  write,
  writeSync,
} from "node:fs";
import process from "node:process";

/** What writes to a file of Deno. */
interface Writer {
  write(bytes: Uint8Array): Promise<number>;
  close(): void;
}

/** Deno, on Deno. */
const { Deno } = globalThis as unknown as {
  Deno?: {
    stdout: Writer;
    stderr: Writer;
    openSync(path: string, how: { write: true }): Writer;
  };
};
/** What node:fs calls the errors of Deno that are told apart. */
const CODES: Record<string, string | undefined> = {
  BrokenPipe: "EPIPE",
  ConnectionReset: "ECONNRESET",
};

/**
 * What writes to pipes and the like on Deno, by descriptor: where node:fs on Deno
 * 2.9.5 writes to one that is full, this thread hears no signal
 * (tests/cli_signals_test.ts).
 */
const writers = new Map<number, Writer>();
for (const [file, own] of [[1, Deno?.stdout], [2, Deno?.stderr]] as const) {
  // Kept, as a function that is called in this thread may change it.
  if (own) writers.set(file, { write: own.write.bind(own), close() {} });
}

/** How many calls of node:fs have not ended: of a pipe, perhaps they never do. */
let waiting = 0;

/** The shell of every system but Windows, where Node.js has no such end. */
const SHELL = "/bin/sh";

/**
 * Ends this process. Node.js 24 would wait at its exit for whatever opens, reads
 * or writes a pipe (tests/cli_halt_test.ts): another program in its place, with
 * the same exit status, does not.
 *
 * @param status The exit status.
 */
export function exit(status: number): never {
  const isOther = "Deno" in globalThis || "Bun" in globalThis;
  if (waiting > 0 && !isOther && existsSync(SHELL)) {
    // After all others that hear of the end.
    process.on("exit", () => {
      try {
        // Else the pipe, which other programs may write as well, stays as Node.js
        // has it: one that is full would refuse what they write.
        const { _handle } = process.stderr as unknown as {
          _handle?: { setBlocking?(blocking: boolean): void };
        };
        _handle?.setBlocking?.(true);
        process.execve?.(SHELL, [SHELL, "-c", `exit ${status}`], {});
      } catch {
        // Windows, or without the permission to: then it waits
      }
    });
  }
  process.exit(status);
}

/**
 * Opens a file for reading. It may be a pipe that nobody writes yet: then
 * signals are heard while it waits.
 *
 * @param path The file.
 * @returns Its descriptor.
 */
export function openFile(path: string): Promise<number> {
  waiting++;
  return new Promise((resolve, reject) =>
    open(path, "r", (error, file) => {
      waiting--;
      if (error === null || error === undefined) resolve(file);
      else reject(error);
    })
  );
}

/**
 * Opens what `writeAll` is to write.
 *
 * @param path The file, or a pipe: then it waits for its reader.
 * @param how `w` for an empty one, `wx` for a new one, `a` to keep what is in it.
 * @returns Its descriptor, for `closeWritten`.
 */
export function openWritten(path: string, how: "w" | "wx" | "a"): number {
  const file = openSync(path, how);
  if (Deno !== undefined && !fstatSync(file).isFile()) {
    // The reader may have left again: then this would wait for another.
    const reader = openReader(path);
    writers.set(file, Deno.openSync(path, { write: true }));
    if (reader !== undefined) closeSync(reader);
  }
  return file;
}

/** Opens a pipe at its other end, without a wait. */
function openReader(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return undefined; // it may be written alone
  }
}

/**
 * Closes what was opened to be written.
 *
 * @param file Its descriptor.
 */
export function closeWritten(file: number): void {
  closeSync(file);
  writers.get(file)?.close();
  writers.delete(file);
}

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
    waiting++;
    const count = await new Promise<number | undefined>((resolve, reject) =>
      read(file, buffer, 0, buffer.length, null, (error, count) => {
        waiting--;
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
 * How many bytes are written at once: what a pipe holds. Of more, nobody hears how
 * many a slow reader has taken until it has taken all. No bench.
 */
const WRITE_BYTES = 1 << 16;

/**
 * Writes bytes, all of them.
 *
 * @param file File descriptor.
 * @param bytes What to write.
 * @param wrote Told how many bytes were written, as they are.
 */
export async function writeAll(
  file: number,
  bytes: Uint8Array,
  wrote?: (count: number) => void,
): Promise<void> {
  // At once to a file, which has no reader to wait for: Bun 1.4.5 has no more
  // threads to do it apart than cores, and pipes may keep them all waiting.
  const isFile = fstatSync(file).isFile();
  let at = 0;
  while (at < bytes.length) {
    const part = bytes.subarray(at, at + WRITE_BYTES);
    const count = isFile ? writeSync(file, part) : await writeSome(file, part);
    if (count === 0) await pause();
    at += count;
    wrote?.(count);
  }
}

/** Writes what there is room for, perhaps nothing. */
function writeSome(file: number, bytes: Uint8Array): Promise<number> {
  const writer = writers.get(file);
  if (writer !== undefined) {
    return writer.write(bytes).catch((error) => {
      const { name, message } = error as Error;
      if (name === "WouldBlock") return 0;
      const code = CODES[name];
      throw Object.assign(new Error(message, { cause: error }), { code });
    });
  }
  waiting++;
  return new Promise<number>((resolve, reject) =>
    write(file, bytes, 0, bytes.length, null, (error, count) => {
      waiting--;
      if (error === null || error === undefined) resolve(count);
      else if (error.code === "EAGAIN") resolve(0);
      else reject(error);
    })
  );
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, BUSY_MS));
}
