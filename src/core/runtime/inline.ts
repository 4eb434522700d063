/**
 * No worker: the same program in the caller's thread, every message still
 * cloned, for debugging and for runtimes without workers.
 *
 * @module
 */

import type { ChunkMessage, ToWorker } from "../wire/protocol.ts";
import { createParts } from "../worker/parts.ts";
import { workerMain } from "../worker/worker_main.ts";
import type { Backend } from "./runtime.ts";
import type { Clock } from "./clock.ts";
import { after } from "./timers.ts";

/**
 * Describes the caller's own thread.
 *
 * @param clock Delivers messages in later turns.
 * @returns The backend.
 */
export function inline(clock: Clock): Backend {
  return {
    sharesMemory: true,
    stopsLoops: false,
    startBlocks: false,
    start(listener) {
      let alive = true;
      let receive: (message: ToWorker) => void;
      const later = (deliver: () => void) =>
        clock.turn(() => {
          if (alive) deliver();
        });
      workerMain({
        post(message, moved) {
          const copy = structuredClone(message, { transfer: moved });
          later(() => listener.onMessage(copy));
        },
        listen(listener) {
          receive = listener;
        },
        onStray() {}, // an error nobody catches belongs to the caller's thread
      }, createParts(load));
      return {
        post(message, moved) {
          const copy = message.type === "chunk"
            ? copyChunk(message, moved)
            : message.type === "start"
            ? { ...message, workerData: structuredClone(message.workerData) }
            : message;
          later(() => receive(copy));
        },
        terminate() {
          if (!alive) return;
          alive = false;
          clock.turn(() => listener.onEnd({}));
        },
        setBusy() {},
      };
    },
  };
}

/**
 * For how many ms a module may load in this thread. One that waits at its top
 * level for a call of a function of its own waits for itself: on Bun 1.4.5 and
 * Node.js 24 for ever. Less, and one is refused that is only slow. No bench.
 */
const LOAD_MS = 10_000;

/** Imports a module, unless that waits for itself. */
function load(url: string): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const callOff = after(LOAD_MS, () => {
      const why =
        `nothing in ${LOAD_MS} ms, as if it waited for this call: give the function in place of its name`;
      reject(new Error(why));
    });
    import(url).then(resolve, reject).finally(callOff);
  });
}

/** Copies a chunk. A function given as it is cannot be cloned, and need not be. */
function copyChunk(
  { run, ...rest }: ChunkMessage,
  transfer: ArrayBuffer[],
): ChunkMessage {
  const copy: ChunkMessage = structuredClone(rest, { transfer });
  if (run === undefined) return copy;
  const { data } = run;
  copy.run = data === undefined
    ? run
    : { ...run, data: { ...data, value: structuredClone(data.value) } };
  return copy;
}
