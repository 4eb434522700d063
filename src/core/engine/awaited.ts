/**
 * Promises among the inputs: each is awaited in its turn, and what it gives is
 * the input.
 *
 * @module
 */

import type { Clock } from "../runtime/clock.ts";
import type { Source } from "./inputs.ts";
import type { Thrown } from "./listening.ts";
import { ReadingTime } from "./reading_time.ts";

/**
 * Finds the first promise, of the language or of another kind. From now on none
 * of them is one that nobody handles, though it may reject before its turn.
 *
 * @param values Inputs.
 * @returns Its index, or -1 if there is none.
 */
export function findPromise(values: ArrayLike<unknown>): number {
  const first = nextPromise(values, 0);
  for (let i = first; i >= 0; i = nextPromise(values, i + 1)) handle(values[i]);
  return first;
}

/**
 * Sees to it that a promise is none that nobody handles, though it may reject
 * before its turn, or have none.
 *
 * @param value What came from the inputs, a promise or not.
 */
export function handle(value: unknown): void {
  if (!isPromise(value)) return;
  try {
    // Not by its own `then`: there are promises that begin when that is called.
    Promise.prototype.then.call(value as never, undefined, () => {});
  } catch {
    // It is only like one, so that the runtime does not watch it.
  }
}

/** All that inputs without promises cost, so it does no more than it must. */
function nextPromise(values: ArrayLike<unknown>, from: number): number {
  const { length } = values;
  for (let i = from; i < length; i++) {
    const value = values[i];
    if (typeof value === "object" && isPromise(value)) return i;
  }
  return -1;
}

/** Whether a value is one, or is like one, so that it is to be awaited. */
export function isPromise(value: unknown): boolean {
  try {
    return typeof value === "object" && value !== null &&
      typeof (value as { then?: unknown }).then === "function";
  } catch {
    return false; // a getter, or a Proxy, that throws
  }
}

/** A source whose values may be promises. */
export class AwaitedSource implements Source {
  readonly total: number | undefined;
  readonly refills: Source["refills"];
  readonly #source: Source;
  readonly #clock: Clock;
  readonly #wake: () => void;
  #ready: unknown[] = [];
  #awaiting = false;
  #closed = false;
  #failure: Thrown;

  constructor(source: Source, wake: () => void, clock: Clock) {
    this.#source = source;
    this.#wake = wake;
    this.#clock = clock;
    this.total = source.total;
    this.refills = source.refills;
  }

  take(most: number): ArrayLike<unknown> | undefined {
    if (this.#ready.length > 0) return this.#ready.splice(0, most);
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#awaiting) return [];
    const values = this.#source.take(most);
    const first = values === undefined ? -1 : findPromise(values);
    if (values === undefined || first < 0) return values;
    const before = Array.from(values);
    void this.#await(before.splice(first));
    return before;
  }

  async #await(values: unknown[]): Promise<void> {
    this.#awaiting = true;
    const time = new ReadingTime(this.#clock, true);
    try {
      for (const value of values) {
        const input = isPromise(value) ? await value : value;
        if (this.#closed) return;
        this.#ready.push(input);
        // What has come goes out when the next one takes longer than a turn.
        if (this.#ready.length === 1) time.turn(this.#wake);
        if (time.isOver()) await time.pause();
        if (this.#closed) return;
      }
    } catch (error) {
      if (this.#closed) return;
      this.#failure = { error };
      try {
        this.#source.close();
      } catch {
        // The reason of the promise is told, as a loop would tell it.
      }
    } finally {
      this.#awaiting = false;
      this.#wake();
    }
  }

  close(): void {
    this.#closed = true;
    this.#ready = [];
    this.#source.close();
  }
}
