/**
 * The check of every option of a log and of its stream, at the call.
 *
 * @module
 */

import { optionNames } from "../words/option_names.ts";

interface Rule {
  rule: string;
  holds: (value: unknown) => boolean;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isFunction = (value: unknown) => typeof value === "function";

const flag: Rule = {
  rule: "must be true or false",
  holds: (value) => typeof value === "boolean",
};
const callback: Rule = { rule: "must be a function", holds: isFunction };

/** The checks of {@linkcode JobLogOptions}. */
export const LOG_RULES: Record<string, Rule> = {
  version: {
    rule: "must be a string or a finite number",
    holds: (value) => typeof value === "string" || Number.isFinite(value),
  },
  header: { rule: "must be an object", holds: isObject },
  accepts: callback,
  readOnly: flag,
};

/** The checks of {@linkcode LogStreamOptions}. */
export const STREAM_RULES: Record<string, Rule> = {
  key: callback,
  format: {
    rule: "must have the methods stringify and parse, as JSON has",
    holds: (value) =>
      isObject(value) && isFunction(value.stringify) && isFunction(value.parse),
  },
  ordered: flag,
  note: callback,
};

/**
 * Checks that options are known and fit their rules. Each is read once, so that
 * what is checked is what is used.
 *
 * @param action What cannot be done otherwise, such as `stream`.
 * @param options The options as the caller gave them; inherited ones count.
 * @param rules The check of each.
 * @returns A copy, of which alone anything may be read.
 * @throws {TypeError} When an option is unknown, or does not fit.
 */
export function checkOptions<O extends object>(
  action: string,
  options: O,
  rules: Record<string, Rule>,
): O {
  if (!isObject(options) || Symbol.iterator in options) {
    throw new TypeError(
      `Cannot ${action} as options must be an object: received ${
        show(options)
      }`,
    );
  }
  const copy: Record<string, unknown> = Object.create(null);
  for (const name of optionNames(options, Object.keys(rules))) {
    if (!Object.hasOwn(rules, name)) {
      const known = Object.keys(rules).join(", ");
      throw new TypeError(
        `Cannot ${action} as options must be among ${known}: received "${name}"`,
      );
    }
    const value = (options as Record<string, unknown>)[name];
    copy[name] = value;
    const { rule, holds } = rules[name]!;
    if (value === undefined || holds(value)) continue;
    throw new TypeError(
      `Cannot ${action} as "${name}" ${rule}: received ${show(value)}`,
    );
  }
  return copy as O;
}

/**
 * Shows a value in an error message.
 *
 * @param value Any value.
 * @returns A short text.
 */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 60));
  return Object(value) === value
    ? Object.prototype.toString.call(value)
    : String(value);
}
