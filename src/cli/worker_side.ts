/**
 * What runs in the workers, and what travels there and back: self-contained
 * functions, shipped by their source, call the user's function and turn whatever
 * it does into a reply.
 *
 * @module
 */

import type { TaskContext } from "../../mod.ts";

/** What every worker of a job knows. */
export interface Setup {
  /** Absolute URL of the user's module. */
  url: string;
  /** Name of its export. */
  name: string;
  /** Whether inputs are JSON. */
  json: boolean;
  /** How often a call that failed is repeated. */
  retries: number;
  /** Whether times are wanted for the log. */
  detailed: boolean;
  /** One Int32, not 0 once no call may start. */
  halted: SharedArrayBuffer;
}

/** An input: its text, with its index where that is not the task's own. */
export type Sent = string | [index: number, text: string];

/** What became of a call, where that takes more than index and result. */
export type Detail =
  | { was: "done"; index: number; text: string; call: Call }
  | {
    was: "failed";
    index: number;
    /** Whether the input was no JSON. */
    malformed: boolean;
    error: string;
    stack: string;
    call: Call;
  }
  /** Every attempt ended with its worker, by timeout or otherwise. */
  | { was: "given up"; index: number; task: number }
  /** The job was halted before it started. */
  | { was: "not started"; index: number };

/** When, where and at which attempt a call was made. */
export interface Call {
  /** When it started, in milliseconds since 1970. */
  start: number;
  /** How long it took, in milliseconds. */
  ms: number;
  /** Number of the worker, from 0. */
  worker: number;
  /** Which attempt it was, from 1. */
  attempt: number;
}

/**
 * What a worker answers. A result that nobody wants details of is its index,
 * a space and its JSON in one string: strings cross cheapest, and a million
 * objects would cost more than the function (bench/cli_lines.ts).
 */
export type Reply = string | Detail;

/** Calls the user's function; what a worker holds between calls. */
export type Caller = (
  sent: Sent,
  context: TaskContext,
) => Reply | Promise<Reply>;

/**
 * Calls the user's function with one input.
 *
 * @param sent The input.
 * @param context What the engine tells of the task.
 * @returns What became of it.
 */
export function callFunction(
  sent: Sent,
  context: TaskContext<Caller>,
): Reply | Promise<Reply> {
  return context.state(sent, context);
}

/**
 * Loads the user's function, once in each worker. What it makes never throws
 * but for another attempt: a task that failed in the engine's eyes would end
 * its stream.
 *
 * @param setup What every worker of the job knows.
 * @returns What calls the function.
 */
export async function openWorker(setup: Setup): Promise<Caller> {
  const { url, name, json, retries, detailed } = setup;
  const halted = new Int32Array(setup.halted);
  // Standard output holds the results and nothing else.
  console.log = console.info = console.debug = (...args) =>
    console.error(...args);
  const exports = await import(url).catch((error) => {
    // In words: on Bun it may be of a class that cannot be made again.
    const { errors = [error] } = error as Partial<AggregateError>;
    const text = errors.map((error) => {
      const { file, line } = error?.position ?? {}; // Bun's, of a syntax error
      const at = file === undefined ? "" : ` at ${file}:${line}`;
      return `${error?.message ?? error}${at}`;
    });
    throw new TypeError(
      `Cannot run as MODULE must load: received ${text.join("; ")}`,
    );
  });
  const fn = exports[name];
  if (typeof fn !== "function") {
    const names = Object.keys(exports).filter((name) =>
      typeof exports[name] === "function"
    );
    throw new TypeError(
      `Cannot run as MODULE#EXPORT must name an exported function: received "${name}", not among ${
        names.join(", ") || "none"
      }`,
    );
  }

  /** What the user's function is told. */
  class Context implements TaskContext {
    readonly worker: number;
    readonly attempt: number;
    readonly state: unknown = undefined;
    readonly #task: TaskContext;
    constructor(readonly index: number, task: TaskContext) {
      this.#task = task;
      this.worker = task.worker;
      this.attempt = task.attempt;
    }
    get aborted() {
      return this.#task.aborted;
    }
    get signal() {
      return this.#task.signal;
    }
    throwIfAborted() {
      this.#task.throwIfAborted();
    }
  }

  function callOf(task: TaskContext, from: number): Call {
    return {
      start: Math.round(performance.timeOrigin + from),
      ms: Math.round((performance.now() - from) * 1000) / 1000,
      worker: task.worker,
      attempt: task.attempt,
    };
  }

  function done(
    index: number,
    task: TaskContext,
    from: number,
    result: unknown,
  ): Reply {
    // What JSON has no word for, such as undefined, is null as in an array.
    const text = JSON.stringify(result) ?? "null";
    if (!detailed) return `${index} ${text}`;
    return { was: "done", index, text, call: callOf(task, from) };
  }

  function failed(
    index: number,
    task: TaskContext,
    from: number,
    thrown: unknown,
  ): Detail {
    if (task.attempt <= retries) throw thrown; // the engine tries again
    let error = "a value that cannot be shown";
    let stack = "";
    try {
      error = thrown instanceof Error
        ? `${thrown.name}: ${thrown.message}`
        : typeof thrown === "string"
        ? JSON.stringify(thrown)
        : String(thrown);
      if (thrown instanceof Error) stack = String(thrown.stack);
    } catch {
      // its own getters throw: `error` says so already
    }
    const call = callOf(task, from);
    return { was: "failed", index, malformed: false, error, stack, call };
  }

  return (sent, task) => {
    const index = typeof sent === "string" ? task.index : sent[0];
    const text = typeof sent === "string" ? sent : sent[1];
    if (Atomics.load(halted, 0) !== 0) return { was: "not started", index };
    // The attempts of this input are used up, and none came back to say so.
    if (task.attempt > retries + 1) {
      return { was: "given up", index, task: task.index };
    }
    const from = detailed ? performance.now() : 0;
    let value: unknown = text;
    try {
      if (json) value = JSON.parse(text);
    } catch (error) {
      const { message } = error as Error;
      const call = callOf(task, from);
      const stack = "";
      return {
        was: "failed",
        index,
        malformed: true,
        error: message,
        stack,
        call,
      };
    }
    try {
      const result = fn(value, new Context(index, task));
      return typeof result?.then === "function"
        ? Promise.resolve(result)
          .then((result) => done(index, task, from, result))
          .catch((error) => failed(index, task, from, error))
        : done(index, task, from, result);
    } catch (error) {
      return failed(index, task, from, error);
    }
  };
}
