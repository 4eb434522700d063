/**
 * Failures of tasks as plain data, and back.
 *
 * @module
 */

import {
  type Encoded,
  type Failure,
  type FunctionRef,
  nameThrown,
} from "@parallel/map/seam";
import { writeBytes } from "./byte_writer.ts";
import { encodeThrown, type SentFailure, wire } from "./messages.ts";

/** Makes plain data of what was thrown. */
export type Encode = (thrown: unknown) => Encoded;

/**
 * Encodes what was thrown: of what cannot be written only what it is called. It
 * takes longer, as that is tried.
 *
 * @param thrown What was thrown.
 * @returns Plain data that can be written.
 */
export function encodeWritable(thrown: unknown): Encoded {
  try {
    const encoded = encodeThrown(thrown);
    writeBytes(encoded);
    return encoded;
  } catch { // such as an array of too many elements in an error
    return encodeThrown(new Error(nameThrown(thrown)));
  }
}

/**
 * Makes a failure ready to be sent.
 *
 * @param failure What became of a task.
 * @param encode What encodes an error in it.
 * @returns The same as plain data.
 */
export function encodeFailure(failure: Failure, encode: Encode): SentFailure {
  const { why } = failure;
  if (why === "threw") return { why, error: encode(failure.error) };
  if (why === "unfolded") {
    const { error, tasks } = failure;
    return { why, error: encode(error), tasks };
  }
  if (why === "timeout") {
    const { timeout, sendMs } = failure;
    return { why, timeout, sendMs };
  }
  if (why === "lost") {
    const { code, signal, error } = failure;
    return { why, code, signal, error: encodeCause(error, encode) };
  }
  const { what, refusal: { reason, cause } } = failure;
  return { why, what, reason, cause: encodeCause(cause, encode) };
}

/**
 * Encodes what was thrown, if anything was.
 *
 * @param cause What was thrown; undefined if that is not known.
 * @param encode What encodes it.
 * @returns The same as plain data.
 */
export function encodeCause(
  cause: unknown,
  encode: Encode,
): Encoded | undefined {
  return cause === undefined ? undefined : encode(cause);
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
 * @throws When it is none: anybody may have sent it.
 */
export function decodeFailure(
  sent: SentFailure,
  combine: FunctionRef | undefined,
): Failure {
  const { why } = sent;
  if (why === "timeout") {
    const { timeout, sendMs } = sent;
    return { why, timeout: Number(timeout), sendMs: numberIf(sendMs) };
  }
  if (why === "lost") {
    const { code, signal } = sent;
    const own = {
      code: numberIf(code),
      signal: signal === undefined ? undefined : String(signal),
    };
    return { why, ...own, error: decodeCause(sent.error), moved: false };
  }
  if (why === "unsendable") {
    const what = sent.what === "input" ? "input" : "result";
    const reason = String(sent.reason);
    return { why, what, refusal: { reason, cause: decodeCause(sent.cause) } };
  }
  const error = decodeCause(sent.error);
  return why === "unfolded" && combine !== undefined
    ? { why, error, tasks: Number(sent.tasks), combine }
    : { why: "threw", error };
}

/** Whatever was sent: a number, if it was there. */
export function numberIf(sent: unknown): number | undefined {
  return sent === undefined ? undefined : Number(sent);
}
