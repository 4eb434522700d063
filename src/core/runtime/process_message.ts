/**
 * Looks at what comes from a process before the engine believes it: a task there
 * may write to the pipe what it likes, and has no rights in this program.
 *
 * @module
 */

import type { FromWorker } from "../wire/protocol.ts";

type Fields = Record<string, unknown>;

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

function areNumbers(...values: unknown[]): boolean {
  return values.every((value) => typeof value === "number");
}

/** Whether it is a list of objects, each of which has these numbers. */
function isListOf(list: unknown, ...names: string[]): boolean {
  return Array.isArray(list) &&
    list.every((one) =>
      isObject(one) && areNumbers(...names.map((name) => one[name]))
    );
}

/** What each kind of message has to have; of the others nothing is read. */
const HOLDS: Partial<
  Record<FromWorker["type"], (message: Fields) => boolean>
> = {
  at: ({ tasks, begun }) =>
    areNumbers(begun) && isListOf(tasks, "serial", "ran"),
  abandoned: ({ serials }) => Array.isArray(serials) && areNumbers(...serials),
  stray: ({ at }) =>
    at === undefined || (Array.isArray(at) && areNumbers(...at)),
  done: ({ serial, tasks, ms, bytes, values, failures = [], times }) =>
    areNumbers(serial, tasks, ms, bytes) && isObject(values) &&
    isListOf(failures, "offset", "folded") &&
    (times === undefined || times instanceof Float64Array),
};

/**
 * Says whether something is a message of a worker, as far as the engine needs it
 * to be. What the values and errors in it hold is looked at when they are read.
 *
 * @param message What came, behind its tag.
 * @returns Whether it is one.
 */
export function isFromWorker(message: unknown): boolean {
  if (!isObject(message)) return false;
  const { type } = message;
  if (typeof type !== "string") return false;
  const holds = Object.hasOwn(HOLDS, type)
    ? HOLDS[type as FromWorker["type"]]
    : undefined;
  return holds === undefined || holds(message);
}
