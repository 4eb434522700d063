/**
 * One map or stream in progress: which tasks go next, and what became of each.
 *
 * @module
 */

import type { Progress, RunEvent } from "../events.ts";
import type { RunOptions } from "../options.ts";
import type { Clock } from "../runtime/clock.ts";
import type { FunctionRef } from "../wire/function_ref.ts";
import { ChunkSizer } from "./chunking.ts";
import type { CallSite, Failure } from "./failures.ts";
import { startError, taskError } from "./failures.ts";
import type { Source } from "./inputs.ts";
import { onAbort } from "./on_abort.ts";
import { ProgressMeter } from "./progress_meter.ts";
import type { Sink } from "./sink.ts";

/** Consecutive tasks of one run, on their way to one worker. */
export interface Chunk {
  readonly run: Run;
  /** Index of the first task. */
  readonly first: number;
  /** Which try this is. */
  readonly attempt: number;
  readonly values: ArrayLike<unknown>;
  /** How long reading its values from the inputs took, in ms. */
  readonly reading: number;
  /** Whether it must be the only one in its worker, as one task is suspect. */
  readonly alone: boolean;
}

/** What a run is made of. */
export interface RunSetup {
  /** Number of the run in its pool, from 1. */
  number: number;
  fn: FunctionRef;
  options: RunOptions;
  clock: Clock;
  sink: Sink;
  site: CallSite;
  /** How many workers may serve it. */
  workers: number;
  /** The pool's listener. */
  onEvent: ((event: RunEvent) => void) | undefined;
  /** Told that there is something to take again, though `take` had nothing. */
  onMore(run: Run): void;
  /** The same, at once. */
  wake(run: Run): void;
  /** Called once, when the run is over. */
  onOver(run: Run): void;
}

/** One map or stream in progress. */
export class Run {
  readonly number: number;
  readonly fn: FunctionRef;
  readonly options: RunOptions;
  /** One Int32, not 0 once the run is over: tasks see it in any loop. */
  readonly over = new SharedArrayBuffer(4);
  readonly #setup: RunSetup;
  readonly #sizer: ChunkSizer;
  readonly #meter: ProgressMeter;
  #source: Source | undefined;
  #again: Chunk[] = [];
  #next = 0; // index of the next task
  #unsettled = 0;
  #limit = Infinity; // tasks from this index on do not matter any more
  #sourceFailure: { error: unknown } | undefined; // to be told in its turn
  #ended = false;
  #stopListening = () => {};

  constructor(setup: RunSetup) {
    this.#setup = setup;
    this.number = setup.number;
    this.fn = setup.fn;
    this.options = setup.options;
    this.#sizer = new ChunkSizer(setup.options.chunkSize);
    this.#meter = new ProgressMeter(setup.options.onProgress, setup.clock);
  }

  /** Whether the run is over, with every task settled or not. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Whether a worker with tasks of this run may be given more. */
  get prefetches(): boolean {
    return this.#sizer.prefetches;
  }

  /** Whether anyone wants to know what happens. */
  get timed(): boolean {
    return (this.options.onEvent ?? this.#setup.onEvent) !== undefined;
  }

  /** Starts reading the inputs. */
  open(source: Source): void {
    this.#source = source;
    this.#meter.total = source.total;
    const { signal } = this.options;
    if (signal === undefined) return;
    this.#stopListening = onAbort(signal, () => this.stop(signal.reason));
  }

  /** Tells that the run began, before any task. */
  begin(): void {
    this.#tell("running");
  }

  /** Tells how far the run is; a caller's onProgress that throws ends it. */
  #tell(state: Progress["state"]): void {
    try {
      this.#meter.say(state);
    } catch (error) {
      this.stop(error);
    }
  }

  /** Tells what happened in this run. */
  emit(event: RunEvent): void {
    try {
      this.#setup.onEvent?.(event);
    } catch (error) {
      this.stop(error);
    }
    this.hear(event);
  }

  /** Tells this run's own listener; one that throws ends the run. */
  hear(event: RunEvent): void {
    try {
      this.options.onEvent?.(event);
    } catch (error) {
      this.stop(error);
    }
  }

  /**
   * Takes the next chunk.
   *
   * @param most How many tasks at most.
   * @param idle Whether it is for a worker that has nothing to do.
   * @returns The chunk; undefined while there is none, or no more.
   */
  take(most: number, idle: boolean): Chunk | undefined {
    if (this.#ended) return undefined;
    const next = this.#again.findIndex((chunk) => idle || !chunk.alone);
    if (next >= 0) return this.#again.splice(next, 1)[0];
    if (this.#source === undefined) return undefined;
    const { workers, sink } = this.#setup;
    const { total } = this.#source;
    const left = total === undefined ? undefined : total - this.#next;
    const size = this.#sizer.next(left, workers);
    const room = Math.min(size, most, sink.room(size));
    if (room < 1) return undefined;
    let values: ArrayLike<unknown> | undefined;
    const began = this.#setup.clock.now();
    try {
      values = this.#source.take(room);
    } catch (error) { // the inputs' own: it goes to the caller as it is
      this.#source = undefined; // it has ended, and must not be closed
      if (!sink.inTurn) this.stop(error);
      this.#sourceFailure = { error };
    }
    if (this.#ended) return undefined; // the inputs ended the run, or failed
    if (values === undefined) {
      this.#source = undefined;
      this.#meter.total = this.#next;
      this.#finishIfDone();
      return undefined;
    }
    if (values.length === 0) return undefined;
    const first = this.#next;
    this.#next += values.length;
    this.#unsettled += values.length;
    sink.took(values.length);
    const reading = this.#setup.clock.now() - began;
    return { run: this, first, attempt: 1, values, reading, alone: false };
  }

  /** Learns how long a chunk took. */
  learn(tasks: number, ms: number, bytes: number): void {
    this.#sizer.learn(tasks, ms, bytes);
  }

  /** Takes the results of consecutive tasks. */
  put(first: number, values: ArrayLike<unknown>): void {
    if (this.#ended || values.length === 0) return;
    try {
      this.#setup.sink.put(first, values);
    } catch (error) {
      return this.stop(error); // a result that does not fit in `output`
    }
    this.#settle(values.length, 0);
  }

  /**
   * Takes a task that did not return; it may be tried again.
   *
   * @param chunk The chunk it came in.
   * @param index Its index.
   * @param failure What became of it.
   * @param worker Number of its worker.
   * @param repeatable Whether the same would not happen again.
   */
  fail(
    chunk: Chunk,
    index: number,
    failure: Failure,
    worker: number,
    repeatable: boolean,
  ): void {
    if (this.#ended || index >= this.#limit) return;
    const { attempt } = chunk;
    const again = repeatable && attempt <= (this.options.retries ?? 0);
    const at = this.#setup.clock.now();
    const { why } = failure;
    const { number: run } = this;
    this.emit({ type: "task-fail", run, worker, index, why, again, at });
    if (this.#ended) return; // the listener threw, aborted or closed
    if (again) return this.#sendAgain(chunk, index, attempt + 1, false);
    const { site, sink } = this.#setup;
    const error = taskError(failure, index, attempt, this.fn, site);
    const verdict = sink.fail(index, error);
    if (verdict === "end") return this.stop(error);
    if (verdict === "drain") this.#drain(index + 1);
    this.#settle(1, 1);
  }

  /**
   * Takes back a task that must be sent again, through no fault of its own.
   *
   * @param chunk The chunk it came in.
   * @param index Its index.
   * @param alone Whether it is suspect, and must be sent alone.
   */
  giveBack(chunk: Chunk, index: number, alone: boolean): void {
    if (this.#ended || index >= this.#limit) return;
    this.#sendAgain(chunk, index, chunk.attempt, alone);
  }

  #sendAgain(
    chunk: Chunk,
    index: number,
    attempt: number,
    alone: boolean,
  ): void {
    const at = index - chunk.first;
    // Of a typed array, a part that owns its buffer.
    const values = ArrayBuffer.isView(chunk.values)
      ? (chunk.values as unknown as Float64Array).slice(at, at + 1)
      : [chunk.values[at]];
    this.#again.push({
      run: this,
      first: index,
      attempt,
      values,
      reading: 0,
      alone,
    });
    this.#setup.onMore(this);
  }

  /** Reads no more inputs, and drops the tasks from an index on. */
  #drain(limit: number): void {
    this.#limit = Math.min(this.#limit, limit);
    this.#close();
    this.#again = this.#again.filter((chunk) => chunk.first < this.#limit);
  }

  #settle(done: number, failed: number): void {
    this.#unsettled -= done;
    if (this.#ended) return;
    this.#meter.add(done, failed);
    this.#tell("running");
    this.#finishIfDone();
  }

  #finishIfDone(): void {
    if (this.#ended || this.#unsettled > 0 || this.#source !== undefined) {
      return;
    }
    if (this.#limit < Infinity) return; // the failure is still to be read
    const failure = this.#sourceFailure;
    if (failure !== undefined) return this.stop(failure.error);
    this.#tell("done");
    if (this.#ended) return; // the listener threw, or aborted
    const thrown = this.#end(true);
    if (thrown === undefined) this.#setup.sink.done(this.#next);
    else this.#setup.sink.stop(thrown.error);
  }

  /** There is room again: goes on. */
  wake(): void {
    if (!this.#ended) this.#setup.wake(this);
  }

  /**
   * Ends the run, as nobody wants its results any more.
   *
   * @throws What the end of the inputs threw, as `break` in a loop does.
   */
  cancel(): void {
    const source = this.#source;
    this.#source = undefined; // else an error of its end would be dropped
    this.stop(undefined);
    source?.close();
  }

  /**
   * Ends the run early.
   *
   * @param error What the caller is told.
   */
  stop(error: unknown): void {
    if (this.#ended) return;
    this.#end(false);
    this.#tell("stopped");
    this.#setup.sink.stop(error);
  }

  /**
   * Ends the run, as no worker can serve it.
   *
   * @param cause What the worker met.
   */
  refuse(cause: unknown): void {
    this.stop(startError(cause, this.#setup.site));
  }

  /** Ends it; says what a listener threw at the last event. */
  #end(ok: boolean): { error: unknown } | undefined {
    this.#ended = true;
    Atomics.store(new Int32Array(this.over), 0, 1);
    this.#again = [];
    this.#stopListening();
    this.#close();
    const at = this.#setup.clock.now();
    let thrown: { error: unknown } | undefined;
    for (const onEvent of [this.#setup.onEvent, this.options.onEvent]) {
      try {
        onEvent?.({ type: "run-end", run: this.number, ok, at });
      } catch (error) {
        thrown ??= { error };
      }
    }
    this.#setup.onOver(this);
    return thrown;
  }

  /** Ends the inputs early. */
  #close(): void {
    const source = this.#source;
    this.#source = undefined;
    try {
      source?.close();
    } catch {
      // Something else went wrong before, and that is what the caller hears.
    }
  }
}
