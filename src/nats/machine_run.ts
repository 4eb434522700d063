/**
 * A run of some client, as far as it takes place on this machine: a run of the
 * engine here whose inputs come as chunks.
 *
 * @module
 */

import type {
  CallData,
  Chunk,
  Clock,
  Engine,
  Failure,
  FunctionRef,
  RunSetup,
} from "@parallel/map/seam";
import { part, Run } from "@parallel/map/seam";
import type { RunEvent } from "@parallel/map";
import { Deliveries, type Done } from "./deliveries.ts";
import type { CallMessage, ChunkMessage } from "./messages.ts";

/** What a run here is made of. */
export interface MachineRunSetup {
  number: number;
  call: CallMessage & { type: "call" };
  fn: FunctionRef;
  combine: FunctionRef | undefined;
  data: CallData | undefined;
  clock: Clock;
  engine: Engine;
  slots: number;
}

/** A run of some client. */
export class MachineRun {
  /** How many of its tasks a worker has at once. */
  readonly lanes: number;
  readonly #engine: Engine;
  readonly #deliveries: Deliveries;
  readonly #run: Listener;

  constructor(setup: MachineRunSetup) {
    const { number, call, fn, combine, data, clock, engine, slots } = setup;
    const { timeout, concurrency, chunkSize, timed } = call;
    const { lastAttempt, inTurn = false } = call;
    const failing = { lastAttempt, inTurn };
    const deliveries = new Deliveries(combine !== undefined, failing);
    this.lanes = concurrency ?? 1;
    this.#engine = engine;
    this.#deliveries = deliveries;
    this.#run = new Listener(
      {
        number,
        fn,
        combine,
        data,
        options: {
          timeout,
          concurrency,
          chunkSize,
          ...(timed && { onEvent: () => {} }), // heard as it is emitted
        },
        clock,
        inputs: deliveries,
        sink: deliveries,
        failing,
        shared: {},
        site: {},
        workers: slots,
        onEvent: undefined,
      },
      deliveries,
    );
    engine.add(this.#run);
    // Also of one that ends as its inputs throw: the engine does not close those.
    const close = () => deliveries.close();
    this.#run.done.then(close, close);
  }

  /** What this machine cannot do for the run; undefined while it can. */
  get refusal(): Error | undefined {
    return this.#run.refusal;
  }

  /**
   * What becomes of a chunk that came again while its tasks are being done.
   *
   * @param number Its number.
   * @returns As `add`; undefined if they are not.
   */
  running(number: number): Promise<Done | undefined> | undefined {
    return this.#deliveries.answerTo(number);
  }

  /**
   * Has the tasks of a chunk done, once: one that came again too soon has the
   * answer of the first.
   *
   * @param message The chunk.
   * @param values Its values.
   * @returns What became of it; undefined if the run ended before that.
   */
  async add(
    message: ChunkMessage,
    values: ArrayLike<unknown>,
  ): Promise<Done | undefined> {
    while (!this.#run.over) {
      const beside = this.#deliveries.beside(message, values.length);
      if (beside === undefined) {
        const done = this.#deliveries.add(message, values);
        this.#engine.touch(this.#run);
        return await done;
      }
      const done = await beside.answer;
      if (beside.message.number === message.number) return done;
    }
    return undefined;
  }

  /** Ends it: its client wants no more. */
  end(): void {
    this.#run.stop(new DOMException("The run is over", "AbortError"));
    this.#engine.touch(this.#run);
  }
}

/** The run of the engine here, that hears more than a sink does. */
class Listener extends Run {
  readonly #deliveries: Deliveries;
  readonly #origin: number;
  refusal: Error | undefined;

  constructor(setup: RunSetup, deliveries: Deliveries) {
    super(setup);
    this.#deliveries = deliveries;
    this.#origin = setup.clock.origin;
  }

  override take(most: number, idle: boolean): Chunk | undefined {
    const chunk = super.take(most, idle);
    if (chunk === undefined) return undefined;
    const { first, values: { length } } = chunk;
    // Of tasks that came back it makes one chunk, also of several messages, each of
    // which has an answer of its own.
    const count = Math.min(length, this.#deliveries.endOf(first) - first);
    if (count < length) this.takeBack(chunk, count, length);
    const own = count < length ? part(chunk, 0, count) : chunk;
    return { ...own, attempt: this.#deliveries.attemptOf(first) };
  }

  // Of a chunk that a failure ends, nobody wants what comes after that.
  override takeBack(
    chunk: Chunk,
    from: number,
    to: number,
    alone?: boolean,
  ): void {
    const { first } = chunk;
    const end = this.#deliveries.wantedTo(first + from) - first;
    super.takeBack(chunk, from, Math.min(to, end), alone);
  }

  // Not what it learns: of a chunk whose rest went elsewhere that is nothing.
  override spent(chunk: Chunk, ms: number): void {
    this.#deliveries.spent(chunk.first, ms);
  }

  override emit(event: RunEvent): void {
    super.emit(event);
    if (event.type !== "chunk-done") return;
    const { worker, first, failed, cpu } = event;
    const from = event.from.map((at) => at + this.#origin);
    const to = event.to.map((at) => at + this.#origin);
    this.#deliveries.note(first, { worker, from, to, failed, cpu });
  }

  override fail(
    chunk: Chunk,
    offset: number,
    failure: Failure,
    worker: number | undefined,
  ): void {
    this.#deliveries.expect(chunk.first + offset, failure, worker);
    // Whether it is tried again, and where, is for its client to say.
    super.fail(chunk, offset, failure, worker, false);
  }

  override refuse(cause: unknown): void {
    this.refusal = cause instanceof Error ? cause : new Error(String(cause));
    super.refuse(cause);
  }
}
