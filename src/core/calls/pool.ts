/**
 * A pool of workers with a lifetime: the lecture's `with Pool(5) as p`.
 *
 * @module
 */

import { checkOptions, CLOSE_RULES, POOL_RULES } from "../api/check_options.ts";
import type {
  CloseOptions,
  Inputs,
  MapFunction,
  MapOptions,
  PoolOptions,
  ReduceOptions,
  RunOptions,
  SettledResult,
  StreamItem,
  StreamOptions,
  TypedArray,
  TypedArrayConstructor,
} from "../api/options.ts";
import { Calls } from "./calls.ts";

/**
 * A pool of workers, started when first needed and kept until `close`. Use it
 * for more than one map, or when `init` is expensive.
 *
 * A pool that has nothing to do does not keep the program running. Until it is
 * closed, though, its workers keep their threads, their memory, and what `init`
 * opened: close it when they are not needed any more, or hold it with
 * `await using`. Await the calls of such a pool inside its block: what is
 * pending when the block ends is stopped.
 *
 * @typeParam S What `init` returns: `context.state`.
 *
 * @example Usage
 * ```ts
 * import { Pool } from "@parallel/map";
 * import { assertEquals } from "@std/assert";
 *
 * await using pool = new Pool({ workers: 2 });
 * const add = ([a, b]: [number, number]) => a + b;
 * assertEquals(await pool.map(add, [[10, 1], [10, 2]]), [11, 12]);
 * assertEquals(await pool.map(add, [[3, 3]]), [6]);
 * ```
 */
export class Pool<S = unknown> implements AsyncDisposable {
  /** How many workers it may start. */
  readonly workers: number;
  readonly #calls: Calls;

  /**
   * Makes a pool; no worker is started yet.
   *
   * @param options How the workers are made.
   * @throws {TypeError} When an option is unknown or of the wrong kind, or the
   * runtime is neither Deno nor Bun, or too old.
   * @throws {RangeError} When an option is out of its range.
   */
  constructor(options: PoolOptions<S> = {}) {
    checkOptions("create pool", options, POOL_RULES);
    this.#calls = new Calls(options, false);
    this.workers = this.#calls.workers;
  }

  /**
   * Starts every worker, and waits until each has loaded its module and run
   * `init`. Without it, workers are started as tasks come.
   *
   * @returns Settled when all are ready.
   * @throws {WorkerStartError} When a worker cannot start.
   *
   * @example Usage
   * ```ts
   * import { Pool } from "@parallel/map";
   * import { assertEquals } from "@std/assert";
   *
   * await using pool = new Pool({ workers: 2 });
   * await pool.start();
   * assertEquals(await pool.map((n: number) => n + 1, [1, 2]), [2, 3]);
   * ```
   */
  start(): Promise<void> {
    return this.#calls.start(this.start);
  }

  /**
   * Maps every input in the workers, into one typed array.
   *
   * @param fn Called once per input, in a worker, or the name of an export.
   * @param inputs Any iterable; read only as fast as workers are free.
   * @param options With `output`, the class of the array.
   * @returns One number per input, `results[i]` from `inputs[i]`.
   */
  map<T, R, A extends TypedArray, D = unknown>(
    fn: MapFunction<T, R, S, D> | string,
    inputs: Inputs<T>,
    options: MapOptions<A, D> & { output: TypedArrayConstructor<A> },
  ): Promise<A>;
  /**
   * Maps every input in the workers and resolves to the results in input
   * order.
   *
   * @param fn Called once per input, in a worker, or the name of an export.
   * @param inputs Any iterable; read only as fast as workers are free.
   * @param options How the run is fed and stopped.
   * @returns One result per input, `results[i]` from `inputs[i]`.
   * @throws {TaskError} When a task fails; `index` is its position.
   * @throws {WorkerStartError} When no worker can start.
   * @throws The signal's reason, when it aborts; what the inputs throw.
   */
  map<T, R, D = unknown>(
    fn: MapFunction<T, R, S, D> | string,
    inputs: Inputs<T>,
    options?: MapOptions<TypedArray, D>,
  ): Promise<R[]>;
  map(
    fn: MapFunction<never, unknown, never, never> | string,
    inputs: Inputs<unknown>,
    options: MapOptions = {},
  ): Promise<unknown> {
    return this.#calls.map(fn, inputs, options, this.map);
  }

  /**
   * Maps every input in the workers and resolves to what became of each, as
   * `Promise.allSettled` does.
   *
   * @param fn Called once per input, in a worker, or the name of an export.
   * @param inputs Any iterable; read only as fast as workers are free.
   * @param options How the run is fed and stopped.
   * @returns One settled result per input; `reason` is a {@linkcode TaskError}.
   *
   * @example Usage
   * ```ts
   * import { Pool } from "@parallel/map";
   * import { assertEquals } from "@std/assert";
   *
   * await using pool = new Pool({ workers: 2 });
   * const parse = (text: string) => JSON.parse(text) as unknown;
   * const [good, bad] = await pool.mapSettled(parse, ["1", "{"]);
   * assertEquals([good.status, bad.status], ["fulfilled", "rejected"]);
   * ```
   */
  mapSettled<T, R, D = unknown>(
    fn: MapFunction<T, R, S, D> | string,
    inputs: Inputs<T>,
    options: RunOptions<D> = {},
  ): Promise<SettledResult<R>[]> {
    const { mapSettled } = this;
    return this.#calls.mapSettled(fn, inputs, options, mapSettled) as Promise<
      SettledResult<R>[]
    >;
  }

  /**
   * Maps inputs lazily: the first read starts it, inputs are read a bounded
   * way ahead of the reader, and leaving the loop ends the source.
   *
   * @param fn Called once per input, in a worker, or the name of an export.
   * @param inputs Any iterable, also an endless one.
   * @param options How the run is fed, ordered and stopped.
   * @returns The results, or with `settled` what became of each task, in input
   * order unless `ordered` is false.
   *
   * @example Usage
   * ```ts
   * import { Pool } from "@parallel/map";
   * import { assertEquals } from "@std/assert";
   *
   * await using pool = new Pool({ workers: 2 });
   * const squares: number[] = [];
   * for await (const n of pool.stream((n: number) => n * n, [1, 2, 3])) {
   *   squares.push(n);
   * }
   * assertEquals(squares, [1, 4, 9]);
   * ```
   */
  stream<T, R, O extends boolean = false, D = unknown>(
    fn: MapFunction<T, R, S, D> | string,
    inputs: Inputs<T>,
    options: StreamOptions<O, D> = {},
  ): AsyncGenerator<StreamItem<T, R, O>, undefined, undefined> {
    return this.#calls.stream(
      fn,
      inputs,
      options,
      this.stream,
    ) as AsyncGenerator<StreamItem<T, R, O>, undefined, undefined>;
  }

  /**
   * Maps every input and folds the results to one, in the workers first: one
   * partial result a chunk crosses, instead of one result an input.
   *
   * @param fn Called once per input, in a worker, or the name of an export.
   * @param combine Folds two results to one: associative, as
   * {@linkcode parallelReduce} says.
   * @param inputs Any iterable; read only as fast as workers are free.
   * @param options How the run is fed and stopped, and where the fold begins.
   * @returns The one result.
   *
   * @example Usage
   * ```ts
   * import { Pool } from "@parallel/map";
   * import { assertEquals } from "@std/assert";
   *
   * await using pool = new Pool({ workers: 2 });
   * const words = (line: string) => line.split(" ").length;
   * const add = (a: number, b: number) => a + b;
   * assertEquals(await pool.reduce(words, add, ["a b", "c", "d e f"]), 6);
   * ```
   */
  reduce<T, R, D = unknown>(
    fn: MapFunction<T, R, S, D> | string,
    combine: (one: R, other: R) => R,
    inputs: Inputs<T>,
    options: ReduceOptions<R, D> = {},
  ): Promise<R> {
    return this.#calls.reduce(
      fn,
      combine,
      inputs,
      options,
      this.reduce,
    ) as Promise<R>;
  }

  /**
   * Ends all workers. Pending calls reject with an `AbortError`, and running
   * tasks see `context.aborted`; or they end first, with `finish`. What `init`
   * returned is disposed in each worker that is idle then, if it can be.
   *
   * @param options With `finish`, pending calls end first: streams when they
   * are read.
   * @returns Settled when no worker is left.
   * @throws {TypeError} When an option is of the wrong kind.
   *
   * @example Usage
   * ```ts
   * import { Pool } from "@parallel/map";
   * import { assertEquals } from "@std/assert";
   *
   * const pool = new Pool({ workers: 1 });
   * assertEquals(await pool.map((n: number) => -n, [1]), [-1]);
   * await pool.close();
   * ```
   */
  async close(options: CloseOptions = {}): Promise<void> {
    checkOptions("close", options, CLOSE_RULES);
    await this.#calls.close(options.finish);
  }

  /** Closes the pool. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
