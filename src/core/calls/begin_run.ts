/**
 * Begins a run: opens the inputs of a call that was checked, and hands the run
 * of them to the engine.
 *
 * @module
 */

import type { RunEvent } from "../api/events.ts";
import type { Inputs, RunOptions } from "../api/options.ts";
import type { Engine } from "../engine/engine.ts";
import { closedError } from "../engine/engine.ts";
import type { CallSite } from "../engine/failures.ts";
import { openSource } from "../engine/inputs.ts";
import { onAbort } from "../engine/on_abort.ts";
import { Run } from "../engine/run.ts";
import type { Sink } from "../engine/sink.ts";
import type { Clock } from "../runtime/clock.ts";
import type { CallData } from "../wire/call_data.ts";
import type { FunctionRef } from "../wire/function_ref.ts";
import { threadsOf, type WorkerPlan } from "./worker_plan.ts";

/** A call that was checked. */
export interface CheckedCall {
  fn: FunctionRef;
  combine: FunctionRef | undefined;
  data: CallData | undefined;
  inputs: Inputs<unknown>;
  options: RunOptions;
  site: CallSite;
}

/** Where the run is to take place. */
export interface RunPlace {
  /** Number of the run in its pool, from 1. */
  number: number;
  clock: Clock;
  engine: Engine;
  plan: Pick<WorkerPlan, keyof WorkerPlan>;
  /** The pool's listener. */
  onEvent: ((event: RunEvent) => void) | undefined;
}

/**
 * Begins a run.
 *
 * @param call The call.
 * @param makeSink Makes what takes its outcomes, given how many there will be.
 * @param place Where it is to take place.
 * @returns The run, and its sink.
 * @throws What opening the inputs throws.
 */
export function beginRun<S extends Sink>(
  { inputs, ...call }: CheckedCall,
  makeSink: (total: number | undefined) => S,
  { number, clock, engine, plan, onEvent }: RunPlace,
): { run: Run; sink: S } {
  const source = openSource(inputs, () => engine.touch(run), clock);
  const { total } = source;
  const sink = makeSink(total);
  const run = new Run({
    ...call,
    number,
    clock,
    source,
    sink,
    workers: threadsOf(plan),
    onEvent,
  });
  plan.enter(() => !engine.atRest);
  const leave = () => plan.leave();
  run.done.then(leave, leave);
  endOnAbort(run, engine);
  const { name } = call.fn;
  const { workers, cores, runtime } = plan;
  const at = clock.now();
  const where = { workers, cores, runtime };
  run.emit({ type: "run-start", run: number, total, name, ...where, at });
  if (engine.closed) run.stop(closedError());
  if (!run.over) run.say("running");
  if (!run.over) engine.add(run);
  return { run, sink };
}

/** Ends a run when its signal aborts. */
function endOnAbort(run: Run, engine: Engine): void {
  const { signal } = run.options;
  if (signal === undefined) return;
  // A stream may be read long after it was asked for.
  if (signal.aborted) return run.stop(signal.reason);
  const forget = onAbort(signal, () => {
    run.stop(signal.reason);
    engine.touch(run);
  });
  run.done.then(forget, forget);
}
