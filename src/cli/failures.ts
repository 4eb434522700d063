/**
 * Inputs that failed: what is said and logged of each, and when they end the job.
 *
 * @module
 */

import type { TaskError } from "../../mod.ts";
import { TaskTimeoutError, WorkerLostError } from "../../mod.ts";
import type { Settings } from "./command.ts";
import { quote, UsageError } from "./messages.ts";
import type { Call, Thrown } from "./worker_side.ts";

/** At how many failures a job ends; `soon` lets the calls that run end first. */
export type HaltRule =
  | { when: "never" }
  | { when: "now" | "soon"; failures: { limit: number; percent: boolean } };

const FORM = /^(now|soon)(?:,fail=(\d+(?:\.\d+)?)(%?))?$/;

/**
 * Reads the value of `--halt`.
 *
 * @param text `never`, `now` or `soon`, the latter two with `,fail=N` or
 * `,fail=N%`.
 * @returns The rule; the first failure counts unless it says otherwise.
 * @throws {UsageError} When it is none of these.
 */
export function readHalt(text: string): HaltRule {
  if (text === "never") return { when: "never" };
  const [, when, count = "1", sign = ""] = FORM.exec(text) ?? [];
  const limit = Number(count);
  const percent = sign === "%";
  const fits = percent
    ? limit > 0 && limit <= 100
    : Number.isInteger(limit) && limit >= 1;
  if (!fits || (when !== "now" && when !== "soon")) {
    throw new UsageError(
      `Cannot run as --halt must be never, now or soon, the latter two also with ,fail=N or ,fail=N%: received "${text}"`,
    );
  }
  return { when, failures: { limit, percent } };
}

/**
 * Decides whether a job must end.
 *
 * @param rule The rule.
 * @param failed How many inputs failed.
 * @param finished How many inputs failed or succeeded.
 * @returns Whether the rule's limit is reached.
 */
export function mustHalt(
  rule: HaltRule,
  failed: number,
  finished: number,
): boolean {
  if (rule.when === "never" || failed === 0) return false;
  const { limit, percent } = rule.failures;
  if (!percent) return failed >= limit;
  // With fewer inputs than 100 / N, one failure would be more than N%.
  return finished * limit >= 100 && failed * 100 >= limit * finished;
}

/** A failure in words. */
export interface Failure {
  /** For standard error. */
  message: string;
  /** For the log. */
  error: string;
  stack: string;
  call: Call;
}

/**
 * Words the failure of an input.
 *
 * @param reason What the engine says of it.
 * @param input The name of the input, and its text.
 * @param settings Of the job.
 * @returns The failure.
 */
export function wordFailure(
  reason: TaskError,
  input: { name: string; text: string },
  settings: Settings,
): Failure {
  const { target, timeout = 0 } = settings;
  const { attempts: attempt, cause } = reason;
  const { name, text } = input;
  const as = (error: string, call: Partial<Call> = {}): Failure => ({
    message: `Cannot map ${name} as ${error}`,
    error,
    stack: "",
    call: { start: null, ms: null, worker: null, attempt, ...call },
  });
  if (reason instanceof TaskTimeoutError) {
    return as(`it took longer than --timeout: ${timeout} ms`, {
      start: Date.now() - timeout,
      ms: timeout,
    });
  }
  if (reason instanceof WorkerLostError) return as("its worker ended under it");
  const thrown = cause as Thrown | undefined;
  if (typeof thrown?.malformed !== "boolean") { // not by the function
    return as(reason.message.replace(/^Cannot map input \d+ as /, ""));
  }
  const { malformed, error, stack, ...call } = thrown;
  if (malformed) {
    const message =
      `Cannot parse ${name} as a line must be one JSON value: received ${
        quote(text)
      } (${error})`;
    return { message, error: message, stack, call };
  }
  const times = attempt > 1 ? ` at attempt ${attempt}` : "";
  const words = `${target.name} threw ${error}${times}`;
  return { ...as(words), error, stack, call };
}
