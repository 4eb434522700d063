/**
 * The async context: by it a server tells whose request something is done for,
 * with `AsyncLocalStorage`. An engine hears of its workers in that of whoever
 * started them, or in none; what a caller gave is called in the caller's own.
 *
 * @module
 */

/** Hidden parts of Deno, which `node:async_hooks` is made of there. */
interface DenoCore {
  getAsyncContext(): unknown;
  setAsyncContext(context: unknown): void;
}

interface Scope {
  Deno?: { internal: symbol } & Record<symbol, { core?: Partial<DenoCore> }>;
  process?: {
    getBuiltinModule?(name: "node:async_hooks"): {
      AsyncLocalStorage: { bind<F>(part: F): F };
    };
  };
}

/**
 * Lets a function be called in the async context of now, whenever that is.
 *
 * @param part The function.
 * @returns Calls it there; the function itself where there are no contexts, as in
 * browsers.
 */
export function keepContext<A extends unknown[], R>(
  part: (...args: A) => R,
): (...args: A) => R {
  const { Deno } = globalThis as object as Scope;
  const core = Deno?.[Deno.internal]?.core;
  if (isWhole(core)) return keepOnDeno(core, part);
  // Not on Deno: to touch `process` costs Deno 2.9.5 14 ms, once.
  const { process } = globalThis as object as Scope;
  const hooks = process?.getBuiltinModule?.("node:async_hooks");
  return hooks?.AsyncLocalStorage.bind(part) ?? part;
}

function isWhole(core: Partial<DenoCore> | undefined): core is DenoCore {
  return typeof core?.getAsyncContext === "function" &&
    typeof core.setAsyncContext === "function";
}

function keepOnDeno<A extends unknown[], R>(
  core: DenoCore,
  part: (...args: A) => R,
): (...args: A) => R {
  const context = core.getAsyncContext();
  return (...args) => {
    const before = core.getAsyncContext();
    core.setAsyncContext(context);
    try {
      return part(...args);
    } finally {
      core.setAsyncContext(before);
    }
  };
}
