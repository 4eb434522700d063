/**
 * The text by which an input is known: its JSON, or what `key` makes of it.
 *
 * @module
 */

import { show } from "../words/show.ts";

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
  let text: unknown;
  let received: string | undefined;
  let cause: unknown;
  try {
    text = key === undefined ? JSON.stringify(input) : key(input);
    received = key === undefined
      ? findInexact(input)
      : typeof text === "string"
      ? undefined
      : show(text);
  } catch (error) {
    cause = error;
    received = String(error);
  }
  if (received === undefined) return text as string;
  const why = key === undefined
    ? `its JSON must tell it from others: received ${received} (give "key", which makes a text of each input)`
    : `"key" must make a text of it: received ${received}`;
  throw new TypeError(`Cannot log input ${index} as ${why}`, { cause });
}

/** Names what JSON changes or leaves out in a value; undefined for nothing. */
function findInexact(value: unknown, path = ""): string | undefined {
  if (!isExactHere(value)) {
    const what = Object.is(value, -0) ? "-0" : show(value);
    return path === "" ? what : `${what} at ${path}`;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const isList = Array.isArray(value);
  // A hole of a list is undefined here.
  for (const [name, part] of isList ? value.entries() : Object.entries(value)) {
    const found = findInexact(
      part,
      `${path}${isList ? `[${name}]` : `.${name}`}`,
    );
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether JSON keeps a value, apart from what is in it. */
function isExactHere(value: unknown): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0);
    case "object": {
      if (value === null) return true;
      const prototype = Object.getPrototypeOf(value);
      return Array.isArray(value)
        ? prototype === Array.prototype &&
          Object.keys(value).length <= value.length
        : prototype === Object.prototype || prototype === null;
    }
    default:
      return false;
  }
}
