/**
 * One call in progress, as a ledger: which tasks go next, and what became of
 * each. It knows no engine: whoever changes it touches that.
 *
 * @module
 */

import type { Progress, RunEvent } from "../api/events.ts";
import type { RunOptions } from "../api/options.ts";
import type { CallData } from "../wire/call_data.ts";
import type { FunctionRef } from "../wire/function_ref.ts";
import { type Chunk, inputOf, inputsOf, part, weightOf } from "./chunk.ts";
import { ChunkSizer } from "./chunking.ts";
import type { Failure } from "./failures.ts";
import { startError, taskError } from "./failures.ts";
import { tellAll, type Thrown } from "./listening.ts";
import type { ConsecutiveInputs } from "./next_inputs.ts";
import { ProgressMeter } from "./progress_meter.ts";
import { Returned } from "./returned.ts";
import { NOWHERE, type RunSetup, type SharedParts } from "./run_setup.ts";

type RunState =
  /** There may be more inputs. */
  | { at: "reading" }
  /** There are none; the inputs ended so. */
  | { at: "draining"; failure: Thrown }
  /** None are read any more: the reader comes to a failure first. */
  | { at: "failing"; failure: Thrown }
  | { at: "over" };

/** One call in progress. */
export class Run {
  readonly number: number;
  readonly fn: FunctionRef;
  readonly combine: FunctionRef | undefined;
  readonly data: CallData | undefined;
  readonly options: RunOptions;
  readonly shared: SharedParts;
  readonly refills: RunSetup["refills"];
  readonly failing: RunSetup["failing"];
  readonly #ends = Promise.withResolvers<number>();
  /** Settles with the number of tasks, or with why the run ended early. */
  readonly done: Promise<number> = this.#ends.promise;
  #setup: RunSetup;
  readonly #sizer: ChunkSizer;
  readonly #meter: ProgressMeter;
  #state: RunState = { at: "reading" };
  /** What a listener threw when it was over, as at a late answer. */
  late: Thrown;
  readonly #returned = new Returned();
  #tasks = 0; // how many were taken from the inputs
  #unsettled = 0;
  #isRead = false; // whether its inputs were asked for any
  #limit = Infinity; // tasks from this index on do not matter any more

  constructor(setup: RunSetup) {
    const { options, clock, workers, pace, times } = setup;
    this.#setup = setup;
    this.number = setup.number;
    [this.fn, this.combine] = [setup.fn, setup.combine];
    this.data = setup.data;
    this.options = options;
    [this.shared, this.refills] = [setup.shared, setup.refills];
    this.failing = setup.failing;
    this.#sizer = new ChunkSizer(options.chunkSize, workers, pace, times);
    this.#meter = new ProgressMeter(options.onProgress, clock);
    this.#meter.total = setup.inputs.total;
    this.done.catch(() => {}); // heard by whoever made the call
  }

  /** Whether it ended: every task settled, or it was stopped. */
  get over(): boolean {
    return this.#state.at === "over";
  }

  /** Whether a worker with tasks of this run may be given more. */
  get prefetches(): boolean {
    return this.#sizer.prefetches;
  }

  /** What the tasks weigh that wait to be sent; undefined if nobody knows. */
  get #weightLeft(): number | undefined {
    const { weight } = this.#returned;
    if (this.#state.at !== "reading") return weight;
    const left = this.#setup.inputs.weightLeft;
    return left === undefined ? undefined : left + weight;
  }

  /** How much work that is, in ms of one worker; undefined if hardly known. */
  get msLeft(): number | undefined {
    const weight = this.#weightLeft ?? Infinity;
    const ms = this.#sizer.msPerTask;
    return weight === 0 ? 0 : ms === undefined ? undefined : weight * ms;
  }

  /** Whether anyone wants to know what happens. */
  get timed(): boolean {
    return (this.options.onEvent ?? this.#setup.onEvent) !== undefined;
  }

  /** Tells the listeners of the pool and of the run; one that throws ends it. */
  emit(event: RunEvent): void {
    const thrown = tellAll(this.#listeners, event);
    if (this.over) this.late ??= thrown;
    else if (thrown !== undefined) this.stop(thrown.error);
  }

  get #listeners(): RunSetup["onEvent"][] {
    return [this.#setup.onEvent, this.options.onEvent];
  }

  /** Tells its own listener what happened in the pool. */
  hear(event: RunEvent): void {
    const thrown = tellAll([this.options.onEvent], event);
    if (thrown !== undefined) this.stop(thrown.error);
  }

  /** Says how far the run is; a caller's onProgress that throws ends it. */
  say(state: Progress["state"]): Thrown {
    const thrown = this.#meter.say(state, this.#setup.inputs.weight);
    if (thrown !== undefined) this.stop(thrown.error);
    return thrown;
  }

  /**
   * Takes the next chunk.
   *
   * @param most How many tasks at most.
   * @param idle Whether it is for a worker that has nothing to do.
   * @returns The chunk; undefined while there is none, or no more.
   */
  take(most: number, idle: boolean): Chunk | undefined {
    const { clock } = this.#setup;
    const size = this.#sizer.next(this.#weightLeft);
    if (!this.#returned.mayGo(this.#setup, size)) return undefined;
    const returned = this.#returned.take(size, most, idle);
    if (returned !== undefined) return returned;
    if (this.#state.at !== "reading") return undefined;
    const began = this.timed ? clock.now() : 0;
    const inputs = this.#read(size, most);
    if (inputs === undefined || inputs.values.length === 0) return undefined;
    return this.#chunkOf(inputs, this.timed ? clock.now() - began : 0);
  }

  /**
   * Whether all is settled of what it has read, or there is nothing to read: a
   * look at its inputs tells whether it is over. Others are first read when there
   * is a worker for them.
   */
  get isSettled(): boolean {
    if (this.#unsettled > 0) return false;
    return this.#isRead || this.#setup.inputs.total === 0;
  }

  /**
   * Reads the tasks that go next, if none wait.
   *
   * @returns Whether any wait to be sent.
   */
  readAhead(): boolean {
    if (this.#returned.tasks > 0) {
      const size = this.#sizer.next(this.#weightLeft);
      return this.#returned.mayGo(this.#setup, size);
    }
    const chunk = this.take(Infinity, true);
    if (chunk) this.#returned.hold(chunk);
    return chunk !== undefined;
  }

  #chunkOf(inputs: ConsecutiveInputs, reading: number): Chunk {
    this.#tasks += inputs.values.length;
    this.#unsettled += inputs.values.length;
    return { run: this, ...inputs, attempt: 1, reading, alone: false };
  }

  /** Reads inputs; undefined at their end. */
  #read(size: number, most: number): ConsecutiveInputs | undefined {
    let failure: Thrown;
    this.#isRead = true;
    try {
      const inputs = this.#setup.inputs.take(size, most);
      if (this.over) return undefined; // the inputs aborted or closed it
      if (inputs !== undefined) return inputs;
    } catch (error) { // the inputs' own: it goes to the caller as it is
      failure = { error };
    }
    if (this.over) return undefined;
    this.#state = { at: "draining", failure };
    if (failure === undefined) this.#meter.total = this.#tasks;
    // What the inputs had given before goes first, if the results have an order.
    if (failure !== undefined && !this.#setup.sink.inTurn) {
      this.stop(failure.error);
    } else this.#finishIfDone();
    return undefined;
  }

  /** Learns how long a chunk took. */
  learn(chunk: Chunk, ms: number, bytes: number): void {
    this.#sizer.learn(weightOf(chunk), ms, bytes);
  }

  /** Is told how long its worker was at a chunk, or at the part of it that was done. */
  spent(_chunk: Chunk, _ms: number): void {}

  /** Learns that a chunk took so long that the rest of it goes elsewhere. */
  startSmall(): void {
    // What comes back of a run that is over says nothing of how long tasks take.
    if (!this.over) this.#sizer.startAgain();
  }

  /**
   * Takes the results of consecutive tasks.
   *
   * @param chunk The chunk they came in.
   * @param values One result a task; or one in all, if they were folded.
   * @param from Offset of the first.
   * @param to Offset after the last.
   */
  put(
    chunk: Chunk,
    values: ArrayLike<unknown>,
    from: number,
    to: number,
  ): void {
    if (this.over || to <= from) return;
    try {
      const inputs = inputsOf(chunk, from, to);
      this.#setup.sink.put(chunk.first + from, values, inputs);
    } catch (error) {
      return this.stop(error); // a result that does not fit in `output`
    }
    this.#settle(to - from, 0, weightOf(chunk, from, to));
  }

  /**
   * Takes a task that did not return; it may be tried again.
   *
   * @param chunk The chunk it came in.
   * @param offset Its offset there.
   * @param failure What became of it.
   * @param worker Number of its worker; undefined if it never reached one.
   * @param repeatable Whether it can be sent again.
   */
  fail(
    chunk: Chunk,
    offset: number,
    failure: Failure,
    worker: number | undefined,
    repeatable: boolean,
  ): void {
    const { first, attempt } = chunk;
    const index = first + offset;
    if (this.over || index >= this.#limit) return;
    const again = repeatable && attempt <= (this.options.retries ?? 0);
    const { sink, clock } = this.#setup;
    const { number: run } = this;
    const why = failure.why === "unfolded" ? "threw" : failure.why;
    const at = clock.now();
    this.emit({ type: "task-fail", run, worker, index, why, again, at });
    if (this.over) return; // the listener threw, aborted or closed
    const more = { attempt: attempt + 1 };
    if (again) return this.#returned.add(part(chunk, offset, offset + 1, more));
    const error = taskError(failure, index, attempt, this.#setup);
    const effect = sink.fail(index, error, inputOf(chunk, offset));
    const weight = weightOf(chunk, offset, offset + 1);
    if (effect === "drain") this.#drain(index + 1, error);
    if (effect !== "end") return this.#settle(1, 1, weight);
    this.#meter.add(1, 1, weight);
    this.stop(error);
  }

  /**
   * Takes back tasks that must be sent again, through no fault of their own.
   *
   * @param chunk The chunk they came in.
   * @param from Offset of the first.
   * @param to Offset after the last.
   * @param alone Whether they are suspect, and must be sent alone.
   */
  takeBack(
    chunk: Chunk,
    from: number,
    to: number,
    alone: boolean = chunk.alone,
  ): void {
    const most = Math.min(to, this.#limit - chunk.first);
    if (this.over || most <= from) return;
    this.#returned.add(part(chunk, from, most, { alone }));
  }

  /** Reads no more inputs, and drops the tasks from an index on. */
  #drain(limit: number, error: unknown): void {
    this.#limit = Math.min(this.#limit, limit);
    // Lighter ones may come before it, and are wanted.
    for (const rest of this.#setup.inputs.takeRest()) {
      this.#returned.add(this.#chunkOf(rest, 0));
    }
    this.#returned.drop(this.#limit);
    this.#change({ at: "failing", failure: { error } });
  }

  #settle(done: number, failed: number, weight: number): void {
    this.#unsettled -= done;
    this.#meter.add(done, failed, weight);
    this.say("running");
    this.#finishIfDone();
  }

  #finishIfDone(): void {
    const state = this.#state;
    if (state.at !== "draining" && state.at !== "failing") return;
    // The reader comes to the failure whenever it reads on: nothing waits for it.
    const { at, failure } = state;
    if (at === "failing" ? !this.#setup.sink.failed : this.#unsettled) return;
    if (failure !== undefined) return this.stop(failure.error);
    this.say("done");
    if (this.over) return; // the listener threw, or aborted
    const thrown = this.#end(true);
    if (thrown === undefined) this.#ends.resolve(this.#tasks);
    else this.#ends.reject(thrown.error);
  }

  /** Goes to another state, and closes the inputs; says what that threw. */
  #change(state: RunState): Thrown {
    const was = this.#state;
    this.#state = state;
    try {
      if (was.at === "reading") this.#setup.inputs.close();
    } catch (error) {
      return { error };
    }
    return undefined;
  }

  /**
   * Ends the run early.
   *
   * @param error What the caller is told, also if more goes wrong at the end.
   */
  stop(error: unknown): void {
    if (this.over) return;
    this.#end(false);
    this.say("stopped");
    this.#ends.reject(error);
  }

  /**
   * Ends the run, as nobody wants its results any more.
   *
   * @throws What the end of the inputs threw, as `break` in a loop does, or
   * what a listener threw.
   */
  cancel(): void {
    if (this.over) return;
    const ended = this.#end(false);
    const thrown = this.say("stopped") ?? ended;
    this.#ends.reject(undefined);
    if (thrown !== undefined) throw thrown.error;
  }

  /**
   * Ends the run, as no worker can serve it.
   *
   * @param cause What the worker met.
   */
  refuse(cause: unknown): void {
    this.stop(startError(cause, this.#setup));
  }

  /** Says what the inputs, or else a listener, threw. */
  #end(ok: boolean): Thrown {
    const closed = this.#change({ at: "over" });
    this.#returned.drop(0);
    // A worker keeps its last run: not the results, nor the inputs.
    this.#setup = { ...this.#setup, ...NOWHERE };
    if (!this.timed) return closed;
    const at = this.#setup.clock.now();
    const event = { type: "run-end", run: this.number, ok, at } as const;
    const told = tellAll(this.#listeners, event);
    return closed ?? told;
  }
}
