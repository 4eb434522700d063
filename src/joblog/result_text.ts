/**
 * The text of a result: made by its format, checked, and read again.
 *
 * @module
 */

import type { TaskOutcome } from "../../mod.ts";
import { TaskError } from "../../mod.ts";
import { show, showThrown } from "../words/show.ts";
import { resultOf } from "./log_record.ts";
import type { LogFormat } from "./options.ts";

/** The text of a result, undefined if the result is; or why there is none. */
export type Result<R> =
  | { ok: true; text: string | undefined; value: R }
  | { ok: false; reason: TaskError; error: string; stack: string };

/**
 * Makes the text of a result.
 *
 * @param outcome What became of an input.
 * @param format Makes the text, and reads it.
 * @returns The text and what it is read as; or why there is none, as the input
 * failed, or the format.
 */
export function writeResult<T, R>(
  outcome: TaskOutcome<T, R>,
  format: LogFormat<R>,
): Result<R> {
  let reason: TaskError;
  if (outcome.status === "rejected") reason = outcome.reason;
  else {
    try {
      const text = format.stringify(outcome.value);
      if (text !== undefined) checkResult(text);
      // Before it is written, as a log with what cannot be read is of no use.
      return { ok: true, text, value: parse(text, format) };
    } catch (cause) {
      const [{ index }, received] = [outcome, showThrown(cause)];
      reason = new TaskError(
        `Cannot log the result of input ${index} as it must be JSON: received ${received}`,
        { index, attempts: 1, cause },
      );
    }
  }
  const { message: error, cause } = reason;
  const { stack = "" } = cause instanceof Error ? cause : reason;
  return { ok: false, reason, error, stack };
}

/**
 * Reads the result in a line of an earlier run, whose format may be another.
 *
 * @param line The line without its end.
 * @param index The position of its input among all, for errors.
 * @param format Reads the text.
 * @returns The result.
 * @throws {TypeError} When the format cannot read it.
 */
export function readResult<R>(
  line: string,
  index: number,
  format: LogFormat<R>,
): R {
  try {
    return parse(resultOf(line), format);
  } catch (cause) {
    const received = showThrown(cause);
    throw new TypeError(
      `Cannot take the result of input ${index} from the log as "format" must read it: received ${received} (with another format, give another "version" or file)`,
      { cause },
    );
  }
}

function parse<R>(text: string | undefined, format: LogFormat<R>): R {
  return text === undefined ? undefined as R : format.parse(text);
}

/** Checks that the text a format has made of a result can be read as it is. */
function checkResult(text: unknown): void {
  let rule: string;
  if (typeof text !== "string" || /[\n\r]/.test(text)) rule = "in one line";
  else if (text.length > text.trimEnd().length) {
    rule = "without white space at its end"; // an editor may have put it there
  } else if (!text.isWellFormed()) rule = "without halves of characters";
  else return;
  throw new TypeError(
    `"format.stringify" must make JSON ${rule}: received ${
      show(text)
    } (JSON.stringify(result) makes it)`,
  );
}
