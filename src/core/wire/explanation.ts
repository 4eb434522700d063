/**
 * Says in words what a value is, and why it cannot cross the thread boundary.
 *
 * @module
 */

import type { Inspector } from "./inspection.ts";

/** Why a value cannot cross. */
export interface Refusal {
  /** What it is or holds, in words. */
  reason: string;
  /** What it threw when it was read, if it did. */
  cause?: unknown;
}

/** Puts values into words. */
export interface Explainer {
  /**
   * Describes a value where it cannot be kept.
   *
   * @param value Any value.
   * @returns Such as `[Function: f]`.
   */
  describe(value: unknown): string;
  /**
   * Says why a value cannot cross: what it is or holds, in words, and where.
   *
   * @param value Any value.
   * @param cause What was thrown when it was read or cloned, if it was.
   * @returns Why it cannot cross.
   */
  refuse(value: unknown, cause: unknown): Refusal;
  /** Says what was thrown: its message, or what it is. */
  messageOf(thrown: unknown): string;
}

/**
 * Makes the explainer. Self-contained: workers get this function by its source.
 *
 * @param inspector Says what an object is.
 * @returns The explainer.
 */
export function createExplainer(inspector: Inspector): Explainer {
  // Parts of a value to look at for one that cannot be cloned by itself.
  const MOST_LOOKS = 100_000;
  // Parts that are cloned on trial, where nothing shows which it is.
  const MOST_TRIALS = 200;
  // Objects within objects from which on depth alone is in the way: V8 clones
  // 1,000 and not 3,000, JavaScriptCore 20,000 (Deno 2.9.5, Node.js 24, Bun
  // 1.4.5).
  const DEEP = 1000;

  const { keys } = Object; // as user code may change its globals
  const { toString } = Object.prototype;

  function describe(value: unknown): string {
    try {
      // As text, an array is all of its elements, and there may be billions.
      if (Array.isArray(value)) return "[object Array]";
      if (ArrayBuffer.isView(value)) {
        return Object.prototype.toString.call(value);
      }
      return typeof value === "function"
        ? `[Function: ${value.name || "(anonymous)"}]`
        : String(value);
    } catch {
      return `[${typeof value}]`; // it has no usable toString
    }
  }

  /** Of errors, what clone takes is not what would be sent. */
  function clones(value: object): boolean {
    try {
      const { refused, errors } = inspector.inspect(value);
      if (!refused && !errors) inspector.clone(value);
      return true;
    } catch {
      return false; // whatever it threw: it does not cross
    }
  }

  /** What a value itself is that cannot cross, whatever it holds. */
  function nameOf(value: unknown, inspected: boolean): string | undefined {
    if (typeof value === "symbol") return "a symbol";
    if (typeof value === "function") {
      const { name } = value;
      const known = typeof name === "string" && name !== "";
      return `the function ${known ? name : "(anonymous)"}`;
    }
    if (typeof value !== "object" || value === null) return undefined;
    const refusal = inspector.refusalOf(value);
    if (refusal !== undefined) return refusal;
    const kind = inspector.kindOf(value);
    const { buffer } = kind === "view"
      ? value as DataView<ArrayBuffer>
      : { buffer: kind === "buffer" ? value as ArrayBuffer : undefined };
    return buffer?.detached && inspected
      ? "a buffer that was moved away"
      : undefined;
  }

  /**
   * What an object is that only clone itself refuses, as a generator. A Proxy
   * shows nothing: where clone refused what holds nothing that is in the way, it
   * nearly always is one. Of more parts than are tried, this may be what holds it.
   */
  function tagOf(
    value: unknown,
    otherwise: string | undefined,
  ): string | undefined {
    if (typeof value !== "object" || value === null) return undefined;
    const tag = toString.call(value);
    if (!/^\[object (Object|Array|Map|Set|Error)\]$/.test(tag)) {
      return clones(value) ? undefined : tag;
    }
    return otherwise === undefined
      ? undefined
      : `what structured clone refuses, such as a Proxy (${otherwise})`;
  }

  /** What a map or a set holds: nothing, if it is a Proxy of one. */
  function held<I>(open: () => Iterable<I>): Iterable<I> {
    try {
      return open();
    } catch {
      return []; // clone itself refuses it
    }
  }

  /** What a value holds, and how it is reached. */
  function* partsOf(value: object): Generator<[path: string, part: unknown]> {
    const kind = inspector.kindOf(value);
    if (kind === "object" || kind === "array") {
      for (const key of keys(value)) {
        const path = /^\d+$/.test(key)
          ? `[${key}]`
          : /^[\w$]+$/.test(key)
          ? `.${key}`
          : `[${JSON.stringify(key)}]`;
        yield [path, (value as Record<string, unknown>)[key]];
      }
    } else if (kind === "map") {
      for (const [key, item] of held(() => inspector.entriesOf(value))) {
        const name = typeof key === "string" ? JSON.stringify(key) : "…";
        yield [`.get(${name})`, item];
        yield [".keys()", key];
      }
    } else if (kind === "set") {
      for (const item of held(() => inspector.itemsOf(value))) {
        yield [".keys()", item];
      }
    }
  }

  function explain(root: unknown, otherwise: string | undefined): string {
    const seen = new Set<unknown>();
    const todo: [string, unknown, number][] = [["", root, 1]];
    const objects: [string, object][] = [];
    let depths = 0;
    let deepest = ""; // where clone itself refuses, and nothing shows why
    let culprit = root; // what is there
    let trials = 0;
    let read = ""; // what is read at the moment
    try {
      for (const [path, value, depth] of todo) { // grows: the shortest path is found
        read = path;
        const name = nameOf(value, otherwise === undefined);
        if (name !== undefined) return name + at(path);
        if (typeof value !== "object" || value === null) continue;
        if (seen.has(value)) continue;
        seen.add(value);
        depths = depth;
        objects.push([path, value]);
        for (const [step, part] of partsOf(value)) {
          if (todo.length < MOST_LOOKS) {
            todo.push([path + step, part, depth + 1]);
          }
        }
      }
      if (depths > DEEP) {
        return `objects within objects, ${depths} deep: send a list of them`;
      }
      for (const [path, value] of objects) {
        if (path.length <= deepest.length) continue;
        if (++trials > MOST_TRIALS) break;
        read = path;
        if (!clones(value)) [deepest, culprit] = [path, value];
      }
      read = deepest;
      const tag = tagOf(culprit, otherwise);
      if (tag !== undefined) return tag + at(deepest);
    } catch (error) { // a getter
      return `a value that threw ${describe(error)}${at(read)}`;
    }
    return (otherwise ?? "a value that holds what cannot be cloned") +
      at(deepest);
  }

  function at(path: string): string {
    return path === "" ? "" : ` at "${path.replace(/^\./, "")}"`;
  }

  function messageOf(thrown: unknown): string {
    try {
      const message = (thrown as Error)?.message;
      if (typeof message === "string") return message;
    } catch {
      // a getter that throws in turn
    }
    return describe(thrown);
  }

  function refuse(value: unknown, cause: unknown): Refusal {
    try {
      const said = cause === undefined ? undefined : messageOf(cause);
      const reason = explain(value, said);
      return cause === undefined ? { reason } : { reason, cause };
    } catch { // a Proxy that throws at everything
      return { reason: "a value that cannot be read", cause };
    }
  }

  return { describe, refuse, messageOf };
}
