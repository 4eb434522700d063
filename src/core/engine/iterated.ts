/**
 * Sources that are asked for one value after another: iterables and async
 * iterables that are no list.
 *
 * @module
 */

import { show } from "../../words/show.ts";
import type { Clock } from "../runtime/clock.ts";
import { handle } from "./awaited.ts";
import type { Source } from "./inputs.ts";
import { ReadingTime } from "./reading_time.ts";
import type { RefillWatch } from "./refilled.ts";

/** Any iterable that is no list: a generator, a string. */
export class IteratorSource implements Source {
  readonly total = undefined;
  readonly #iterator: Iterator<unknown>;
  readonly #clock: Clock;
  readonly refills: RefillWatch;
  #ended = false;
  #asking = false;
  #failure: { error: unknown } | undefined;

  constructor(iterator: Iterator<unknown>, clock: Clock, refills: RefillWatch) {
    this.#clock = clock;
    this.#iterator = iterator;
    this.refills = refills;
  }

  take(most: number): ArrayLike<unknown> | undefined {
    const values: unknown[] = [];
    const time = new ReadingTime(this.#clock, false);
    while (values.length < most && !this.#ended) {
      try {
        this.#asking = true;
        const step = checkStep(this.#iterator.next());
        this.#asking = false;
        if (step.done) {
          this.#ended = true;
          this.refills.end();
        } else if (this.#ended) { // closed while it was asked
          handle(step.value);
          this.#iterator.return?.();
        } else values.push(this.refills.take(step.value));
      } catch (error) { // what came before it goes first
        this.#ended = true;
        this.#failure = { error };
      }
      if (time.isOver(values.length)) break;
    }
    if (values.length > 0) return values;
    if (this.#failure !== undefined) throw this.#failure.error;
    return undefined;
  }

  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    // A generator cannot be ended by what it calls itself, as by an abort.
    if (!this.#asking) this.#iterator.return?.();
  }
}

/**
 * Refuses what is no iterator, as `for…of` does.
 *
 * @param iterator What inputs gave.
 * @returns It.
 * @throws {TypeError} When it has no `next`.
 */
export function checkIterator<I extends { next: unknown }>(iterator: I): I {
  if (typeof iterator?.next === "function") return iterator;
  throw new TypeError(
    `Cannot map as inputs must give an iterator: received ${show(iterator)}`,
  );
}

/** Refuses what no iterator may answer, as `for…of` does. */
function checkStep<S>(step: S): S {
  if (typeof step === "object" && step !== null) return step;
  throw new TypeError(
    `Cannot map as an iterator must answer with an object: received ${
      show(step)
    }`,
  );
}

/** An async iterable, asked for one value at a time. */
export class AsyncSource implements Source {
  readonly total = undefined;
  readonly #iterator: AsyncIterator<unknown>;
  readonly #clock: Clock;
  readonly #wake: () => void;
  readonly refills: RefillWatch;
  #ready: unknown[] = [];
  #wanted = 0;
  #reading = false;
  #ended = false;
  #failure: { error: unknown } | undefined;

  constructor(
    iterator: AsyncIterator<unknown>,
    wake: () => void,
    clock: Clock,
    refills: RefillWatch,
  ) {
    this.#clock = clock;
    this.#iterator = iterator;
    this.#wake = wake;
    this.refills = refills;
  }

  take(most: number): ArrayLike<unknown> | undefined {
    const values = this.#ready.splice(0, most);
    if (values.length === 0) {
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#ended) return undefined;
      this.#wanted = most;
      if (!this.#reading) void this.#read();
    }
    this.#wanted -= values.length;
    return values;
  }

  /** Reads until what was wanted is there, or the inputs keep us waiting. */
  async #read(): Promise<void> {
    this.#reading = true;
    const time = new ReadingTime(this.#clock, true);
    try {
      while (!this.#ended && this.#ready.length < this.#wanted) {
        const step = checkStep(await this.#iterator.next());
        if (step.done) {
          this.#ended = true;
          this.refills.end();
          break;
        }
        const { value } = step;
        handle(value); // before its turn, which may be late or never come
        if (this.#ended) break; // closed while it was asked
        this.#ready.push(this.refills.take(value));
        // What has come goes out when the next one takes longer than a turn.
        if (this.#ready.length === 1) time.turn(this.#wake);
        if (time.isOver()) await time.pause();
      }
    } catch (error) {
      if (this.#ended) return; // closed while it was asked
      this.#ended = true;
      this.#failure = { error };
    } finally {
      this.#reading = false;
      this.#wake();
    }
  }

  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#ready = [];
    // Not awaited: a source that is stuck must not keep its reader.
    this.#leave().catch(() => {});
  }

  /** Async, so that what is thrown at once is lost as well. */
  async #leave(): Promise<void> {
    await this.#iterator.return?.();
  }
}
