/**
 * Calls whose tasks run on this machine.
 *
 * @module
 */

import type { PoolOptions } from "../api/options.ts";
import { type Paces, pacesHere } from "../engine/paces.ts";
import { Scheduler } from "../engine/scheduler.ts";
import { keepContext } from "../runtime/async_context.ts";
import type { Clock } from "../runtime/clock.ts";
import { createClock } from "../runtime/clock.ts";
import { Calls } from "./calls.ts";
import { threadsOf, WorkerPlan } from "./worker_plan.ts";

/** A plan of workers; tests have one of their own. */
type Plan = Pick<WorkerPlan, keyof WorkerPlan>;

/**
 * Makes what takes calls; no worker is started yet.
 *
 * @param options How the workers are made; checked before.
 * @param oneShot Whether it closes after its first run.
 * @param clock The time; tests have one of their own.
 * @param plan Makes the workers.
 * @param paces What is known of functions; likewise.
 * @returns What takes calls.
 */
export function callsHere(
  options: PoolOptions,
  oneShot: boolean,
  clock: Clock = createClock(),
  plan: Plan = new WorkerPlan(options, clock, oneShot),
  paces: Paces = pacesHere,
): Calls {
  const onEvent = options.onEvent && keepContext(options.onEvent);
  const kept = { ...options, onEvent };
  const engine = engineHere(kept, clock, plan);
  return new Calls({ options: kept, oneShot, clock, plan, engine, paces });
}

/**
 * Makes the engine of this machine.
 *
 * @param options How the workers are made; checked before.
 * @param clock The time.
 * @param plan Makes the workers.
 * @returns The engine.
 */
export function engineHere(
  options: PoolOptions,
  clock: Clock,
  plan: Plan,
): Scheduler {
  return new Scheduler({
    maker: {
      get workers() {
        return threadsOf(plan);
      },
      divides: plan.divides,
      crossing: plan.place.crossing,
      backend: (needs) => plan.backend(needs),
      startMessage: (worker) => plan.startMessage(worker),
    },
    clock,
    maxTasksPerWorker: options.maxTasksPerWorker ?? Infinity,
    onEvent: options.onEvent,
  });
}
