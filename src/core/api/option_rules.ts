/**
 * The rule of every option of calls and pools.
 *
 * @module
 */

import {
  abortSignal,
  callback,
  checkOptions as check,
  flag,
  type Rules,
  whole,
} from "../../words/check_options.ts";
import type { PoolOptions } from "./options.ts";
import { permissions } from "./permission_rules.ts";

/**
 * Tasks at once in a worker, and workers at once. More is a slip: a board has 8
 * bytes for each task, and no machine starts so many threads.
 */
export const MOST_AT_ONCE = 65_536;
/** In MB: more than any machine has, and less than overflows in V8's flags. */
const MOST_MEMORY = 2 ** 40;

/** What all typed arrays inherit from. */
const AnyTypedArray: new () => object = Object.getPrototypeOf(Uint8Array);

/** Whether it is a class of them, also of another realm, as Jest mixes them. */
function isTypedArrayClass(value: object): boolean {
  return Object.getPrototypeOf(value)?.name === "TypedArray";
}

// The language's own getters, of which the second throws for shared memory: in
// whatever realm, and in a page that shares none, that has no class.
const { get: bufferOf } = Object.getOwnPropertyDescriptor(
  AnyTypedArray.prototype,
  "buffer",
)!;
const { get: bytesOf } = Object.getOwnPropertyDescriptor(
  ArrayBuffer.prototype,
  "byteLength",
)!;

/** Whether it is a typed array in shared memory. */
function isSharedArray(value: unknown): boolean {
  let buffer: unknown;
  try {
    buffer = bufferOf!.call(value);
    bytesOf!.call(buffer);
  } catch {
    return buffer !== undefined;
  }
  return false;
}

/** The checks of {@linkcode RunOptions}. */
export const RUN_RULES: Rules = {
  module: undefined, // checked where it is resolved: src/core/wire/function_ref.ts
  data: undefined, // checked where it is encoded: src/core/wire/call_data.ts
  chunkSize: whole(1),
  weight: callback,
  concurrency: whole(1, MOST_AT_ONCE),
  signal: abortSignal,
  timeout: {
    rule: "must be a number of milliseconds above 0",
    kind: "number",
    holds: (value: number) => value > 0,
  },
  retries: whole(0),
  transfer: flag,
  onProgress: callback,
  onEvent: callback,
};

/** The checks of {@linkcode PoolOptions}. */
export const POOL_RULES: Rules = {
  workers: whole(0, MOST_AT_ONCE),
  module: undefined,
  workerData: undefined,
  init: callback,
  backend: {
    rule: 'must be "web", "threads" or "processes"',
    kind: "string",
    holds: (value: string) => ["web", "threads", "processes"].includes(value),
  },
  maxTasksPerWorker: {
    rule: "must be a whole number from 1, or Infinity",
    kind: "number",
    holds: (value: number) =>
      value === Infinity || (Number.isInteger(value) && value >= 1),
  },
  maxMemory: whole(64, MOST_MEMORY),
  permissions,
  onEvent: callback,
};

/** The checks of {@linkcode CloseOptions}. */
export const CLOSE_RULES: Rules = { finish: flag };

/** The checks of {@linkcode MapOptions}. */
export const MAP_RULES: Rules = {
  ...RUN_RULES,
  output: {
    rule:
      "must be a typed-array constructor, or a typed array in shared memory",
    holds: (value: unknown) =>
      typeof value === "function"
        ? isTypedArrayClass(value)
        : isSharedArray(value),
  },
};

/** The checks of {@linkcode ReduceOptions}. */
export const REDUCE_RULES: Rules = { ...RUN_RULES, initial: undefined };

/** The checks of {@linkcode StreamOptions}. */
export const STREAM_RULES: Rules = {
  ...RUN_RULES,
  settled: flag,
  ordered: flag,
  bufferSize: whole(1),
};

/** Says who takes an option that is unknown where it was given. */
function takerOf(name: string): string {
  const takers = {
    "new Pool": POOL_RULES,
    "a call": RUN_RULES,
    "a map": MAP_RULES,
    "a stream": STREAM_RULES,
    "a reduction": REDUCE_RULES,
  };
  const found = Object.entries(takers)
    .find(([, rules]) => Object.hasOwn(rules, name));
  return found === undefined ? "" : `, which ${found[0]} takes`;
}

/**
 * Checks options as `checkOptions` of src/words/ does, and says of one that was
 * given in the wrong place where it belongs.
 *
 * @param action What cannot be done otherwise, such as `map`.
 * @param options The options as the caller gave them; inherited ones count.
 * @param rules The check of each known option.
 * @returns A copy, of which alone anything may be read.
 * @throws {TypeError} When an option is unknown or of the wrong kind.
 * @throws {RangeError} When an option is out of its range.
 */
export function checkOptions<O extends object>(
  action: string,
  options: O,
  rules: Rules,
): O {
  return check(action, options, rules, takerOf);
}

/**
 * Splits the options of a one-shot call into those of the pool and the rest.
 *
 * @param options Options of both kinds.
 * @returns The pool's options, and all others.
 */
export function splitOptions<O extends object>(
  options: PoolOptions & O,
): { pool: PoolOptions; run: O } {
  const pool: Record<string, unknown> = Object.create(null);
  const run: Record<string, unknown> = Object.create(null);
  for (const [name, value] of Object.entries(options)) {
    // onEvent and module stand in both tables: the pool of a one-shot call
    // tells the ends of its workers too.
    (Object.hasOwn(POOL_RULES, name) ? pool : run)[name] = value;
  }
  return { pool, run: run as O };
}
