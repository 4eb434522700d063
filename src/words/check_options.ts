/**
 * The check of options, of every entry point: at the call, and each read once.
 *
 * @module
 */

import { show } from "./show.ts";

/** What one option must be. */
export interface Rule {
  /** Says so, as in `must be a function`. */
  rule: string;
  /** What `typeof` says of it; any, where it is left out. */
  kind?: string;
  /** Whether a value of that kind is right. */
  holds: (value: never) => boolean;
  /** Copies what has parts: each of them, too, is read once. */
  copy?: (value: unknown) => unknown;
  /** Finds what in a wrong value is wrong, where it has parts. */
  oddPart?: (value: unknown) => unknown;
}

/** The check of each option that is known; undefined where it is elsewhere. */
export type Rules = Record<string, Rule | undefined>;

/** Of what is called. */
export const callback: Rule = {
  rule: "must be a function",
  kind: "function",
  holds: () => true,
};

/** Of what ends something; a frame of a page may have it of another. */
export const abortSignal: Rule = {
  rule: "must be an AbortSignal",
  kind: "object",
  holds(value: unknown) {
    try {
      // Of this realm, it may be one that is made in the place of the platform's.
      return (value instanceof AbortSignal
        ? value.aborted
        : Reflect.get(AbortSignal.prototype, "aborted", value)) !== undefined;
    } catch {
      return false; // that getter throws for all others
    }
  },
};

/** Of counts: whole numbers from one to another. */
export function whole(from: number, to = Infinity): Rule {
  const upTo = to === Infinity ? "" : ` to ${to}`;
  return {
    rule: `must be a whole number from ${from}${upTo}`,
    kind: "number",
    holds: (value: number) =>
      Number.isInteger(value) && value >= from && value <= to,
  };
}

/** Of what is shown. */
export const text: Rule = {
  rule: "must be a text",
  kind: "string",
  holds: () => true,
};

/** Of what is on or off. */
export const flag: Rule = {
  rule: "must be true or false",
  kind: "boolean",
  holds: () => true,
};

/** What can be a set of named options: not a Map, nor a list. */
const PLAIN = new Set(["[object Object]", "[object Module]"]);

/**
 * Checks that options are known and fit their rules. Each is read once: what is
 * checked is what is used, whatever the caller does with the object later.
 *
 * @param action What cannot be done otherwise, such as `map`.
 * @param options The options as the caller gave them; inherited ones count.
 * @param rules The check of each known option.
 * @param takerOf Says of an unknown one who would take it, as the end of a
 * sentence.
 * @returns A copy, of which alone anything may be read.
 * @throws {TypeError} When an option is unknown or of the wrong kind.
 * @throws {RangeError} When an option is out of its range.
 */
export function checkOptions<O extends object>(
  action: string,
  options: O,
  rules: Rules,
  takerOf: (name: string) => string = () => "",
): O {
  const isObject = typeof options === "object" && options !== null;
  if (!isObject || !PLAIN.has(Object.prototype.toString.call(options))) {
    throw new TypeError(
      `Cannot ${action} as options must be an object${
        isObject ? " with a name for each" : ""
      }: received ${show(options)}`,
    );
  }
  const copy: Record<string, unknown> = Object.create(null);
  for (const name of optionNames(options, Object.keys(rules))) {
    if (!Object.hasOwn(rules, name)) {
      const known = Object.keys(rules).join(", ");
      throw new TypeError(
        `Cannot ${action} as options must be among ${known}: received "${name}"${
          takerOf(name)
        }`,
      );
    }
    const check = rules[name];
    let value = (options as Record<string, unknown>)[name];
    if (check?.copy !== undefined) value = check.copy(value);
    copy[name] = value;
    if (check === undefined || value === undefined) continue;
    const { kind = typeof value } = check;
    const fits = typeof value === kind && value !== null;
    if (fits && check.holds(value as never)) continue;
    const Kind = fits && check.kind === "number" ? RangeError : TypeError;
    throw new Kind(
      `Cannot ${action} as "${name}" ${check.rule}: received ${
        show(check.oddPart === undefined ? value : check.oddPart(value))
      }`,
    );
  }
  return copy as O;
}

/**
 * Lists the names in a set of options, each to be read once: inherited ones count.
 *
 * @param options The options as the caller gave them.
 * @param known Names that may stand there.
 * @returns All names; those that are not known as well.
 */
export function optionNames(options: object, known: string[]): Set<string> {
  const names = new Set<string>();
  for (const name in options) names.add(name);
  // What a class inherits from its getters is in no such loop.
  for (const name of known) if (name in options) names.add(name);
  // What somebody has added to all objects is no option.
  for (const name in Object.prototype) {
    if (!Object.hasOwn(options, name)) names.delete(name);
  }
  return names;
}
