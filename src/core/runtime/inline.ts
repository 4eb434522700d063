/**
 * No worker: the same program in the caller's thread, every message still
 * cloned, for debugging and for runtimes without workers.
 *
 * @module
 */

import type { ToWorker } from "../wire/protocol.ts";
import type { CallData } from "../wire/call_data.ts";
import { createParts } from "../worker/parts.ts";
import { workerMain } from "../worker/worker_main.ts";
import type { Backend } from "./runtime.ts";
import type { Clock } from "./clock.ts";

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
      }, createParts());
      return {
        post(message, moved) {
          // A function given as it is cannot be cloned, and need not be.
          const copy = message.type === "chunk"
            ? structuredClone(message, { transfer: moved })
            : message.type === "start"
            ? { ...message, workerData: structuredClone(message.workerData) }
            : message.type === "run"
            ? { ...message, data: message.data && copyData(message.data) }
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

/** Copies what a call brings along; functions in it may be as they are. */
function copyData({ value, functions }: CallData): CallData {
  return { value: structuredClone(value), functions };
}
