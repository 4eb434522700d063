/**
 * `@parallel/map-nats/pmap`: the machines of a pool, as `pmap --on` has its jobs
 * done by them. Not for programs: it may change with any version.
 *
 * @module
 */

import type { StreamOptions } from "@parallel/map";
import type {
  Cluster,
  ClusterPatience,
  ClusterPlace,
  LineCall,
  LineOptions,
  Sent,
} from "@parallel/map/cli-seam";
import { checkOptions } from "@parallel/map/seam";
import type { LinesMessage } from "./messages.ts";
import { openCalls, THEIRS } from "./open_calls.ts";
import { CONNECT_RULES } from "./options.ts";

/** Ends the load of what is no function. Self-contained: it is sent. */
function checked(found: unknown): unknown {
  if (typeof found === "function") return found;
  throw new TypeError(
    `-e must be a function, such as x => x.a: received ${typeof found}`,
  );
}

/**
 * Connects to machines, and waits for one.
 *
 * @param place Where they are.
 * @param call What they are to call for lines.
 * @returns The machines.
 * @throws {TypeError} When the name of the pool is none.
 * @throws {Error} When there is no server, it does not let this program in, or
 * no machine comes in time.
 */
export async function connect(
  place: ClusterPlace & ClusterPatience,
  call: LineCall,
): Promise<Cluster> {
  const options = checkOptions("connect", place, CONNECT_RULES);
  const { name, expression, rules: { json, batch, flat, detailed } } = call;
  const lines: LinesMessage = {
    fn: expression === undefined
      ? { name }
      : { name, source: `"use strict"; (${checked})(${expression}\n)` },
    rules: { json, batch, flat, detailed },
    fingerprint: undefined,
  };
  const { engine, calls } = await openCalls(options, lines);
  try {
    await calls.start(connect);
  } catch (error) {
    await calls.close();
    throw error;
  }
  if (expression === undefined) {
    // From here on, no machine with another version does anything of the job.
    lines.fingerprint = engine.machines.fingerprints[0];
  }
  return {
    fingerprint: lines.fingerprint,
    stream(inputs: AsyncIterable<Sent | null>, own: LineOptions) {
      const how: StreamOptions<true> = {
        ...own as StreamOptions<true>,
        module: THEIRS,
        settled: true,
        ordered: false,
      };
      return calls.stream(name, inputs, how, connect) as ReturnType<
        Cluster["stream"]
      >;
    },
    close: () => calls.close(),
  };
}
