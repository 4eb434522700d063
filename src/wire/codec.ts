/**
 * Values that structured clone would damage, as plain data and back: errors
 * keep class, name, own properties, `cause`, `errors` and stack on every
 * runtime (Bun drops `cause`, all drop class and own properties).
 *
 * @module
 */

/** Turns values into plain data and back. */
export interface Codec {
  /**
   * Copies a value so that structured clone keeps all of it.
   *
   * @param value Any value.
   * @param describe Whether what cannot be cloned is replaced by a text that
   * describes it, as for a thrown value, instead of being left to fail.
   */
  encode(value: unknown, describe: boolean): unknown;
  /** Undoes `encode`. */
  decode(data: unknown): unknown;
}

/**
 * Makes a codec. Self-contained: workers get this function by its source.
 *
 * @returns The codec.
 */
export function createCodec(): Codec {
  const ERROR = "@parallel/map error";
  // Own properties of errors that are not enumerable, yet carry content.
  const HIDDEN = ["cause", "errors", "error", "suppressed"];

  const CLASSES = ["TypeError", "RangeError", "ReferenceError", "SyntaxError"]
    .concat("EvalError", "URIError", "AggregateError", "SuppressedError")
    .concat("DOMException", "Error");
  const scope = globalThis as unknown as Record<
    string,
    { prototype: object } | undefined
  >;

  /** The nearest class that every runtime has. */
  function classOf(error: Error): string {
    for (let at: object = error; at !== null; at = Object.getPrototypeOf(at)) {
      const name = CLASSES.find((name) => scope[name]?.prototype === at);
      if (name !== undefined) return name;
    }
    return "Error";
  }

  /** Leaves out the frames of the worker's own program: they help nobody. */
  function trim(stack: string): string {
    const own = /\b(blob:|data:text\/javascript|ext:|node:)/;
    return stack.split("\n")
      .filter((line) => !(/^\s+at /.test(line) && own.test(line)))
      .join("\n");
  }

  function isError(value: object): value is Error {
    return value instanceof Error ||
      Object.prototype.toString.call(value) === "[object Error]";
  }

  function describeValue(value: unknown): string {
    try {
      return typeof value === "function"
        ? `[Function: ${value.name || "(anonymous)"}]`
        : String(value);
    } catch {
      return Object.prototype.toString.call(value);
    }
  }

  function encode(root: unknown, describe: boolean): unknown {
    const copies = new Map<object, unknown>();

    function read(from: object, key: string): unknown {
      if (!describe) return (from as Record<string, unknown>)[key];
      try {
        return (from as Record<string, unknown>)[key];
      } catch (error) {
        return `[threw ${describeValue(error)}]`; // a getter of a thrown value
      }
    }

    function visit(value: unknown): unknown {
      if (typeof value === "function" || typeof value === "symbol") {
        return describe ? describeValue(value) : value;
      }
      if (typeof value !== "object" || value === null) return value;
      if (copies.has(value)) return copies.get(value);
      if (isError(value)) {
        const fields: Record<string, unknown> = {
          class: classOf(value),
          name: String(read(value, "name")),
          message: String(read(value, "message")),
          stack: trim(String(read(value, "stack") ?? "")),
          hidden: {},
          props: {},
        };
        const data = { [ERROR]: fields };
        copies.set(value, data);
        const hidden = fields.hidden as Record<string, unknown>;
        for (const key of HIDDEN) {
          if (Object.hasOwn(value, key)) hidden[key] = visit(read(value, key));
        }
        fields.props = copyProps(value, {});
        return data;
      }
      if (Array.isArray(value)) {
        const copy: unknown[] = new Array(value.length);
        copies.set(value, copy);
        return copyProps(value, copy);
      }
      if (value instanceof Map) {
        const copy = new Map();
        copies.set(value, copy);
        for (const [key, item] of value) copy.set(visit(key), visit(item));
        return copy;
      }
      if (value instanceof Set) {
        const copy = new Set();
        copies.set(value, copy);
        for (const item of value) copy.add(visit(item));
        return copy;
      }
      const tag = Object.prototype.toString.call(value);
      if (tag === "[object Object]") {
        const copy = {};
        copies.set(value, copy);
        return copyProps(value, copy);
      }
      if (!describe) return value;
      try {
        const clone = structuredClone(value);
        // Deno clones URL, Headers and others to {} without a word.
        if (Object.prototype.toString.call(clone) === tag) return value;
      } catch {
        // not cloneable: described below
      }
      return describeValue(value);
    }

    function copyProps(from: object, to: object): object {
      for (const key of Object.keys(from)) {
        Object.defineProperty(to, key, {
          value: visit(read(from, key)),
          writable: true,
          enumerable: true,
          configurable: true,
        });
      }
      return to;
    }

    return visit(root);
  }

  function decode(root: unknown): unknown {
    const seen = new Map<object, unknown>();

    function visit(value: unknown): unknown {
      if (typeof value !== "object" || value === null) return value;
      if (seen.has(value)) return seen.get(value);
      if (Object.hasOwn(value, ERROR)) return revive(value);
      seen.set(value, value);
      if (value instanceof Map) {
        const entries = [...value];
        value.clear();
        for (const [key, item] of entries) value.set(visit(key), visit(item));
      } else if (value instanceof Set) {
        const items = [...value];
        value.clear();
        for (const item of items) value.add(visit(item));
      } else if (
        Array.isArray(value) ||
        Object.getPrototypeOf(value) === Object.prototype
      ) {
        const record = value as Record<string, unknown>;
        for (const key of Object.keys(value)) {
          const was = record[key];
          const is = visit(was);
          if (is !== was) record[key] = is;
        }
      }
      return value;
    }

    function revive(data: object): Error {
      // deno-lint-ignore no-explicit-any -- plain data made by encode above
      const fields = (data as any)[ERROR];
      const message: string = fields.message;
      // deno-lint-ignore no-explicit-any -- one of CLASSES
      const Class = (scope[fields.class] ?? Error) as any;
      // Without frames of its own Bun shows the stack set below.
      const limit = Error.stackTraceLimit;
      Error.stackTraceLimit = 0;
      const error: Error = fields.class === "AggregateError"
        ? new Class([], message)
        : fields.class === "SuppressedError"
        ? new Class(undefined, undefined, message)
        : fields.class === "DOMException"
        ? new Class(message, fields.name)
        : new Class(message);
      Error.stackTraceLimit = limit;
      seen.set(data, error);
      const hide = (key: string, value: unknown) =>
        Object.defineProperty(error, key, {
          value,
          writable: true,
          configurable: true,
          enumerable: false,
        });
      if (error.name !== fields.name) hide("name", fields.name);
      hide("stack", fields.stack);
      for (const key of Object.keys(fields.hidden)) {
        hide(key, visit(fields.hidden[key]));
      }
      return Object.assign(error, visit(fields.props));
    }

    return visit(root);
  }

  return { encode, decode };
}
