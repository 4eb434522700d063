/**
 * Whether the function can be loaded, and soon.
 *
 * @module
 */

import { parallelMap } from "../../mod.ts";
import { duration } from "../words/units.ts";
import type { JobSetup } from "./job_setup.ts";
import { setupOf, workersOf } from "./job_setup.ts";
import type { Cluster } from "./seam.ts";
import type { Plan } from "./target.ts";
import { LOADED } from "./travel.ts";
import { UsageError } from "./values.ts";

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
