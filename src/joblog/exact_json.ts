/**
 * The JSON of a value, if it holds all of it: what JSON changes or leaves out
 * could not be told from something else.
 *
 * @module
 */

import { show, showThrown } from "../words/show.ts";

/** A text; or what there was instead, for an error, and what that came of. */
export type ExactText = { text: string } | {
  received: string;
  cause?: unknown;
};

/**
 * Makes the JSON of a value.
 *
 * @param value Any value.
 * @returns Its JSON, or what is not in it as it is in the value.
 */
export function exactJson(value: unknown): ExactText {
  try {
    const text = JSON.stringify(value); // a loop is found before it is walked
    const received = findInexact(value);
    return received === undefined ? { text } : { received };
  } catch (cause) {
    return { received: showThrown(cause), cause };
  }
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
  // JSON asks it also where it is in no such list.
  const { toJSON } = value as { toJSON?: unknown };
  return typeof toJSON === "function"
    ? `${show(toJSON)} at ${path}.toJSON`
    : undefined;
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
