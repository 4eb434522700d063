/**
 * How a worker gets a function, and how a call of this library is kept from
 * starting workers while a worker loads the caller's own module: that would be
 * a tree of workers without end.
 *
 * @module
 */

import type { FunctionRef } from "../wire/function_ref.ts";
import type { WorkerFlag } from "./worker_flag.ts";

type Anything = (...args: unknown[]) => unknown;

/** Loads functions in a worker. */
export interface Loader {
  /**
   * Gets the function from its source or module. Rejects with an error whose
   * message goes on from "Cannot start workers as ".
   */
  load(ref: FunctionRef): Promise<Anything>;
  /** Calls what may start workers: tasks, and `init`. */
  within<A extends unknown[], R>(part: (...args: A) => R, ...args: A): R;
  /** Hears where the worker lies. */
  begin(place: Pick<WorkerFlag, "cores" | "depth">): void;
  /** Hears that this library was called where it must not be. */
  onMisuse(listener: (error: unknown) => void): void;
}

type SourceRef = Extract<FunctionRef, { from: "source" }>;

type ModuleRef = Extract<FunctionRef, { from: "module" }>;

/** What a module may throw; nobody knows what it is. */
type Cause = {
  name: string;
  message?: string;
  code?: unknown;
  /** On Bun. */
  position?: { file: string; line: number; column: number };
  stack: string;
} | undefined;

/** A part of `node:async_hooks`: knows its own calls, also after an `await`. */
interface Tracker {
  run<A extends unknown[], R>(
    store: true,
    part: (...args: A) => R,
    ...args: A
  ): R;
  getStore(): true | undefined;
}

/**
 * Makes the loader of a worker. Self-contained: workers get this function by
 * its source.
 *
 * @param load Imports a module.
 * @param isolated Whether this is a thread of its own, not the caller's.
 * @returns The loader.
 */
export function createLoader(
  load: (url: string) => Promise<Record<string, unknown>>,
  isolated: boolean,
): Loader {
  // In browsers nobody can tell what a task calls from what its module calls by
  // itself, later: there, a tree of workers is no deeper than that.
  const MOST_DEPTH = 8;
  let loading = 0;
  let strict = false; // nothing but tasks may start workers
  let tracker: Tracker | undefined;
  let misused: { error: unknown } | undefined;
  const shipped = new Map<string, Anything>();
  let tell: (error: unknown) => void = () => {};
  const scope = globalThis as Record<string, unknown>;
  // What workers have on Deno 2.9.5, and their caller has not, or otherwise.
  const extras = ["name", "location", "require"].map((name) =>
    [name, Object.getOwnPropertyDescriptor(scope, name)] as const
  );
  let extrasShown = true;

  const flag: WorkerFlag = {
    cores: undefined,
    depth: 0,
    // An entry module runs again in its workers. What it starts from there,
    // other than from a task, the caller has started already; and so has any
    // module that is loaded further down.
    forbids: () =>
      !inTask() && (loading > 0 || strict)
        ? "loads"
        : flag.depth < MOST_DEPTH
        ? undefined
        : "lies deep",
    misuse(error) {
      if (loading > 0) misused ??= { error };
      else tell(error);
    },
    keep: (listener) =>
      inTask() ? (...args) => tracker!.run(true, listener, ...args) : listener,
  };
  if (isolated) {
    Object.defineProperty(globalThis, Symbol.for("@parallel/map worker"), {
      value: flag,
      configurable: true,
    });
  }

  function inTask(): boolean {
    return tracker?.getStore() === true;
  }

  /** Makes tasks known by what they call. Browsers have nothing of the kind. */
  async function track(): Promise<void> {
    if (!isolated || tracker || !("process" in scope)) return;
    const { AsyncLocalStorage } = await load("node:async_hooks") as {
      AsyncLocalStorage: new () => Tracker;
    };
    tracker ??= new AsyncLocalStorage();
  }

  /**
   * Modules see all that a worker has. A shipped function does not, else it
   * would read that, without a word, for a variable around it of that name.
   */
  function showExtras(shown: boolean): void {
    if (shown === extrasShown) return;
    extrasShown = shown;
    for (const [name, extra] of extras) {
      const own = Object.getOwnPropertyDescriptor(scope, name);
      if (shown && extra && !own) {
        Object.defineProperty(scope, name, extra);
      } else if (
        !shown && own?.value === extra?.value && own?.get === extra?.get
      ) {
        delete scope[name]; // unless a task has put something else there
      }
    }
  }

  /** What to do about a module that does not load; empty if nobody knows. */
  function cureOf(text: string, code: unknown, url: string): string {
    if (/"[^"]+" not a dependency/.test(text)) {
      return "for a process, Deno looks for a deno.json, and for no package.json alone: put one beside it, {} will do";
    }
    if (/Requires \w+ access|SyntaxError/.test(text)) return "";
    // In the words of Chromium, Firefox and WebKit.
    if (/e specifier "|bare specifier|Module name, '/.test(text)) {
      return "an import map holds in its page alone: import it by its URL, or bundle it";
    }
    // Chromium and Firefox, and WebKit, say so, and no more, whatever the cause.
    const inPage = /dynamically imported module|Importing a module/.test(text);
    if (code === "ERR_MODULE_NOT_FOUND" || inPage) {
      const inProgram = /\/(\$bunfs|~BUN)\//.test(url)
        ? ", and no process finds it in a program that bun build --compile made: ship the function"
        : "";
      const served = inPage
        ? "; its Content-Type must be JavaScript, and from another origin it needs Access-Control-Allow-Origin"
        : "";
      return `in a bundle it must be an entry point as well, and is called as what is built from it, such as ./work.js${inProgram}${served}`;
    }
    return /document|window/.test(text.split("ReferenceError", 2)[1] ?? "")
      ? "in a worker there is no page: put the function in a module of its own"
      : "";
  }

  function fromSource({ name, source }: SourceRef): Anything {
    // The last few are kept: the engine has made their code fast by now.
    const known = shipped.get(source);
    if (known !== undefined) return known;
    const shown = encodeURIComponent(name.toWellFormed() || "function");
    let fn: Anything;
    try {
      // An indirect eval sees the globals, as a function shipped by its source
      // must, and nothing of this scope. The name is what stacks show.
      fn = (0, eval)(`${source}\n//# sourceURL=shipped:${shown}`);
    } catch (cause) {
      if (!(cause instanceof EvalError)) throw cause;
      // The caller's thread may: its policies are none of a worker's.
      throw new Error(
        `${
          name || "fn"
        } must be exported by a "module" where workers make no code of texts, as with Trusted Types: received ${cause}`,
        { cause },
      );
    }
    for (const oldest of shipped.keys()) {
      if (shipped.size < 20) break;
      shipped.delete(oldest);
    }
    shipped.set(source, fn);
    return fn;
  }

  /** What a module that does not load has thrown, in words. */
  function failureOf(cause: Cause, url: string): string {
    let what: string = typeof cause;
    try {
      what = cause?.message === undefined
        ? String(cause)
        : `${cause.name}: ${cause.message}`;
      const cure = cureOf(what, cause?.code, url);
      // Bun names the importer too, which is this very program.
      what = what.replace(/ imported from \S*(blob|data):\S*/, "");
      // Bun keeps the place of a syntax error apart from its message.
      const at = cause?.position;
      // Node.js writes it before the stack, if the file is TypeScript.
      const line = cause?.code === "ERR_INVALID_TYPESCRIPT_SYNTAX" &&
        /^(.*:\d+)\n/.exec(cause.stack)?.[1];
      if (at) what += ` at ${at.file}:${at.line}:${at.column}`;
      else if (line) what += ` at ${line}`;
      if (cure) what += ` (${cure})`;
    } catch { /* a Proxy, or an object without a usable toString */ }
    return what;
  }

  /** What to do about a module without the export, by what it was given as. */
  function cureOfExport(given: string | undefined): string {
    if (given === undefined) return "";
    return given === "fn"
      ? " (where a bundler renames functions, as with --minify, give the name of the export instead: a string)"
      : ` (with "module", ${given} comes from there: export it, and let no bundler rename it${
        given === "combine" ? "; written in the call, it is shipped" : ""
      })`;
  }

  async function fromModule(
    { name, url, given, entry }: ModuleRef,
  ): Promise<Anything> {
    loading++;
    try {
      // Only there: it costs a worker 3 ms on Deno 2.9.5, 1 ms on Bun 1.4.5.
      const tracks = entry || flag.depth > 2;
      const tracking = tracks && track();
      const exports = await load(url).catch((cause) => {
        throw new Error(
          `module ${url} must load: received ${failureOf(cause, url)}`,
          { cause },
        );
      });
      if (misused) throw misused.error;
      await tracking;
      strict ||= tracks && !!tracker;
      const found = exports[name];
      if (typeof found === "function") {
        // The worker calls it by `call`, which must be the language's own.
        if (found.call === Function.prototype.call) return found as Anything;
        return (value, context) => found(value, context);
      }
      const names = Object.keys(exports).join(", ") || "no exports";
      throw new Error(
        `module ${url} must export a function named "${name}": received ${names}${
          cureOfExport(given)
        }`,
      );
    } catch (error) {
      throw misused ? misused.error : error;
    } finally {
      loading--;
      if (loading === 0) misused = undefined; // the next module is another
    }
  }

  return {
    within(part, ...args) {
      return tracker ? tracker.run(true, part, ...args) : part(...args);
    },
    begin({ cores, depth }) {
      Object.assign(flag, { cores, depth });
    },
    onMisuse(listener) {
      tell = listener;
    },
    async load(ref) {
      // A call that was aborted has left a module that loads: tasks are none of
      // it. In a page, `process` is a shim of somebody, and nothing is loaded.
      if (loading > 0) await track().catch(() => {});
      if (ref.from === "here") return ref.fn;
      if (isolated) showExtras(ref.from === "module");
      return ref.from === "source" ? fromSource(ref) : await fromModule(ref);
    },
  };
}
