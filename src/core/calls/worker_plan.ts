/**
 * How the workers of a pool are made: which runtime and backend start them, and
 * what they are told first.
 *
 * @module
 */

import { show } from "../../words/show.ts";
import type { Permissions, PoolOptions } from "../api/options.ts";
import type { Needs } from "../engine/staffing.ts";
import { keepContext } from "../runtime/async_context.ts";
import type { Clock } from "../runtime/clock.ts";
import { detectRuntime } from "../runtime/detect.ts";
import { inline } from "../runtime/inline.ts";
import type { Backend, Runtime, WorkerHandle } from "../runtime/runtime.ts";
import { freshTag } from "../runtime/timers.ts";
import { encodeOnce } from "../wire/call_data.ts";
import type { Encoded } from "../wire/codec.ts";
import type { FunctionRef, Place } from "../wire/function_ref.ts";
import { functionRef, moduleUrl } from "../wire/function_ref.ts";
import type { StartMessage } from "../wire/protocol.ts";
import { workerFlag } from "../worker/worker_flag.ts";

/**
 * Says how many threads run the tasks of a plan: inline counts as one.
 *
 * @param plan The plan.
 * @returns A whole number from 1.
 */
export function threadsOf({ workers }: { workers: number }): number {
  return Math.max(1, workers);
}

/** What a call needs to know of where its tasks will run. */
export type RunPlan =
  & Pick<WorkerPlan, "cores" | "runtime" | "place" | "workers" | "cannotTime">
  & Pick<WorkerPlan, "restricts" | "enter" | "leave">
  & {
    backend(needs: Needs): Pick<Backend, "sharesMemory" | "whyNotShared">;
  };

/** The plans that have runs, and whether their workers are at work just now. */
const working = new Map<WorkerPlan, () => boolean>();

/** Makes the workers of one pool. */
export class WorkerPlan {
  /** How many threads can compute at once. */
  readonly cores: number;
  /** Name of the runtime, or `inline`. */
  readonly runtime: string;
  /** Where functions are to run. */
  readonly place: Place;
  /** Whether the number of workers depends on what else is called. */
  readonly divides: boolean;
  readonly #options: PoolOptions;
  readonly #clock: Clock;
  readonly #runtime: Runtime | undefined;
  /** Those that need not load modules, and those that may. */
  readonly #processes: { bare: Backend; loading: Backend } | undefined;
  #imports: boolean;
  readonly #workerData: Encoded;
  readonly #init: FunctionRef | undefined;
  /** How many threads may compute at once here: in a worker, its share. */
  readonly #share: number;
  #runs = 0;
  /**
   * Starts a worker in the async context of `new Pool()`. In that of the call
   * which happens to need it first, the worker would hold what that call keeps in
   * its `AsyncLocalStorage` for as long as it lives.
   */
  readonly #start: (start: () => WorkerHandle) => WorkerHandle;

  /**
   * Plans the workers; none is started.
   *
   * @param options The options of the pool, checked before.
   * @param clock The time.
   * @param oneShot Whether it is for one call.
   * @throws {TypeError} When the runtime is not supported, or `init` or
   * `workerData` cannot be sent.
   */
  constructor(options: PoolOptions, clock: Clock, oneShot: boolean) {
    this.#clock = clock;
    const start = (start: () => WorkerHandle) => start();
    this.#start = oneShot ? start : keepContext(start);
    const { workers, workerData, init, module, backend, maxMemory } = options;
    const permissions = options.permissions as Permissions | undefined;
    const runtime = workers === 0 ? undefined : detectRuntime();
    this.#options = options;
    this.#runtime = runtime;
    this.#imports = module !== undefined;
    this.divides = oneShot && workers === undefined;
    this.cores = runtime?.cores ?? 1;
    this.#share = workerFlag()?.cores ?? this.cores;
    this.runtime = runtime?.name ?? "inline";
    checkPermissions(options);
    if (backend === "threads") runtime?.backend("threads"); // has it any?
    if (backend === "processes" && runtime !== undefined) {
      const near = module === undefined ? runtime.entry : moduleUrl(module);
      const wanted = { near, maxMemory, permissions };
      this.#processes = {
        bare: runtime.backend("processes", { ...wanted, imports: false }),
        loading: runtime.backend("processes", { ...wanted, imports: true }),
      };
    }
    if (maxMemory !== undefined && !this.#choose(false).limitsMemory) {
      throw new TypeError(
        `Cannot create pool as "maxMemory" needs workers, on a runtime that tells how much memory one has: received ${
          workers === 0 ? '"workers" 0' : this.runtime
        }`,
      );
    }
    const crossing = this.#processes?.bare.crossing;
    this.place = {
      entry: runtime?.entry,
      inline: workers === 0,
      crossing,
      whyNotLoaded: runtime?.whyNotLoaded,
    };
    this.#workerData = encodeOnce(
      "create pool",
      "workerData",
      workerData,
      crossing,
    );
    if (init !== undefined) {
      const place = { ...this.place, role: "init" };
      this.#init = functionRef(init, module, place);
    }
  }

  /**
   * How many workers there may be now; 0 for none but the caller's thread. By
   * default, calls at once divide the cores, and a pool has all of them. That
   * only says how many are started: nobody waits for a share, as two that wait
   * for each other would wait for ever.
   */
  get workers(): number {
    if (!this.divides) return this.#options.workers ?? this.#share;
    let plans = 1;
    for (const [plan, atWork] of working) {
      if (plan !== this && atWork()) plans++; // a stream may be left unread
    }
    return Math.max(1, Math.floor(this.#share / plans));
  }

  /**
   * A run begins.
   *
   * @param atWork Tells whether the workers have anything to do.
   */
  enter(atWork: () => boolean): void {
    if (this.#runs++ === 0 && this.workers > 0) working.set(this, atWork);
  }

  /** A run is over. */
  leave(): void {
    if (--this.#runs === 0) working.delete(this);
  }

  /** Whether workers may do less than the program: processes on Deno. */
  get restricts(): boolean {
    const { permissions = this.#imports ? "inherit" : "none" } = this.#options;
    return this.#processes !== undefined && permissions !== "inherit";
  }

  /**
   * Whether no `timeout` can be kept: Web Workers were asked for by name, and
   * here they cannot be stopped in a loop.
   */
  get cannotTime(): boolean {
    return this.#runtime !== undefined && this.#options.backend === "web" &&
      !this.#choose(false).stopsLoops;
  }

  /**
   * Chooses a backend.
   *
   * @param needs What is needed of its workers. If they load modules, so do all
   * that come later, or two kinds of runs would take turns in ending each other's
   * workers.
   * @returns The backend that was asked for, or the one that is needed.
   */
  backend({ stopsLoops, imports }: Needs): Backend {
    this.#imports ||= imports;
    const backend = this.#choose(stopsLoops);
    const flag = workerFlag();
    return {
      ...backend,
      start: (given) => {
        const listener = flag === undefined ? given : {
          onMessage: flag.keep(given.onMessage),
          onUnreadable: flag.keep(given.onUnreadable),
          onEnd: flag.keep(given.onEnd),
        };
        return this.#start(() => backend.start(listener));
      },
    };
  }

  #choose(stopsLoops: boolean): Backend {
    if (this.#runtime === undefined) return inline(this.#clock);
    if (this.#processes !== undefined) {
      const { bare, loading } = this.#processes;
      return this.#imports ? loading : bare;
    }
    const { backend } = this.#options;
    const wanted = this.#runtime.backend(
      backend === "threads" ? "threads" : "web",
    );
    return stopsLoops && !wanted.stopsLoops
      ? this.#runtime.backend("threads")
      : wanted;
  }

  /** The first message to a worker. */
  startMessage(worker: number): StartMessage {
    return {
      type: "start",
      tag: freshTag(),
      worker,
      cores: Math.max(1, Math.floor(this.#share / threadsOf(this))),
      depth: (workerFlag()?.depth ?? 0) + 1,
      timed: this.#options.onEvent !== undefined,
      stepped: this.#clock.stepped(),
      maxMemory: this.#options.maxMemory,
      workerData: this.#workerData,
      init: this.#init,
    };
  }
}

/**
 * Refuses permissions for workers that cannot have fewer than the program.
 *
 * @throws {TypeError} When they are no processes.
 */
function checkPermissions(
  { permissions = "inherit", backend, workers }: PoolOptions,
): void {
  if (permissions === "inherit") return;
  if (backend === "processes" && workers !== 0) return;
  throw new TypeError(
    `Cannot create pool as "permissions" needs "backend": "processes": received ${
      workers === 0 ? '"workers" 0' : `"backend" ${show(backend)}`
    }`,
  );
}
