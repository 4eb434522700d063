/**
 * What runs in the workers: self-contained functions, shipped by their source,
 * call the user's function.
 *
 * @module
 */

import type { TaskContext } from "../../mod.ts";
import type { BunPlugins } from "./bun_plugins.ts";
import type { WriteEntry } from "./outbox.ts";
import type {
  Brought,
  Call,
  Caller,
  Done,
  Sent,
  Setup,
  Thrown,
} from "./travel.ts";

/**
 * Calls the user's function with one input.
 *
 * @param sent The input.
 * @param context What the engine tells of the task.
 * @returns The result.
 */
export function callFunction(
  sent: Sent,
  context: TaskContext<Caller, Brought>,
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
  const { url, name, json, batch, flat, detailed, final, outboxes } = setup;
  const flags = new Int32Array(setup.flags ?? new SharedArrayBuffer(12));
  let outbox: WriteEntry | undefined;
  let isOpen = false;
  quietStandardOutput();
  const fn = await loadFunction();
  Atomics.store(flags, 1, 1); // LOADED

  /** Standard output holds the results and nothing else. */
  function quietStandardOutput(): void {
    const { process } = globalThis as unknown as {
      process: NodeJS.Process;
    };
    // Not opened before it is used: that takes Deno 50 ms, and Bun 35.
    Object.defineProperty(process, "stdout", {
      configurable: true,
      get: () => process.stderr,
    });
    const standard = console as unknown as Record<string, unknown>;
    let own: typeof standard | undefined;
    for (const method of Object.keys(standard)) {
      if (typeof standard[method] !== "function") continue;
      if (["error", "warn", "Console"].includes(method)) continue;
      standard[method] = (...args: unknown[]) => {
        own ??= new (process.getBuiltinModule("node:console").Console)(
          process.stderr,
          process.stderr,
        ) as unknown as typeof standard;
        const write = own[method] ?? own.error; // Bun alone has console.write
        return (write as (...args: unknown[]) => unknown).apply(own, args);
      };
    }
  }

  /** Finds the function in its module. */
  async function loadFunction(): Promise<(...args: unknown[]) => unknown> {
    if (setup.expression !== undefined) {
      let found: unknown;
      let received: string;
      try {
        found = (0, eval)(`"use strict"; (${setup.expression}\n)`);
        received = typeof found;
      } catch (error) {
        received = String(error);
      }
      if (typeof found === "function") {
        return found as (...args: unknown[]) => unknown;
      }
      throw new TypeError(
        `Cannot run as -e must be a function, such as x => x.a: received ${received}`,
      );
    }
    const exports = await load(url).catch((error) => {
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
    if (typeof exports[name] === "function") {
      return exports[name] as (...args: unknown[]) => unknown;
    }
    const names = Object.keys(exports).filter((name) =>
      typeof exports[name] === "function"
    );
    throw new TypeError(
      `Cannot run as MODULE#EXPORT must name an exported function: received "${name}", not among ${
        names.join(", ") || "none"
      }`,
    );
  }

  /** Loads a module: Bun has to be told how, where it is in the web. */
  async function load(url: string): Promise<Record<string, unknown>> {
    const { Bun } = globalThis as unknown as { Bun?: BunPlugins };
    if (Bun === undefined || !/^https?:/.test(url)) return await import(url);
    const scheme = "pmap-web:";
    Bun.plugin({
      name: "modules of the web",
      setup(build) {
        build.onResolve(
          { filter: /./, namespace: "pmap-web" },
          ({ path }) => ({ path, namespace: "pmap-web" }),
        );
        build.onLoad({ filter: /./, namespace: "pmap-web" }, async (asked) => {
          const response = await fetch(asked.path);
          if (!response.ok) {
            throw new Error(`${response.status} for ${asked.path}`);
          }
          let contents = await response.text();
          // Bun 1.4.5 looks for what such a module imports among files.
          const imports = new Bun.Transpiler({ loader: "tsx" })
            .scanImports(contents);
          for (const { path } of imports) {
            if (!/^(\.|\/|https?:)/.test(path)) continue;
            const target = scheme + new URL(path, asked.path).href;
            for (const quote of ['"', "'"]) {
              contents = contents.replaceAll(
                quote + path + quote,
                quote + target + quote,
              );
            }
          }
          return { contents, loader: /x$/.test(asked.path) ? "tsx" : "ts" };
        });
      },
    });
    return await import(scheme + url);
  }

  function callOf({ context: { worker, attempt }, from }: Task): Call {
    const start = Math.round(performance.timeOrigin + from);
    const ms = Math.round((performance.now() - from) * 1000) / 1000;
    return { start, ms, worker, attempt };
  }

  /** Its JSON. What JSON has no word for, such as undefined, is null. */
  function jsonOf(result: unknown): string {
    const text = JSON.stringify(result) ?? "null";
    // Only such texts can hide what JSON leaves out: to look at every result
    // takes several times as long as to write it.
    if (/\{\}|\{"0":/.test(text)) JSON.stringify(result, refuseLossy);
    return text;
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

  /** Throws at what would arrive as {}, or as an object with numbers as keys. */
  function refuseLossy(this: unknown, key: string, value: unknown): unknown {
    if (typeof value !== "object" || value === null) return value;
    const tag = Object.prototype.toString.call(value).slice(8, -1);
    if (Array.isArray(value) || tag === "Object") return value;
    const where = key === "" ? "" : ` at "${key}"`;
    throw new TypeError(`a result must be JSON: received ${tag}${where}`);
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

  function failed(task: Task, at: Thrown["at"], thrown: unknown): Thrown {
    let error = "a value that cannot be shown";
    let stack = "";
    try {
      error = thrown instanceof Error
        ? at === "call" ? `${thrown.name}: ${thrown.message}` : thrown.message
        : typeof thrown === "string"
        ? JSON.stringify(thrown)
        : String(thrown);
      if (thrown instanceof Error && at === "call") stack = `${thrown.stack}`;
    } catch {
      // its own getters throw: `error` says so already
    }
    const found: Thrown = { at, error, stack, ...callOf(task) };
    if (final) outbox?.(task.index, `!${JSON.stringify(found)}`);
    return found;
  }

  return (sent, context) => {
    if (Atomics.load(flags, 0) !== 0) return undefined; // HALTED
    const task = { index: context.index, context, from: performance.now() };
    if (!isOpen) {
      isOpen = true;
      const memory = outboxes[Atomics.add(flags, 2, 1)];
      outbox = memory && context.data.openOutbox(memory);
    }
    // The user's function is to see its own index, and nothing of this one.
    const own = context as {
      index: number;
      attempt: number;
      state: unknown;
      data: unknown;
    };
    own.state = undefined;
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

/** A call in progress: its index in the stream, and when it began. */
interface Task {
  index: number;
  context: TaskContext;
  from: number;
}
