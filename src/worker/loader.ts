/**
 * How a worker gets a function, and how a call of this library is kept from
 * starting workers while a worker loads the caller's own module: that would be
 * a tree of workers without end.
 *
 * @module
 */

import type { FunctionRef } from "../wire/function_ref.ts";

type Anything = (...args: unknown[]) => unknown;

/** Loads functions in a worker. */
export interface Loader {
  /** Whether a task is in its synchronous part. */
  entered: boolean;
  /**
   * Gets the function from its source or module. Rejects with an error whose
   * message goes on from "Cannot start workers as ".
   */
  load(ref: FunctionRef): Promise<Anything>;
  /** Hears that this library was called where it must not be. */
  onMisuse(listener: (error: unknown) => void): void;
}

/** What the library finds on `globalThis` when it runs inside a worker. */
export interface WorkerFlag {
  /** Tells whether a call must not start workers now. */
  forbids(): boolean;
  /** Tells the worker that it was called all the same. */
  misuse(error: unknown): void;
}

/**
 * Makes the loader of a worker. Self-contained: workers get this function by
 * its source.
 *
 * @param isolated Whether this is a thread of its own, not the caller's.
 * @returns The loader.
 */
export function createLoader(isolated: boolean): Loader {
  let loading = 0;
  let entry = false;
  let misused: { error: unknown } | undefined;
  let shipped: { source: string; fn: Anything } | undefined;
  let tell: (error: unknown) => void = () => {};

  const flag: WorkerFlag = {
    // An entry module runs again in its workers. What it starts from there,
    // other than from a task, the caller has started already.
    forbids: () => loading > 0 || (entry && !loader.entered),
    misuse(error) {
      if (loading > 0) misused ??= { error };
      else tell(error);
    },
  };
  if (isolated) {
    Object.defineProperty(globalThis, Symbol.for("@parallel/map worker"), {
      value: flag,
      configurable: true,
    });
  }

  const loader: Loader = {
    entered: false,
    onMisuse(listener) {
      tell = listener;
    },
    async load(ref) {
      // An indirect eval sees the globals, as a function shipped by its source
      // must, and nothing of this scope. The name is what stacks show.
      if (ref.from === "source") {
        // The last one is kept: the engine has made its code fast by now.
        if (shipped?.source === ref.source) return shipped.fn;
        const name = `shipped:${encodeURIComponent(ref.name || "function")}`;
        const fn = (0, eval)(`(${ref.source}\n)\n//# sourceURL=${name}`);
        shipped = { source: ref.source, fn };
        return fn;
      }
      if (ref.from === "here") return ref.fn;
      loading++;
      entry ||= ref.entry;
      try {
        const exports = await import(ref.url).catch((cause) => {
          const text = cause instanceof Error || cause?.message !== undefined
            ? `${cause.name}: ${cause.message}`
            : String(cause);
          // Bun names the importer too, which is this very program.
          const clean = text.replace(/ imported from \S*(blob|data):\S*/, "");
          // Bun keeps the place of a syntax error apart from its message.
          const at = cause?.position;
          const place = at ? ` at ${at.file}:${at.line}:${at.column}` : "";
          throw new Error(
            `module ${ref.url} must load: received ${clean}${place}`,
            { cause },
          );
        });
        if (misused !== undefined) throw misused.error;
        const found = exports[ref.name];
        if (typeof found === "function") {
          // The worker calls it by `call`, which must be the language's own.
          if (found.call === Function.prototype.call) return found;
          return (value, context) => found(value, context);
        }
        const names = Object.keys(exports).join(", ") || "no exports";
        throw new Error(
          `module ${ref.url} must export a function named "${ref.name}": received ${names}`,
        );
      } catch (error) {
        throw misused !== undefined ? misused.error : error;
      } finally {
        loading--;
      }
    },
  };
  return loader;
}
