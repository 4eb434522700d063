/**
 * Takes calls: checks their options, and turns each into a run of a scheduler.
 * Behind both the pool and the one-shot functions.
 *
 * @module
 */

import { checkOptions, MAP_RULES, STREAM_RULES } from "./check_options.ts";
import { Crew } from "./crew.ts";
import type { CallSite } from "./engine/failures.ts";
import { startError } from "./engine/failures.ts";
import type { Source } from "./engine/inputs.ts";
import { checkInputs, openSource } from "./engine/inputs.ts";
import { Run } from "./engine/run.ts";
import { closedError, Scheduler } from "./engine/scheduler.ts";
import type { Ends, Sink } from "./engine/sink.ts";
import { ArraySink, ListSink, SettledSink } from "./engine/sink.ts";
import { StreamSink } from "./engine/stream.ts";
import type {
  Inputs,
  MapOptions,
  PoolOptions,
  RunOptions,
  StreamOptions,
  TypedArray,
} from "./options.ts";
import type { FunctionRef } from "./wire/function_ref.ts";
import { functionRef } from "./wire/function_ref.ts";
import { workerFlag } from "./worker/loader.ts";

/** The public function a call came through: its frames are left out of stacks. */
// deno-lint-ignore ban-types -- any function will do
type Entrance = Function;

/** Takes calls. */
export class Desk {
  /** How many workers there may be. */
  readonly workers: number;
  readonly #options: PoolOptions;
  readonly #crew: Crew;
  readonly #scheduler: Scheduler;
  readonly #oneShot: boolean;
  #runs = 0;

  /**
   * Opens a desk.
   *
   * @param options How the workers are made; checked before.
   * @param oneShot Whether it closes after its first run.
   */
  constructor(options: PoolOptions, oneShot: boolean) {
    this.#options = options;
    this.#oneShot = oneShot;
    this.#crew = new Crew(options);
    this.workers = this.#crew.workers;
    this.#scheduler = new Scheduler({
      crew: this.#crew,
      maxTasksPerWorker: options.maxTasksPerWorker ?? Infinity,
      onEvent: options.onEvent,
      oneShot,
    });
  }

  /** Starts every worker. */
  async start(entrance: Entrance): Promise<void> {
    const site = callSite(entrance);
    this.#check("start workers");
    try {
      await this.#scheduler.start();
    } catch (error) {
      throw startError(error, site);
    }
  }

  /** A run whose results come as one list, or one typed array. */
  map(
    fn: unknown,
    inputs: Inputs<unknown>,
    options: MapOptions,
    entrance: Entrance,
  ): Promise<unknown> {
    const { output } = options;
    return this.#toPromise(
      fn,
      inputs,
      options,
      entrance,
      (total, ends) =>
        output === undefined
          ? new ListSink(total, ends)
          : new ArraySink(total, output, ends as Ends<TypedArray>),
    );
  }

  /** A run whose outcomes come as one list. */
  mapSettled<R>(
    fn: unknown,
    inputs: Inputs<unknown>,
    options: RunOptions,
    entrance: Entrance,
  ): Promise<PromiseSettledResult<R>[]> {
    return this.#toPromise(
      fn,
      inputs,
      options,
      entrance,
      (total, ends) => new SettledSink(total, ends as Ends<unknown[]>),
    ) as Promise<PromiseSettledResult<R>[]>;
  }

  /** A run that is read. It starts with the first read. */
  stream<R>(
    fn: unknown,
    inputs: Inputs<unknown>,
    options: StreamOptions,
    entrance: Entrance,
  ): AsyncGenerator<R, undefined, undefined> {
    const site = callSite(entrance);
    checkOptions("stream", options, STREAM_RULES);
    const ref = this.#accept("stream", fn, inputs, options);
    const sink = new StreamSink(Math.max(1, this.workers), options);
    return sink.read(() => {
      const run = this.#open(ref, options, sink, site);
      this.#begin(run, this.#source(inputs));
      return run;
    }, () => this.#settled());
  }

  #toPromise(
    fn: unknown,
    inputs: Inputs<unknown>,
    options: RunOptions,
    entrance: Entrance,
    makeSink: (total: number | undefined, ends: Ends<unknown>) => Sink,
  ): Promise<unknown> {
    const site = callSite(entrance);
    return new Promise((resolve, reject) => {
      checkOptions("map", options, MAP_RULES);
      const ref = this.#accept("map", fn, inputs, options);
      const source = this.#source(inputs);
      const sink = makeSink(source.total, {
        resolve: (value) => void this.#settled().then(() => resolve(value)),
        reject: (error) => {
          const { signal } = options;
          if (signal?.aborted && signal.reason === error) reject(error); // now
          else void this.#settled().then(() => reject(error));
        },
      });
      this.#begin(this.#open(ref, options, sink, site), source);
    });
  }

  /** A one-shot call settles when its workers are gone. */
  async #settled(): Promise<void> {
    if (this.#oneShot) await this.close();
  }

  /** Checks what no table can. */
  #accept(
    action: string,
    fn: unknown,
    inputs: unknown,
    options: RunOptions,
  ): FunctionRef {
    this.#check(action);
    const { module = this.#options.module, timeout, signal } = options;
    const ref = functionRef(fn, module, this.#crew.place);
    checkInputs(inputs);
    if (timeout !== undefined && this.#crew.cannotTime) {
      throw new TypeError(
        'Cannot map as "timeout" needs workers that can be stopped in a loop, which on Deno are threads: received "backend" "web"',
      );
    }
    signal?.throwIfAborted();
    return ref;
  }

  /** Refuses a call on a closed pool, and one that a worker must not make. */
  #check(action: string): void {
    if (this.#scheduler.closed) {
      throw new TypeError(`Cannot ${action} as the pool is closed`);
    }
    const flag = workerFlag();
    if (!flag?.forbids()) return;
    const error = new Error(
      // In such builds of Bun 1.4.5, import.meta.main is true in workers too
      // (tests/bundle_test.ts fails when it is not any more).
      "a module must not map in a worker that loads it, other than from a task, which would start workers without end: put the call under if (import.meta.main) (with bun build --compile or --target=node, under if (Bun.isMainThread)), or the function in a module of its own",
    );
    flag.misuse(error);
    throw startError(error, {});
  }

  #source(inputs: Inputs<unknown>): Source {
    return openSource(inputs, () => this.#scheduler.pump());
  }

  #open(fn: FunctionRef, options: RunOptions, sink: Sink, site: CallSite): Run {
    return new Run({
      number: ++this.#runs,
      fn,
      options,
      sink,
      site,
      workers: this.workers,
      onEvent: this.#options.onEvent,
      wake: () => this.#scheduler.pump(),
      onOver: (run) => this.#scheduler.remove(run),
    });
  }

  #begin(run: Run, source: Source): void {
    run.open(source);
    run.emit({
      type: "run-start",
      run: run.number,
      total: source.total,
      name: run.fn.name,
      workers: this.workers,
      cores: this.#crew.cores,
      runtime: this.#crew.runtime,
      at: performance.now(),
    });
    // A stream may be read long after it was asked for.
    const { signal } = run.options;
    if (signal?.aborted) run.stop(signal.reason);
    if (this.#scheduler.closed) run.stop(closedError());
    if (!run.ended) run.begin();
    if (!run.ended) this.#scheduler.add(run);
  }

  /** Ends all runs and workers. */
  close(): Promise<void> {
    return this.#scheduler.close();
  }
}

function callSite(entrance: Entrance): CallSite {
  const site: CallSite = {};
  Error.captureStackTrace(site, entrance);
  return site;
}
