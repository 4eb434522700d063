/**
 * What a Web Worker hears, on Deno and in browsers. On Bun other events tell of
 * errors, and messages need no waiting.
 *
 * @module
 */

import type { ToWorker } from "../wire/protocol.ts";
import type { WorkerPort } from "../worker/worker_main.ts";

/** A message, an error, or a rejection. */
interface PortEvent {
  isTrusted: boolean;
  stopImmediatePropagation(): void;
  preventDefault(): void;
  data: ToWorker;
  error?: unknown;
  message: string;
  reason: unknown;
}

/**
 * Opens that half of the port. Self-contained: workers get this function by its
 * source.
 *
 * @param ready Settles when the worker may begin: its lock is there, if it has one.
 * @returns What hears.
 */
export function openWebPort(
  ready: Promise<void>,
): Pick<WorkerPort, "listen" | "onStray"> {
  const scope = globalThis as unknown as {
    addEventListener(name: string, listener: (event: PortEvent) => void): void;
  };
  return {
    listen(listener, onUnreadable) {
      scope.addEventListener("message", async (event) => {
        if (!event.isTrusted) return; // a task's own
        event.stopImmediatePropagation(); // no task's listener needs to cope
        await ready;
        listener(event.data);
      });
      scope.addEventListener("messageerror", async () => {
        await ready;
        onUnreadable();
      });
    },
    onStray(listener) {
      scope.addEventListener("error", (event) => {
        event.preventDefault();
        listener(event.error ?? new Error(event.message));
      });
      scope.addEventListener("unhandledrejection", (event) => {
        event.preventDefault();
        listener(event.reason);
      });
    },
  };
}
