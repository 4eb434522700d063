/**
 * Where the outcomes of a run go: one list, one typed array, one list of
 * settled results, or a reader.
 *
 * @module
 */

import type { TaskError } from "../errors.ts";
import type { TypedArray, TypedArrayConstructor } from "../options.ts";

/** What a failure means for its run: end, take no more inputs, or go on. */
export type Verdict = "end" | "drain" | "go on";

/** Takes the outcomes of a run, in whichever order they come. */
export interface Sink {
  /**
   * Whether the inputs' own error comes in its turn, after the results of what
   * they had given before; else it ends the run at once.
   */
  readonly inTurn: boolean;
  /** Notes that tasks were read from the inputs. */
  took(tasks: number): void;
  /**
   * Takes the results of consecutive tasks.
   *
   * @param first Index of the first.
   * @param values One result a task.
   */
  put(first: number, values: ArrayLike<unknown>): void;
  /**
   * Takes the failure of one task.
   *
   * @param index Its index.
   * @param error What to tell the caller.
   * @returns What that means for the run.
   */
  fail(index: number, error: TaskError): Verdict;
  /** How many tasks more may be read from the inputs. */
  room(chunkSize: number): number;
  /** Every task settled; there were that many. */
  done(total: number): void;
  /** The run ended early. */
  stop(error: unknown): void;
}

/** A promise with its two ends. */
export type Ends<R> = {
  resolve(value: R): void;
  reject(error: unknown): void;
};

/** Results in one list; the first failure ends the run. */
export class ListSink implements Sink {
  readonly inTurn = false;
  readonly #ends: Ends<unknown[]>;
  #results: unknown[];

  constructor(total: number | undefined, ends: Ends<unknown[]>) {
    this.#results = new Array(total ?? 0);
    this.#ends = ends;
  }

  took(): void {}

  put(first: number, values: ArrayLike<unknown>): void {
    const results = this.#results;
    for (let i = 0; i < values.length; i++) results[first + i] = values[i];
  }

  fail(_index: number, _error: TaskError): Verdict {
    return "end";
  }

  room(): number {
    return Infinity;
  }

  done(total: number): void {
    this.#results.length = total; // a Set may have shrunk since it was asked
    this.#ends.resolve(this.#results);
    this.#results = [];
  }

  stop(error: unknown): void {
    this.#results = [];
    this.#ends.reject(error);
  }
}

/** Outcomes in one list, as `Promise.allSettled` gives them. */
export class SettledSink extends ListSink {
  override put(first: number, values: ArrayLike<unknown>): void {
    super.put(
      first,
      Array.from(values, (value) => ({ status: "fulfilled", value })),
    );
  }

  override fail(index: number, reason: TaskError): Verdict {
    super.put(index, [{ status: "rejected", reason }]);
    return "go on";
  }
}

/** Results in one typed array. */
export class ArraySink implements Sink {
  readonly inTurn = false;
  readonly #ends: Ends<TypedArray>;
  readonly #Array: TypedArrayConstructor<TypedArray>;
  #results: TypedArray;

  constructor(
    total: number | undefined,
    Array: TypedArrayConstructor<TypedArray>,
    ends: Ends<TypedArray>,
  ) {
    this.#Array = Array;
    this.#results = new Array(total ?? 1024);
    this.#ends = ends;
  }

  took(): void {}

  put(first: number, values: ArrayLike<unknown>): void {
    const needed = first + values.length;
    if (needed > this.#results.length) {
      const larger = new this.#Array(2 * needed);
      larger.set(this.#results as never);
      this.#results = larger;
    }
    this.#results.set(values as never, first);
  }

  fail(): Verdict {
    return "end";
  }

  room(): number {
    return Infinity;
  }

  done(total: number): void {
    const results = this.#results;
    this.#ends.resolve(
      results.length === total ? results : results.slice(0, total),
    );
    this.#results = new this.#Array(0);
  }

  stop(error: unknown): void {
    this.#results = new this.#Array(0);
    this.#ends.reject(error);
  }
}
