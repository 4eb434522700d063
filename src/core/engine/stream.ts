/**
 * Where the outcomes of a stream go: results as they come or in their order,
 * with a bound on how far the run may be ahead of its reader. How a stream ends
 * stands in docs/streams.md.
 *
 * @module
 */

import type { TaskError } from "../api/errors.ts";
import type { StreamOptions, TaskOutcome } from "../api/options.ts";
import { Reorder } from "./order.ts";
import type { Run } from "./run.ts";
import type { FailureEffect, Sink } from "./sink.ts";

/** Results of consecutive tasks, or the failure of one. */
type Outcomes = ArrayLike<unknown> | Failed;

/** A failure in its turn. */
class Failed {
  readonly length = 1;
  readonly error: TaskError;
  constructor(error: TaskError) {
    this.error = error;
  }
}

/** How many chunks a worker's share of the read-ahead is. */
const CHUNKS_AHEAD = 4;

/** The same in tasks that wait beside each other. */
const TIMES_CONCURRENCY = 2;

/** What a reader finds: a value, a failure in its turn, or nothing yet. */
export type Found = { value: unknown } | { error: unknown } | undefined;

/** Holds the outcomes of a run until they are read. */
export class StreamSink implements Sink {
  readonly inTurn = true;
  readonly goesOn: boolean;
  readonly isOrdered: boolean;
  readonly #threads: () => number;
  readonly #concurrency: number;
  readonly #bufferSize: number | undefined;
  readonly #order: Reorder<Outcomes> | undefined;
  /** Whether it gives outcomes, and not results. */
  readonly settled: boolean;
  readonly #ready: Outcomes[] = [];
  #head = 0; // how many of them are read; V8 takes long to shift a long list
  #at = 0; // offset in the first ready outcomes
  failed = false;
  #inside = 0; // tasks taken from the inputs and not yet read
  #wake = () => {};

  /**
   * Holds none yet.
   *
   * @param threads How many tasks may run at once: elsewhere, workers come and go.
   * @param options How it is read.
   */
  constructor(
    threads: () => number,
    options: StreamOptions<boolean>,
  ) {
    this.#threads = threads;
    this.#bufferSize = options.bufferSize;
    this.#concurrency = options.concurrency ?? 1;
    this.settled = this.goesOn = options.settled === true;
    this.isOrdered = options.ordered !== false;
    this.#order = this.isOrdered ? new Reorder() : undefined;
  }

  room(chunkSize: number): number {
    const each = Math.max(
      CHUNKS_AHEAD * chunkSize,
      TIMES_CONCURRENCY * this.#concurrency,
    );
    const most = this.#bufferSize ?? this.#threads() * each;
    return most - this.#inside;
  }

  get ready(): boolean {
    return this.#ready.length > this.#head;
  }

  took(tasks: number): void {
    this.#inside += tasks;
  }

  put(
    first: number,
    values: ArrayLike<unknown>,
    inputs: ArrayLike<unknown>,
  ): void {
    const outcome = (value: unknown, offset: number): TaskOutcome => ({
      index: first + offset,
      input: inputs[offset],
      status: "fulfilled",
      value,
    });
    this.#add(first, this.settled ? Array.from(values, outcome) : values);
  }

  fail(index: number, reason: TaskError, input: unknown): FailureEffect {
    if (this.settled) {
      const outcome: TaskOutcome = { index, input, status: "rejected", reason };
      this.#add(index, [outcome]);
      return "go on";
    }
    this.#add(index, new Failed(reason));
    return "drain";
  }

  #add(first: number, outcomes: Outcomes): void {
    if (this.#order === undefined) this.#give(outcomes);
    else {
      this.#order.add(first, outcomes);
      let next: Outcomes | undefined;
      while ((next = this.#order.next()) !== undefined) this.#give(next);
    }
    if (this.ready) this.#wake();
  }

  #give(outcomes: Outcomes): void {
    this.#ready.push(outcomes);
    this.failed ||= outcomes instanceof Failed;
  }

  /**
   * Takes the next outcome, if there is one.
   *
   * @returns It; and whether there is room for more, as it was the last of its
   * chunk.
   */
  take(): { found: Found; room: boolean } {
    const outcomes = this.#ready[this.#head];
    if (outcomes === undefined) return { found: undefined, room: false };
    if (outcomes instanceof Failed) return { found: outcomes, room: false };
    const found = { value: outcomes[this.#at++] };
    this.#inside--;
    const room = this.#at === outcomes.length;
    if (room) {
      this.#at = 0;
      this.#ready[this.#head++] = []; // lets go of it
      if (2 * this.#head > this.#ready.length) {
        this.#ready.splice(0, this.#head);
        this.#head = 0;
      }
    }
    return { found, room };
  }

  /** Settles when there may be something to take. */
  wait(): Promise<void> {
    return new Promise((wake) => this.#wake = wake);
  }

  /** Wakes a reader that waits: its run is over, or it left. */
  wake(): void {
    this.#wake();
  }

  /** Lets go of what nobody reads. */
  drop(): void {
    this.#ready.length = this.#head = 0;
  }
}

/** What a reader needs. */
export interface ReaderSetup {
  sink: StreamSink;
  /** Starts the run, with the first read. */
  open(): Run;
  /** Tells the engine that the run has more room, or is over. */
  touch(run: Run): void;
  /** Settles when what the run held is gone. */
  closed(): Promise<void>;
}

type ReaderState =
  /** Not read yet. */
  | { at: "new" }
  /** The first read calls what the caller wrote: inputs, listeners. */
  | { at: "opening" }
  | { at: "reading"; run: Run; end: { error?: unknown } | undefined }
  | { at: "over" };

/**
 * The reader's end of a stream: an async generator written by hand, as
 * `for await` over an `async function*` takes three turns a value, over this
 * one.
 */
export class Reader implements AsyncGenerator<unknown, undefined, undefined> {
  readonly #setup: ReaderSetup;
  #state: ReaderState = { at: "new" };
  /** The read that was asked for last, of those that overlap. */
  #asked: Promise<unknown> = Promise.resolve();
  #overlapping = 0;

  constructor(setup: ReaderSetup) {
    this.#setup = setup;
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    if (this.#state.at === "new") {
      try {
        this.#open();
      } catch (error) { // the inputs would not be opened
        this.#state = { at: "over" };
        return Promise.reject(error);
      }
    }
    if (this.#overlapping === 0) {
      const found = this.#take();
      if (found !== undefined && "value" in found) {
        return Promise.resolve({ done: false, value: found.value });
      }
    }
    // Reads that overlap are answered in the order they were made.
    this.#overlapping++;
    const answer = this.#asked.then(() => this.#wait())
      .finally(() => this.#overlapping--);
    this.#asked = answer.catch(() => {});
    return answer;
  }

  #open(): void {
    const { open, sink } = this.#setup;
    this.#state = { at: "opening" };
    const run = open();
    const { at } = this.#state as ReaderState;
    const state: ReaderState = { at: "reading", run, end: undefined };
    this.#state = state;
    const end = (how: { error?: unknown }) => {
      state.end = how;
      sink.wake();
    };
    run.done.then(() => end({}), (error) => end({ error }));
    if (at === "over") this.#finish().catch(() => {}); // left meanwhile
  }

  /** The next value, or the failure whose turn it is, if it is there. */
  #take(): Found {
    if (this.#state.at !== "reading") return undefined;
    const { sink, touch } = this.#setup;
    const { run } = this.#state;
    const { found, room } = sink.take();
    if (room) touch(run);
    if (sink.settled && found !== undefined && "value" in found) {
      const outcome = found.value as TaskOutcome;
      const { refills } = run;
      if (refills !== undefined) outcome.input = refills.seen(outcome.input);
    }
    return found;
  }

  async #wait(): Promise<IteratorResult<unknown, undefined>> {
    for (;;) {
      const found = this.#take();
      if (this.#state.at !== "reading") return { done: true, value: undefined };
      if (found !== undefined && "value" in found) {
        return { done: false, value: found.value };
      }
      const end = found ?? this.#state.end;
      if (end !== undefined) {
        const finished = this.#finish();
        if ("error" in end) { // the first error is the one
          await finished.catch(() => {});
          throw end.error;
        }
        await finished;
        return { done: true, value: undefined };
      }
      await this.#setup.sink.wait();
    }
  }

  /** Nobody reads on: ends the run, if it is not over. */
  async #finish(): Promise<void> {
    const state = this.#state;
    this.#state = { at: "over" };
    if (state.at !== "reading") return;
    const { sink, touch, closed } = this.#setup;
    sink.drop();
    try {
      state.run.cancel();
    } finally {
      touch(state.run);
      sink.wake();
      await closed();
    }
  }

  async return(
    value?: PromiseLike<undefined> | undefined,
  ): Promise<IteratorResult<unknown, undefined>> {
    const given = Promise.resolve(value);
    given.catch(() => {}); // heard below, later
    await this.#finish();
    return { done: true, value: await given };
  }

  async throw(error?: unknown): Promise<IteratorResult<unknown, undefined>> {
    // As in a generator: what the end of the inputs throws gives way to it.
    await this.#finish().catch(() => {});
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#finish();
  }
}
