/**
 * Where a call came from, and stacks that go on there.
 *
 * @module
 */

/** Where the caller called from: the frames of its stack. */
export interface CallSite {
  readonly stack?: string;
}

/** The public function a call came through: its frames are left out of stacks. */
// deno-lint-ignore ban-types -- any function will do
export type Entrance = Function;

/**
 * Notes where a call comes from.
 *
 * @param entrance The public function it came through.
 * @returns The frames above that function.
 */
export function callSite(entrance: Entrance): CallSite {
  const site: CallSite = {};
  Error.captureStackTrace?.(site, entrance); // no Firefox before 138 has it
  return site;
}

/** Makes an error whose stack is the caller's, not that of this program. */
export function atSite<E extends Error>(site: CallSite, make: () => E): E {
  const limit = Error.stackTraceLimit;
  const setLimit = (to: number) => Reflect.set(Error, "stackTraceLimit", to);
  try {
    setLimit(0); // else Bun 1.4.5 prints frames of its own
    const error = make();
    setStack(error, `${error.name}: ${error.message}`, frames(site.stack));
    return error;
  } finally {
    setLimit(limit);
  }
}

/**
 * Leads the stack of what a worker threw on to the caller.
 *
 * @param thrown What was thrown.
 * @param site Where the caller called from.
 */
export function leadOn(thrown: unknown, site: CallSite): void {
  try {
    if (!(thrown instanceof Error)) return;
    const { stack } = thrown as { stack: unknown };
    const head = typeof stack === "string" ? stack.trimEnd() || stack : "";
    setStack(
      thrown,
      head || `${thrown.name}: ${thrown.message}`,
      frames(site.stack),
    );
  } catch {
    // A getter that throws, or a Proxy: it stays as it is.
  }
}

function setStack(error: Error, head: string, frames: string): void {
  Reflect.defineProperty(error, "stack", { // unless it is frozen
    value: frames === "" ? head : `${head}\n${frames}`,
    writable: true,
    configurable: true,
    enumerable: false,
  });
}

function frames(stack: string | undefined): string {
  // No text if the program prepares its stacks in a way of its own.
  if (typeof stack !== "string") return "";
  // Firefox and WebKit write the name of a function, "@" and where it is.
  const at = stack.search(/^(?:\s+at |\S*@\S+:\d+:\d+$)/m);
  return at < 0 ? "" : stack.slice(at).replace(/^\n/, "");
}

/** What a call was told, and the stack it had before. */
const told = new WeakMap<Error, string | undefined>();

/** What several calls are told, each as an error of its own: its stack is. */
export function ownOf(thrown: unknown): unknown {
  try {
    if (!(thrown instanceof Error)) return thrown;
    if (!told.has(thrown)) {
      told.set(thrown, thrown.stack);
      return thrown;
    }
    const { name, message } = thrown;
    const own = Object.setPrototypeOf(
      thrown instanceof DOMException // whose getters know their own
        ? new DOMException(message, name)
        : new Error(message),
      Object.getPrototypeOf(thrown),
    );
    Object.defineProperties(own, Object.getOwnPropertyDescriptors(thrown));
    setStack(own, told.get(thrown) ?? "", "");
    return own;
  } catch {
    return thrown; // a Proxy, or one that is frozen
  }
}
