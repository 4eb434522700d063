/**
 * `node:worker_threads`, on Deno, Bun and Node.js alike: slower to start than a
 * Web Worker, but its end is always told, and on Deno it is the only kind that
 * can be stopped in the middle of an endless loop.
 *
 * @module
 */

import { keptNames } from "../../words/kept_names.ts";
import { makesCode } from "../wire/function_ref.ts";
import { bootSource } from "../worker/boot.ts";
import type { WorkerPort } from "../worker/worker_main.ts";
import { hearEnds } from "./ends.ts";
import type { Backend, WorkerHandle, WorkerListener } from "./runtime.ts";
import { after, now } from "./timers.ts";

/**
 * How long a thread of Deno that loads modules may go on with that before it is
 * ended, in ms: Deno 2.9.5 gives up where one is ended meanwhile
 * (denoland/deno#27075), but what a module does may never end.
 */
const LOAD_MS = 1000;

/** How long until such a thread is looked at again, in ms. */
const LOOK_MS = 5;

/**
 * How long until a thread of Node.js that goes on is told to end once more, in
 * ms, and twice as long each time: Node.js 24 loses an end that comes while it
 * tells of an error (tests/threads_test.ts, "without end").
 */
const AGAIN_MS = 20;

/** How long it is at most, in ms. */
const MOST_AGAIN_MS = 100;

/** Where a thread, or the program, prints. */
type Printed = "stdout" | "stderr";

interface Thread extends Record<Printed, Listened> {
  postMessage(message: unknown, moved: ArrayBuffer[]): void;
  on(name: string, listener: (detail: never) => void): void;
  setMaxListeners(most: number): void;
  terminate(): Promise<number>;
  ref(): void;
  unref(): void;
}

interface Listened {
  on(name: "data", listener: (bytes: Uint8Array) => void): void;
}

interface Modules
  extends Record<Printed, { write(bytes: Uint8Array): unknown }> {
  getBuiltinModule(name: "node:buffer"): {
    Buffer: { from(text: string): { toString(as: "base64"): string } };
  };
  getBuiltinModule(name: "node:worker_threads"): ThreadModule;
}

interface ThreadModule {
  Worker: new (
    url: URL,
    options: {
      workerData: ThreadData;
      env: symbol;
      stdout: boolean;
      stderr: boolean;
    },
  ) => Thread;
  SHARE_ENV: symbol;
}

/** What each end of a thread has before there are messages. */
interface ThreadData {
  program: string;
  /**
   * Shared, two numbers, on Deno: how many modules the thread loads, and one more until
   * `init` has run; and whether it is to be ended, and to begin nothing.
   */
  loads: Int32Array | undefined;
}

/** What differs between the threads of runtimes. */
interface Traits {
  /** Whether starting one blocks. */
  startBlocks: boolean;
  /** What a worker calls before it takes messages, self-contained. */
  first: () => void;
  /** Whether one is not to be ended while it loads modules. */
  loadsFirst: boolean;
  /** Whether one that was ended may go on. */
  missesEnds: boolean;
  /** Whether to start one opens the output of the program. */
  opensOutput: boolean;
}

/**
 * Describes `node:worker_threads`.
 *
 * @param own What is not as with the simplest.
 * @returns The backend.
 */
export function threads(own: Partial<Traits> = {}): Backend {
  const traits: Traits = {
    startBlocks: true,
    first: () => {},
    loadsFirst: false,
    missesEnds: false,
    opensOutput: false,
    ...own,
  };
  return {
    sharesMemory: true,
    limitsMemory: true,
    stopsLoops: true,
    startBlocks: traits.startBlocks,
    start: (listener) => startThread(listener, traits),
  };
}

/**
 * Runs the program of a worker, which comes as its `workerData`. Each frame of a
 * stack names the URL, so that 2,000 errors took Deno 2.9.5 5 s with the program
 * in it: it is there only where no code may be made of texts, as by a flag of V8.
 * Base64, as Bun 1.4.5 takes a "." in a percent-encoded data: URL for a file
 * extension (oven-sh/bun#32057). Threads refuse blob: URLs.
 */
function boot({ getBuiltinModule }: Modules, program: string): URL {
  const text = makesCode()
    ? '(0, eval)(process.getBuiltinModule("node:worker_threads").workerData.program)'
    : program;
  const { Buffer } = getBuiltinModule("node:buffer");
  const base64 = Buffer.from(text).toString("base64");
  return new URL(`data:text/javascript;base64,${base64}`);
}

/**
 * Prints what a thread printed before `first`, as by an --import. Whether it is
 * awaited is hidden: it would keep the program from its end (Node.js 24 and 26,
 * tests/process_test.ts).
 */
function printEarly(thread: Thread, program: Modules): void {
  for (const name of ["stdout", "stderr"] as const) {
    const printed = thread[name];
    const awaits = Object.getOwnPropertySymbols(printed)
      .find(({ description }) => description === "kIncrementsPortRef");
    if (awaits === undefined) continue;
    Reflect.set(printed, awaits, false);
    printed.on("data", (bytes) => program[name].write(bytes));
  }
}

let program: string | undefined;

function startThread(
  listener: WorkerListener,
  { first, loadsFirst, missesEnds, opensOutput }: Traits,
): WorkerHandle {
  const { process } = globalThis as unknown as {
    process: Modules;
  };
  // Frames of "blob:" are left out of stacks: see codec.ts.
  program ??= `${threadBoot()}
{ ${keptNames(`${first}`)}(${first})(); }
//# sourceURL=blob:parallel-map`;
  const { Worker, SHARE_ENV } = process.getBuiltinModule("node:worker_threads");
  const loads = loadsFirst
    ? new Int32Array(new SharedArrayBuffer(8))
    : undefined;
  if (loads !== undefined) loads[0] = 1;
  const worker = new Worker(boot(process, program), {
    workerData: { program, loads },
    // Shared, as with a Web Worker: to copy it, Deno 2.9.5 would ask the user
    // for access to all of it.
    env: SHARE_ENV,
    // To send on what it prints, Node.js 24 would open `process.stdout`, which
    // makes a pipe one that may be full for all that share it: what then writes
    // by node:fs fails with EAGAIN.
    stdout: opensOutput,
    stderr: opensOutput,
  });
  if (opensOutput) printEarly(worker, process);
  if (missesEnds) worker.setMaxListeners(0); // each terminate() adds one
  let error: unknown;
  let gone = false;
  let callOff = () => {};
  worker.on("message", (message) => listener.onMessage(message));
  worker.on("messageerror", () => listener.onUnreadable());
  worker.on("error", (cause) => error = cause);
  worker.on("exit", (code) => {
    gone = true;
    callOff();
    listener.onEnd({ code, error });
  });

  /** Ends it, unless it loads modules and `until` is not over. */
  function end(until: number): void {
    if (gone) return;
    const isLoading = loads !== undefined && Atomics.load(loads, 0) > 0;
    if (isLoading && now() < until) after(LOOK_MS, () => end(until));
    else endNow(AGAIN_MS);
  }

  function endNow(againMs: number): void {
    callOff();
    void worker.terminate();
    if (!missesEnds) return;
    const next = Math.min(2 * againMs, MOST_AGAIN_MS);
    callOff = after(againMs, () => endNow(next));
  }

  return {
    post: (message, moved) => worker.postMessage(message, moved),
    terminate() {
      if (loads !== undefined) Atomics.store(loads, 1, 1);
      end(now() + LOAD_MS);
    },
    setBusy: (busy) => busy ? worker.ref() : worker.unref(),
  };
}

/**
 * Writes what a thread runs.
 *
 * @param whole Whether all of it is code, and no part a text.
 * @returns JavaScript, a module without imports.
 */
export function threadBoot(whole?: boolean): string {
  return bootSource(openPort, [hearEnds], { whole });
}

/** The worker's end, self-contained. */
function openPort(onExit: typeof hearEnds): WorkerPort {
  const { process, navigator } = globalThis as unknown as {
    process: {
      getBuiltinModule(name: string): {
        workerData: ThreadData;
        parentPort: {
          postMessage(message: unknown, moved: ArrayBuffer[]): void;
          close(): void;
          on(name: string, listener: (message: never) => void): void;
          addEventListener(
            name: "message",
            listener: (event: { data: never }) => void,
          ): void;
        };
      };
      on(name: string, listener: (error: unknown) => void): void;
      off(name: string, listener: (error: unknown) => void): void;
      versions: { deno?: string };
    };
    navigator: {
      locks?: {
        request(name: string, granted: () => unknown): Promise<unknown>;
      };
    };
  };
  const { parentPort, workerData: { loads } } = process.getBuiltinModule(
    "node:worker_threads",
  );
  const post = parentPort.postMessage.bind(parentPort); // tasks may replace it
  const isDeno = process.versions.deno !== undefined; // and not by a shim
  // Deno stops the loop of a terminated thread only if it holds a Web Lock, and
  // before 2.9.4 not even then (denoland/deno#35963, tests/process_test.ts).
  const held = new Promise<void>((resolve) => {
    // Node.js has Web Locks as well, and needs none.
    const locks = isDeno ? navigator.locks : undefined;
    if (locks === undefined) return resolve();
    void locks.request(`@parallel/map ${crypto.randomUUID()}`, () => {
      resolve();
      return new Promise(() => {});
    });
  });
  let isUp = loads === undefined;
  const noteUp = () => {
    if (!isUp) Atomics.sub(loads!, 0, 1);
    isUp = true;
  };
  const isEnded = () => loads !== undefined && Atomics.load(loads, 1) > 0;
  return {
    post(message, moved) {
      post(message, moved);
      const [, { type }] = message;
      if (type === "ready" || type === "failed") noteUp();
    },
    ...(loads && {
      async load<T>(load: () => Promise<T>): Promise<T> {
        Atomics.add(loads, 0, 1);
        const loaded = isEnded() ? undefined : load();
        await loaded?.catch(() => {});
        Atomics.sub(loads, 0, 1);
        return isEnded() ? new Promise<T>(() => {}) : loaded!;
      },
    }),
    listen(listener, onUnreadable) {
      let begins = false;
      const hear = async (tell: () => void) => {
        await held;
        if (!isEnded()) {
          begins = true;
          tell();
        } else if (!begins) noteUp(); // and it never will
      };
      const hearAll = (data: never) => void hear(() => listener(data));
      // For what is heard by `on`, Deno 2.9.5 looks for ports in all of it, and
      // takes each byte of a typed array for a property: a second for 8 MB.
      if (isDeno) {
        parentPort.addEventListener("message", ({ data }) => hearAll(data));
      } else parentPort.on("message", hearAll);
      parentPort.on("messageerror", () => void hear(onUnreadable));
    },
    onStray(listener) {
      // The first ends the thread: while one is heard, Bun 1.4.5 never ends a
      // thread that throws in ticks without end.
      const hear = (error: unknown) => {
        process.off("uncaughtException", hear);
        listener(error);
      };
      process.on("uncaughtException", hear);
      process.on("unhandledRejection", listener);
    },
    onExit(listener) {
      onExit((code) => {
        listener(code);
        noteUp(); // nothing is loaded any more
      });
      if (isDeno) return;
      // With its port closed, nothing is heard of a thread that something else
      // keeps up.
      const close = parentPort.close.bind(parentPort);
      parentPort.close = () => {
        listener(undefined);
        close();
      };
    },
  };
}
