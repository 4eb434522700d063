/**
 * The classes that an error may come back as.
 *
 * @module
 */

/** Names these classes, and makes errors of them. */
export interface ErrorClasses {
  /** The name of the nearest one of an error. */
  nameOf(error: object): string;
  /**
   * Makes an error.
   *
   * @param kind The name of its class; of any other it is an `Error`.
   * @param name What the error calls itself.
   * @param message Its message.
   */
  make(kind: string, name: string, message: string): Error;
}

/**
 * Takes them from `globalThis`. Self-contained: workers get this function by
 * its source, and call it before any code of a user runs.
 *
 * @returns What knows them.
 */
export function createErrorClasses(): ErrorClasses {
  type Class = new (...args: unknown[]) => Error;
  const scope = globalThis as unknown as Record<string, unknown>;
  const { getPrototypeOf, getOwnPropertyDescriptor: descriptorOf } = Object;
  const Base = Error;
  /** All classes an error may come back as. Data never names any other. */
  const classes = new Map<string, Class>();
  const names = new Map<object, string>(); // of those, by prototype
  for (
    const name of ["TypeError", "RangeError", "ReferenceError", "SyntaxError"]
      .concat("EvalError", "URIError", "AggregateError", "SuppressedError")
      .concat("DOMException", "Error")
  ) learn(name, scope[name]);
  const wasm = Object(scope.WebAssembly); // not everywhere
  for (const name of ["CompileError", "LinkError", "RuntimeError"]) {
    // With a dot: in another realm, a user's class may have the name alone.
    learn(`WebAssembly.${name}`, wasm[name]);
  }

  function learn(name: string, known: unknown): void {
    if (typeof known !== "function") return;
    classes.set(name, known as Class);
    names.set(known.prototype, name);
  }

  function nameOf(error: object): string {
    try {
      for (let at = error; at !== null; at = getPrototypeOf(at)) {
        const name = names.get(at);
        if (name !== undefined) return name;
      }
      // Of another realm, where the classes have the same names.
      let at = error;
      while ((at = getPrototypeOf(at)) !== null) {
        const own: unknown = descriptorOf(at, "constructor")?.value;
        if (typeof own !== "function") continue;
        const name: unknown = descriptorOf(own, "name")?.value;
        if (typeof name === "string" && classes.has(name)) return name;
      }
    } catch {
      // a Proxy that throws
    }
    return "Error";
  }

  function make(kind: string, name: string, message: string): Error {
    const Class = classes.get(kind) ?? Base as Class;
    const limit = Base.stackTraceLimit;
    // Without frames of its own Bun shows the stack that is set later. Not by
    // assignment, which throws where a program has frozen its globals.
    Reflect.set(Base, "stackTraceLimit", 0);
    try {
      return kind === "AggregateError"
        ? new Class([], message)
        : kind === "SuppressedError"
        ? new Class(undefined, undefined, message)
        : kind === "DOMException"
        ? new Class(message, name)
        : new Class(message);
    } finally {
      Reflect.set(Base, "stackTraceLimit", limit);
    }
  }

  return { nameOf, make };
}
