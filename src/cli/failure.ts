/**
 * What is said and logged of an input that failed.
 *
 * @module
 */

import type { Input } from "./inputs.ts";
import type { Loss } from "./losses.ts";
import type { Call, Detail } from "./protocol.ts";
import { quote } from "./say.ts";
import type { Settings } from "./settings.ts";

/** A failure in words. */
export interface Failure {
  /** For standard error. */
  message: string;
  /** For the log. */
  error: string;
  stack: string;
  call: Call | undefined;
}

/**
 * Words the failure of an input whose worker replied.
 *
 * @param reply What the worker knows.
 * @param input Which.
 * @param settings Of the job.
 * @returns The failure.
 */
export function repliedFailure(
  reply: Detail & { was: "failed" },
  input: Input,
  settings: Settings,
): Failure {
  const { malformed, error, stack, call } = reply;
  const { attempt } = call;
  const name = nameOf(input, settings);
  const times = attempt > 1 ? ` at attempt ${attempt}` : "";
  const message = malformed
    ? `Cannot parse ${name} as a line must be one JSON value: received ${
      quote(input.text)
    } (${error})`
    : `Cannot map ${name} as ${settings.target.name} threw ${error}${times}`;
  return { message, error: malformed ? message : error, stack, call };
}

/**
 * Words the failure of an input whose attempts all ended with their worker.
 *
 * @param loss What was heard of the last; undefined where nobody listened.
 * @param input Which.
 * @param settings Of the job.
 * @returns The failure.
 */
export function lostFailure(
  loss: Loss | undefined,
  input: Input,
  settings: Settings,
): Failure {
  const { timeout, retries } = settings;
  const error = loss?.why === "timeout"
    ? `it took longer than --timeout: ${timeout} ms`
    : "its worker ended under it";
  const call = loss === undefined ? undefined : {
    start: loss.at - (loss.why === "timeout" ? timeout ?? 0 : 0),
    ms: loss.why === "timeout" ? timeout ?? 0 : 0,
    worker: loss.worker ?? 0,
    attempt: retries + 1,
  };
  return {
    message: `Cannot map ${nameOf(input, settings)} as ${error}`,
    error,
    stack: "",
    call,
  };
}

/**
 * Names an input in a message.
 *
 * @param input Which.
 * @param settings Of the job.
 * @returns Its index, and its line where it came from a file.
 */
export function nameOf(input: Input, settings: Settings): string {
  if (settings.source.from === "arguments") return `input ${input.index}`;
  const file = input.file === undefined ? "" : ` of ${input.file}`;
  return `input ${input.index} (line ${input.line}${file})`;
}
