/**
 * Messages whose values are texts, numbers, booleans, null and undefined, as one
 * list of nothing but such: of that, Bun copies no text.
 *
 * @module
 */

import type { ChunkMessage, DoneMessage } from "../wire/protocol.ts";

/** Makes lists of messages, and messages of lists. */
export interface BareLists {
  /**
   * Makes a list of a message.
   *
   * @param message The message: it is left as it is.
   * @param tag What marks who sent it.
   * @returns The list; undefined if the message has to be sent as it is.
   */
  flatten(message: object, tag: number): unknown[] | undefined;
  /**
   * Undoes `flatten`.
   *
   * @param data Anything that arrived, which a task may have posted: it is left
   * as it is.
   * @returns The message with its tag; undefined for what is no such list.
   */
  restore(data: unknown): [tag: unknown, message: object] | undefined;
}

/**
 * Makes what does that. Self-contained: workers get this function by its source.
 *
 * Bun 1.4.5 sends 1,000 texts of 3,000 characters there and back in 1.4 ms, and
 * in 8.6 if their list is a part of a message (bench/micro/bare_lists.ts).
 *
 * @returns What does that.
 */
export function createBareLists(): BareLists {
  type Message = Partial<ChunkMessage | DoneMessage>;
  // Keys of a message beside its values: more than any has.
  const MOST_KEYS = 16;
  // Kept here, as user code may change its globals.
  const { entries, fromEntries } = Object;
  const { isArray, prototype: { slice } } = Array;
  const { isInteger } = Number;

  /** Whether there is a text in a list, and nothing that has Bun copy it. */
  function isBare(values: unknown[]): boolean {
    let hasText = false;
    for (let i = 0; i < values.length; i++) {
      const value = values[i] ?? undefined;
      const kind = typeof value;
      if (kind === "string") hasText = true;
      else if (kind !== "number" && kind !== "boolean" && value !== undefined) {
        return false;
      }
    }
    return hasText;
  }

  return {
    flatten(message, tag) {
      const { values } = message as Message;
      if (values?.as !== "list" || values.encoded) return undefined;
      if (!isBare(values.values)) return undefined;
      const list: unknown[] = slice.call(values.values);
      const { length } = list;
      for (const [key, held] of entries(message)) {
        if (held === values) continue;
        if (typeof held === "object") return undefined;
        list.push(key, held);
      }
      const keys = (list.length - length) / 2;
      if (keys > MOST_KEYS) return undefined;
      list.push(keys, tag);
      return list;
    },
    restore(data) {
      if (!isArray(data)) return undefined;
      const end = data.length - 2;
      const keys: unknown = data[end];
      if (!isInteger(keys) || !(keys as number > 0)) return undefined;
      const length = end - 2 * (keys as number);
      if (length < 1 || keys as number > MOST_KEYS) return undefined;
      const tag: unknown = data[end + 1];
      const beside: [string, unknown][] = [];
      for (let at = length; at < end; at += 2) {
        const key: unknown = data[at];
        if (typeof key !== "string") return undefined;
        beside.push([key, data[at + 1]]);
      }
      const values = slice.call(data, 0, length);
      beside.push(["values", { as: "list", values }]);
      return [tag, fromEntries(beside)];
    },
  };
}
