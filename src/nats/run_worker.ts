/**
 * Makes this process a machine of a pool.
 *
 * @module
 */

import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { availableParallelism, hostname } from "node:os";
import process from "node:process";
import type { ModuleSpecifier, PoolOptions } from "@parallel/map";
import { Pool, WorkerStartError } from "@parallel/map";
import {
  checkOptions,
  CLOSE_RULES,
  createClock,
  detectRuntime,
  moduleUrl,
  nameThrown,
  WorkerPlan,
} from "@parallel/map/seam";
import { Connection } from "./connection.ts";
import { Machine } from "./machine.ts";
import { type MachineInfo, WIRE_VERSION } from "./messages.ts";
import { WORKER_RULES, type WorkerOptions } from "./options.ts";

/** How a machine is closed. */
export interface WorkerCloseOptions {
  /**
   * Whether what runs ends first; otherwise other machines do it again.
   *
   * @default {true}
   */
  finish?: boolean | undefined;
}

/** A machine that serves a pool. */
export interface RunningWorker extends AsyncDisposable {
  /** What it says of itself. */
  readonly info: MachineInfo;
  /**
   * Settles when its connection is closed: with undefined when it was told to
   * end, and else with why, as nothing comes to it any more.
   */
  readonly cutOff: Promise<Error | undefined>;
  /**
   * Takes no more, lets what runs end, and then ends all of it.
   *
   * @param options Whether to wait for what runs.
   * @returns Settled when nothing is left of it.
   * @throws {Error} When the results of what ran could not be delivered within
   * `serverTimeout`: other machines do it again.
   */
  close(options?: WorkerCloseOptions): Promise<void>;
}

/**
 * Serves a pool from this process, until it is closed or its signal aborts.
 *
 * @param options Where the pool is, and what it may do here.
 * @returns The machine, once it can be seen.
 * @throws {TypeError} When an option is unknown or of the wrong kind.
 * @throws {RangeError} When an option is out of its range.
 * @throws {Error} When its module does not load, or the servers cannot be
 * reached.
 */
export async function runWorker(
  options: WorkerOptions,
): Promise<RunningWorker> {
  const checked = checkOptions("run worker", options, WORKER_RULES);
  const { module, signal, name = hostname(), ...rest } = checked;
  const { slots = availableParallelism(), allowShipped = false } = rest;
  const { attempts = 3, grace = 10_000, loadTimeout = 60_000 } = rest;
  signal?.throwIfAborted();
  const url = module === undefined
    ? undefined
    : moduleUrl(module, "run worker");
  const readFingerprint = (action = "") =>
    url === undefined ? undefined : fingerprint(url, action);
  const info: MachineInfo = {
    id: randomUUID().slice(0, 13),
    name,
    host: hostname(),
    pid: process.pid,
    slots,
    runtime: nameRuntime(),
    wire: WIRE_VERSION,
    module: url,
    fingerprint: readFingerprint("Cannot run worker as "),
    allowShipped,
  };
  const pool = poolOptions(rest, slots, url);
  const clock = createClock();
  const plan = new WorkerPlan(pool, clock, false);
  if (url !== undefined) await checkModule(pool, loadTimeout);
  const connection = await Connection.open(checked);
  const machine = new Machine({
    ...{ connection, info, readFingerprint, pool, plan, clock },
    ...{ attempts, grace },
  });
  try {
    await machine.start();
  } catch (error) {
    await machine.end();
    throw error;
  }
  const abort = () =>
    void machine.end().catch((error) => {
      console.error(`@parallel/map-nats: ${nameThrown(error)}`);
    });
  const close = async (options: WorkerCloseOptions = {}) => {
    const { finish } = checkOptions("close", options, CLOSE_RULES);
    signal?.removeEventListener("abort", abort);
    await machine.end(finish);
  };
  signal?.addEventListener("abort", abort, { once: true });
  if (signal?.aborted) abort(); // while it connected
  const cutOff = connection.closed.then((error) =>
    machine.ends ? undefined : error ?? new Error("its connection was closed")
  );
  return { info, cutOff, close, [Symbol.asyncDispose]: () => close() };
}

/** The options of the workers here. */
function poolOptions(
  options: WorkerOptions | Omit<WorkerOptions, "servers" | "pool">,
  workers: number,
  module: string | undefined,
): PoolOptions {
  const { backend, workerData, init, maxTasksPerWorker, maxMemory } = options;
  const { permissions } = options;
  const own = { backend, workerData, init, maxTasksPerWorker, maxMemory };
  return {
    ...own,
    permissions,
    workers,
    module: module as ModuleSpecifier | undefined,
  };
}

/** The name of no export: where it is looked for, the module has loaded. */
const NONE = "no such export";

/** Whoever starts a machine hears that its module does not load: no client. */
async function checkModule(options: PoolOptions, ms: number): Promise<void> {
  const { module, backend, permissions } = options;
  const pool = new Pool({ module, backend, permissions, workers: 1 });
  const looked = pool.map(NONE as never, [0]);
  const timer = setTimeout(() => void pool.close(), ms);
  try {
    await looked;
  } catch (error) {
    const { message } = error as Error;
    if (message.includes(`"${NONE}"`)) return;
    const what = error instanceof WorkerStartError
      ? message.replace("Cannot start workers as ", "")
      : `module ${module} must load within ${ms} ms ("loadTimeout"): received ${
        error instanceof DOMException ? "none by then" : nameThrown(error)
      }`;
    throw new Error(`Cannot run worker as ${what}`, { cause: error });
  } finally {
    clearTimeout(timer);
    await pool.close();
  }
}

/** Tells versions of a file apart; undefined where it is not a file. */
function fingerprint(url: string, action: string): string | undefined {
  if (!url.startsWith("file:")) return undefined;
  let text: Uint8Array;
  try {
    text = readFileSync(new URL(url));
  } catch (cause) {
    const cure = /#|%23/.test(url)
      ? " (a machine has all exports of a module: leave out what is after #)"
      : "";
    throw new TypeError(
      `${action}the module of a machine must be a file that can be read: received ${
        (cause as Error).message
      }${cure}`,
      { cause },
    );
  }
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

function nameRuntime(): string {
  const { versions } = process as { versions: Record<string, string> };
  const { name } = detectRuntime();
  return `${name} ${versions[name]}`;
}
