/**
 * What the engine needs of a runtime. One small file per runtime implements
 * it; nothing else names one.
 *
 * @module
 */

import type { Permissions } from "../api/options.ts";
import type { Crossing } from "../wire/frames.ts";
import type { ToWorker } from "../wire/protocol.ts";

/** What is known of the end of a worker. */
export interface WorkerEnd {
  /** The exit code, where the runtime tells it. */
  code?: number | undefined;
  /** The signal that ended it, such as `SIGKILL`, where it is a process. */
  signal?: string;
  /** The error that ended it, where there was one. */
  error?: unknown;
}

/** Hears what a worker says. */
export interface WorkerListener {
  /** Called with all that the worker posts, also with what a task posts. */
  onMessage(message: unknown): void;
  /**
   * A message came that could not be read. The worker may live on, but Deno
   * 2.9.5 delivers none of its messages after that.
   */
  onUnreadable(): void;
  /** Called once, after the last message, whoever wanted the end. */
  onEnd(end: WorkerEnd): void;
}

/** The engine's end of one worker. */
export interface WorkerHandle {
  /** Sends a message; throws when it cannot be cloned. */
  post(message: ToWorker, moved: ArrayBuffer[]): void;
  /** Ends the worker; `onEnd` follows when it is really gone. */
  terminate(): void;
  /**
   * Whether the worker has work. One that has none does not keep the process
   * up; if it ends then, that is told when it is busy again at the latest.
   */
  setBusy(busy: boolean): void;
}

/** A way to start workers. */
export interface Backend {
  /** Whether its workers share memory with the caller. */
  readonly sharesMemory: boolean;
  /** How values get to its workers, if not as structured clone takes them. */
  readonly crossing?: Crossing;
  /** Whether `maxMemory` can be kept. */
  readonly limitsMemory?: boolean;
  /** Whether its workers may load modules; true if left out. */
  readonly imports?: boolean;
  /** Whether `terminate` also stops a synchronous endless loop. */
  readonly stopsLoops: boolean;
  /** If not, a sentence on what the user can do. */
  readonly whyNotStopped?: string;
  /** Whether starting a worker blocks the caller's thread. */
  readonly startBlocks: boolean;
  /**
   * Whether timers of the caller may come late though they could come: those of
   * a page that is hidden do.
   */
  readonly delaysTimers?: boolean;
  /**
   * How long a worker may take to be gone once it was ended, in ms; 1000, and
   * 5000 if it stops loops, or the worker had nothing to do.
   */
  readonly goneMs?: number;
  /** If none is shared, a sentence on what the user can do. */
  readonly whyNotShared?: string;
  /** Starts a worker. */
  start(listener: WorkerListener): WorkerHandle;
}

/** What a user wants of workers that are processes. */
export interface WantedOfProcesses {
  /** URL of the module whose settings are to hold in them. */
  near?: string | undefined;
  /** Millions of bytes that each may have. */
  maxMemory?: number | undefined;
  /** What they may do; undefined leaves it to the runtime. */
  permissions?: Permissions | undefined;
  /** Whether modules are to be loaded in them. */
  imports?: boolean | undefined;
}

/** A runtime that can start workers. */
export interface Runtime {
  /** Its name, as in `deno`. */
  readonly name: string;
  /** How many threads can compute at once. */
  readonly cores: number;
  /** URL of the program's entry module, where it can be known. */
  readonly entry: string | undefined;
  /** Why its workers cannot import from a URL, where that can be told. */
  whyNotLoaded?(url: string): string | undefined;
  /**
   * The backend of that kind.
   *
   * @param kind Which.
   * @param wanted What is wanted of processes.
   * @throws {TypeError} When the caller may not use it; names the cure.
   */
  backend(
    kind: "web" | "threads" | "processes",
    wanted?: WantedOfProcesses,
  ): Backend;
}
