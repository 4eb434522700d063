/**
 * Bun: module Web Workers from one blob URL. A `close` event tells every end.
 *
 * @module
 */

import { bootSource } from "../worker/boot.ts";
import type { ToWorker } from "../wire/protocol.ts";
import type { WorkerPort } from "../worker/worker_main.ts";
import { createBareLists } from "./bare_lists.ts";
import { pickFlags } from "./flags.ts";
import { firstFolder, folderAbove, isFirstFolderSure } from "./folder.ts";
import {
  processes,
  type ProcessSetup,
  refusePermissions,
} from "./processes.ts";
import type {
  Runtime,
  WantedOfProcesses,
  WorkerEnd,
  WorkerHandle,
  WorkerListener,
} from "./runtime.ts";
import { threads } from "./threads.ts";
import { writeAtOnce } from "./write_at_once.ts";

/**
 * Describes Bun.
 *
 * @param bun The `Bun` global.
 * @returns The runtime.
 */
export function bunRuntime(
  bun: { main: string; pathToFileURL(path: string): URL },
): Runtime {
  return {
    name: "bun",
    cores: navigator.hardwareConcurrency,
    entry: bun.pathToFileURL(bun.main).href,
    backend: (kind, wanted) =>
      kind === "processes"
        ? processes(bunProcess(bun.main, wanted))
        : kind === "threads"
        ? threads({ first: writeAtOnce })
        : {
          sharesMemory: true,
          limitsMemory: true,
          stopsLoops: true,
          startBlocks: false,
          start: startWorker,
        },
  };
}

/** The flags that say how modules are found and read, as its other workers have them. */
const LOADS =
  /^(-[dil]|--(conditions|define|drop|extension-order|feature|ignore-dce-annotations|install|jsx-.*|loader|main-fields|no-addons|no-install|no-macros|prefer-latest|prefer-offline|preserve-symlinks|tsconfig-override))$/;

const NO_CONFIG = "--config=/dev/null";

/** `bun -e`, also in a program that `bun build --compile` made of it. */
function bunProcess(
  main: string,
  wanted: WantedOfProcesses = {},
): ProcessSetup {
  refusePermissions(wanted, "Bun");
  const { maxMemory } = wanted;
  const { execArgv } =
    (globalThis as unknown as { process: { execArgv: string[] } }).process;
  // A folder that is only the current one now, as that of a user's data, has no
  // say: bunfig.toml may name a program, and tsconfig.json other files for what is
  // imported. What the .env of the program's own holds comes with its environment.
  // The same holds of where a compiled program is started, which may be anywhere.
  const isInProgram = /[\\/](\$bunfs|~BUN)[\\/]/.test(main);
  // And what must read none has none in its own processes.
  const readsNone = isInProgram || execArgv.includes(NO_CONFIG);
  const isSure = !readsNone && isFirstFolderSure(main);
  return {
    folder: isSure || readsNone ? firstFolder : folderAbove(main),
    argsFor: (source) => [
      "--no-env-file",
      ...(isSure ? [] : [NO_CONFIG]),
      ...pickFlags(execArgv, (name) => LOADS.test(name)),
      "-e",
      source,
    ],
    env: {
      BUN_BE_BUN: "1",
      // So that it looks for garbage before it is ended for it.
      ...(maxMemory && { BUN_JSC_forceRAMSize: String(maxMemory * 1e6) }),
    },
  };
}

/**
 * One for all workers: a blob URL revoked after use fails in Bun 1.4.5. Its
 * first line keeps Bun from compiling it, which takes 4 ms where it has not kept
 * the result of that.
 */
let bootUrl: string | undefined;

const { flatten, restore } = createBareLists();

function startWorker(listener: WorkerListener): WorkerHandle {
  bootUrl ??= URL.createObjectURL(
    new Blob(["// @bun\n", bunBoot()], { type: "text/javascript" }),
  );
  const worker = new Worker(bootUrl, { type: "module" }) as Worker & {
    ref(): void;
    unref(): void;
  };
  const detail: WorkerEnd = {};
  let busy = true;
  let ended = false;

  function end(): void {
    if (ended) return;
    ended = true;
    listener.onEnd(detail);
  }

  worker.addEventListener("message", ({ data }) => {
    listener.onMessage(restore(data) ?? data);
  });
  worker.addEventListener("messageerror", () => listener.onUnreadable());
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    // It may overtake messages; `close` comes after the last one.
    detail.error = event.error ?? new Error(event.message);
  });
  worker.addEventListener("close", (event) => {
    detail.code = (event as Event & { code: number }).code;
    end();
  });
  return {
    post: (message, moved) =>
      worker.postMessage(flatten(message, 0) ?? message, moved),
    terminate() {
      worker.terminate();
      // Nothing runs in an idle worker from here on. `close` tells 2 ms later
      // that its memory is free as well, which nobody needs to wait for.
      if (!busy) end();
    },
    setBusy(value) {
      busy = value;
      if (busy) worker.ref();
      else worker.unref();
    },
  };
}

/**
 * Writes what a web worker of Bun runs.
 *
 * @param whole Whether all of it is code, and no part a text.
 * @returns JavaScript, a module without imports.
 */
export function bunBoot(whole?: boolean): string {
  return bootSource(openPort, [createBareLists], { whole });
}

/** The worker's end, self-contained. */
function openPort(bareLists: typeof createBareLists): WorkerPort {
  const scope = globalThis as unknown as {
    postMessage(message: unknown, moved?: ArrayBuffer[]): void;
    addEventListener: typeof addEventListener;
    process: {
      on(name: string, listener: (error: unknown) => void): void;
    };
  };
  const post = scope.postMessage.bind(scope);
  const { flatten, restore } = bareLists();
  return {
    post: (tagged, moved) =>
      post(flatten(tagged[1], tagged[0]) ?? tagged, moved),
    listen(listener, onUnreadable) {
      scope.addEventListener("message", (event) => {
        const { data, isTrusted } = event as MessageEvent & {
          isTrusted: boolean;
        };
        if (!isTrusted) return; // a task's own
        event.stopImmediatePropagation(); // no task's listener needs to cope
        listener(restore(data)?.[1] as ToWorker | undefined ?? data);
      });
      scope.addEventListener("messageerror", onUnreadable);
    },
    onStray(listener) {
      scope.process.on("uncaughtException", listener);
      scope.process.on("unhandledRejection", listener);
    },
  };
}
