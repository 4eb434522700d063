/**
 * Values that structured clone would damage, as plain data and back: errors
 * keep class, name, own properties, `cause`, `errors` and stack on every
 * runtime (Bun drops `cause`, all drop class and own properties).
 *
 * @module
 */

import type { ErrorClasses } from "./error_classes.ts";
import type { Explainer } from "./explanation.ts";
import type { Inspector } from "./inspection.ts";
import type { Kind } from "./kinds.ts";

/**
 * A value whose errors are written beside it. Where one stood stands an empty
 * object, its place, which stays the same object in one message. So no key of
 * the user's own data can be taken for an error.
 */
export interface Encoded {
  /** The value, with places for its errors. */
  value: unknown;
  /** The errors, none inside another: a chain of any length crosses. */
  errors: ErrorParts[];
}

/** An error as plain data. */
export interface ErrorParts {
  /** What stands for it in the value, and in the parts of other errors. */
  place: object;
  /** Name of the nearest class that every runtime has. */
  kind: string;
  /** If it is another than that of the class. */
  name?: string;
  message: string;
  stack: string;
  /** `cause`, `errors` and the like: own, yet not enumerable. */
  hidden?: [key: string, value: unknown][];
  /** Own enumerable properties, without those above. */
  shown?: [key: string, value: unknown][];
}

type Keep = (whole: object) => unknown;

/** Turns values into plain data and back. */
export interface Codec {
  /**
   * Copies a value so that structured clone keeps all of it. What cannot be
   * cloned is left to fail; but in an error, which must not fail for what hangs
   * on it, a text that describes it stands there.
   *
   * @param value Any value.
   * @param keep Gives what stands for what would go as it is, such as a Date or
   * a view: all else is copied.
   */
  encode(value: unknown, keep?: Keep): Encoded;
  /**
   * The same for what was thrown: a text stands for all that cannot be cloned,
   * and the copy stays what it is, whatever becomes of the original.
   */
  encodeThrown(thrown: unknown, keep?: Keep): Encoded;
  /** Undoes both. */
  decode(encoded: Encoded): unknown;
}

/**
 * Makes a codec. Self-contained: workers get this function by its source.
 *
 * @param parts Says what an object is; and describes what cannot be kept.
 * @param classes What errors come back as.
 * @returns The codec.
 */
export function createCodec(
  { inspector, explainer }: { inspector: Inspector; explainer: Explainer },
  classes: ErrorClasses,
): Codec {
  // Own properties of errors that are not enumerable, yet carry content.
  const HIDDEN = ["cause", "errors", "error", "suppressed"];
  // Properties with a place of their own.
  const TOLD = ["name", "message", "stack"];
  // Levels of a thrown value, or of a part of an error, that are kept: Deno
  // 2.9.5 writes values of some 2,500 levels and more that it cannot read.
  const MOST_LEVELS = 1000;

  const { toString } = Object.prototype;
  const { isView } = ArrayBuffer;

  /** Leaves out the frames of the worker's own program: they help nobody. */
  function trim(stack: string): string {
    const own = /\b(blob:|data:text\/javascript|ext:|node:)/;
    if (!own.test(stack)) return stack; // most: to split one takes five times as long
    // Of V8; of other browsers. Neither takes the square of a line's length.
    const frame = /^(\s+at |[^\s@]*@\S+:\d+:\d+$)/;
    return stack.split("\n")
      .filter((line) => !(own.test(line) && frame.test(line)))
      .join("\n");
  }

  function kindOf(value: object): Kind {
    try {
      const kind = inspector.kindOf(value);
      return inspector.onlyInherits(value, kind) ? "refused" : kind;
    } catch {
      return "refused"; // a Proxy that throws
    }
  }

  /** Not a buffer that was moved away. */
  function clones(value: object): boolean {
    return holds(() => inspector.clone(value) !== undefined);
  }

  /** Whether that is so; a Proxy or a getter may throw. */
  function holds(test: () => boolean): boolean {
    try {
      return test();
    } catch {
      return false;
    }
  }

  /** What becomes of a part of a thrown value, which may throw in turn. */
  function attempt(part: () => unknown): unknown {
    try {
      return part();
    } catch (error) {
      return `[threw ${explainer.describe(error)}]`;
    }
  }

  function read(from: object, key: string): unknown {
    return attempt(() => (from as Record<string, unknown>)[key]);
  }

  /**
   * The keys of what is in an error. Not those of methods that all objects have,
   * as `toString`: with a text in their place, `String(error)` would throw.
   */
  function keysInError(of: object): string[] {
    return Object.keys(of).filter((key) =>
      !(key in Object.prototype) || typeof read(of, key) !== "function"
    );
  }

  function define(
    to: object,
    key: string,
    value: unknown,
    enumerable = true,
  ): void {
    // By a descriptor it takes ten times as long: only where a prototype might
    // have its say, as on `__proto__`.
    if (enumerable && !(key in to)) {
      return void ((to as Record<string, unknown>)[key] = value);
    }
    const how = { value, enumerable, writable: true, configurable: true };
    Reflect.defineProperty(to, key, how);
  }

  /** Copies a value; `wholes` counts what was given to `keep`. */
  function copyOf(
    root: unknown,
    describes: boolean,
    keep: Keep,
  ): { encoded: Encoded; wholes: number } {
    const errors: ErrorParts[] = [];
    let wholes = 0;
    const copies = new Map<object, unknown>();
    // What is still to be filled: in lists, not by recursion, as a value may
    // be deeper than the stack. What is in errors comes last, so that what an
    // error shares with the rest of the value is copied whole.
    const toFill: (() => void)[] = [];
    const toFillInErrors: (() => void)[] = [];

    function shell(value: unknown, inError: boolean, level: number): unknown {
      if (typeof value === "function" || typeof value === "symbol") {
        return inError ? explainer.describe(value) : value;
      }
      if (typeof value !== "object" || value === null) return value;
      if (copies.has(value)) return copies.get(value);
      const kind = kindOf(value);
      if (kind === "error") return shellOfError(value as Error);
      if (inError && level > MOST_LEVELS) return explainer.describe(value);
      const copy = shellOf(value, kind, inError);
      copies.set(value, copy);
      if (copy === value || typeof copy === "string" || isView(copy)) {
        return copy;
      }
      (inError ? toFillInErrors : toFill).push(() => {
        const inner = (part: unknown) => shell(part, inError, level + 1);
        if (copy instanceof Map) {
          for (const [key, item] of inspector.entriesOf(value)) {
            copy.set(inner(key), inner(item));
          }
        } else if (copy instanceof Set) {
          for (const item of inspector.itemsOf(value)) copy.add(inner(item));
        } else {
          const keys = inError ? keysInError(value) : Object.keys(value);
          for (const key of keys) {
            const part = inError
              ? read(value, key)
              : (value as Record<string, unknown>)[key];
            define(copy as object, key, inner(part));
          }
        }
      });
      return copy;
    }

    /** An empty copy, or what goes as it is. */
    function shellOf(value: object, kind: Kind, inError: boolean): unknown {
      const list = kind === "array" && Array.isArray(value);
      // As it is; where that would be described, it is copied.
      const flat = list && keep !== explainer.describe &&
        inspector.isFlat(value);
      if (list && !flat) return new Array(value.length);
      if (kind === "map") return new Map();
      if (kind === "set") return new Set();
      const keyed = kind === "object" || kind === "array";
      if (keyed && !flat && !isView(value)) return {};
      if (flat || !inError || (kind !== "refused" && clones(value))) {
        wholes++;
        return keep(value);
      }
      // Of a view, each byte would be a key.
      return kind === "refused" && !isView(value) &&
          holds(() => Object.keys(value).length > 0)
        ? {}
        : explainer.describe(value);
    }

    function shellOfError(error: Error): object {
      const text = (key: string) => {
        const value = read(error, key);
        return typeof value === "string"
          ? value
          : explainer.describe(value ?? "");
      };
      const parts: ErrorParts = {
        place: {},
        kind: classes.nameOf(error),
        message: text("message"),
        stack: trim(text("stack")),
      };
      const name = text("name");
      if (name !== parts.kind) parts.name = name;
      copies.set(error, parts.place);
      errors.push(parts);
      toFillInErrors.push(() => {
        const inner = (key: string) =>
          attempt(() => shell(read(error, key), true, 0));
        for (const key of HIDDEN) {
          if (!Object.hasOwn(error, key)) continue;
          (parts.hidden ??= []).push([key, inner(key)]);
        }
        const keys = keysInError(error);
        // Bun 1.4.5 has it on a prototype of many errors; others, as a key.
        const coded = error as { code?: unknown };
        const isCoded = () => typeof coded.code === "string";
        if (!keys.includes("code") && holds(isCoded)) keys.push("code");
        for (const key of keys) {
          if (TOLD.includes(key)) continue;
          (parts.shown ??= []).push([key, inner(key)]);
        }
      });
      return parts.place;
    }

    const value = describes
      ? attempt(() => shell(root, true, 0))
      : shell(root, false, 0);
    for (const fill of toFill) fill(); // grows as it goes
    for (const fill of toFillInErrors) {
      try {
        fill();
      } catch {
        // A Proxy or an iterator that throws: what was read so far is kept.
      }
    }
    return { encoded: { value, errors }, wholes };
  }

  function encode(value: unknown, keep: Keep = (whole) => whole): Encoded {
    return copyOf(value, false, keep).encoded;
  }

  function encodeThrown(
    thrown: unknown,
    keep: Keep = (whole) => whole,
  ): Encoded {
    const { encoded, wholes } = copyOf(thrown, true, keep);
    if (wholes === 0) return encoded;
    try { // tasks that come later may change, or move, what would go as it is
      return inspector.clone(encoded) as Encoded;
    } catch { // too little memory
      return copyOf(thrown, true, explainer.describe).encoded;
    }
  }

  function decode({ value, errors }: Encoded): unknown {
    if (errors.length === 0) return value;
    const revived = new Map<object, Error>();
    for (const parts of errors) revived.set(parts.place, revive(parts));
    const seen = new Set<object>();

    /** What stands in the place of a value: itself, or an error. */
    function at(value: unknown): unknown {
      if (typeof value !== "object" || value === null) return value;
      const error = revived.get(value);
      if (error === undefined) seen.add(value);
      return error ?? value;
    }

    const root = at(value);
    for (const { place, hidden = [], shown = [] } of errors) {
      const error = revived.get(place)!;
      for (const [key, part] of hidden) define(error, key, at(part), false);
      for (const [key, part] of shown) define(error, key, at(part));
    }
    for (const part of seen) restore(part, at); // grows as it goes
    return root;
  }

  /** Puts the errors in a value where they stood. */
  function restore(value: object, at: (value: unknown) => unknown): void {
    // Not by class: in a test runner, what arrives may be of another realm.
    const tag = toString.call(value);
    if (tag === "[object Map]") {
      const map = value as Map<unknown, unknown>;
      const pairs = [...inspector.entriesOf(map)];
      map.clear();
      for (const [key, item] of pairs) map.set(at(key), at(item));
    } else if (tag === "[object Set]") {
      const set = value as Set<unknown>;
      const parts = [...inspector.itemsOf(set)];
      set.clear();
      for (const item of parts) set.add(at(item));
    } else if (tag === "[object Array]" || tag === "[object Object]") {
      if (inspector.isFlat(value)) return; // no error can stand in it
      for (const key of Object.keys(value)) {
        const was = (value as Record<string, unknown>)[key];
        const is = at(was);
        if (is !== was) define(value, key, is);
      }
    }
  }

  function revive({ kind, name = kind, message, stack }: ErrorParts): Error {
    const error = classes.make(kind, name, message);
    if (error.name !== name) define(error, "name", name, false);
    define(error, "stack", stack, false);
    return error;
  }

  return { encode, encodeThrown, decode };
}
