/**
 * The rule of every option of a log and of its stream.
 *
 * @module
 */

import { callback, flag, type Rules } from "../words/check_options.ts";
import { isObject } from "../words/plain_data.ts";
import type { LogFormat } from "./options.ts";

const isFunction = (value: unknown) => typeof value === "function";

/** The checks of {@linkcode JobLogOptions}. */
export const LOG_RULES: Rules = {
  version: {
    rule: "must be a string or a finite number",
    holds: (value: unknown) =>
      typeof value === "string" || Number.isFinite(value),
  },
  header: {
    rule: "must be an object",
    holds: (value: unknown) => isObject(value) && !Array.isArray(value),
  },
  accepts: callback,
  readOnly: flag,
};

/** The checks of {@linkcode LogStreamOptions}. */
export const STREAM_RULES: Rules = {
  key: callback,
  format: {
    rule: "must have the methods stringify and parse, as JSON has",
    // Also of a class with static methods, which is a function.
    holds: (value: Partial<LogFormat<unknown>>) =>
      isFunction(value.stringify) && isFunction(value.parse),
  },
  ordered: flag,
  note: callback,
};
