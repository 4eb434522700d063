/**
 * The text by which an input is known: its JSON, or what `key` makes of it.
 *
 * @module
 */

import { show, showThrown } from "../words/show.ts";
import { exactJson, type ExactText } from "./exact_json.ts";

/**
 * Makes the text of an input. Two inputs that differ must not have the same:
 * one would get the result of the other. So without `key`, an input is refused
 * if its JSON leaves something out, as that of a Map does.
 *
 * @param input The input.
 * @param index Its position among all, for errors.
 * @param key The option, if it was given.
 * @returns What tells it from others.
 * @throws {TypeError} When nothing does.
 */
export function inputText<T>(
  input: T,
  index: number,
  key: ((input: T) => string) | undefined,
): string {
  const made = key === undefined ? exactJson(input) : keyText(key, input);
  if ("text" in made) return made.text;
  const { received, cause } = made;
  const why = key === undefined
    ? `its JSON must tell it from others: received ${received} (give "key", which makes a text of each input)`
    : `"key" must make a text of it: received ${received}`;
  throw new TypeError(`Cannot log input ${index} as ${why}`, { cause });
}

function keyText<T>(key: (input: T) => string, input: T): ExactText {
  try {
    const text: unknown = key(input);
    return typeof text === "string" ? { text } : { received: show(text) };
  } catch (cause) {
    return { received: showThrown(cause), cause };
  }
}
