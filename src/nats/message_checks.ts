/**
 * Looks at messages before a machine does what they say: anybody may have sent
 * them who may speak on the subjects of the pool.
 *
 * @module
 */

import {
  isCount,
  isObject,
  isOptional,
  isText,
  MOST_AT_ONCE,
} from "@parallel/map/seam";
import type { CallMessage, ChunkMessage } from "./messages.ts";

type Fields<T> = { [K in keyof T]: unknown };

const isWhole = (value: unknown) => isCount(value, 1);
const isAtOnce = (value: unknown) => isCount(value, 1) && value <= MOST_AT_ONCE;
const isBuffer = (value: unknown) => value instanceof ArrayBuffer;

/**
 * Checks a chunk.
 *
 * @param message What came.
 * @returns The same.
 * @throws {TypeError} When it is none.
 */
export function checkChunk(message: unknown): ChunkMessage {
  if (isObject(message)) {
    const { number, first, attempt, alone, values, skip } = message as Fields<
      ChunkMessage
    >;
    const holds = isCount(number, 0) && isCount(first, 0) && isWhole(attempt) &&
      typeof alone === "boolean" && isObject(values) && Array.isArray(skip) &&
      skip.every((one, i) => isCount(one, i === 0 ? 0 : skip[i - 1] + 1));
    if (holds) return message as unknown as ChunkMessage;
  }
  throw new TypeError("a chunk is not what one must be");
}

/**
 * Checks values before they are unpacked. Where a buffer must be, a number would
 * be taken for the length of one: a message of a few bytes could ask for all the
 * memory there is.
 *
 * @param packed What came.
 * @throws {TypeError} When it is not what `pack` makes.
 */
export function checkPacked(packed: unknown): void {
  if (!isPacked(packed)) throw new TypeError("values come as they are packed");
}

function isPacked(packed: unknown): boolean {
  if (!isObject(packed)) return false;
  const { as, buffer, text, lengths, records, left } = packed;
  if (as === "array") return isBuffer(buffer);
  if (as === "texts") return isText(text) && isBuffer(lengths);
  if (as === "records") {
    return isObject(records) && isBuffer(records.codes) &&
      isBuffer(records.numbers) && isText(records.text) &&
      isOptional(left, isList);
  }
  return isList(packed); // no memory is shared, and `open` alone makes "mixed"
}

function isList(packed: unknown): boolean {
  if (!isObject(packed) || packed.as !== "list") return false;
  const { values, encoded } = packed;
  return Array.isArray(values) &&
    isOptional(
      encoded,
      (encoded) =>
        Array.isArray(encoded) &&
        encoded.every((one) =>
          Array.isArray(one) && isCount(one[0], 0) && one[0] < values.length
        ),
    );
}

/**
 * Checks the values of a chunk: there must be a task to run.
 *
 * @param chunk The chunk.
 * @param values Its values.
 * @throws {RangeError} When there is none.
 */
export function checkValues(
  { first, skip }: ChunkMessage,
  values: ArrayLike<unknown>,
): void {
  const { length } = values;
  const holds = length > skip.length && (skip.at(-1) ?? -1) < length &&
    Number.isSafeInteger(first + length);
  if (!holds) throw new RangeError("a chunk has tasks to run");
}

/**
 * Checks what a client says that a run is.
 *
 * @param message What came.
 * @returns The same.
 * @throws {TypeError} When it says nothing of the kind.
 */
export function checkCall(message: unknown): CallMessage {
  if (isObject(message)) {
    const { type } = message;
    if (type === "over" || type === "on" || type === "later") return { type };
    const said = message as Fields<CallMessage & { type: "call" }>;
    const { fn, combine, lines, data, timeout, fingerprint } = said;
    const { concurrency, chunkSize, lastAttempt } = said;
    // No timer waits for longer, and clients leave such a limit out.
    const isLimit = (ms: unknown) =>
      typeof ms === "number" && ms > 0 && ms < 2 ** 31;
    const isData = (data: unknown) =>
      isObject(data) && Array.isArray(data.functions) &&
      data.functions.every((one) =>
        isObject(one) && Array.isArray(one.path) && one.path.every(isText) &&
        isFunction(one.ref)
      );
    const holds = type === "call" && isFunction(fn) &&
      isOptional(combine, isFunction) && isOptional(lines, isObject) &&
      isOptional(data, isData) && isOptional(timeout, isLimit) &&
      isOptional(concurrency, isAtOnce) && isOptional(chunkSize, isWhole) &&
      isOptional(lastAttempt, isWhole) && isOptional(fingerprint, isText);
    if (holds) return message as unknown as CallMessage;
  }
  throw new TypeError("its client must say what the run is");
}

function isFunction(value: unknown): boolean {
  return isObject(value) && isText(value.name) &&
    isOptional(value.source, isText);
}
