/**
 * What the engine needs of a runtime. One small file per runtime implements
 * it; nothing else names one.
 *
 * @module
 */

import type { FromWorker, ToWorker } from "../wire/protocol.ts";
import { workerFlag } from "../worker/loader.ts";

/** What is known of the end of a worker. */
export interface WorkerEnd {
  /** The exit code, where the runtime tells it. */
  code?: number;
  /** The error that ended it, where there was one. */
  error?: unknown;
}

/** Hears what a worker says. */
export interface WorkerListener {
  onMessage(message: FromWorker): void;
  /** Called once, after the last message, whoever wanted the end. */
  onEnd(end: WorkerEnd): void;
}

/** The engine's end of one worker. */
export interface WorkerHandle {
  /** Sends a message; throws when it cannot be cloned. */
  post(message: ToWorker, moved: Transferable[]): void;
  /** Ends the worker; `onEnd` follows when it is really gone. */
  terminate(): void;
  /** Whether the worker has work: an idle one need not keep the process up. */
  setBusy(busy: boolean): void;
}

/** A way to start workers. */
export interface Backend {
  /** Whether `terminate` also stops a synchronous endless loop. */
  readonly stopsLoops: boolean;
  /** Whether starting a worker blocks the caller's thread. */
  readonly startBlocks: boolean;
  /** Starts a worker. */
  start(listener: WorkerListener): WorkerHandle;
}

/** A runtime that can start workers. */
export interface Runtime {
  /** Its name, as in `deno`. */
  readonly name: string;
  /** How many threads can compute at once. */
  readonly cores: number;
  /** URL of the program's entry module, where it can be known. */
  readonly entry: string | undefined;
  /** The backend of that kind. */
  backend(kind: "web" | "threads"): Backend;
}

/**
 * Calls back in a later turn of the event loop, as soon as there is one. Not by
 * `setTimeout(0)`, which takes 1 to 2 ms, nor by `setImmediate`, which costs
 * Deno 2.9.5 4 ms when it is first touched.
 *
 * @param callback What to call.
 */
export function nextTurn(callback: () => void): void {
  const turn = workerFlag()?.keep(callback) ?? callback;
  const { port1, port2 } = new MessageChannel();
  turns = new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close();
      port2.close();
      resolve();
      turn();
    };
  });
  port2.postMessage(0);
}

/** Settles with the turn that was asked for last. */
let turns: Promise<void> = Promise.resolve();

/**
 * Waits for the turns that were asked for, so that nothing is left open.
 *
 * @returns Settled when the last of them has come.
 */
export function lastTurn(): Promise<void> {
  return turns;
}
