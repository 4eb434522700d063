/**
 * What a job has in common with its workers, and how these are made.
 *
 * @module
 */

import type { PoolOptions, RunEvent } from "../../mod.ts";
import type { Settings } from "./command.ts";
import { createOutboxes } from "./outbox.ts";
import type { Plan } from "./target.ts";
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
  const { json, batch, flat, log, retries } = settings;
  return {
    json,
    batch: batch !== undefined,
    flat,
    detailed: log !== undefined,
    final: retries.by === "job" || retries.most === 0,
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
