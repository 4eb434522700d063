/**
 * Inputs that failed: what is said and logged of each, and when they end the job.
 *
 * @module
 */

import type { RunEvent } from "../../mod.ts";
import type { Settings } from "./command.ts";
import type { Input } from "./inputs.ts";
import { quote, UsageError } from "./messages.ts";
import type { Call, Detail } from "./worker_side.ts";

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

/** How a task ended with its worker. */
export interface Loss {
  why: "lost" | "timeout";
  worker: number | undefined;
  /** When, in milliseconds since 1970. */
  at: number;
}

/** The last loss of each task: the only failures of which no reply tells. */
export class Losses {
  readonly #losses = new Map<number, Loss>();

  /**
   * Takes note of a loss.
   *
   * @param event What happened.
   */
  record(event: RunEvent): void {
    if (event.type !== "task-fail") return;
    const { index, why, worker } = event;
    if (why !== "lost" && why !== "timeout") return;
    const at = Math.round(performance.timeOrigin + event.at);
    this.#losses.set(index, { why, worker, at });
  }

  /**
   * Gives the loss of a task that was given up, and forgets it.
   *
   * @param task Its index among the tasks of the run.
   * @returns How it ended; undefined if no events were recorded.
   */
  take(task: number): Loss | undefined {
    const loss = this.#losses.get(task);
    this.#losses.delete(task);
    return loss;
  }
}

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
 * @param loss The last of them; undefined if no events were recorded.
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
