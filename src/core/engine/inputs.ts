/**
 * Any iterable, async iterable or typed array as one source of consecutive
 * values: pulled, never pushed, and closed by whoever stops early.
 *
 * @module
 */

import { show } from "../../words/show.ts";
import type { Inputs, TypedArray } from "../api/options.ts";
import type { Clock } from "../runtime/clock.ts";
import { createViews, type SharedArray } from "../wire/views.ts";
import { AwaitedSource, findPromise, handle } from "./awaited.ts";
import { RefillWatch } from "./refilled.ts";

const views = createViews();

/** Consecutive values, read as far as there is demand. */
export interface Source {
  /** How many values there are in all, where that can be known. */
  readonly total: number | undefined;
  /** Where the values are, if that is memory which other threads can read. */
  readonly shared?: SharedArray | undefined;
  /** What looks for objects that come again. */
  readonly refills?: RefillWatch | undefined;
  /**
   * Takes the next values.
   *
   * @param most How many at most.
   * @returns Some; an empty list while none is there yet; undefined at the end.
   * @throws Whatever the inputs throw.
   */
  take(most: number): ArrayLike<unknown> | undefined;
  /** Ends the inputs early, if they have not ended. */
  close(): void;
}

/**
 * Opens inputs.
 *
 * @param inputs What the caller gave.
 * @param wake Called when `take` may have more than it had.
 * @param clock Says how long reading takes.
 * @param transfer Whether the source gives its buffers away.
 * @returns The source.
 * @throws {TypeError} When the inputs cannot be iterated.
 */
export function openSource(
  inputs: Inputs<unknown>,
  wake: () => void,
  clock: Clock,
  transfer: boolean,
): Source {
  if (
    (Array.isArray(inputs) && isOwn(inputs, Array)) ||
    (inputs instanceof Set && isOwn(inputs, Set)) ||
    (inputs instanceof Map && isOwn(inputs, Map))
  ) {
    // `slice` asks the constructor of an array which class to make.
    const copy = Array.isArray(inputs) && inputs.constructor === Array
      ? inputs.slice()
      : Array.from<unknown>(inputs);
    const list = new ListSource(copy);
    return findPromise(copy) < 0 ? list : new AwaitedSource(list, wake, clock);
  }
  const kind = views.kindOf(inputs);
  if (kind !== undefined && isRead(inputs, Uint8Array)) {
    const shared = views.share(inputs);
    // Else a copy, of the plain kind: the `slice` of a Buffer is a view.
    const array = shared === undefined
      ? views.make(kind, inputs as unknown as TypedArray)
      : views.open(shared);
    return new ArraySource(array as Float64Array, shared);
  }
  const from = inputs as Iterable<unknown> & AsyncIterable<unknown>;
  const refills = new RefillWatch(transfer);
  if (typeof from?.[Symbol.asyncIterator] === "function") {
    const iterator = checkIterator(from[Symbol.asyncIterator]());
    const source = new AsyncSource(iterator, wake, clock, refills);
    return new AwaitedSource(source, wake, clock);
  }
  if (typeof from?.[Symbol.iterator] === "function") {
    const iterator = checkIterator(from[Symbol.iterator]());
    const source = new IteratorSource(iterator, clock, refills);
    return new AwaitedSource(source, wake, clock);
  }
  throw notIterable(inputs);
}

/**
 * Checks that inputs can be opened, without touching them.
 *
 * @param inputs What the caller gave.
 * @throws {TypeError} When they cannot be iterated.
 */
export function checkInputs(inputs: unknown): void {
  const from = inputs as Iterable<unknown> & AsyncIterable<unknown>;
  if (
    typeof from?.[Symbol.asyncIterator] !== "function" &&
    typeof from?.[Symbol.iterator] !== "function"
  ) throw notIterable(inputs);
}

/**
 * Sees to it that no promise in a list is one that nobody handles, though the
 * list is read late or never. What makes its values as it is read has none yet.
 *
 * @param inputs What the caller gave.
 */
export function handlePromises(inputs: unknown): void {
  if (Array.isArray(inputs)) findPromise(inputs);
  else if (inputs instanceof Set && isOwn(inputs, Set)) {
    findPromise(Array.from(inputs));
  }
}

function notIterable(inputs: unknown): TypeError {
  return new TypeError(
    `Cannot map as inputs must be iterable or async iterable: received ${
      show(inputs)
    }`,
  );
}

/** Whether inputs are read as the language reads its own, in no own way. */
function isOwn(inputs: object, kind: { prototype: object }): boolean {
  return isRead(inputs, kind) && !Object.hasOwn(inputs, "size") &&
    (Array.isArray(inputs) || Object.getPrototypeOf(inputs) === kind.prototype);
}

/** Whether they have the iterator of their kind; all typed arrays share one. */
function isRead(
  inputs: object,
  { prototype }: { prototype: object },
): boolean {
  const own = (object: object) =>
    (object as { [Symbol.iterator]: unknown })[Symbol.iterator];
  return own(inputs) === own(prototype);
}

/** A copy of what was given, so that later changes to it do not matter. */
class ListSource implements Source {
  readonly total: number;
  #list: unknown[];
  #next = 0;

  constructor(list: unknown[]) {
    this.#list = list;
    this.total = list.length;
  }

  take(most: number): ArrayLike<unknown> | undefined {
    if (this.#next >= this.total) {
      this.#list = [];
      return undefined;
    }
    const from = this.#next;
    this.#next = Math.min(this.total, from + most);
    const values = this.#list.slice(from, this.#next);
    // Let go of what was handed out: a value must not outlive its task.
    this.#list.fill(undefined, from, this.#next);
    return values;
  }

  close(): void {
    this.#next = this.total;
    this.#list = [];
  }
}

/** A typed array, cut without boxing its numbers: a copy, or shared memory. */
class ArraySource implements Source {
  readonly total: number;
  readonly shared: SharedArray | undefined;
  readonly #array: Float64Array;
  #next = 0;

  constructor(array: Float64Array, shared: SharedArray | undefined) {
    this.#array = array;
    this.shared = shared;
    this.total = array.length;
  }

  take(most: number): ArrayLike<unknown> | undefined {
    if (this.#next >= this.total) return undefined;
    const from = this.#next;
    this.#next = Math.min(this.total, from + most);
    return this.#array.subarray(from, this.#next);
  }

  close(): void {
    this.#next = this.total;
  }
}

/** How long one `take` may read from a slow iterator, in milliseconds. */
const MOST_READING_MS = 2;

/** Any other iterable: a generator, a string. */
class IteratorSource implements Source {
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
    const until = this.#clock.now() + MOST_READING_MS;
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
      // Now and then: the clock costs as much as a fast `next`.
      const { length } = values;
      const look = length % 64 === 0 || (length & (length - 1)) === 0;
      if (look && this.#clock.now() > until) break;
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

/** Refuses what is no iterator, as `for…of` does. */
function checkIterator<I extends { next: unknown }>(iterator: I): I {
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
class AsyncSource implements Source {
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
    try {
      while (!this.#ended && this.#ready.length < this.#wanted) {
        const step = checkStep(await this.#iterator.next());
        if (step.done) {
          this.#ended = true;
          this.refills.end();
          break;
        }
        handle(step.value); // before its turn, which may be late or never come
        if (this.#ended) break; // closed while it was asked
        this.#ready.push(this.refills.take(step.value));
        // What has come goes out when the next one takes longer than a turn.
        if (this.#ready.length === 1) this.#clock.turn(this.#wake);
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
