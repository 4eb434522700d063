/**
 * Looks at a value before it crosses the thread boundary.
 *
 * @module
 */

/** What a value is made of. */
export interface Inspection {
  /** What in it cannot cross, in words; undefined when all of it can. */
  refused: string | undefined;
  /** Whether it holds errors, which structured clone would damage. */
  errors: boolean;
  /** Its size in bytes, roughly. */
  bytes: number;
  /** The ArrayBuffers in it. */
  buffers: Set<ArrayBuffer>;
}

/** Looks at a value of type object. */
export type Inspect = (value: object) => Inspection;

/**
 * Makes the function that looks at values. Self-contained: workers get this
 * function by its source.
 *
 * Refuses what Deno would turn into `{}` without an error (`URL`, `Headers`,
 * `Response`, …: denoland/deno 2.9.5, tests/crossing_test.ts), and what no
 * runtime clones, by one rule: an instance of a built-in class that is not
 * among those structured clone knows.
 *
 * @returns The function.
 */
export function createInspect(): Inspect {
  type Kind = "object" | "array" | "map" | "set" | "buffer" | "view" | "error";
  const LEAVES = ["Boolean", "Number", "String", "BigInt", "Date", "RegExp"]
    .concat("Blob", "File", "DOMException", "SharedArrayBuffer");
  type Verdict = Kind | "leaf" | { refused: string };
  const kinds = new Map<object | null, Verdict>([
    [null, "object"],
    [Object.prototype, "object"],
    [Array.prototype, "array"],
    [Map.prototype, "map"],
    [Set.prototype, "set"],
    [ArrayBuffer.prototype, "buffer"],
    [DataView.prototype, "view"],
    [Object.getPrototypeOf(Uint8Array.prototype), "view"],
    [Error.prototype, "error"],
  ]);
  /** The kind of the nearest known prototype. */
  function kindOf(proto: object | null): Verdict {
    const known = kinds.get(proto);
    if (known !== undefined || proto === null) return known ?? "object";
    const own = Object.getOwnPropertyDescriptor(proto, "constructor")?.value;
    // What a user puts on globalThis is enumerable, what the platform puts
    // there is not (on Bun some is; there clone itself throws).
    const scope = globalThis as unknown as Record<string, unknown>;
    const platform = typeof own === "function" && scope[own.name] === own &&
      !Object.prototype.propertyIsEnumerable.call(scope, own.name);
    const kind = platform && LEAVES.includes(own.name)
      ? "leaf"
      : platform
      ? builtIn(own.name, proto)
      : kindOf(Object.getPrototypeOf(proto));
    kinds.set(proto, kind);
    return kind;
  }

  function builtIn(name: string, proto: object): Verdict {
    const parent = Object.getPrototypeOf(proto);
    const inherited = kinds.get(parent);
    return inherited === "view" || inherited === "error"
      ? inherited
      : { refused: `an instance of ${name}` };
  }

  return function inspect(root) {
    const found: Inspection = {
      refused: undefined,
      errors: false,
      bytes: 0,
      buffers: new Set(),
    };
    const stack: object[] = [root];
    // Cycles and shared parts: remembered only after many steps, because most
    // values are small trees and a Set costs more than all the rest.
    let seen: Set<object> | undefined;
    let steps = 0;

    function look(value: unknown, key: string | number | undefined): void {
      if (typeof value === "string") found.bytes += value.length;
      else if (typeof value === "object") {
        found.bytes += 8;
        if (value !== null) stack.push(value);
      } else if (typeof value === "function" || typeof value === "symbol") {
        const what = typeof value === "symbol"
          ? "a symbol"
          : `the function ${value.name || "(anonymous)"}`;
        found.refused ??= key === undefined ? what : `${what} at "${key}"`;
      } else found.bytes += 8;
    }

    while (stack.length > 0 && found.refused === undefined) {
      const value = stack.pop()!;
      if (++steps > 500) {
        seen ??= new Set();
        if (seen.has(value)) continue;
        seen.add(value);
      }
      const kind = kindOf(Object.getPrototypeOf(value));
      if (kind === "object") {
        const record = value as Record<string, unknown>;
        for (const key of Object.keys(record)) look(record[key], key);
      } else if (kind === "array") {
        const array = value as unknown[];
        // A sparse array may claim billions of places: then only its own keys.
        if (array.length > 10_000_000) {
          for (const key of Object.keys(array)) look(array[Number(key)], key);
        } else for (let i = 0; i < array.length; i++) look(array[i], i);
      } else if (kind === "map") {
        for (const [key, item] of value as Map<unknown, unknown>) {
          look(key, undefined);
          look(item, undefined);
        }
      } else if (kind === "set") {
        for (const item of value as Set<unknown>) look(item, undefined);
      } else if (kind === "buffer" || kind === "view") {
        const buffer = kind === "view"
          ? (value as ArrayBufferView).buffer
          : value as ArrayBuffer;
        if (buffer instanceof ArrayBuffer && !found.buffers.has(buffer)) {
          if (buffer.detached) found.refused = "a buffer that was moved away";
          found.buffers.add(buffer);
          found.bytes += buffer.byteLength;
        }
      } else if (kind === "error") {
        found.errors = true;
      } else if (kind !== "leaf") {
        found.refused = kind.refused;
      }
    }
    return found;
  };
}
