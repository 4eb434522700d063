/**
 * `node:worker_threads`, on Deno, Bun and Node.js alike: slower to start than a
 * Web Worker, but its end is always told, and on Deno it is the only kind that
 * can be stopped in the middle of an endless loop.
 *
 * @module
 */

import { keptNames } from "../../words/kept_names.ts";
import type { WorkerPort } from "../worker/worker_main.ts";
import { bootWithEnds, type hearEnds } from "./ends.ts";
import type { Backend, WorkerHandle, WorkerListener } from "./runtime.ts";

interface Thread {
  postMessage(message: unknown, moved: ArrayBuffer[]): void;
  on(name: string, listener: (detail: never) => void): void;
  terminate(): Promise<number>;
  ref(): void;
  unref(): void;
}

interface Modules {
  getBuiltinModule(name: "node:buffer"): {
    Buffer: { from(text: string): { toString(as: "base64"): string } };
  };
  getBuiltinModule(name: "node:worker_threads"): ThreadModule;
}

interface ThreadModule {
  Worker: new (
    url: URL,
    options: { workerData: string; env: symbol },
  ) => Thread;
  SHARE_ENV: symbol;
}

/**
 * Describes `node:worker_threads`.
 *
 * @param about What differs between runtimes: whether starting one blocks, and
 * what a worker calls before it takes messages, self-contained.
 * @returns The backend.
 */
export function threads(
  { startBlocks = true, first = () => {} } = {},
): Backend {
  return {
    sharesMemory: true,
    limitsMemory: true,
    stopsLoops: true,
    startBlocks,
    start: (listener) => startThread(listener, first),
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
  let text = program;
  try {
    (0, eval)("");
    text =
      '(0, eval)(process.getBuiltinModule("node:worker_threads").workerData)';
  } catch { /* --disallow-code-generation-from-strings */ }
  const { Buffer } = getBuiltinModule("node:buffer");
  const base64 = Buffer.from(text).toString("base64");
  return new URL(`data:text/javascript;base64,${base64}`);
}

let program: string | undefined;

function startThread(
  listener: WorkerListener,
  first: () => void,
): WorkerHandle {
  const { process } = globalThis as unknown as {
    process: Modules;
  };
  // Frames of "blob:" are left out of stacks: see codec.ts.
  program ??= `${bootWithEnds(openPort)}
{ ${keptNames(`${first}`)}(${first})(); }
//# sourceURL=blob:parallel-map`;
  const { Worker, SHARE_ENV } = process.getBuiltinModule("node:worker_threads");
  const worker = new Worker(boot(process, program), {
    workerData: program,
    // Shared, as with a Web Worker: to copy it, Deno 2.9.5 would ask the user
    // for access to all of it.
    env: SHARE_ENV,
  });
  let error: unknown;
  worker.on("message", (message) => listener.onMessage(message));
  worker.on("messageerror", () => listener.onUnreadable());
  worker.on("error", (cause) => error = cause);
  worker.on("exit", (code) => listener.onEnd({ code, error }));
  return {
    post: (message, moved) => worker.postMessage(message, moved),
    terminate: () => void worker.terminate(),
    setBusy: (busy) => busy ? worker.ref() : worker.unref(),
  };
}

/** The worker's end, self-contained. */
export function openPort(onExit: typeof hearEnds): WorkerPort {
  const { process, navigator } = globalThis as unknown as {
    process: {
      getBuiltinModule(name: string): {
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
      versions: { deno?: string };
    };
    navigator: {
      locks?: {
        request(name: string, granted: () => unknown): Promise<unknown>;
      };
    };
  };
  const { parentPort } = process.getBuiltinModule("node:worker_threads");
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
  return {
    post: (message, moved) => parentPort.postMessage(message, moved),
    listen(listener, onUnreadable) {
      const hear = async (message: never) => {
        await held;
        listener(message);
      };
      // For what is heard by `on`, Deno 2.9.5 looks for ports in all of it, and
      // takes each byte of a typed array for a property: a second for 8 MB.
      if (isDeno) {
        parentPort.addEventListener("message", ({ data }) => void hear(data));
      } else parentPort.on("message", hear);
      parentPort.on("messageerror", async () => {
        await held;
        onUnreadable();
      });
    },
    onStray(listener) {
      process.on("uncaughtException", listener);
      process.on("unhandledRejection", listener);
    },
    onExit(listener) {
      onExit(listener);
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
