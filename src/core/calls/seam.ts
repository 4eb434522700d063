/**
 * What another engine is built on: `@parallel/map/seam`. Not for programs: it
 * may change with any version.
 *
 * @module
 */

export {
  abortSignal,
  callback,
  flag,
  type Rule,
  type Rules,
  text,
  whole,
} from "../../words/check_options.ts";
export {
  isCount,
  isObject,
  isOptional,
  isText,
} from "../../words/plain_data.ts";
export {
  checkOptions,
  CLOSE_RULES,
  MOST_AT_ONCE,
  POOL_RULES,
} from "../api/option_rules.ts";
export { Calls } from "./calls.ts";
export { engineHere } from "./calls_here.ts";
export { type RunPlan, WorkerPlan } from "./worker_plan.ts";
export { type Chunk, part, sliceOf } from "../engine/chunk.ts";
export type { ChunkTimes } from "../engine/chunking.ts";
export { closedError, type Engine } from "../engine/engine.ts";
export type { Failure } from "../engine/failures.ts";
export { nameThrown } from "../engine/failures.ts";
export type { ConsecutiveInputs, NextInputs } from "../engine/next_inputs.ts";
export { Paces } from "../engine/paces.ts";
export { Run } from "../engine/run.ts";
export { Runs } from "../engine/runs.ts";
export type { Failing, RunSetup } from "../engine/run_setup.ts";
export type { FailureEffect, Sink } from "../engine/sink.ts";
export { VainSends } from "../engine/vain_sends.ts";
export { keepContext } from "../runtime/async_context.ts";
export { type Clock, createClock } from "../runtime/clock.ts";
export { detectRuntime } from "../runtime/detect.ts";
export { type CallData, encodeCallData } from "../wire/call_data.ts";
export type { Encoded } from "../wire/codec.ts";
export type { Crossing } from "../wire/frames.ts";
export {
  type FunctionRef,
  functionRef,
  moduleUrl,
} from "../wire/function_ref.ts";
export type { Packed, Parcel } from "../wire/packing.ts";
export { createWire, type Wire } from "../wire/wire.ts";
