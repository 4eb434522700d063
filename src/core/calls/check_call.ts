/**
 * Checks a call, and makes of it what can be sent.
 *
 * @module
 */

import { show } from "../../words/show.ts";
import type { Inputs, PoolOptions, RunOptions } from "../api/options.ts";
import { isPromise } from "../engine/awaited.ts";
import type { CallSite } from "../engine/call_site.ts";
import { checkInputs } from "../engine/inputs.ts";
import { type CallData, encodeCallData } from "../wire/call_data.ts";
import { type FunctionRef, functionRef } from "../wire/function_ref.ts";
import type { RunPlan } from "./worker_plan.ts";

/** Longer than a timer can wait, in ms, means for ever. */
const LONGEST_MS = 0x7fffffff;

/** What a call was given. */
export interface Call {
  fn: unknown;
  combine?: FunctionRef;
  inputs: Inputs<unknown>;
  options: RunOptions;
  site: CallSite;
}

/** A call that was checked. */
export interface CheckedCall {
  fn: FunctionRef;
  combine: FunctionRef | undefined;
  data: CallData | undefined;
  inputs: Inputs<unknown>;
  /** A `timeout` among them can pass: tasks have to be watched. */
  options: RunOptions;
  site: CallSite;
}

/**
 * Checks a call, but none of its inputs.
 *
 * @param call The call, whose options were checked one by one.
 * @param pool The options of its pool.
 * @param plan Where the tasks will run.
 * @returns The call, as it can be sent.
 * @throws {TypeError} When it cannot be.
 */
export function checkCall(
  { fn, combine, inputs, options, site }: Call,
  pool: PoolOptions,
  { place, cannotTime }: RunPlan,
): CheckedCall {
  const { module = pool.module, timeout, transfer } = options;
  const ref = functionRef(fn, module, place);
  checkInputs(inputs);
  if (timeout !== undefined && !canPass(timeout)) {
    options = { ...options, timeout: undefined };
  } else if (timeout !== undefined && cannotTime) {
    throw new TypeError(
      'Cannot map as "timeout" needs workers that can be stopped in a loop, which on Deno are threads: received "backend" "web"',
    );
  }
  if (transfer && place.crossing !== undefined) {
    throw new TypeError(
      'Cannot map as "transfer" needs workers in this process: received "backend" "processes", to which buffers are copied without it',
    );
  }
  const data = encodeCallData(options.data, place);
  return { fn: ref, combine, data, inputs, options, site };
}

/**
 * Says whether a limit is one that can pass.
 *
 * @param timeout The limit in ms.
 * @returns Whether tasks have to be watched.
 */
export function canPass(timeout: number | undefined): timeout is number {
  return timeout !== undefined && timeout <= LONGEST_MS;
}

/**
 * Checks what a reduction is to begin with.
 *
 * @param initial The option.
 * @throws {TypeError} When it is a promise, which nobody would await.
 */
export function checkInitial(initial: unknown): void {
  if (!isPromise(initial)) return;
  throw new TypeError(
    `Cannot reduce as "initial" must be a value, and no promise of one: received ${
      show(initial)
    }`,
  );
}
