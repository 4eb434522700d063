/**
 * Any iterable, async iterable or typed array as one source of consecutive
 * values: pulled, never pushed, and closed by whoever stops early.
 *
 * @module
 */

import { show } from "../../words/show.ts";
import type { Inputs, TypedArray } from "../api/options.ts";
import type { Clock } from "../runtime/clock.ts";
import { type SharedArray, views } from "../wire/views.ts";
import { AwaitedSource, findPromise } from "./awaited.ts";
import { AsyncSource, IteratorSource } from "./iterated.ts";
import { RefillWatch } from "./refilled.ts";

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
 * @param inputs What the caller gave, which `checkInputs` let pass.
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
  if (kind !== undefined && iteratesAs(inputs, Uint8Array)) {
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
    const iterator = from[Symbol.asyncIterator]();
    const source = new AsyncSource(iterator, wake, clock, refills);
    return new AwaitedSource(source, wake, clock);
  }
  if (typeof from?.[Symbol.iterator] === "function") {
    const iterator = from[Symbol.iterator]();
    const source = new IteratorSource(iterator, clock, refills);
    return new AwaitedSource(source, wake, clock);
  }
  // They were when the call was checked, but a stream may be read late.
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
 * Does what may refuse a call. If it does, nobody hears what becomes of the
 * promises among the inputs.
 *
 * @param inputs What the caller gave.
 * @param part What may throw.
 * @returns What that returns.
 * @throws What that throws.
 */
export function handleIfRefused<R>(inputs: unknown, part: () => R): R {
  try {
    return part();
  } catch (error) {
    try {
      handlePromises(inputs);
    } catch { /* a getter that throws: this error is the one */ }
    throw error;
  }
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

/**
 * Whether inputs are read as the language reads its own: by no iterator that the
 * caller wrote.
 */
function isOwn(inputs: object, kind: { prototype: object }): boolean {
  return iteratesAs(inputs, kind) && !Object.hasOwn(inputs, "size") &&
    (Array.isArray(inputs) || Object.getPrototypeOf(inputs) === kind.prototype);
}

/**
 * Whether inputs have the iterator of a class, and no async one, which would
 * come first. All typed arrays share one: `Uint8Array` stands for them.
 */
function iteratesAs(
  inputs: object,
  { prototype }: { prototype: object },
): boolean {
  const from = inputs as Iterable<unknown> & AsyncIterable<unknown>;
  const kind = prototype as Iterable<unknown>;
  return from[Symbol.iterator] === kind[Symbol.iterator] &&
    from[Symbol.asyncIterator] === undefined;
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
