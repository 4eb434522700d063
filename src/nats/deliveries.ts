/**
 * The chunks of one run that came to this machine: for the engine here, its
 * inputs and its sink at once.
 *
 * @module
 */

import type {
  ConsecutiveInputs,
  Failing,
  Failure,
  FailureEffect,
  NextInputs,
  Sink,
} from "@parallel/map/seam";
import { endsFold } from "./answer_steps.ts";
import type { ChunkMessage, Track } from "./messages.ts";

/** Why a task failed, and in which worker; undefined if it never reached one. */
type Failed = [failure: Failure, worker: number | undefined];

/** What became of a chunk: results in pieces, as they came, and failures. */
export interface Done {
  readonly pieces: [from: number, to: number][];
  readonly results: unknown[];
  readonly failures: [offset: number, ...Failed][];
  readonly tracks: Track[];
  /** ms of one worker that its tasks took. */
  ms: number;
}

/** A chunk that is not answered. */
export interface Delivery {
  readonly message: ChunkMessage;
  readonly values: ArrayLike<unknown>;
  /** Offset of the next task to take. */
  next: number;
  /** How many that are not to run stand before it. */
  skipped: number;
  /** How many tasks are not settled. */
  left: number;
  /** Offset after the last of its tasks that is wanted. */
  end: number;
  /** Whether a failure there ends the run: nothing after it is wanted. */
  fails: boolean;
  readonly done: Done;
  /** What becomes of it; undefined if the run ends before that. */
  readonly answer: Promise<Done | undefined>;
  readonly settle: (done: Done | undefined) => void;
}

/** The chunks of one run. */
export class Deliveries implements NextInputs, Sink {
  readonly total = undefined;
  readonly weight = undefined;
  readonly inTurn = false;
  readonly goesOn = true;
  readonly #open: Delivery[] = [];
  readonly #folds: boolean;
  readonly #failing: Failing;
  readonly #failures = new Map<number, Failed>();

  /**
   * Has none yet.
   *
   * @param folds Whether results are folded.
   * @param failing What a failure does to the run of the client; here it goes on.
   */
  constructor(folds: boolean, failing: Failing) {
    this.#folds = folds;
    this.#failing = failing;
  }

  get weightLeft(): number {
    let left = 0;
    for (const { next, end } of this.#open) left += Math.max(0, end - next);
    return left;
  }

  /** What becomes of a chunk, by its number; undefined if it is not here. */
  answerTo(number: number): Delivery["answer"] | undefined {
    return this.#open.find(({ message }) => message.number === number)?.answer;
  }

  /** What was taken of the same tasks as such a chunk, and is not answered. */
  beside({ first }: ChunkMessage, length: number): Delivery | undefined {
    return this.#open.find(({ message, values }) =>
      first < message.first + values.length && message.first < first + length
    );
  }

  /**
   * Takes a chunk: nothing beside it may be being worked on.
   *
   * @param message The chunk.
   * @param values Its values.
   * @returns What became of it; undefined if the run ended before that.
   */
  add(
    message: ChunkMessage,
    values: ArrayLike<unknown>,
  ): Promise<Done | undefined> {
    const { promise, resolve } = Promise.withResolvers<Done | undefined>();
    const done = { pieces: [], results: [], failures: [], tracks: [], ms: 0 };
    const left = values.length - message.skip.length;
    const at = { next: 0, skipped: 0, left, end: values.length, fails: false };
    const own = { message, values, ...at, done };
    this.#open.push({ ...own, answer: promise, settle: resolve });
    return promise;
  }

  take(size: number, most: number): ConsecutiveInputs {
    for (const delivery of this.#open) {
      const { values, message: { first, skip } } = delivery;
      for (; skip[delivery.skipped] === delivery.next; delivery.skipped++) {
        delivery.next++;
      }
      const from = delivery.next;
      if (from >= delivery.end) continue;
      const end = skip[delivery.skipped] ?? values.length;
      const to = Math.min(from + size, from + most, end, delivery.end);
      delivery.next = to;
      const part = ArrayBuffer.isView(values)
        ? (values as Float64Array).subarray(from, to)
        : (values as unknown[]).slice(from, to);
      return { first: first + from, values: part, weights: undefined };
    }
    return { first: 0, values: [], weights: undefined };
  }

  /** Index after the last task of the chunk that a task came in. */
  endOf(index: number): number {
    const { message, values } = this.#find(index) ?? {};
    return message === undefined ? Infinity : message.first + values!.length;
  }

  /** Up to which index the tasks of the chunk are wanted that a task came in. */
  wantedTo(index: number): number {
    const { message, end } = this.#find(index) ?? {};
    return message === undefined ? index : message.first + end!;
  }

  /** Which try of a task its chunk is. */
  attemptOf(index: number): number {
    return this.#find(index)?.message.attempt ?? 1;
  }

  /** Notes why a task failed, and in which worker, before it does. */
  expect(index: number, ...failed: Failed): void {
    this.#failures.set(index, failed);
  }

  /** Notes how long tasks took. */
  spent(index: number, ms: number): void {
    const delivery = this.#find(index);
    if (delivery !== undefined) delivery.done.ms += ms;
  }

  /** Notes when tasks ran. */
  note(index: number, track: Omit<Track, "first">): void {
    const delivery = this.#find(index);
    if (delivery === undefined) return;
    const { first } = delivery.message;
    const failed = track.failed.map((index) => index - first);
    delivery.done.tracks.push({ ...track, failed, first: index - first });
  }

  put(
    first: number,
    values: ArrayLike<unknown>,
    { length }: ArrayLike<unknown>,
  ): void {
    const delivery = this.#find(first);
    if (delivery === undefined) return;
    const { done: { pieces, results }, message } = delivery;
    const from = first - message.first;
    pieces.push([from, from + length]);
    for (let i = 0; i < values.length; i++) results.push(values[i]);
    this.#settle(delivery, length);
  }

  fail(index: number): FailureEffect {
    const failed = this.#failures.get(index);
    this.#failures.delete(index);
    const delivery = this.#find(index);
    if (delivery === undefined || failed === undefined) return "go on";
    const offset = index - delivery.message.first;
    delivery.done.failures.push([offset, ...failed]);
    const { lastAttempt = Infinity } = this.#failing;
    if (delivery.message.attempt >= lastAttempt) {
      delivery.fails = true;
      delivery.end = Math.min(delivery.end, offset + 1);
    }
    const all = this.#folds && endsFold(failed[0]);
    this.#settle(delivery, all ? delivery.left : 1);
    return "go on";
  }

  /** Whether nobody waits for more of a chunk: it is done, or a failure ends it. */
  #isOver({ left, end, fails, message: { skip }, done }: Delivery): boolean {
    if (left <= 0) return true;
    if (!fails) return false;
    if (!this.#failing.inTurn) return true;
    let before = skip.filter((offset) => offset < end).length;
    before += done.failures.filter(([offset]) => offset < end).length;
    for (const [from, to] of done.pieces) {
      before += Math.max(0, Math.min(to, end) - from);
    }
    return before === end;
  }

  #find(index: number): Delivery | undefined {
    return this.#open.find(({ message: { first }, values }) =>
      index >= first && index < first + values.length
    );
  }

  #settle(delivery: Delivery, tasks: number): void {
    delivery.left -= tasks;
    if (!this.#isOver(delivery)) return;
    this.#open.splice(this.#open.indexOf(delivery), 1);
    delivery.settle(delivery.done);
  }

  took(): void {}

  room(): number {
    return Infinity;
  }

  takeRest(): ConsecutiveInputs[] {
    return [];
  }

  /** The run is over: nobody wants an answer. */
  close(): void {
    for (const { settle } of this.#open.splice(0)) settle(undefined);
  }
}
