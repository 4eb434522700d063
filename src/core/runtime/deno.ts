/**
 * Deno: module Web Workers from one blob URL. Deno tells the caller nothing
 * when a worker ends itself, so each worker holds a Web Lock, and the caller is
 * granted that lock when the worker is gone.
 *
 * @module
 */

import { bootSource } from "../worker/boot.ts";
import type { WorkerPort } from "../worker/worker_main.ts";
import { hearEnds } from "./ends.ts";
import { type DenoForProcesses, denoProcess } from "./deno_process.ts";
import { processes } from "./processes.ts";
import { Rest } from "./rest.ts";
import type {
  Backend,
  Runtime,
  WorkerEnd,
  WorkerHandle,
  WorkerListener,
} from "./runtime.ts";
import { threads } from "./threads.ts";
import { after, freshTag, now } from "./timers.ts";
import { openWebPort } from "./web_port.ts";

interface Locks {
  request(
    name: string,
    options: { signal?: AbortSignal },
    granted: () => unknown,
  ): Promise<unknown>;
}

interface WithLocks {
  readonly locks: Locks;
}

/**
 * Describes Deno.
 *
 * @param deno The `Deno` global.
 * @returns The runtime.
 */
export function denoRuntime(
  deno: { mainModule: string } & DenoForProcesses,
): Runtime {
  const { navigator } = globalThis as unknown as {
    navigator: WithLocks & { hardwareConcurrency: number };
  };
  // Looked for and not at: to touch the locks costs Deno 2.9.5 1.6 ms.
  const hasLocks = "locks" in navigator;
  const hold = findHold();
  return {
    name: "deno",
    cores: navigator.hardwareConcurrency,
    get entry() {
      try {
        return deno.mainModule;
      } catch {
        return undefined; // needs a permission before Deno 2.10
      }
    },
    backend(kind, wanted) {
      if (kind === "processes") return processes(denoProcess(deno, wanted));
      // Before Deno 2.9 there are no Web Locks, and only threads tell their end.
      // And without the hidden method, only threads let an idle pool go.
      return kind === "threads" || !hasLocks || hold === undefined
        ? threads({ loadsFirst: true })
        : web(navigator, hold);
    },
  };
}

/** The method that says whether a Web Worker keeps the process up. */
type Hold = symbol;

/**
 * Finds it: Deno 2.9.5 has no public one, and this one without a name, which
 * nothing else uses (tests/idle_test.ts fails when it goes).
 */
function findHold(): Hold | undefined {
  const methods = Worker.prototype as unknown as Record<symbol, unknown>;
  return Object.getOwnPropertySymbols(methods).find((key) => {
    const method = methods[key];
    return key.description === undefined && typeof method === "function" &&
      method.length === 1;
  });
}

/** One for all workers of the process, never revoked. */
let bootUrl: string | undefined;

function web(navigator: WithLocks, hold: Hold): Backend {
  return {
    stopsLoops: false, // denoland/deno#35657, tests/process_test.ts
    whyNotStopped:
      "In a synchronous loop it goes on for as long as this process, as Deno " +
      "stops no Web Worker there: look at " +
      'context.aborted in the loop, or set "timeout" or "backend": "threads".',
    sharesMemory: true,
    limitsMemory: true,
    startBlocks: true,
    start: (listener) => startWorker(navigator, hold, listener),
  };
}

function startWorker(
  navigator: WithLocks,
  hold: Hold,
  listener: WorkerListener,
): WorkerHandle {
  bootUrl ??= URL.createObjectURL(
    new Blob([denoBoot()], { type: "text/javascript" }),
  );
  const name = `@parallel/map ${freshTag()} ${now()}`;
  const worker = new Worker(bootUrl, { type: "module", name }) as
    & Worker
    & Record<Hold, (keeps: boolean) => void>;
  let messages = 0;
  let locked = false; // by the worker
  let request: AbortController | undefined; // for that lock
  let requested: Promise<unknown> | undefined;
  let busy = true;
  let terminated = false;
  let ended = false;

  function watch(): void {
    if (request !== undefined) return;
    request = new AbortController();
    const { signal } = request;
    requested = navigator.locks.request(name, { signal }, () => void end({}))
      .catch(() => {}); // withdrawn
  }

  const rest = new Rest((resting) => {
    worker[hold]!(!resting);
    if (!resting) {
      if (locked) watch(); // it may have ended meanwhile
      return;
    }
    request?.abort(); // a request for a lock keeps the process up as well
    request = undefined;
  });

  async function end(detail: WorkerEnd): Promise<void> {
    if (ended) return;
    ended = true;
    rest.stop();
    // When this thread was busy, messages the worker sent before its end are
    // still on their way: wait for a turn that brings none.
    for (let last = -1; !terminated && last !== messages;) {
      last = messages;
      await new Promise<void>((resolve) => after(0, resolve));
    }
    if (request === undefined) worker.terminate();
    listener.onEnd(detail);
  }

  worker.addEventListener("message", ({ data }) => {
    messages++;
    if (data?.type !== "held") return listener.onMessage(data);
    locked = true;
    if (!rest.resting) watch();
  });
  worker.addEventListener("messageerror", () => listener.onUnreadable());
  worker.addEventListener("error", (event) => {
    event.preventDefault(); // else Deno ends this process
    void end({ error: event.error ?? new Error(event.message) });
  });

  return {
    // The first list of what is moved costs each end 2 ms, also an empty one.
    post: (message, moved) =>
      moved.length > 0
        ? worker.postMessage(message, moved)
        : worker.postMessage(message),
    terminate() {
      terminated = true;
      rest.stop();
      worker.terminate();
      if (busy || ended) return watch();
      // Nothing runs in an idle worker from here on, but for a loop that a task
      // has left. Its lock comes free 3 ms later, which nobody needs to wait for.
      ended = true;
      if (!rest.resting) worker[hold]!(false);
      request?.abort();
      void Promise.resolve(requested).then(() => listener.onEnd({}));
    },
    setBusy(value) {
      busy = value;
      if (!ended) rest.setBusy(busy);
    },
  };
}

/**
 * Writes what a web worker of Deno runs.
 *
 * @param whole Whether all of it is code, and no part a text.
 * @returns JavaScript, a module without imports.
 */
export function denoBoot(whole?: boolean): string {
  return bootSource(openPort, [hearEnds, openWebPort], { whole });
}

/** The worker's end, self-contained: takes the lock before anything else. */
function openPort(
  onExit: typeof hearEnds,
  webPort: typeof openWebPort,
): WorkerPort {
  const scope = globalThis as unknown as {
    name: string;
    navigator: { locks: Locks };
    postMessage(message: unknown, moved?: ArrayBuffer[]): void;
  };
  const post = scope.postMessage.bind(scope);
  const held = new Promise<void>((resolve) => {
    void scope.navigator.locks.request(scope.name, {}, () => {
      post({ type: "held" });
      resolve();
      return new Promise(() => {});
    });
  });
  const { listen, onStray } = webPort(held);
  return {
    post: (message, moved) =>
      moved.length > 0 ? post(message, moved) : post(message),
    listen,
    onStray,
    onExit,
  };
}
