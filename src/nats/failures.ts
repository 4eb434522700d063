/**
 * Failures of tasks as plain data, and back.
 *
 * @module
 */

import type { Encoded, Failure, FunctionRef } from "@parallel/map/seam";
import { encodeThrown, type SentFailure, wire } from "./messages.ts";

/**
 * Makes a failure ready to be sent.
 *
 * @param failure What became of a task.
 * @returns The same as plain data.
 */
export function encodeFailure(failure: Failure): SentFailure {
  const { why } = failure;
  if (why === "threw") return { why, error: encodeThrown(failure.error) };
  if (why === "unfolded") {
    const { error, tasks } = failure;
    return { why, error: encodeThrown(error), tasks };
  }
  if (why === "timeout") return { why, timeout: failure.timeout };
  if (why === "lost") {
    const { code, signal, error } = failure;
    return { why, code, signal, error: encodeCause(error) };
  }
  const { what, refusal: { reason, cause } } = failure;
  return { why, what, reason, cause: encodeCause(cause) };
}

/**
 * Encodes what was thrown, if anything was.
 *
 * @param cause What was thrown; undefined if that is not known.
 * @returns The same as plain data.
 */
export function encodeCause(cause: unknown): Encoded | undefined {
  return cause === undefined ? undefined : encodeThrown(cause);
}

/**
 * Undoes {@linkcode encodeCause}.
 *
 * @param encoded What was sent.
 * @returns What was thrown, or what that threw when it was put together.
 */
export function decodeCause(encoded: Encoded | undefined): unknown {
  if (encoded === undefined) return undefined;
  try {
    return wire.codec.decode(encoded);
  } catch (error) { // it still failed
    return error;
  }
}

/**
 * Undoes {@linkcode encodeFailure}.
 *
 * @param sent What was sent.
 * @param combine What folds the results of the run, if anything does.
 * @returns The failure.
 */
export function decodeFailure(
  sent: SentFailure,
  combine: FunctionRef | undefined,
): Failure {
  const { why } = sent;
  if (why === "timeout") return { why, timeout: sent.timeout };
  if (why === "lost") {
    const { code, signal } = sent;
    return { why, code, signal, error: decodeCause(sent.error), moved: false };
  }
  if (why === "unsendable") {
    const refusal = { reason: sent.reason, cause: decodeCause(sent.cause) };
    return { why, what: sent.what, refusal };
  }
  const error = decodeCause(sent.error);
  return why === "unfolded" && combine !== undefined
    ? { why, error, tasks: sent.tasks, combine }
    : { why: "threw", error };
}
