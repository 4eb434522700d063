/**
 * The worker's end of a process: what runs there before the program of the
 * worker, and the line to the caller.
 *
 * @module
 */

import type { ToWorker } from "../wire/protocol.ts";
import type { Frames } from "../wire/frames.ts";
import type { WorkerPort } from "../worker/worker_main.ts";
import type { createNotes as CreateNotes } from "./notes.ts";

/** A pipe that is read. */
interface Stream {
  on(name: "data", listener: (bytes: Uint8Array) => void): void;
  on(name: "end" | "error", listener: () => void): void;
}

/** What is needed of `node:fs`. */
interface Files {
  readSync(fd: number, bytes: Uint8Array): number;
  writeSync(fd: number, bytes: Uint8Array): number;
  createReadStream(
    path: null,
    options: { fd: number; highWaterMark: number },
  ): Stream;
}

/** What is needed of `node:worker_threads`. */
interface Threads {
  Worker: new (
    url: URL,
    options: { stdout: boolean; stderr: boolean; execArgv: []; env: object },
  ) => { postMessage(message: WatchMessage): void };
  parentPort: {
    on(name: "message", listener: (message: WatchMessage) => void): void;
  };
}

/** What is needed of `process`. */
interface Process {
  pid: number;
  ppid: number;
  /** No global tells the runtime: there are shims of each. */
  versions: { bun?: string; deno?: string };
  env: Record<string, string | undefined>;
  cwd(): string;
  chdir(folder: string): void;
  exit(code: number): never;
  memoryUsage(): { rss: number };
  kill(pid: number, signal: string): void;
  on(name: string, listener: (error: unknown) => void): void;
  getBuiltinModule(name: "node:buffer"): {
    Buffer: { from(text: string): { toString(as: "base64"): string } };
  };
  getBuiltinModule(name: "node:fs"): Files;
  getBuiltinModule(name: "node:module"): { builtinModules: string[] };
  getBuiltinModule(name: "node:net"): {
    Socket: new (options: { fd: number }) => Stream;
  };
  getBuiltinModule(name: "node:worker_threads"): Threads;
  getBuiltinModule(name: "node:v8"): Parameters<
    typeof import("../wire/frames.ts").createFrames
  >[0];
}

/**
 * Reads the program, which is the first thing that comes, and runs it.
 * Self-contained: a process is started with its source, which is short, as a
 * command line must be.
 *
 * @param load Imports a module: an argument, as compilers rewrite what is shipped.
 * @param folder Where it goes, if it is to be elsewhere than where it starts.
 */
export function bootProcess(
  load: (url: string) => Promise<{ default(text: string): void }>,
  folder?: string,
): void {
  const { process } = globalThis as unknown as { process: Process };
  if (folder !== undefined) {
    const begun = Symbol.for("@parallel/map folder"); // see folder.ts
    Object.defineProperty(globalThis, begun, { value: process.cwd() });
    process.chdir(folder);
  }
  const { readSync } = process.getBuiltinModule("node:fs");
  const INPUT = 3;

  function take(bytes: Uint8Array): Uint8Array {
    for (let at = 0; at < bytes.length;) {
      try {
        const count = readSync(INPUT, bytes.subarray(at));
        if (count === 0) process.exit(0); // the caller is gone
        at += count;
      } catch (error) {
        if ((error as { code?: string }).code !== "EAGAIN") throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      }
    }
    return bytes;
  }

  // Beside a text that it is given to run, Node.js 24 and Bun 1.4.5 put all modules
  // of their own on the globals, by names that a shipped function may mean another
  // variable by. Here, as Deno takes long to load what knows them.
  const { bun, deno } = process.versions;
  if (deno === undefined) {
    const { getOwnPropertyDescriptor } = Object;
    const { builtinModules } = process.getBuiltinModule("node:module");
    for (const module of builtinModules) {
      for (const name of [module, module.replace(/^bun:/, "")]) {
        if (/^(console|crypto|process)$/.test(name)) continue;
        // What --import put there is no getter. On Bun to look would load it.
        if (
          bun === undefined && !getOwnPropertyDescriptor(globalThis, name)?.get
        ) continue;
        delete (globalThis as Record<string, unknown>)[name];
      }
    }
  }
  const [length = 0] = new Uint32Array(take(new Uint8Array(4)).buffer);
  const text = new TextDecoder().decode(take(new Uint8Array(length)));
  try {
    (0, eval)("");
  } catch { // by --disallow-code-generation-from-strings in NODE_OPTIONS
    const { Buffer } = process.getBuiltinModule("node:buffer");
    const base64 = Buffer.from(text).toString("base64");
    return void load(`data:text/javascript;base64,${base64}`);
  }
  if (bun ?? deno) return void (0, eval)(text);
  // Of what it is given to run, Node.js 24 takes the current folder for the place,
  // where a shipped function would find files and packages. Errors name the URL.
  const url = "data:text/javascript,export default (text) => (0, eval)(text)";
  void load(url).then((module) => module.default(text));
}

/** Hears the bytes of a pipe, and of its end. */
export type ReadPipe = (
  fd: number,
  onBytes: (bytes: Uint8Array) => void,
  onEnd: () => void,
) => void;

/**
 * Reads a pipe as bytes come. Self-contained: workers get it by its source.
 *
 * @param fd Its number.
 * @param onBytes Called with some.
 * @param onEnd Called when there will be no more.
 */
export function readPipe(
  fd: number,
  onBytes: (bytes: Uint8Array) => void,
  onEnd: () => void,
): void {
  const { Bun, process } = globalThis as unknown as {
    Bun: { file(fd: number): { stream(): AsyncIterable<Uint8Array> } };
    process: Process;
  };

  async function readAll(stream: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const bytes of stream) onBytes(bytes);
    } finally {
      onEnd();
    }
  }

  // A stream of node:fs takes a thread of Bun 1.4.5 for as long as nothing
  // comes. It has as many as there are cores, and loads modules with the same.
  const { bun, deno } = process.versions;
  if (bun !== undefined) return void readAll(Bun.file(fd).stream());
  // One of node:fs also keeps Node.js 24 from exiting until something comes.
  const { Socket } = process.getBuiltinModule("node:net");
  const stream = deno !== undefined
    ? process.getBuiltinModule("node:fs")
      // Bytes read at a time: with less, 8 MB take longer.
      .createReadStream(null, { fd, highWaterMark: 1 << 20 })
    : new Socket({ fd });
  stream.on("data", onBytes);
  stream.on("end", onEnd);
  stream.on("error", onEnd);
}

/** What the thread that watches is told. */
interface WatchMessage {
  /** Where it writes the number of the run that is over. */
  over: SharedArrayBuffer;
  /** The process that started this one. */
  parent: number;
  /** Millions of bytes that the process may have; undefined for no limit. */
  maxMemory: number | undefined;
}

/**
 * Watches, in a thread of its own, whether the caller is still there, whatever
 * the worker does: a busy one would outlive a caller that was killed. It also
 * hears which run is over, for loops that look at `context.aborted`, and ends a
 * process that grows too large.
 * Self-contained: the thread gets this function by its source.
 *
 * @param readPipe Reads a pipe.
 */
export function watchCaller(readPipe: ReadPipe): void {
  const { process } = globalThis as unknown as { process: Process };
  const scope = globalThis as unknown as {
    onmessage: (event: { data: WatchMessage }) => void;
  };
  const { bun, deno } = process.versions;
  if (bun ?? deno) scope.onmessage = ({ data }) => watch(data);
  else { // Node.js
    process.getBuiltinModule("node:worker_threads").parentPort
      .on("message", watch);
  }

  function watch({ over: memory, parent, maxMemory }: WatchMessage): void {
    const over = new Int32Array(memory);
    const head = new Uint8Array(4);
    let have = 0;
    const end = () => {
      try { // with what its tasks have started
        process.kill(-process.pid, "SIGKILL");
      } catch { // it may not, or this is Windows
        process.kill(process.pid, "SIGKILL");
      }
    };
    // A task may close what is read below, also before this thread is up: then
    // Bun 1.4.5 and Node.js 24 hear of no end, or throw.
    setInterval(() => {
      if (process.ppid !== parent) end();
    }, 1000);
    if (maxMemory !== undefined) {
      setInterval(() => {
        if (process.memoryUsage().rss > maxMemory * 1e6) end();
      }, 20);
    }
    // Threads on Deno 2.9.5 know standard input alone.
    const control = deno === undefined ? 5 : 0;
    try {
      readPipe(control, (bytes) => {
        for (const byte of bytes) {
          head[have++ % 4] = byte;
          if (have % 4 > 0) continue;
          Atomics.store(over, 0, new Int32Array(head.buffer)[0]!);
        }
      }, end);
    } catch { /* a task has closed it */ }
  }
}

/**
 * Makes the port. Self-contained: workers get this function by its source.
 *
 * @param frames Turns messages into bytes and back.
 * @param readPipe Reads a pipe.
 * @param createNotes Makes what says what the worker is at.
 * @param watchUrl The program of the thread that watches.
 * @returns The port.
 */
export function openProcessPort(
  frames: Frames,
  readPipe: ReadPipe,
  createNotes: typeof CreateNotes,
  watchUrl: string,
): WorkerPort {
  const { process } = globalThis as unknown as { process: Process };
  const { bun, deno } = process.versions;
  const { writeSync } = process.getBuiltinModule("node:fs");
  const INPUT = 3;
  const OUTPUT = 4;
  const { wait } = Atomics;
  // Bytes in one write at most: Linux takes fewer than 2 GiB.
  const MOST_WRITTEN = 2 ** 30;
  const moment = new Int32Array(new SharedArrayBuffer(4));
  const over = new SharedArrayBuffer(4);
  const parent = process.ppid;
  const notes = createNotes(send, over);

  /** The caller is gone; the thread that watches may see that later. */
  function end(): never {
    try { // with what its tasks have started
      process.kill(-process.pid, "SIGKILL");
    } catch { /* it may not, or this is Windows */ }
    return process.exit(0);
  }

  function send(message: unknown): void {
    for (const bytes of frames.write(message)) {
      for (let at = 0; at < bytes.length;) {
        try {
          at += writeSync(OUTPUT, bytes.subarray(at, at + MOST_WRITTEN));
        } catch (error) {
          const { code } = error as { code?: string };
          if (code === "EPIPE") end();
          if (code !== "EAGAIN") process.exit(0); // a task closed it
          wait(moment, 0, 0, 1);
        }
      }
    }
  }

  function watch(maxMemory: number | undefined): void {
    const worker = bun ?? deno
      ? new Worker(watchUrl, { type: "module" })
      : new (process.getBuiltinModule("node:worker_threads").Worker)(
        new URL(watchUrl),
        // Else Node.js 24 opens this thread's own (see threads.ts), and loads what
        // --import names, also in NODE_OPTIONS, of what is by now the folder.
        { stdout: true, stderr: true, execArgv: [], env: {} },
      );
    const message: WatchMessage = { over, parent, maxMemory };
    worker.postMessage(message);
    (worker as unknown as { unref?(): void }).unref?.();
  }

  return {
    post: send,
    listen(listener, onUnreadable) {
      const take = frames.split((bytes) => {
        let message: ToWorker;
        try {
          message = frames.read(bytes) as ToWorker;
        } catch {
          return onUnreadable();
        }
        if (message.type !== "start") return listener(notes.hear(message));
        const { maxMemory } = message;
        message.maxMemory = undefined; // it need not look as well
        listener(notes.hear(message));
        watch(maxMemory); // may throw: before, nobody would hear that
      });
      readPipe(INPUT, take, end);
      // Not for what tasks start; before any of them.
      if (bun !== undefined) {
        delete process.env.BUN_BE_BUN;
        delete process.env.BUN_JSC_forceRAMSize;
      }
    },
    onStray(listener) {
      process.on("uncaughtException", listener);
      process.on("unhandledRejection", listener);
    },
  };
}
