/**
 * Looks at what comes from a process before the engine believes it: a task there
 * may write to the pipe what it likes, and has no rights in this program.
 *
 * @module
 */

import {
  isCount,
  isObject,
  isOptional,
  isText,
} from "../../words/plain_data.ts";
import type { FromWorker } from "../wire/protocol.ts";

type Fields = Record<string, unknown>;

const isNumber = (value: unknown) => typeof value === "number";

function isListOf(list: unknown, holds: (one: unknown) => boolean): boolean {
  return Array.isArray(list) && list.every(holds);
}

function isTask(task: unknown): boolean {
  return isObject(task) && isNumber(task.serial) && isNumber(task.ran);
}

function isFailure(failure: unknown): boolean {
  return isObject(failure) && isNumber(failure.offset) &&
    isNumber(failure.folded) && isOptional(failure.refused, isText);
}

/** What each kind of message has to have; of the others nothing is read. */
const HOLDS: Partial<
  Record<FromWorker["type"], (message: Fields) => boolean>
> = {
  at: ({ tasks, begun, folds }) =>
    isListOf(tasks, isTask) && isNumber(begun) && isOptional(folds, isNumber),
  "taken-back": ({ first, end }) => isCount(first, 0) && isCount(end, 0),
  abandoned: ({ serials }) => isListOf(serials, isNumber),
  stray: ({ at, code }) =>
    isOptional(at, (list) => isListOf(list, isNumber)) &&
    isOptional(code, isNumber),
  refused: ({ number }) => isNumber(number),
  unread: ({ serial, tasks }) => isNumber(serial) && tasks === undefined,
  done: ({ serial, tasks, waits, ms, bytes, values, failures, times }) =>
    [serial, tasks, ms, bytes].every(isNumber) && isObject(values) &&
    isOptional(waits, (list) => isListOf(list, isNumber)) &&
    isOptional(failures, (list) => isListOf(list, isFailure)) &&
    isOptional(times, (list) => list instanceof Float64Array),
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
