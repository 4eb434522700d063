/**
 * A function, or a module and a name, as something a worker can load.
 *
 * @module
 */

import { show } from "../check_options.ts";
import type { ModuleSpecifier } from "../options.ts";

/** How a worker gets a function. */
export type FunctionRef =
  /** By its source: it sees nothing around it. */
  | { from: "source"; name: string; source: string }
  /** As an export; `entry` says that the module is the program's entry. */
  | { from: "module"; name: string; url: string; entry: boolean }
  /** As it is, in the caller's own thread. */
  | { from: "here"; name: string; fn: Anything };

type Anything = (...args: unknown[]) => unknown;

/** Where a function is to run. */
export interface Place {
  /** URL of the program's entry module, where it is known. */
  entry: string | undefined;
  /** Whether it runs in the caller's own thread. */
  inline: boolean;
}

/**
 * Makes a reference to a function.
 *
 * @param fn A self-contained function, an exported one, or the name of an export.
 * @param module The module that exports it; undefined ships the source.
 * @param place Where it is to run.
 * @returns The reference, as plain data.
 * @throws {TypeError} When there is no way to load the function in a worker.
 */
export function functionRef(
  fn: unknown,
  module: ModuleSpecifier | undefined,
  place: Place,
): FunctionRef {
  if (module !== undefined) {
    const url = moduleUrl(module);
    const name = exportName(fn);
    // In this thread never by its URL: a module that imports itself while it
    // is being loaded waits for ever (Deno 2.9.5 and Bun 1.4.5).
    return place.inline && typeof fn === "function"
      ? { from: "here", name, fn: fn as Anything }
      : { from: "module", name, url, entry: url === place.entry };
  }
  if (typeof fn === "string") {
    throw new TypeError(
      `Cannot map as a function given by name needs "module": received ${
        show(fn)
      }`,
    );
  }
  if (typeof fn !== "function") throw notCallable(fn);
  return { from: "source", name: fn.name, source: sourceOf(fn) };
}

function notCallable(fn: unknown): TypeError {
  return new TypeError(
    `Cannot map as fn must be a function or the name of an export: received ${
      show(fn)
    }`,
  );
}

function exportName(fn: unknown): string {
  if (typeof fn !== "function" && typeof fn !== "string") throw notCallable(fn);
  const name = typeof fn === "string" ? fn : fn.name;
  if (name === "" || name.startsWith("bound ")) {
    throw new TypeError(
      `Cannot map as a function with "module" must have the name of its export: received ${
        show(fn)
      }`,
    );
  }
  return name;
}

function moduleUrl(module: ModuleSpecifier): string {
  const url = typeof module === "object" && "url" in module
    ? module.url
    : module;
  const text = url instanceof URL ? url.href : url;
  // A worker has no place of its own that a relative path could start from.
  if (typeof text !== "string" || !URL.canParse(text)) {
    throw new TypeError(
      `Cannot map as "module" must be an absolute URL such as import.meta.url: received ${
        show(text)
      }`,
    );
  }
  return text;
}

// deno-lint-ignore ban-types -- every callable, whatever its signature
function sourceOf(fn: Function): string {
  const text = Function.prototype.toString.call(fn);
  if (/\{\s*\[native code\]\s*\}\s*$/.test(text)) {
    throw new TypeError(
      `Cannot map as a native or bound function has no source to ship, wrap it as (value) => f(value): received ${
        show(fn)
      }`,
    );
  }
  if (/^class\b/.test(text)) {
    throw new TypeError(
      `Cannot map as fn must be callable without new: received class ${fn.name}`,
    );
  }
  // A method's text is `name(x) {…}`, which is an expression only in an object.
  const source = [text, `Object.values({ ${text} })[0]`].find(compiles);
  if (source === undefined) {
    throw new TypeError(
      `Cannot map as the source of fn must stand on its own: received ${
        show(fn)
      }`,
    );
  }
  return source;
}

function compiles(expression: string): boolean {
  try {
    new Function(`return (${expression}\n)`); // parsed here, run only in a worker
    return true;
  } catch {
    return false; // any failure to parse means the same: this is no expression
  }
}
