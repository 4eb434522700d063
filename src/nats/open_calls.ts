/**
 * Connects to a pool, and makes of it what takes calls.
 *
 * @module
 */

import { randomUUID } from "node:crypto";
import {
  Calls,
  createClock,
  keepContext,
  Paces,
  type RunPlan,
} from "@parallel/map/seam";
import { Connection } from "./connection.ts";
import { crossing, type LinesMessage } from "./messages.ts";
import { NatsEngine } from "./nats_engine.ts";
import type { ConnectOptions } from "./options.ts";

/** Stands for the module that the machines have; never imported. */
export const THEIRS = "nats:module";

/**
 * Connects to a pool.
 *
 * @param options Where it is, checked before.
 * @param lines What its calls are, if their inputs are lines of `pmap`.
 * @returns What takes calls, and what has them done.
 * @throws {Error} When there is no server, it does not let this program in, or
 * its JetStream is off.
 */
export async function openCalls(
  options: ConnectOptions,
  lines?: LinesMessage,
): Promise<{ engine: NatsEngine; calls: Calls }> {
  const { workerTimeout = 10_000 } = options;
  const onEvent = options.onEvent && keepContext(options.onEvent);
  const connection = await Connection.open(options);
  const clock = createClock();
  const client = randomUUID().slice(0, 13);
  const own = { connection, clock, client, workerTimeout, onEvent, lines };
  const engine = new NatsEngine(own);
  try {
    await engine.open();
    engine.machines.watch();
  } catch (error) {
    await connection.close();
    throw error;
  }
  const plan = planOf(engine);
  const paces = new Paces(); // of the machines, which may be of any kind
  const setup = { options: { onEvent }, oneShot: false, clock, plan, engine };
  return { engine, calls: new Calls({ ...setup, paces }) };
}

/** Where the tasks will run. */
function planOf(engine: NatsEngine): RunPlan {
  return {
    get cores() {
      return Math.max(1, engine.machines.slots);
    },
    get workers() {
      return Math.max(1, engine.machines.slots);
    },
    runtime: "nats",
    place: { entry: undefined, inline: false, crossing },
    restricts: true, // as machines may have processes
    cannotTime: false,
    backend: () => ({ sharesMemory: false }),
    enter() {},
    leave() {},
  };
}
