/**
 * Where the outcomes of a run go: one list, one typed array, also one that the
 * workers write to, one list of settled results, or a reader (stream.ts).
 *
 * @module
 */

import { show } from "../../words/show.ts";
import type { TaskError } from "../api/errors.ts";
import type {
  OutputArray,
  TypedArray,
  TypedArrayConstructor,
} from "../api/options.ts";
import { type SharedArray, views } from "../wire/views.ts";

/** What a failure does to its run: it ends, takes no more inputs, or goes on. */
export type FailureEffect = "end" | "drain" | "go on";

/** Takes the outcomes of a run, in whichever order they come. */
export interface Sink {
  /**
   * Whether the inputs' own error comes in its turn, after the results of what
   * they had given before; else it ends the run at once.
   */
  readonly inTurn: boolean;
  /** Whether a run goes on after each failure. */
  readonly goesOn: boolean;
  /** Whether each outcome waits for those before it. */
  readonly isOrdered?: boolean;
  /** Whether a failure is there in its turn: nothing after it is wanted. */
  readonly failed?: boolean;
  /** Whether there is something that its reader has not read. */
  readonly ready?: boolean;
  /** Where the workers write the results, if they do. */
  readonly shared?: SharedArray;
  /** Notes that tasks were read from the inputs. */
  took(tasks: number): void;
  /**
   * Takes the results of consecutive tasks.
   *
   * @param first Index of the first.
   * @param values One result a task; or one in all, if they were folded; or
   * none, if the workers write them.
   * @param inputs What the tasks were given, one a task.
   * @throws When there is no place for them: an error for the caller.
   */
  put(
    first: number,
    values: ArrayLike<unknown>,
    inputs: ArrayLike<unknown>,
  ): void;
  /**
   * Takes the failure of one task.
   *
   * @param index Its index.
   * @param error What to tell the caller.
   * @param input What the task was given.
   * @returns What that means for the run.
   */
  fail(index: number, error: TaskError, input: unknown): FailureEffect;
  /** How many tasks more may be read from the inputs: less than 0, too many were. */
  room(chunkSize: number): number;
}

/**
 * A sink whose results are there at the end, all at once. By default, the first
 * failure ends the run.
 */
export abstract class Collection<R> implements Sink {
  readonly inTurn = false;
  readonly goesOn: boolean = false;

  abstract put(
    first: number,
    values: ArrayLike<unknown>,
    inputs: ArrayLike<unknown>,
  ): void;

  /**
   * Gives the results of a run that is done.
   *
   * @param total How many tasks there were.
   * @returns All of them.
   */
  abstract results(total: number): R;

  fail(_index: number, _error: TaskError, _input: unknown): FailureEffect {
    return "end";
  }

  took(): void {}

  room(): number {
    return Infinity;
  }
}

/** Results in one list. */
export class ListSink extends Collection<unknown[]> {
  readonly #results: unknown[];

  constructor(total: number | undefined) {
    super();
    this.#results = new Array(total ?? 0);
  }

  put(first: number, values: ArrayLike<unknown>): void {
    const results = this.#results;
    for (let i = 0; i < values.length; i++) results[first + i] = values[i];
  }

  results(total: number): unknown[] {
    this.#results.length = total; // a Set may have shrunk since it was asked
    return this.#results;
  }
}

/** Outcomes in one list, as `Promise.allSettled` gives them. */
export class SettledSink extends ListSink {
  override readonly goesOn = true;

  override put(first: number, values: ArrayLike<unknown>): void {
    super.put(
      first,
      Array.from(values, (value) => ({ status: "fulfilled", value })),
    );
  }

  override fail(index: number, reason: TaskError): FailureEffect {
    super.put(index, [{ status: "rejected", reason }]);
    return "go on";
  }
}

/** Results in one typed array. */
export class ArraySink extends Collection<TypedArray> {
  readonly #Kind: TypedArrayConstructor<TypedArray>;
  #results: TypedArray;

  constructor(
    total: number | undefined,
    Kind: TypedArrayConstructor<TypedArray>,
  ) {
    super();
    this.#Kind = Kind;
    this.#results = new Kind(total ?? 1024);
  }

  put(first: number, values: ArrayLike<unknown>): void {
    const needed = first + values.length;
    if (needed > this.#results.length) {
      const larger = new this.#Kind(2 * needed);
      larger.set(this.#results as never);
      this.#results = larger;
    }
    try {
      this.#results.set(values as never, first);
    } catch (cause) {
      const at = this.#findOdd(values);
      throw new TypeError(
        `Cannot map as every result must fit in "output": received ${
          show(values[at])
        } for the input at index ${first + at}`,
        { cause },
      );
    }
  }

  /** Finds the first that such an array cannot hold. */
  #findOdd(values: ArrayLike<unknown>): number {
    const one = new this.#Kind(1);
    return Array.from(values).findIndex((value) => {
      try {
        one.set([value] as never);
        return false;
      } catch {
        return true; // a bigint among numbers, a number among bigints, a symbol
      }
    });
  }

  results(total: number): TypedArray {
    const results = this.#results;
    return results.length === total ? results : results.slice(0, total);
  }
}

/** Results in a typed array of the caller, where the workers write them. */
export class SharedSink extends Collection<OutputArray<TypedArray>> {
  readonly shared: SharedArray;
  readonly #array: OutputArray<TypedArray>;

  /**
   * Takes no outcome yet.
   *
   * @param total How many tasks there will be, if that is known.
   * @param array A typed array in shared memory, checked before.
   * @throws {RangeError} When it is too short.
   */
  constructor(total: number | undefined, array: OutputArray<TypedArray>) {
    super();
    this.shared = views.share(array)!;
    this.#array = array;
    this.#check(total ?? 0);
  }

  put(first: number, _: ArrayLike<unknown>, inputs: ArrayLike<unknown>): void {
    this.#check(first + inputs.length);
  }

  /** What is written beyond its end is dropped. */
  #check(total: number): void {
    const { length } = this.shared;
    if (total <= length) return;
    throw new RangeError(
      `Cannot map as "output" must have an element for every input: received ${length}`,
    );
  }

  results(): OutputArray<TypedArray> {
    return this.#array;
  }
}
