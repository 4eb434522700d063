/**
 * What runs in the workers, and what travels there and back: self-contained
 * functions, shipped by their source, call the user's function.
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
  /** Whether times are wanted for the log. */
  detailed: boolean;
  /** One Int32, not 0 once no call may start. */
  halted: SharedArrayBuffer;
}

/**
 * An input: its text. With its index among all if the log of an earlier run has
 * results: those inputs are not sent, and the engine does not count them.
 */
export type Sent = string | { index: number; text: string };

/** When, where and at which attempt a call was made. */
export type Call = {
  /** When it started, in milliseconds since 1970. */
  start: number | null;
  /** How long it took, in milliseconds. */
  ms: number | null;
  /** Number of the worker, from 0. */
  worker: number | null;
  /** Which attempt it was, from 1. */
  attempt: number;
};

/**
 * The JSON of a result. Alone unless details are wanted, as strings cross
 * cheapest (bench/cli_lines.ts); undefined if the job was halted before the
 * call.
 */
export type Done = string | ({ text: string } & Call) | undefined;

/** What a call throws: whatever the user's function threw, in words. */
export type Thrown = Call & {
  /** Whether the function was not called, as the input was no JSON. */
  malformed: boolean;
  error: string;
  stack: string;
};

/** Calls the user's function; what a worker holds between calls. */
export type Caller = (sent: Sent, context: TaskContext) => Done | Promise<Done>;

/**
 * Calls the user's function with one input.
 *
 * @param sent The input.
 * @param context What the engine tells of the task.
 * @returns The result.
 */
export function callFunction(
  sent: Sent,
  context: TaskContext<Caller>,
): Done | Promise<Done> {
  return context.state(sent, context);
}

/**
 * Loads the user's function, once in each worker.
 *
 * @param setup What every worker of the job knows.
 * @returns What calls the function.
 */
export async function openWorker(setup: Setup): Promise<Caller> {
  const { url, name, json, detailed } = setup;
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

  function callOf({ worker, attempt }: TaskContext, from: number): Call {
    const start = Math.round(performance.timeOrigin + from);
    const ms = Math.round((performance.now() - from) * 1000) / 1000;
    return { start, ms, worker, attempt };
  }

  function done(task: TaskContext, from: number, result: unknown): Done {
    // What JSON has no word for, such as undefined, is null as in an array.
    const text = JSON.stringify(result) ?? "null";
    return detailed ? { text, ...callOf(task, from) } : text;
  }

  function failed(task: TaskContext, from: number, thrown: unknown): Thrown {
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
    return { malformed: false, error, stack, ...callOf(task, from) };
  }

  return (sent, task) => {
    if (Atomics.load(halted, 0) !== 0) return undefined;
    const from = performance.now();
    // The user's function is to see its own index, and nothing of this one.
    const own = task as { index: number; state: unknown };
    own.state = undefined;
    if (typeof sent !== "string") own.index = sent.index;
    const text = typeof sent === "string" ? sent : sent.text;
    let value: unknown = text;
    try {
      if (json) value = JSON.parse(text);
    } catch (thrown) {
      const { message: error } = thrown as Error;
      throw {
        ...failed(task, from, thrown),
        malformed: true,
        error,
        stack: "",
      };
    }
    try {
      const result = fn(value, task);
      return typeof result?.then === "function"
        ? Promise.resolve(result)
          .then((result) => done(task, from, result))
          .catch((thrown) => Promise.reject(failed(task, from, thrown)))
        : done(task, from, result);
    } catch (thrown) {
      throw failed(task, from, thrown);
    }
  };
}
