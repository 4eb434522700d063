/**
 * The async context of a caller: what an `AsyncLocalStorage` gives there. What
 * is called when a worker has answered is otherwise in the context of whoever
 * made the worker start: in a server, that of another request.
 *
 * @module
 */

/** Calls a function in a context. */
export type AsyncContext = <A extends unknown[], R>(
  part: (...args: A) => R,
  ...args: A
) => R;

interface Globals {
  process?: {
    getBuiltinModule?(
      name: string,
    ): { AsyncLocalStorage: { snapshot?(): AsyncContext } };
  };
  Deno?: { internal: symbol } & Record<symbol, { core?: Core } | undefined>;
}

interface Core {
  getAsyncContext?(): unknown;
  setAsyncContext?(context: unknown): void;
}

/**
 * Notes the context that this is called in.
 *
 * @returns Calls a function in it; where there are none, it just calls it.
 */
export function noteAsyncContext(): AsyncContext {
  const { Deno: deno, process } = globalThis as unknown as Globals;
  if (deno === undefined) {
    const hooks = process?.getBuiltinModule?.("node:async_hooks");
    return hooks?.AsyncLocalStorage.snapshot?.() ?? call;
  }
  // Deno 2.9.5 takes 20 ms to load `process`, and this is hidden
  // (tests/async_context_test.ts fails when it goes).
  const { core } = deno[deno.internal] ?? {};
  const { getAsyncContext: get, setAsyncContext: set } = core ?? {};
  if (get === undefined || set === undefined) return call;
  const noted = get();
  return (part, ...args) => {
    const before = get();
    set(noted);
    try {
      return part(...args);
    } finally {
      set(before);
    }
  };
}

const call: AsyncContext = (part, ...args) => part(...args);
