/**
 * What calls a function for a line: the text becomes its argument, and what it
 * returns becomes JSON. Self-contained, as workers get it by its source: those
 * of this machine, and those of others (pmap --on).
 *
 * @module
 */

import type { TaskContext } from "../../mod.ts";
import type { WriteEntry } from "./outbox.ts";
import type {
  Call,
  Caller,
  Done,
  LineRules,
  OpenCaller,
  Sent,
  Thrown,
} from "./travel.ts";

/**
 * Makes what calls a function, once in each worker.
 *
 * @param fn The user's function.
 * @param rules What lines are.
 * @param outbox Where results are written that may be late, if anywhere.
 * @returns What calls the function.
 */
export function openCaller(
  fn: (...args: unknown[]) => unknown,
  rules: LineRules,
  outbox?: WriteEntry,
): Caller {
  const { json, batch, flat, detailed, final, machine } = rules;

  function callOf({ context: { worker, attempt }, from }: Task): Call {
    const start = Math.round(performance.timeOrigin + from);
    const ms = Math.round((performance.now() - from) * 1000) / 1000;
    const call = { start, ms, worker, attempt };
    return machine === undefined ? call : { ...call, machine };
  }

  /** Its JSON. What JSON has no word for, such as undefined, is null. */
  function jsonOf(result: unknown): string {
    for (const part of flat ? result as unknown[] : []) {
      if (isLeftOut(part)) refuse(part, ""); // JSON has null for it in a list
    }
    const text = JSON.stringify(result);
    if (text === undefined) {
      if (isLeftOut(result)) refuse(result, "");
      return "null";
    }
    // Only such texts can hide what arrives as {}: to have every value looked at
    // takes several times as long as to write it.
    if (
      /\{\}|\{"0":/.test(text) || (text.includes("{") && hidesMore(result))
    ) {
      JSON.stringify(result, refuseLossy);
    }
    return text;
  }

  /** Whether it is or holds what would arrive as its own fields alone. */
  function hidesMore(value: unknown): boolean {
    try {
      return typeof value === "object" && isOrHoldsMore(value, 0);
    } catch {
      return false; // a getter that JSON could read, once
    }
  }

  function isOrHoldsMore(value: object | null, depth: number): boolean {
    // What is deeper is taken as it is: this must not end the stack.
    if (value === null || depth > 99) return false;
    const type = Object.getPrototypeOf(value);
    const fields = value as Record<string, unknown>;
    if (type !== Array.prototype) {
      if (typeof fields.toJSON === "function") return false;
      if (type !== Object.prototype && isMore(value)) return true;
    }
    const parts = Array.isArray(value) ? value : Object.values(value);
    for (const part of parts) {
      if (typeof part === "object" && isOrHoldsMore(part, depth + 1)) {
        return true;
      }
    }
    return false;
  }

  function isMore(value: object): boolean {
    if (value instanceof Map || value instanceof Set) return true;
    const isIn = Object.prototype.propertyIsEnumerable;
    return value instanceof Error && !isIn.call(value, "message");
  }

  function isPromise(value: unknown): value is PromiseLike<unknown> {
    return typeof (value as PromiseLike<unknown>)?.then === "function";
  }

  /** What is to be written of a result, if it may be several lines or none. */
  function listOf(result: unknown): unknown[] | Promise<unknown[]> {
    const isValue = (value: unknown) => value !== undefined;
    const parts = Object(result) as Partial<
      Iterable<unknown> & AsyncIterable<unknown>
    >;
    if (typeof parts[Symbol.asyncIterator] === "function") {
      return collect(parts as AsyncIterable<unknown>);
    }
    return typeof result !== "string" &&
        typeof parts[Symbol.iterator] === "function"
      ? [...parts as Iterable<unknown>].filter(isValue)
      : [result].filter(isValue);
  }

  async function collect(parts: AsyncIterable<unknown>): Promise<unknown[]> {
    const found: unknown[] = [];
    for await (const part of parts) if (part !== undefined) found.push(part);
    return found;
  }

  /** The argument of the function. */
  function valueOf(text: string): unknown {
    if (!batch) return json ? JSON.parse(text) : text;
    return JSON.parse(text).map((text: string, at: number) => {
      try {
        return json ? JSON.parse(text) : text;
      } catch (error) {
        const { message } = error as Error;
        throw new SyntaxError(`number ${at + 1} of the batch: ${message}`);
      }
    });
  }

  function isLeftOut(value: unknown): boolean {
    return typeof value === "function" || typeof value === "symbol";
  }

  /** Throws at what would arrive as {}, or with numbers as keys. */
  function refuseLossy(this: unknown, key: string, value: unknown): unknown {
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return value;
    const tag = tagOf(value);
    if (["Object", "String", "Number", "Boolean"].includes(tag)) return value;
    // A class may have a tag of its own, and fields that are all it has.
    const text = JSON.stringify(value);
    if (!isMore(value) && !/^(?:\{\}|\{"0":)/.test(text)) return value;
    return refuse(value, key === "" ? "" : ` at "${key}"`);
  }

  function tagOf(value: unknown): string {
    return Object.prototype.toString.call(value).slice(8, -1);
  }

  function refuse(value: unknown, where: string): never {
    throw new TypeError(
      `a result must be JSON: received ${tagOf(value)}${where}`,
    );
  }

  function done(task: Task, result: unknown): Done {
    let text: string;
    try {
      text = jsonOf(result);
    } catch (thrown) {
      throw failed(task, "result", thrown);
    }
    if (!detailed) {
      outbox?.(task.index, text);
      return text;
    }
    const call = callOf(task);
    const { start, ms, worker, attempt } = call;
    outbox?.(task.index, `${start} ${ms} ${worker} ${attempt}\n${text}`);
    return { text, ...call };
  }

  /**
   * What was thrown, in words, and why: Node.js says only "fetch failed" of a
   * server that is not there, and the rest in causes, or several of them. A
   * cause may be its own.
   */
  function wordsOf(thrown: unknown, depth = 0): string {
    if (typeof thrown === "string") return JSON.stringify(thrown);
    if (!(thrown instanceof Error)) return String(thrown);
    const { name, message, cause, errors } = thrown as Partial<AggregateError>;
    const text = message === "" ? `${name}` : `${name}: ${message}`;
    const causes = cause !== undefined
      ? [cause]
      : Array.isArray(errors)
      ? errors.slice(0, 3)
      : [];
    if (depth === 3 || causes.length === 0) return text;
    const words = causes.map((cause) => wordsOf(cause, depth + 1));
    return `${text}, caused by ${words.join("; ")}`;
  }

  function failed(task: Task, at: Thrown["at"], thrown: unknown): Thrown {
    let error = "a value that cannot be shown";
    let stack = "";
    try {
      error = at !== "call" && thrown instanceof Error
        ? thrown.message
        : wordsOf(thrown);
      if (thrown instanceof Error && at === "call") stack = `${thrown.stack}`;
    } catch {
      // its own getters throw: `error` says so already
    }
    const found: Thrown = { at, error, stack, ...callOf(task) };
    if (final) outbox?.(task.index, `!${JSON.stringify(found)}`);
    return found;
  }

  return (sent, context) => {
    const task = { index: context.index, context, from: performance.now() };
    // The user's function is to see its own index, and nothing of this one.
    const own = context as { index: number; attempt: number; data: unknown };
    own.data = undefined;
    if (typeof sent !== "string") {
      own.index = sent.index;
      if (sent.attempt !== undefined) own.attempt = sent.attempt;
    }
    let value: unknown;
    try {
      value = valueOf(typeof sent === "string" ? sent : sent.text);
    } catch (thrown) {
      throw failed(task, "input", thrown);
    }
    let result: unknown;
    try {
      result = fn(value, context);
      if (flat && !isPromise(result)) result = listOf(result);
    } catch (thrown) {
      throw failed(task, "call", thrown);
    }
    if (!isPromise(result)) return done(task, result);
    const awaited = Promise.resolve(result);
    return (flat ? awaited.then(listOf) : awaited).then(
      (result) => done(task, result),
      (thrown) => {
        throw failed(task, "call", thrown);
      },
    );
  };
}

/** What a machine gives its workers for the lines of a job. */
export interface LineData {
  fn(...args: unknown[]): unknown;
  rules: LineRules;
  openCaller: OpenCaller;
  /** Made with the first line. */
  call?: Caller;
}

/**
 * Calls a function for a line, in a worker of a machine.
 *
 * @param sent The input; null only sees to that the function was loaded.
 * @param context What the engine tells of the task.
 * @returns The result.
 */
export function callForLine(
  sent: Sent | null,
  context: TaskContext<unknown, LineData>,
): Done | Promise<Done> {
  const { data } = context;
  if (sent === null) return undefined;
  data.call ??= data.openCaller(data.fn, data.rules);
  return data.call(sent, context);
}

/** A call in progress: its index in the stream, and when it began. */
interface Task {
  index: number;
  context: TaskContext;
  from: number;
}
