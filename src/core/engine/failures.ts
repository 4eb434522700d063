/**
 * The errors of tasks, worded in one place and with stacks that lead from the
 * function in the worker to the caller.
 *
 * @module
 */

import {
  TaskError,
  TaskTimeoutError,
  WorkerLostError,
  WorkerStartError,
} from "../api/errors.ts";
import type { FunctionRef } from "../wire/function_ref.ts";
import type { Refusal } from "../wire/explanation.ts";
import { adviceOn } from "./advice.ts";
import { atSite, leadOn, ownOf } from "./call_site.ts";
import type { RunSetup } from "./run_setup.ts";
import type { Loss } from "./settling.ts";

/** What became of a task that did not return. */
export type Failure =
  | { why: "threw"; error: unknown }
  /** `combine` threw on the results of so many tasks from this one on. */
  | { why: "unfolded"; error: unknown; tasks: number; combine: FunctionRef }
  | {
    why: "lost";
    code: number | undefined;
    signal: string | undefined;
    error: unknown;
    moved: boolean;
  }
  /** Or its result was not ready to be sent after so many ms. */
  | { why: "timeout"; timeout: number; sendMs: number | undefined }
  | { why: "unsendable"; what: "input" | "result"; refusal: Refusal };

/** What errors say of a run. */
type FailedRun =
  & Pick<RunSetup, "fn" | "site">
  & Partial<Pick<RunSetup, "data" | "restricts">>;

/**
 * Makes the error of one task.
 *
 * @param failure What became of it.
 * @param index Its index.
 * @param attempts How often it was started.
 * @param run Its run.
 * @returns The error.
 */
export function taskError(
  failure: Failure,
  index: number,
  attempts: number,
  run: FailedRun,
): TaskError {
  const { site } = run;
  try {
    const error = atSite(site, () => make(failure, index, attempts, run));
    if ("error" in failure && failure.why !== "lost") {
      leadOn(failure.error, site);
    }
    return error;
  } catch (odd) { // what was thrown cannot even be looked at
    const message = `Cannot map input ${index}`;
    const cause = "error" in failure ? failure.error : odd;
    return new TaskError(message, { index, attempts, cause });
  }
}

function make(
  failure: Failure,
  index: number,
  attempts: number,
  run: FailedRun,
): TaskError {
  const what = `Cannot map input ${index}`;
  if (failure.why === "threw") {
    const { error: cause } = failure;
    return new TaskError(
      `${what} as ${run.fn.name || "fn"} threw ${nameThrown(cause)}${
        adviceOn(cause, run.fn, run, "data")
      }`,
      { index, attempts, cause },
    );
  }
  if (failure.why === "unfolded") {
    const { error: cause, tasks, combine } = failure;
    return new TaskError(
      `Cannot reduce inputs ${index} to ${index + tasks - 1} as ${
        combine.name || "combine"
      } threw ${nameThrown(cause)}${adviceOn(cause, combine, run)}`,
      { index, attempts, cause },
    );
  }
  if (failure.why === "timeout") {
    const { timeout, sendMs } = failure;
    const how = sendMs === undefined
      ? `it took longer than "timeout": ${timeout} ms`
      : `its result was not ready to be sent after ${sendMs} ms`;
    return new TaskTimeoutError(
      `${what} as ${how}`,
      { index, attempts, timeout },
    );
  }
  if (failure.why === "unsendable") {
    const { reason, cause = new DOMException(reason, "DataCloneError") } =
      failure.refusal;
    const which = failure.what === "input" ? "it" : "its result";
    const message = `${what} as ${which} must be cloneable: received ${reason}`;
    return new TaskError(message, { index, attempts, cause });
  }
  const { code, signal, error, moved } = failure;
  const how = error !== undefined
    ? ` of ${nameThrown(error)}`
    : signal !== undefined
    ? ` by ${nameSignal(signal)}`
    : code !== undefined
    ? ` with exit code ${code}`
    : "";
  const lost = moved ? ", and its input had been moved there" : "";
  return new WorkerLostError(
    `${what} as its worker ended under it${how}${lost}`,
    {
      index,
      attempts,
      ...(error !== undefined && { cause: error }),
      ...(signal !== undefined && { signal }),
    },
  );
}

/** Names what ended a process. */
function nameSignal(signal: string): string {
  return signal === "SIGKILL"
    ? `${signal}, as when memory runs out, or "maxMemory" is reached`
    : signal;
}

/**
 * Names what was thrown, whatever it is.
 *
 * @param thrown Any value.
 * @returns A short text.
 */
export function nameThrown(thrown: unknown): string {
  try {
    if (thrown instanceof Error) return `${thrown.name}: ${thrown.message}`;
    // As text, an array is all of its elements, and there may be billions.
    if (Array.isArray(thrown)) return "an array";
    return typeof thrown === "string" ? JSON.stringify(thrown) : String(thrown);
  } catch {
    return typeof thrown; // an object without a usable toString
  }
}

/** Why workers cannot start. */
interface Problem {
  message: string;
  cause?: unknown;
  /** How the workers got the `init` that threw the cause, if one did. */
  init?: FunctionRef["from"];
}

/**
 * Makes the error of workers that cannot start.
 *
 * @param problem Its message goes on from "Cannot start workers as ".
 * @param run What needs them.
 * @returns The error.
 */
export function startError(
  problem: unknown,
  run: Omit<FailedRun, "fn">,
): WorkerStartError {
  const { message, cause, init: from }: Problem = problem instanceof Error
    ? problem
    : { message: String(problem) };
  const threw = from === undefined ? "" : `: received ${nameThrown(cause)}`;
  const advice = adviceOn(cause, { from }, run, "workerData");
  const own = ownOf(cause);
  leadOn(own, run.site);
  return atSite(run.site, () =>
    new WorkerStartError(
      `Cannot start workers as ${message}${threw}${advice}`,
      cause === undefined ? undefined : { cause: own },
    ));
}

/**
 * Makes the error of workers that end as soon as they start.
 *
 * @param ends How many did, in a row.
 * @param last How the last one ended.
 * @returns The error; its message goes on from "Cannot start workers as ".
 */
export function endsError(
  ends: number,
  { code, signal, error: cause }: Pick<Loss, "code" | "signal" | "error">,
): Error {
  const how = cause !== undefined
    ? `of ${nameThrown(cause)}`
    : signal !== undefined
    ? `by ${nameSignal(signal)}`
    : code !== undefined
    ? `with code ${code}`
    : "";
  const [received, last] = ends === 1
    ? ["an end", ""]
    : [`${ends} ends in a row`, "the last "];
  return new Error(
    `a worker must stay alive: received ${received} before any task${
      how && `, ${last}${how}`
    }`,
    { cause },
  );
}

/**
 * Says that nobody could read a message, and why that is as a rule: V8 writes what
 * is deeper than it can read.
 *
 * @returns The error.
 */
export function unreadableError(): Error {
  return new Error(
    "a message that could not be read, as one may be with objects within objects, thousands deep: send a list of them",
  );
}

/**
 * Says that a worker goes on after it was ended.
 *
 * @param worker Its number.
 * @param index Index of the task it is at; undefined if that is not known.
 * @param backend How it was started.
 * @returns The warning.
 */
export function stuckWarning(
  worker: number,
  index: number | undefined,
  { whyNotStopped = "" }: { whyNotStopped?: string },
): string {
  const what = index === undefined ? "it" : `the task of input ${index}`;
  const text =
    `worker ${worker} was ended, and ${what} still runs. ${whyNotStopped}`;
  return text.trimEnd();
}

/**
 * Says that a worker could not dispose what it held.
 *
 * @param problem What it threw, or that it took too long.
 * @returns The warning.
 */
export function disposeWarning(problem: string): string {
  return `what "init" returned could not be disposed: received ${problem}`;
}
