/**
 * The rule of `permissions`: which there are, and how they may be given.
 *
 * @module
 */

import { optionNames, type Rule } from "../../words/check_options.ts";
import type { PermissionLists } from "./options.ts";

/** The kinds of permission, and what Deno calls one of a list of each. */
export const PERMISSIONS: Readonly<Record<keyof PermissionLists, string>> = {
  read: "path",
  write: "path",
  net: "host",
  env: "variable",
  run: "command",
  ffi: "path",
  sys: "kind",
  import: "host",
};

/**
 * Copies permissions, lists and all; what is none comes back in a list, for
 * `oddPermissions` to name.
 */
function copyPermissions(value: unknown): unknown {
  if (value === undefined || value === "none" || value === "inherit") {
    return value;
  }
  if (Object.prototype.toString.call(value) !== "[object Object]") {
    return [value];
  }
  const given = value as Record<string, unknown>;
  const copy: typeof given = Object.create(null);
  for (const name of optionNames(given, Object.keys(PERMISSIONS))) {
    const list = given[name];
    copy[name] = Array.isArray(list) ? [...list] : list;
  }
  return copy;
}

/** Finds what in such a copy does not say what workers may do. */
function oddPermissions(value: unknown): unknown[] {
  if (typeof value === "string") return [];
  if (Array.isArray(value)) return value;
  for (const [name, given] of Object.entries(value as object)) {
    if (!Object.hasOwn(PERMISSIONS, name)) return [name];
    if (given === undefined || typeof given === "boolean") continue;
    if (!Array.isArray(given)) return [given];
    for (const one of given) {
      if (typeof one !== "string" || !/^[^,]+$/.test(one)) return [one];
    }
  }
  return [];
}

/** What workers may do. */
export const permissions: Rule = {
  rule: `must be "none", "inherit", or an object of ${
    Object.keys(PERMISSIONS).join(", ")
  }, each true, false or a list of texts without commas`,
  copy: copyPermissions,
  holds: (value: unknown) => oddPermissions(value).length === 0,
  oddPart: (value) => oddPermissions(value)[0],
};
