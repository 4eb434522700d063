/**
 * What maps the inputs of a job: the engine, with what the command adds to it.
 *
 * @module
 */

import { parallelMapStream } from "../../mod.ts";
import { withEarlyResults } from "./early_stream.ts";
import type { JobSetup } from "./job_setup.ts";
import { workersOf } from "./job_setup.ts";
import type { Run } from "./log.ts";
import { openCaller } from "./line_caller.ts";
import { openOutbox } from "./outbox.ts";
import { withRetries } from "./retries.ts";
import type { Stops } from "./stops.ts";
import type { Plan } from "./target.ts";
import type { Sent } from "./travel.ts";
import type { Watchers } from "./watchers.ts";
import { callFunction } from "./worker_side.ts";

/**
 * Maps inputs, chunk by chunk.
 *
 * @param plan The job.
 * @param setup What its workers know.
 * @param watchers What watches it.
 * @returns What maps.
 */
export function mapChunks(
  plan: Plan,
  setup: JobSetup,
  { onProgress, onEvent }: Pick<Watchers, "onProgress" | "onEvent">,
): Run {
  const { cluster, concurrency, timeout } = plan;
  const retries = plan.retries.by === "engine" ? plan.retries.most : 0;
  if (cluster !== undefined) {
    const { chunkSize } = plan;
    const fed = { chunkSize, concurrency, timeout, retries };
    return (inputs) => cluster.stream(inputs, { ...fed, onEvent, onProgress });
  }
  // A timeline shows this name. The source that is sent stays the same.
  Object.defineProperty(callFunction, "name", { value: plan.target.name });
  // A call that has ended must not wait for its neighbours (see EarlyResults),
  // and one that ends its process is known at once when it was there alone.
  const { chunkSize = plan.processes ? 1 : undefined } = plan;
  return (inputs, options) =>
    parallelMapStream(callFunction, inputs, {
      ...options,
      ...workersOf(plan, setup, onEvent),
      chunkSize,
      concurrency,
      timeout,
      retries,
      data: { openOutbox, openCaller },
      onProgress,
    });
}

/**
 * Maps inputs; late outcomes overtake their chunk, and what fails is tried again
 * after a delay.
 *
 * @param plan The job.
 * @param outboxes Where its workers write.
 * @param through What maps them, and when the job ends.
 * @returns What maps.
 */
export function mapEarly(
  plan: Plan,
  outboxes: SharedArrayBuffer[],
  through: {
    run: Run;
    /** Told each input that is sent. */
    sent(input: Sent): void;
    /** Told how many failures more are tried again. */
    retried(more: number): void;
    stops: Stops;
  },
): Run {
  const { retries } = plan;
  const once: Run = (inputs, options) =>
    withEarlyResults(inputs, {
      outboxes,
      sent: through.sent,
      stopped: through.stops.first,
      run: (inputs) => through.run(inputs, options),
    });
  if (retries.by === "engine") return once;
  return (inputs, options) =>
    withRetries(inputs, {
      retries: retries.most,
      delay: retries.delay,
      over: through.stops.over,
      retried: through.retried,
      run: (inputs) => once(inputs, options),
    });
}
