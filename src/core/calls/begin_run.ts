/**
 * Begins a run: opens the inputs of a call that was checked, and hands the run
 * of them to the engine.
 *
 * @module
 */

import type { RunEvent } from "../api/events.ts";
import type { RunOptions } from "../api/options.ts";
import type { Engine } from "../engine/engine.ts";
import { closedError } from "../engine/engine.ts";
import { AwaitedSource } from "../engine/awaited.ts";
import { openSource, type Source } from "../engine/inputs.ts";
import { InputsInOrder } from "../engine/next_inputs.ts";
import { onAbort } from "../engine/on_abort.ts";
import type { Paces } from "../engine/paces.ts";
import { Run } from "../engine/run.ts";
import type { SharedParts } from "../engine/run_setup.ts";
import type { Sink } from "../engine/sink.ts";
import { InputsByWeight } from "../engine/weighing.ts";
import { keepContext } from "../runtime/async_context.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Backend } from "../runtime/runtime.ts";
import { type SharedArray, views } from "../wire/views.ts";
import type { CheckedCall } from "./check_call.ts";
import { type RunPlan, threadsOf } from "./worker_plan.ts";

/** Where the run is to take place. */
export interface RunPlace {
  /** Gives the run its number in the pool, from 1, if it begins. */
  number: () => number;
  clock: Clock;
  engine: Engine;
  plan: RunPlan;
  paces: Paces;
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
 * @throws What opening the inputs throws, and a TypeError when the output is
 * none that workers can write.
 */
export function beginRun<S extends Sink>(
  { inputs: given, options, ...rest }: CheckedCall,
  makeSink: (total: number | undefined) => S,
  { number, clock, engine, plan, paces, onEvent }: RunPlace,
): { run: Run; sink: S } {
  const late = engine.closed; // as a stream may be that is read only now
  const call = { ...rest, options: keepContexts(options) };
  const { weight, chunkSize, transfer = false } = call.options;
  const workers = threadsOf(plan);
  const wake = () => engine.touch(run);
  const source = keepItsContext(openSource(given, wake, clock, transfer));
  const { total } = source;
  const { sink, shared } = closeUnless(source, () => {
    const sink = makeSink(total);
    const shared = sharedParts(source.shared, sink.shared, () => {
      const stopsLoops = call.options.timeout !== undefined;
      // Whether they load modules is settled when a worker is started for it.
      return plan.backend({ stopsLoops, imports: false });
    });
    return { sink, shared };
  });
  const inputs = weight === undefined
    ? new InputsInOrder(source, sink)
    : new InputsByWeight(source, { weight, sink, workers, chunkSize });
  const run = new Run({
    ...call,
    number: number(),
    clock,
    inputs,
    sink,
    failing: {
      lastAttempt: sink.goesOn ? undefined : (options.retries ?? 0) + 1,
      inTurn: sink.isOrdered === true,
    },
    shared,
    refills: source.refills,
    // With weights, what is learned is the time of a unit, and not of a task.
    pace: weight === undefined ? paces.of(call.fn) : undefined,
    times: engine.times?.(options),
    workers,
    restricts: () => plan.restricts,
    onEvent,
  });
  plan.enter(() => !engine.atRest);
  const leave = () => plan.leave();
  run.done.then(leave, leave);
  if (run.timed) {
    const { name } = call.fn;
    const { cores, runtime } = plan;
    const at = clock.now();
    const where = { workers: plan.workers, cores, runtime };
    run.emit({ type: "run-start", run: run.number, total, name, ...where, at });
  }
  endOnAbort(run, engine);
  if (late) run.stop(closedError());
  if (!run.over) run.say("running");
  if (!run.over) engine.add(run);
  return { run, sink };
}

/** Lets what the caller gave be called in the caller's own async context. */
function keepContexts(options: RunOptions): RunOptions {
  const { weight, onProgress, onEvent } = options;
  if (!weight && !onProgress && !onEvent) return options;
  return {
    ...options,
    weight: weight && keepContext(weight),
    onProgress: onProgress && keepContext(onProgress),
    onEvent: onEvent && keepContext(onEvent),
  };
}

/** The same for inputs, if reading them calls what the caller wrote. */
function keepItsContext(source: Source): Source {
  if (!(source instanceof AwaitedSource)) return source; // a list, or a typed array
  const { total, refills } = source;
  return {
    total,
    refills,
    take: keepContext((most) => source.take(most)),
    close: keepContext(() => source.close()),
  };
}

/**
 * Says what the workers find in shared memory.
 *
 * @throws {TypeError} When the output cannot be what it is.
 */
function sharedParts(
  inputs: SharedArray | undefined,
  output: SharedArray | undefined,
  chooseBackend: () => Pick<Backend, "sharesMemory" | "whyNotShared">,
): SharedParts {
  if (inputs === undefined && output === undefined) return {};
  const { sharesMemory, whyNotShared } = chooseBackend();
  if (!sharesMemory) {
    if (output === undefined) return {}; // the inputs are copied, as others are
    const cure = whyNotShared === undefined ? "" : ` (or ${whyNotShared})`;
    throw new TypeError(
      `Cannot map as "output" must be a typed-array constructor where workers share no memory${cure}: received a typed array`,
    );
  }
  // A task that is sent again, as its worker was lost, would read its result.
  if (inputs !== undefined && output !== undefined && overlap(inputs, output)) {
    throw new TypeError(
      'Cannot map as "output" must not overlap the inputs: received the same memory',
    );
  }
  return { inputs, output };
}

/** Whether two arrays have bytes in common. */
function overlap(one: SharedArray, other: SharedArray): boolean {
  const endOf = (array: SharedArray) =>
    array.offset + views.open(array).byteLength;
  return one.buffer === other.buffer && one.offset < endOf(other) &&
    other.offset < endOf(one);
}

/** Does what may refuse the call: then its inputs are closed. */
function closeUnless<R>(source: Source, part: () => R): R {
  try {
    return part();
  } catch (error) {
    try {
      source.close();
    } catch {
      // Why the call is refused is told, as a loop would tell it.
    }
    throw error;
  }
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
