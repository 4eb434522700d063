/**
 * Takes calls: checks their options, and turns each into a run of an engine.
 * Behind both the pool and the one-shot functions.
 *
 * @module
 */

import type { Rules } from "../../words/check_options.ts";
import {
  checkOptions,
  MAP_RULES,
  REDUCE_RULES,
  RUN_RULES,
  STREAM_RULES,
} from "../api/option_rules.ts";
import { beginRun } from "./begin_run.ts";
import type { Call, CheckedCall } from "./check_call.ts";
import { checkCall, checkInitial } from "./check_call.ts";
import type { RunPlan } from "./worker_plan.ts";
import { threadsOf } from "./worker_plan.ts";
import type { Engine } from "../engine/engine.ts";
import { closedError } from "../engine/engine.ts";
import { callSite, type Entrance } from "../engine/call_site.ts";
import { type Failure, startError, taskError } from "../engine/failures.ts";
import { FoldSink } from "../engine/fold.ts";
import { handleIfRefused, handlePromises } from "../engine/inputs.ts";
import type { Paces } from "../engine/paces.ts";
import type { Run } from "../engine/run.ts";
import type { Collection, Sink } from "../engine/sink.ts";
import {
  ArraySink,
  ListSink,
  SettledSink,
  SharedSink,
} from "../engine/sink.ts";
import { Reader, StreamSink } from "../engine/stream.ts";
import type {
  Inputs,
  MapOptions,
  PoolOptions,
  ReduceOptions,
  RunOptions,
  SettledResult,
  StreamOptions,
  TypedArray,
} from "../api/options.ts";
import type { Clock } from "../runtime/clock.ts";
import { asInWorkers, combineRef } from "../wire/function_ref.ts";
import { workerFlag } from "../worker/worker_flag.ts";

/** What calls are turned into runs by. */
export interface CallsSetup {
  /** The options of the pool; checked before. */
  options: PoolOptions;
  /** Whether it closes after its first run. */
  oneShot: boolean;
  clock: Clock;
  /** Where the tasks will run. */
  plan: RunPlan;
  /** Takes the runs. */
  engine: Engine;
  /** What is known of the functions that are called. */
  paces: Paces;
}

/** Turns calls into runs of an engine. */
export class Calls {
  readonly #options: PoolOptions;
  readonly #clock: Clock;
  readonly #plan: RunPlan;
  readonly #engine: Engine;
  readonly #oneShot: boolean;
  readonly #paces: Paces;
  #runs = 0;

  /**
   * Takes no call yet.
   *
   * @param setup What it is made of.
   */
  constructor({ options, oneShot, clock, plan, engine, paces }: CallsSetup) {
    this.#options = options;
    this.#oneShot = oneShot;
    this.#clock = clock;
    this.#plan = plan;
    this.#engine = engine;
    this.#paces = paces;
  }

  /** How many workers there may be. */
  get workers(): number {
    return this.#plan.workers;
  }

  /** Starts every worker. */
  async start(entrance: Entrance): Promise<void> {
    const site = callSite(entrance);
    this.#check("start workers");
    try {
      await this.#engine.start();
    } catch (error) {
      if (this.#engine.closed) throw closedError();
      throw startError(error, { site, restricts: () => this.#plan.restricts });
    }
  }

  /** A run whose results come as one list, or one typed array. */
  async map(
    fn: unknown,
    inputs: Inputs<unknown>,
    given: MapOptions<TypedArray>,
    entrance: Entrance,
  ): Promise<unknown> {
    const site = callSite(entrance);
    const options = this.#read("map", given, MAP_RULES, inputs);
    const { output } = options;
    return await this.#collect(
      "map",
      { fn, inputs, options, site },
      (total): Collection<unknown> => {
        if (output === undefined) return new ListSink(total);
        return typeof output === "function"
          ? new ArraySink(total, output)
          : new SharedSink(total, output);
      },
    );
  }

  /** A run whose outcomes come as one list. */
  async mapSettled(
    fn: unknown,
    inputs: Inputs<unknown>,
    given: RunOptions,
    entrance: Entrance,
  ): Promise<SettledResult[]> {
    const site = callSite(entrance);
    const options = this.#read("map", given, RUN_RULES, inputs);
    return await this.#collect(
      "map",
      { fn, inputs, options, site },
      (total) => new SettledSink(total),
    ) as SettledResult[];
  }

  /** A run whose results are folded to one. */
  async reduce(
    fn: unknown,
    combine: unknown,
    inputs: Inputs<unknown>,
    given: ReduceOptions,
    entrance: Entrance,
  ): Promise<unknown> {
    const site = callSite(entrance);
    const options = this.#read("reduce", given, REDUCE_RULES, inputs);
    const { module = this.#options.module, initial } = options;
    const ref = handleIfRefused(inputs, () => {
      checkInitial(initial);
      return combineRef(combine, module, this.#plan.place);
    });
    return await this.#collect(
      "reduce",
      { fn, combine: ref, inputs, options, site },
      () =>
        new FoldSink({
          combine: asInWorkers(combine, ref),
          initial: initial === undefined ? undefined : { value: initial },
          error(error, tasks) {
            const failure = { why: "unfolded", error, tasks, combine: ref };
            return taskError(failure as Failure, 0, 1, { fn: ref, site });
          },
        }),
    );
  }

  /** A run that is read. It starts with the first read. */
  stream(
    fn: unknown,
    inputs: Inputs<unknown>,
    given: StreamOptions<boolean>,
    entrance: Entrance,
  ): AsyncGenerator<unknown, undefined, undefined> {
    const site = callSite(entrance);
    const options = this.#read("stream", given, STREAM_RULES, inputs);
    const call = this.#accept("stream", { fn, inputs, options, site });
    handlePromises(inputs); // it may be read late
    const sink = new StreamSink(() => threadsOf(this.#plan), options);
    return new Reader({
      sink,
      open: () => this.#begin(call, () => sink).run,
      touch: (run) => this.#engine.touch(run),
      closed: () => this.#settled(),
    });
  }

  /** A run whose results are there at its end. */
  async #collect(
    action: string,
    call: Call,
    makeSink: (total: number | undefined) => Collection<unknown>,
  ): Promise<unknown> {
    const checked = this.#accept(action, call);
    const { inputs, options: { signal } } = call;
    if (signal?.aborted) {
      handlePromises(inputs);
      throw signal.reason;
    }
    const { run, sink } = this.#begin(checked, makeSink);
    let total: number;
    try {
      total = await run.done;
    } catch (error) {
      // An abort is told at once. The first error is the one, whatever happens
      // when the workers end.
      const now = signal?.aborted && Object.is(signal.reason, error);
      if (!now) await this.#settled().catch(() => {});
      throw error;
    }
    await this.#settled();
    return sink.results(total);
  }

  /** A one-shot call settles when its workers are gone. */
  async #settled(): Promise<void> {
    if (this.#oneShot) await this.close();
  }

  /** Checks options; those of a one-shot call were, with those of its pool. */
  #read<O extends object>(
    action: string,
    given: O,
    rules: Rules,
    inputs: unknown,
  ): O {
    if (this.#oneShot) return given;
    return handleIfRefused(inputs, () => checkOptions(action, given, rules));
  }

  /** Accepts a call, or refuses it. */
  #accept(action: string, call: Call): CheckedCall {
    return handleIfRefused(call.inputs, () => {
      this.#check(action);
      return checkCall(call, this.#options, this.#plan);
    });
  }

  /** Refuses a call on a closed pool, and one that a worker must not make. */
  #check(action: string): void {
    if (this.#engine.closed) {
      throw new TypeError(`Cannot ${action} as the pool is closed`);
    }
    const flag = workerFlag();
    const why = flag?.forbids();
    if (why === undefined) return;
    if (why === "lies deep") {
      const text =
        "they must lie within each other eight deep at most: received one more";
      throw startError(new Error(text), { site: {} });
    }
    const error = new Error(
      // In such builds of Bun 1.4.5, import.meta.main is true in workers too
      // (tests/bundle_test.ts fails when it is not any more).
      "a module must not map in a worker that loads it, other than from a task, which would start workers without end: put the call under if (import.meta.main) (with bun build --compile or --target=node, under if (isMainThread) of node:worker_threads), or the function in a module of its own",
    );
    flag!.misuse(error);
    throw startError(error, { site: {} });
  }

  #begin<S extends Sink>(
    call: CheckedCall,
    makeSink: (total: number | undefined) => S,
  ): { run: Run; sink: S } {
    const begun = beginRun(call, makeSink, {
      number: () => ++this.#runs,
      clock: this.#clock,
      engine: this.#engine,
      plan: this.#plan,
      paces: this.#paces,
      onEvent: this.#options.onEvent,
    });
    if (this.#oneShot) {
      const close = () => void this.close().catch(() => {}); // told by #settled
      begun.run.done.then(close, close);
    }
    return begun;
  }

  /** Ends all runs and workers. */
  close(finish = false): Promise<void> {
    return this.#engine.close(finish);
  }
}
