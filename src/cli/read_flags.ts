/**
 * The flags of a command line, read one by one. What they mean together stands
 * in command.ts.
 *
 * @module
 */

import { parseArgs } from "node:util";
import type { Flag, FlagName, Values } from "./flags.ts";
import { FLAGS } from "./flags.ts";
import { cureFor } from "./other_flags.ts";
import { UsageError } from "./values.ts";

/**
 * Reads the flags of a command line, each by itself.
 *
 * @param args The arguments after the program's name.
 * @returns What each flag says, and the arguments beside them.
 * @throws {UsageError} When a flag is unknown, or its value is wrong.
 */
export function readFlags(
  args: string[],
): { values: Values; positionals: string[] } {
  const { names, options } = optionsOf();
  // Not strict: the words for what is wrong are ours, and the same everywhere.
  const { tokens, positionals } = parseArgs({
    args,
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values: Record<string, unknown> = {};
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const { rawName, value, inlineValue } = token;
    const name = names.get(token.name);
    if (name === undefined) throw unknownFlag(token.name, rawName);
    const flag: Flag = FLAGS[name];
    if (flag.value === undefined && value !== undefined) {
      throw new UsageError(
        `Cannot run as ${rawName} takes no value: received "${value}"`,
      );
    }
    if (flag.value !== undefined && (value === undefined || value === "")) {
      throw new UsageError(
        `Cannot run as ${rawName} needs a value: received none`,
      );
    }
    const next = /^--?([\w-]+)/.exec(value ?? "")?.[1] ?? "";
    if (inlineValue === false && value!.startsWith("--") && names.has(next)) {
      // Of a short flag, the parser takes "=" for a part of the value.
      const whole = `${rawName}${rawName.startsWith("--") ? "=" : ""}${value}`;
      throw new UsageError(
        `Cannot run as ${rawName} needs a value: received the flag ${value} (${whole} if that is the value)`,
      );
    }
    values[name] = flag.read(value ?? "", rawName);
  }
  return { values, positionals };
}

/** What the platform's parser is told, and which flag each name is of. */
function optionsOf(): {
  names: Map<string, FlagName>;
  options: Record<string, { type: "boolean" | "string"; short?: string }>;
} {
  const names = new Map<string, FlagName>();
  const options: ReturnType<typeof optionsOf>["options"] = {};
  for (const flag of Object.keys(FLAGS) as FlagName[]) {
    const { value, short, also = [] }: Flag = FLAGS[flag];
    const type = value === undefined ? "boolean" : "string";
    for (const other of [{ name: flag, short }, ...also]) {
      names.set(other.name, flag);
      options[other.name] = {
        type,
        ...(other.short === undefined ? {} : { short: other.short }),
      };
    }
  }
  return { names, options };
}

function unknownFlag(name: string, raw: string): UsageError {
  const near = Object.keys(FLAGS).find((flag) =>
    name.length > 2 && (flag.startsWith(name) || name.startsWith(flag))
  );
  const known = cureFor(name);
  const cure = known !== undefined
    ? known
    : raw.startsWith("--")
    ? near === undefined ? "pmap --help lists them" : `is it --${near}?`
    : "put -- before arguments that start with a dash, and ./ before such a path";
  return new UsageError(
    `Cannot run as flags must be known ones: received ${raw} (${cure})`,
  );
}
