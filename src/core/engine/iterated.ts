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
import type { Thrown } from "./listening.ts";
import { ReadingTime } from "./reading_time.ts";
import type { RefillWatch } from "./refilled.ts";

/** Any iterable that is no list: a generator, a string. */
export class IteratorSource implements Source {
  readonly total = undefined;
  readonly #iterator: Iterator<unknown>;
  readonly #next: Iterator<unknown>["next"];
  readonly #clock: Clock;
  readonly refills: RefillWatch;
  #ended = false;
  #asking = false;
  #failure: Thrown;

  constructor(iterator: Iterator<unknown>, clock: Clock, refills: RefillWatch) {
    this.#clock = clock;
    this.#iterator = iterator;
    this.#next = nextOf(iterator);
    this.refills = refills;
  }

  take(most: number): ArrayLike<unknown> | undefined {
    const values: unknown[] = [];
    const time = new ReadingTime(this.#clock, false);
    while (values.length < most && !this.#ended) {
      try {
        this.#asking = true;
        const step = checkStep(this.#next.call(this.#iterator));
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

/** Reads its `next`, once, and refuses what has none, as `for…of` does. */
function nextOf<N>(iterator: { next: N }): N {
  const next = iterator?.next;
  if (typeof next === "function") return next;
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
  readonly #next: AsyncIterator<unknown>["next"];
  readonly #clock: Clock;
  readonly #wake: () => void;
  readonly refills: RefillWatch;
  #ready: unknown[] = [];
  #wanted = 0;
  #reading = false;
  #ended = false;
  #failure: Thrown;

  constructor(
    iterator: AsyncIterator<unknown>,
    wake: () => void,
    clock: Clock,
    refills: RefillWatch,
  ) {
    this.#clock = clock;
    this.#iterator = iterator;
    this.#next = nextOf(iterator);
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
        const step = checkStep(await this.#next.call(this.#iterator));
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
