/**
 * What runs in the workers: self-contained functions, shipped by their source,
 * call the user's function.
 *
 * @module
 */

import type { TaskContext } from "../../mod.ts";
import type { BunPlugins } from "./bun_plugins.ts";
import type { Brought, Caller, Done, Sent, Setup } from "./travel.ts";

/**
 * Calls the user's function with one input.
 *
 * @param sent The input.
 * @param context What the engine tells of the task.
 * @returns The result.
 */
export function callFunction(
  sent: Sent,
  context: TaskContext<Caller<Brought>, Brought>,
): Done | Promise<Done> {
  return context.state(sent, context);
}

/**
 * Loads the user's function, once in each worker.
 *
 * @param setup What every worker of the job knows.
 * @returns What calls the function.
 */
export async function openWorker(
  setup: Setup,
): Promise<Caller<Brought>> {
  const { url, name, outboxes } = setup;
  const flags = new Int32Array(setup.flags ?? new SharedArrayBuffer(8));
  quietStandardOutput();
  const fn = await loadFunction();
  Atomics.store(flags, 1, 1); // LOADED

  /** Standard output holds the results and nothing else. */
  function quietStandardOutput(): void {
    type Writes = Record<"write" | "writeSync", (bytes: Uint8Array) => number>;
    type Sink = { write(bytes: Uint8Array): void };
    const { process, Deno, WritableStream } = globalThis as unknown as {
      process: NodeJS.Process;
      Deno?: Record<"stdout" | "stderr", Writes>;
      WritableStream: new (sink: Sink) => unknown;
    };
    if (Deno !== undefined) {
      const { stdout, stderr } = Deno;
      stdout.write = (bytes) => stderr.write(bytes);
      stdout.writeSync = (bytes) => stderr.writeSync(bytes);
      // One of its own: whoever closes it does not close standard error.
      const writable = new WritableStream({
        write(bytes) {
          for (let at = 0; at < bytes.length;) {
            at += stderr.writeSync(bytes.subarray(at));
          }
        },
      });
      Object.defineProperty(stdout, "writable", { value: writable });
    }
    // Not opened before it is used: that takes Deno 50 ms, and Bun 35.
    Object.defineProperty(process, "stdout", {
      configurable: true,
      get: () => process.stderr,
    });
    // Of Node.js, for who imports it by its name, in a program that has begun.
    if (Deno === undefined) {
      process.getBuiltinModule("node:module").syncBuiltinESMExports();
    }
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
      let text: string[] = [typeof error];
      try {
        const { errors }: Partial<AggregateError> = error ?? {};
        const parts = Array.isArray(errors) ? errors : [];
        // Bun's of several syntax errors says no more than how many.
        const isCount = parts[0]?.name === "BuildMessage";
        text = (isCount ? parts : [error, ...parts]).map((error) => {
          const { file, line } = error?.position ?? {}; // Bun's, of a syntax error
          const at = file === undefined ? "" : ` at ${file}:${line}`;
          return `${error?.message || error}${at}`;
        });
      } catch { /* it has no text */ }
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

  function open({ openOutbox, openCaller }: Brought, worker: number): Caller {
    const first = 2 * worker;
    if (outboxes[first] === undefined) return openCaller(fn, setup);
    // In turn, as the worker before may be at its last call still.
    const turn = Atomics.add(flags, 2 + worker, 1) & 1; // TURNS
    return openCaller(fn, setup, openOutbox(outboxes[first + turn]!));
  }

  let call: Caller | undefined;
  return (sent, context) => {
    if (Atomics.load(flags, 0) !== 0) return undefined; // HALTED
    call ??= open(context.data, context.worker);
    (context as { state: unknown }).state = undefined;
    return call(sent, context);
  };
}
