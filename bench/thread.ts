/**
 * A bare worker on Node.js, which has no Web Workers.
 *
 * @module
 */

import process from "node:process";
import type { Worker as NodeThread } from "node:worker_threads";

/** What a bare worker can do: a part of a Web Worker. */
export interface Bare {
  onmessage: ((event: MessageEvent) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
  postMessage(data: unknown, moved?: Transferable[]): void;
  terminate(): void;
}

/** What the program of a Web Worker finds, in a thread. */
const PRELUDE = `
const { parentPort } = process.getBuiltinModule("node:worker_threads");
globalThis.postMessage = (data, moved) => parentPort.postMessage(data, moved);
parentPort.on("message", (data) => onmessage({ data }));
`;

/**
 * Starts a thread as a Web Worker.
 *
 * @param program Its program, as that of a Web Worker.
 * @returns Its end here.
 */
export function startThread(program: string): Bare {
  const { Worker } = process.getBuiltinModule("node:worker_threads");
  const thread: NodeThread = new Worker(PRELUDE + program, { eval: true });
  const bare: Bare = {
    onmessage: null,
    onerror: null,
    postMessage: (data, moved) => thread.postMessage(data, moved as never),
    terminate: () => void thread.terminate(),
  };
  thread.on("message", (data) => bare.onmessage?.({ data } as never));
  thread.on("error", (error) => bare.onerror?.({ error } as never));
  return bare;
}
