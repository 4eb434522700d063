/**
 * Whether the function can be loaded, and soon.
 *
 * @module
 */

import type { PoolOptions, RunEvent } from "../../mod.ts";
import { parallelMap } from "../../mod.ts";
import { createOutboxes } from "./outbox.ts";
import type { Settings } from "./command.ts";
import type { Cluster } from "./seam.ts";
import type { Plan } from "./target.ts";
import { UsageError } from "./values.ts";
import { duration } from "../words/units.ts";
import type { Brought, Caller, LineRules, Setup } from "./travel.ts";
import { LOADED, TURNS } from "./travel.ts";
import { openWorker } from "./worker_side.ts";

/** What a job has in common with its workers. */
export interface JobSetup extends Setup {
  flags: SharedArrayBuffer;
}

/**
 * Says what every worker of a job knows.
 *
 * @param plan The job.
 * @returns What `workersOf` takes.
 */
export function setupOf(plan: Plan): JobSetup {
  const { target, processes, cluster } = plan;
  const { workers = navigator.hardwareConcurrency } = plan;
  const sharesMemory = !processes && cluster === undefined;
  return {
    ...rulesOf(plan),
    url: target.url,
    name: target.name,
    expression: plan.expression,
    flags: new SharedArrayBuffer(4 * (TURNS + workers)),
    outboxes: createOutboxes(sharesMemory ? workers : 0),
  };
}

/**
 * Says how a line becomes an argument, and a result a line.
 *
 * @param settings Of the job.
 * @returns The rules.
 */
export function rulesOf(settings: Settings): LineRules {
  const { json, batch, flat, log, retries, retryDelay } = settings;
  return {
    json,
    batch: batch !== undefined,
    flat,
    detailed: log !== undefined,
    // With a delay, it is not the engine that tries again.
    final: retries === 0 || retryDelay !== undefined,
  };
}

/**
 * Says how the workers of a job are made.
 *
 * @param plan The job.
 * @param setup What they know.
 * @param onEvent Told what happens to them.
 * @returns Options of the engine.
 */
export function workersOf(
  { workers, processes, maxMemory }: Plan,
  setup: JobSetup,
  onEvent: ((event: RunEvent) => void) | undefined,
): PoolOptions<unknown, Setup, Caller<Brought>> & { init: unknown } {
  const init = openWorker;
  if (!processes) {
    return { workers, maxMemory, workerData: setup, init, onEvent };
  }
  return {
    workers,
    maxMemory,
    backend: "processes",
    permissions: "inherit",
    workerData: { ...setup, flags: undefined },
    init,
    onEvent(event) {
      if (event.type === "worker-ready") {
        Atomics.store(new Int32Array(setup.flags), LOADED, 1);
      }
      onEvent?.(event);
    },
  };
}

/**
 * Waits for the module to load in a worker.
 *
 * @param plan The job.
 * @param setup What its workers know.
 * @param giveUp Called with an error when it has not loaded in time.
 * @returns Ends the wait.
 */
export function awaitLoading(
  { loadTimeout, module, cluster }: Plan,
  setup: JobSetup,
  giveUp: (error: UsageError) => void,
): () => void {
  if (cluster !== undefined) return () => {}; // it is not loaded here
  const timer = setTimeout(() => {
    if (Atomics.load(new Int32Array(setup.flags), LOADED) !== 0) return;
    giveUp(
      new UsageError(
        `Cannot run as MODULE must load within --load-timeout, ${
          duration(loadTimeout)
        }: received "${module}", which has not`,
      ),
    );
  }, loadTimeout);
  return () => clearTimeout(timer);
}

/**
 * Loads the function in one worker, and calls nothing.
 *
 * @param plan The job.
 * @throws {WorkerStartError} When it cannot be loaded.
 * @throws {UsageError} When that takes too long.
 */
export async function checkTarget(plan: Plan): Promise<void> {
  if (plan.cluster !== undefined) return await checkThere(plan.cluster);
  const setup = setupOf(plan);
  const late = Promise.withResolvers<never>();
  const cancel = awaitLoading(plan, setup, late.reject);
  const loaded = parallelMap(() => null, [null], {
    ...workersOf(plan, setup, undefined),
    workers: plan.workers === 0 ? 0 : 1,
  });
  try {
    await Promise.race([loaded, late.promise]);
  } finally {
    cancel();
  }
}

/** The same on a machine. */
async function checkThere(cluster: Cluster): Promise<void> {
  async function* nothing() {
    yield null;
  }
  for await (const outcome of cluster.stream(nothing(), {})) {
    if (outcome.status === "rejected") throw outcome.reason;
  }
}
