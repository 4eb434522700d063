/**
 * Inputs that failed: what is said and logged of each.
 *
 * @module
 */

import type { TaskError } from "../../mod.ts";
import { STATUS } from "./exit_status.ts";
import { quote } from "./messages.ts";
import type { Plan } from "./target.ts";
import { UsageError } from "./values.ts";
import type { Call, Thrown } from "./travel.ts";

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
  settings: Plan,
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
  // By name: the package of --on may have classes of its own copy of this one.
  if (reason.name === "TaskTimeoutError") {
    return as(`it took longer than --timeout: ${timeout} ms`, {
      start: Date.now() - timeout,
      ms: timeout,
    });
  }
  const said = reason.message.replace(/^Cannot map input \d+ as /, "");
  if (reason.name === "WorkerLostError") {
    return as(said.replace('"maxMemory"', "--max-memory"));
  }
  const thrown = cause as Thrown | undefined;
  if (typeof thrown?.at !== "string") { // not by the function
    return as(said);
  }
  const { at, error, stack, ...call } = thrown;
  if (at === "input") {
    const message =
      `Cannot parse ${name} as a line must be one JSON value: received ${
        quote(text)
      } (${error})`;
    return { message, error: message, stack, call };
  }
  const times = attempt > 1 ? ` at attempt ${attempt}` : "";
  const verb = at === "result" ? "returned what is no JSON:" : "threw";
  const words = `${target.name} ${verb} ${error}${times}`;
  return { ...as(words), error, stack, call };
}

/**
 * Words an error that is not of one input.
 *
 * @param error Any error.
 * @param on Whether other machines were to do the job.
 * @param begun Whether a call may have been made, or a result was written.
 * @returns What to say of it, and the exit status.
 */
export function describe(
  error: unknown,
  { on, begun = false }: { on: boolean; begun?: boolean | undefined },
): [text: string, status: number] {
  if (error instanceof UsageError) return [error.message, STATUS.usage];
  if (error instanceof Error && error.name === "WorkerStartError") {
    const { cause, message } = error;
    const status = begun ? STATUS.broken : STATUS.usage;
    if (on || cause === undefined) return [message, status];
    const text = cause instanceof Error ? cause.message : String(cause);
    return text.startsWith("Cannot run ")
      ? [text, status]
      : [`Cannot run as MODULE must load: received ${text}`, status];
  }
  const text = error instanceof Error ? error.message : String(error);
  return [text, STATUS.broken];
}
