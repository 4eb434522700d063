/**
 * What maps the inputs of a job: the engine, with what the command adds to it.
 *
 * @module
 */

import { parallelMapStream } from "../../mod.ts";
import { withEarlyResults } from "./early_stream.ts";
import type { Watchers } from "./job.ts";
import type { Run } from "./log.ts";
import { openOutbox } from "./outbox.ts";
import { withRetries } from "./retries.ts";
import type { Plan } from "./target.ts";
import type { Sent, Setup } from "./travel.ts";
import { callFunction, openWorker } from "./worker_side.ts";

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
  setup: Setup,
  { onProgress, onEvent }: Watchers,
): Run {
  // A timeline shows this name. The source that is sent stays the same.
  Object.defineProperty(callFunction, "name", { value: plan.target.name });
  const { workers, chunkSize, concurrency, timeout } = plan;
  const retries = plan.retryDelay === undefined ? plan.retries : 0;
  return (inputs, options) =>
    parallelMapStream(callFunction, inputs, {
      ...options,
      workers,
      chunkSize,
      concurrency,
      timeout,
      retries,
      workerData: setup,
      init: openWorker,
      data: { openOutbox },
      onProgress,
      onEvent,
    });
}

/**
 * Maps inputs; late outcomes overtake their chunk, and what fails is tried again
 * after a delay.
 *
 * @param plan The job.
 * @param outboxes Where its workers write.
 * @param through Maps them, and is told each input that is sent.
 * @returns What maps.
 */
export function mapEarly(
  plan: Plan,
  outboxes: SharedArrayBuffer[],
  through: { run: Run; sent(input: Sent): void },
): Run {
  const { retries, retryDelay: delay } = plan;
  const once: Run = (inputs, options) =>
    withEarlyResults(inputs, {
      outboxes,
      sent: through.sent,
      run: (inputs) => through.run(inputs, options),
    });
  if (delay === undefined) return once;
  return (inputs, options) =>
    withRetries(inputs, {
      retries,
      delay,
      run: (inputs) => once(inputs, options),
    });
}
