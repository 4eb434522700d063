/**
 * Browsers: Web Workers from one blob URL. Where there are Web Locks, each worker
 * holds one, and the caller is granted that lock when the worker is gone. A page
 * that is no secure context, or is in a sandbox, has none: there, a worker says
 * so before it closes itself. docs/browsers.md says what a page needs.
 *
 * @module
 */

import { bootSource } from "../worker/boot.ts";
import type { WorkerPort } from "../worker/worker_main.ts";
import { createNotes } from "./notes.ts";
import type {
  Backend,
  Runtime,
  WorkerEnd,
  WorkerHandle,
  WorkerListener,
} from "./runtime.ts";
import { after, freshTag, now } from "./timers.ts";
import { openWebPort } from "./web_port.ts";

interface Locks {
  request(name: string, granted: () => unknown): Promise<unknown>;
}

/** What is needed of a page, or of a worker in one. */
export interface Page {
  navigator: { hardwareConcurrency?: number; locks?: Locks };
  crossOriginIsolated?: boolean;
  location?: { protocol: string };
  /** Where a page takes no text for the URL of a script (Trusted Types). */
  trustedTypes?: { createPolicy(name: string, rules: Policy): Policy };
}

interface Policy {
  createScriptURL(url: string): string;
}

/**
 * Describes browsers.
 *
 * @param page The globals.
 * @returns The runtime.
 */
export function browserRuntime(page: Page): Runtime {
  const { hardwareConcurrency = 1 } = page.navigator;
  return {
    name: "browser",
    cores: hardwareConcurrency,
    entry: undefined, // a page may have many
    whyNotLoaded: (url) => whyNotLoaded(url, page.location?.protocol),
    backend(kind) {
      if (kind === "web") return web(page);
      throw new TypeError(
        `Cannot create pool as "backend" must be "web" in a browser, which has no threads nor processes of other kinds: received "${kind}"`,
      );
    },
  };
}

/** Why a worker cannot import a module from there, and what to do. */
function whyNotLoaded(
  url: string,
  protocol: string | undefined,
): string | undefined {
  const type = /^data:([^;,]*)/.exec(url)?.[1];
  if (type !== undefined && !/^(text|application)\/javascript$/.test(type)) {
    return `must be JavaScript, and bundlers put other files in a data: URL as they are: build it to a file of its own, and give the URL of that`;
  }
  if (protocol === "file:" && url.startsWith("file:")) {
    return `cannot be imported in a page that is a file itself: serve the page by HTTP, or ship fn by its source, without "module"`;
  }
  return undefined;
}

function web(page: Page): Backend {
  let locks: Locks | undefined;
  try {
    ({ locks } = page.navigator);
  } catch {
    // It has none, as it is in a sandbox.
  }
  const sharesMemory = typeof SharedArrayBuffer !== "undefined" &&
    page.crossOriginIsolated === true;
  return {
    sharesMemory,
    whyNotShared:
      "serve the page with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp",
    stopsLoops: true,
    whyNotStopped:
      "If it does not end, only the page can end it, by being closed.",
    startBlocks: false,
    delaysTimers: true,
    goneMs: GONE_MS,
    start: (listener) => startWorker(locks, page.trustedTypes, listener),
  };
}

/**
 * How long the end of a worker may take, in milliseconds. Chromium 156 takes 2 s
 * to stop a loop. Less, and it is said not to stop while it does; more, and a
 * task waits longer where it really goes on.
 */
const GONE_MS = 10_000;

/**
 * When to ask for a lock again, in milliseconds: WebKit 2.50 rejects the requests
 * of a page that goes to the back/forward cache, where its timers stand still
 * until it is back (tests/browsers/smoke.ts goes there). Less, and it asks in vain
 * on its way; more, and the end of a worker is told later.
 */
const AGAIN_MS = 250;

/** One for all workers of the page, never revoked. */
let bootUrl: string | undefined;

/** One for all copies of this library in the page, which takes no second one. */
function policyOf(types: Page["trustedTypes"]): Policy | undefined {
  const key = Symbol.for("@parallel/map policy");
  const scope = globalThis as unknown as Record<symbol, Policy | undefined>;
  return scope[key] ??= types?.createPolicy("parallel-map", {
    createScriptURL: (url) => url,
  });
}

/** As a text, or as what a page with Trusted Types takes. */
function urlOfProgram(types: Page["trustedTypes"]): string {
  if (bootUrl !== undefined) return bootUrl;
  const policy = policyOf(types);
  const url = URL.createObjectURL(
    new Blob([browserBoot()], { type: "text/javascript" }),
  );
  return bootUrl = policy?.createScriptURL(url) ?? url;
}

function startWorker(
  locks: Locks | undefined,
  types: Page["trustedTypes"],
  listener: WorkerListener,
): WorkerHandle {
  // There is no crypto.randomUUID() where the page is no secure context.
  const name = `@parallel/map ${freshTag()} ${now()}`;
  let worker: Worker | undefined;
  let needs = 'the policy "parallel-map", as by "trusted-types parallel-map"';
  let failure: unknown;
  try {
    const url = urlOfProgram(types);
    needs = 'workers from blob: URLs, as by "worker-src blob:"';
    worker = new Worker(url, { name });
  } catch (error) {
    failure = error;
  }
  let tag: number | undefined;
  let messages = 0;
  let up = false;
  let locked = false; // it holds its lock
  let watched = false;
  let busy = true;
  let terminated = false;
  let ended = false;

  /** Waits until the worker is gone, or has none of its lock. */
  function watch(): void {
    if (watched || ended) return;
    watched = true;
    if (!locked) return void end({});
    askForLock();
  }

  /** Asks anew where a page that was left had its requests thrown away. */
  function askForLock(): void {
    void locks!.request(name, () => void end({}))
      .catch(() => ended || after(AGAIN_MS, askForLock));
  }

  async function end(detail: WorkerEnd): Promise<void> {
    if (ended) return;
    ended = true;
    // When this thread was busy, messages the worker sent before its end are
    // still on their way: wait for a turn that brings none.
    for (let last = -1; !terminated && last !== messages;) {
      last = messages;
      await new Promise<void>((resolve) => after(0, resolve));
    }
    worker?.terminate();
    listener.onEnd(detail);
  }

  /** It cannot start: says so as a worker would. */
  function fail(cause: unknown): void {
    const error = new Error(
      `the page must allow ${needs} in its Content-Security-Policy: received ${cause}`,
      { cause },
    );
    const value = { value: error, errors: [] };
    listener.onMessage([tag, { type: "failed", error: value }]);
  }

  worker?.addEventListener("message", ({ data }) => {
    messages++;
    if (data?.type === "up" && !up) {
      up = true;
      ({ locked } = data);
      if (locked) watch();
    } else if (data?.closes === name && !locked) void end({});
    else listener.onMessage(data);
  });
  worker?.addEventListener("messageerror", () => listener.onUnreadable());
  worker?.addEventListener("error", (event) => {
    event.preventDefault();
    const text = event.message || "an error without a message";
    if (up) void end({ error: event.error ?? new Error(text) });
    else fail(text);
  });

  return {
    post(message, moved) {
      if (message.type === "start") tag = message.tag;
      if (worker !== undefined) worker.postMessage(message, moved);
      else after(0, () => fail(failure));
    },
    terminate() {
      terminated = true;
      worker?.terminate();
      // Nothing runs in an idle worker from here on: nobody needs to wait.
      if (busy) watch();
      else void end({});
    },
    setBusy(value) {
      busy = value;
    },
  };
}

/**
 * Writes what a worker in a page runs. All of it is code, as a page may forbid to
 * make code of texts.
 *
 * @returns JavaScript, a script without imports.
 */
export function browserBoot(): string {
  const program = bootSource(openPort, [createNotes, openWebPort], {
    whole: true,
  });
  // A script, and no module, as Chromium 156 starts none in a page that is a
  // file; in a function, else its names would be globals, where tasks see them.
  return `(() => { "use strict"; ${program} })();`;
}

/**
 * The worker's end, self-contained: takes the lock before anything else.
 *
 * @param notes Makes what says what the worker is at, where it shares no memory.
 * @param webPort Opens what a Web Worker hears.
 * @returns The port.
 */
function openPort(
  notes: typeof createNotes,
  webPort: typeof openWebPort,
): WorkerPort {
  const scope = globalThis as unknown as {
    name: string;
    navigator: { locks?: Locks };
    postMessage(message: unknown, moved?: ArrayBuffer[]): void;
    close(): void;
  };
  const { name } = scope; // before a task puts another in its place
  const post = scope.postMessage.bind(scope);
  const { hear } = notes(post, new ArrayBuffer(4));
  let locks: Locks | undefined;
  try {
    ({ locks } = scope.navigator);
  } catch {
    // There are none in a sandbox.
  }
  const ready = new Promise<void>((resolve) => {
    const start = (locked: boolean) => {
      post({ type: "up", locked });
      resolve();
    };
    const startUnlocked = () => {
      const close = scope.close.bind(scope);
      scope.close = () => {
        post({ closes: name });
        close();
      };
      start(false);
    };
    if (locks === undefined) return startUnlocked();
    const granted = () => {
      start(true);
      return new Promise(() => {});
    };
    locks.request(name, granted).catch(startUnlocked);
  });
  const { listen, onStray } = webPort(ready);
  let sharesMemory = false;
  return {
    post,
    listen(listener, onUnreadable) {
      listen((message) => {
        if (message.type === "chunk" && message.run?.board) sharesMemory = true;
        listener(sharesMemory ? message : hear(message));
      }, onUnreadable);
    },
    onStray,
  };
}
