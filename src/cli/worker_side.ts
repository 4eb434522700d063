/**
 * What runs in the workers: self-contained functions, shipped by their source,
 * that call the user's function and turn whatever it does into a reply.
 *
 * @module
 */

import type { TaskContext } from "../../mod.ts";
import type { Detail, Reply, Sent, Setup } from "./protocol.ts";

/** What a worker holds between calls. */
export interface WorkerState extends Setup {
  fn: (value: unknown, context: TaskContext) => unknown;
}

/**
 * Loads the user's function, once in each worker.
 *
 * @param setup What every worker of the job knows.
 * @returns The setup with the function.
 */
export async function openWorker(setup: Setup): Promise<WorkerState> {
  // Standard output holds the results and nothing else.
  console.log = console.info = console.debug = (...args) =>
    console.error(...args);
  const exports = await import(setup.url);
  const fn = exports[setup.name];
  if (typeof fn === "function") return { ...setup, fn };
  const names = Object.keys(exports).filter((name) =>
    typeof exports[name] === "function"
  );
  throw new TypeError(
    `MODULE#EXPORT must name an exported function: received "${setup.name}", not among ${
      names.join(", ") || "none"
    }`,
  );
}

/**
 * Calls the user's function with one input. Made so that no task fails in the
 * engine's eyes: the first failure would end its stream.
 *
 * @param sent The input.
 * @param context What the engine tells of the task.
 * @returns What became of it.
 */
export function callFunction(
  sent: Sent,
  context: TaskContext<WorkerState>,
): Reply | Promise<Reply> {
  const { fn, json, retries, detailed, halted } = context.state;
  const { attempt, worker, index: task } = context;
  const [index, text] = typeof sent === "string" ? [task, sent] : sent;
  if (Atomics.load(new Int32Array(halted), 0) !== 0) {
    return { was: "not started", index };
  }
  // The attempts of this input are used up, and none came back to say so.
  if (attempt > retries + 1) return { was: "given up", index, task, attempt };
  const start = performance.now();
  const call = () => ({
    start: Math.round(performance.timeOrigin + start),
    ms: Math.round((performance.now() - start) * 1000) / 1000,
    worker,
    attempt,
  });

  function done(result: unknown): Reply {
    // What JSON has no word for, such as undefined, is null as in an array.
    const text = JSON.stringify(result) ?? "null";
    if (!detailed) return `${index} ${text}`;
    return { was: "done", index, text, call: call() };
  }

  function failed(thrown: unknown, malformed: boolean): Detail {
    // The engine tries again what throws.
    if (!malformed && attempt <= retries) throw thrown;
    let error = "a value that cannot be shown";
    let stack = "";
    try {
      error = thrown instanceof Error
        ? malformed ? thrown.message : `${thrown.name}: ${thrown.message}`
        : typeof thrown === "string"
        ? JSON.stringify(thrown)
        : String(thrown);
      if (thrown instanceof Error && !malformed) stack = String(thrown.stack);
    } catch {
      // an error whose own getters throw: `error` says so already
    }
    return { was: "failed", index, malformed, error, stack, call: call() };
  }

  let value: unknown = text;
  try {
    if (json) value = JSON.parse(text);
  } catch (error) {
    return failed(error, true);
  }
  try {
    const result = fn(value, {
      index,
      attempt,
      worker,
      state: undefined,
      get aborted() {
        return context.aborted;
      },
      throwIfAborted: () => context.throwIfAborted(),
    }) as PromiseLike<unknown> | undefined;
    return typeof result?.then === "function"
      ? Promise.resolve(result).then(done).catch((error) =>
        failed(error, false)
      )
      : done(result);
  } catch (error) {
    return failed(error, false);
  }
}
