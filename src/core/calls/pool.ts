/**
 * A pool of workers with a lifetime: the lecture's `with Pool(5) as p`.
 *
 * @module
 */

import { checkOptions, CLOSE_RULES, POOL_RULES } from "../api/option_rules.ts";
import type {
  BareName,
  CloseOptions,
  DataOption,
  ExportContext,
  ExportInput,
  ExportResult,
  Inputs,
  KnownName,
  MapFunction,
  MapOptions,
  MapOutput,
  MapResults,
  Needed,
  NoOptions,
  OnlyNames,
  PoolOptions,
  ReduceOptions,
  RunOptions,
  SettledResult,
  StreamItem,
  StreamOptions,
  TypedArray,
} from "../api/options.ts";
import type { Calls } from "./calls.ts";
import { callsHere } from "./calls_here.ts";

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
 * @typeParam M The module whose functions are given by their names, such as
 * `typeof import("./work.ts")`.
 * @typeParam W What `init` is given: `workerData`.
 * @typeParam S What `context.state` is: what `init` returns, else `workerData`.
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
export class Pool<M = unknown, W = unknown, S = W> implements AsyncDisposable {
  /** How many workers it may start. */
  readonly workers: number;
  readonly #calls: Calls;

  /**
   * Makes a pool; no worker is started yet.
   *
   * @param options How the workers are made.
   * @throws {TypeError} When an option is unknown or of the wrong kind, or the
   * runtime is none of Deno, Bun, Node.js and browsers, or too old.
   * @throws {RangeError} When an option is out of its range.
   */
  constructor(options: PoolOptions<M, W, S> = {}) {
    const checked = checkOptions("create pool", options, POOL_RULES);
    this.#calls = callsHere(checked as PoolOptions, false);
    this.workers = this.#calls.workers;
  }

  /**
   * Starts every worker, and waits until each has run `init`. Without it,
   * workers are started as tasks come. `module` is loaded for `init`, if that is
   * in it, or with the first call.
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
  map<T, R, D = unknown, A extends TypedArray = never>(
    fn: MapFunction<T, R, S, D>,
    inputs: Inputs<T | PromiseLike<T>>,
    options:
      | (
        & MapOptions<A, D, unknown, T>
        & MapOutput<NoInfer<R>, NoInfer<A>>
        & DataOption<D>
        & Needed<unknown, NoInfer<D>>
      )
      | undefined,
  ): Promise<MapResults<R, A>>;
  /** The same, without options: `data` is undefined. */
  map<T, R>(
    fn: MapFunction<T, R, S, undefined>,
    inputs: Inputs<T | PromiseLike<T>>,
  ): Promise<R[]>;
  /** The same, with a function that is given by the name of its export. */
  map<
    const N,
    X = M,
    T extends ExportInput<X, N> = ExportInput<X, N>,
  >(
    name: BareName<N, X, S>,
    inputs: Inputs<T | PromiseLike<T>>,
    ...only: OnlyNames<N>
  ): Promise<ExportResult<X, N>[]>;
  /** The same, with options. */
  map<
    const N,
    X = M,
    T extends ExportInput<X, N> = ExportInput<X, N>,
    A extends TypedArray = never,
  >(
    name: KnownName<N, X, S>,
    inputs: Inputs<T | PromiseLike<T>>,
    options:
      | (
        & MapOptions<A, ExportContext<X, N, "data">, X, T>
        & MapOutput<ExportResult<X, N>, NoInfer<A>>
        & Needed<unknown, ExportContext<X, N, "data">>
      )
      | NoOptions<ExportContext<X, N, "data">>,
    ...only: OnlyNames<N>
  ): Promise<MapResults<ExportResult<X, N>, A>>;
  map(
    fn: unknown,
    inputs: Inputs<unknown>,
    options: MapOptions<TypedArray> = {},
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
   * assertEquals([good?.status, bad?.status], ["fulfilled", "rejected"]);
   * ```
   */
  mapSettled<T, R, D = unknown>(
    fn: MapFunction<T, R, S, D>,
    inputs: Inputs<T | PromiseLike<T>>,
    options:
      | (
        & RunOptions<D, unknown, T>
        & DataOption<D>
        & Needed<unknown, NoInfer<D>>
      )
      | undefined,
  ): Promise<SettledResult<R>[]>;
  /** The same, without options: `data` is undefined. */
  mapSettled<T, R>(
    fn: MapFunction<T, R, S, undefined>,
    inputs: Inputs<T | PromiseLike<T>>,
  ): Promise<SettledResult<R>[]>;
  /** The same, with a function that is given by the name of its export. */
  mapSettled<
    const N,
    X = M,
    T extends ExportInput<X, N> = ExportInput<X, N>,
  >(
    name: BareName<N, X, S>,
    inputs: Inputs<T | PromiseLike<T>>,
    ...only: OnlyNames<N>
  ): Promise<SettledResult<ExportResult<X, N>>[]>;
  /** The same, with options. */
  mapSettled<
    const N,
    X = M,
    T extends ExportInput<X, N> = ExportInput<X, N>,
  >(
    name: KnownName<N, X, S>,
    inputs: Inputs<T | PromiseLike<T>>,
    options:
      | (
        & RunOptions<ExportContext<X, N, "data">, X, T>
        & Needed<unknown, ExportContext<X, N, "data">>
      )
      | NoOptions<ExportContext<X, N, "data">>,
    ...only: OnlyNames<N>
  ): Promise<SettledResult<ExportResult<X, N>>[]>;
  mapSettled(
    fn: unknown,
    inputs: Inputs<unknown>,
    options: RunOptions = {},
  ): Promise<unknown> {
    return this.#calls.mapSettled(fn, inputs, options, this.mapSettled);
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
    fn: MapFunction<T, R, S, D>,
    inputs: Inputs<T | PromiseLike<T>>,
    options:
      | (
        & StreamOptions<O, D, unknown, T>
        & DataOption<D>
        & Needed<unknown, NoInfer<D>>
      )
      | undefined,
  ): AsyncGenerator<StreamItem<T, R, O>, undefined, unknown>;
  /** The same, without options: `data` is undefined. */
  stream<T, R>(
    fn: MapFunction<T, R, S, undefined>,
    inputs: Inputs<T | PromiseLike<T>>,
  ): AsyncGenerator<R, undefined, unknown>;
  /** The same, with a function that is given by the name of its export. */
  stream<
    const N,
    X = M,
    T extends ExportInput<X, N> = ExportInput<X, N>,
  >(
    name: BareName<N, X, S>,
    inputs: Inputs<T | PromiseLike<T>>,
    ...only: OnlyNames<N>
  ): AsyncGenerator<ExportResult<X, N>, undefined, unknown>;
  /** The same, with options. */
  stream<
    const N,
    X = M,
    T extends ExportInput<X, N> = ExportInput<X, N>,
    O extends boolean = false,
  >(
    name: KnownName<N, X, S>,
    inputs: Inputs<T | PromiseLike<T>>,
    options:
      | (
        & StreamOptions<O, ExportContext<X, N, "data">, X, T>
        & Needed<unknown, ExportContext<X, N, "data">>
      )
      | NoOptions<ExportContext<X, N, "data">>,
    ...only: OnlyNames<N>
  ): AsyncGenerator<StreamItem<T, ExportResult<X, N>, O>, undefined, unknown>;
  stream(
    fn: unknown,
    inputs: Inputs<unknown>,
    options: StreamOptions<boolean> = {},
  ): AsyncGenerator<unknown, undefined, unknown> {
    return this.#calls.stream(fn, inputs, options, this.stream);
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
    fn: MapFunction<T, R, S, D>,
    combine: (one: R, other: R) => R,
    inputs: Inputs<T | PromiseLike<T>>,
    options:
      | (
        & ReduceOptions<R, D, unknown, T>
        & DataOption<D>
        & Needed<unknown, NoInfer<D>>
      )
      | undefined,
  ): Promise<R>;
  /** The same, without options: `data` is undefined. */
  reduce<T, R>(
    fn: MapFunction<T, R, S, undefined>,
    combine: (one: R, other: R) => R,
    inputs: Inputs<T | PromiseLike<T>>,
  ): Promise<R>;
  /** The same, with a function that is given by the name of its export. */
  reduce<
    const N,
    X = M,
    T extends ExportInput<X, N> = ExportInput<X, N>,
  >(
    name: BareName<N, X, S>,
    combine: (
      one: ExportResult<X, N>,
      other: ExportResult<X, N>,
    ) => ExportResult<X, N>,
    inputs: Inputs<T | PromiseLike<T>>,
    ...only: OnlyNames<N>
  ): Promise<ExportResult<X, N>>;
  /** The same, with options. */
  reduce<
    const N,
    X = M,
    T extends ExportInput<X, N> = ExportInput<X, N>,
  >(
    name: KnownName<N, X, S>,
    combine: (
      one: ExportResult<X, N>,
      other: ExportResult<X, N>,
    ) => ExportResult<X, N>,
    inputs: Inputs<T | PromiseLike<T>>,
    options:
      | (
        & ReduceOptions<ExportResult<X, N>, ExportContext<X, N, "data">, X, T>
        & Needed<unknown, ExportContext<X, N, "data">>
      )
      | NoOptions<ExportContext<X, N, "data">>,
    ...only: OnlyNames<N>
  ): Promise<ExportResult<X, N>>;
  reduce(
    fn: unknown,
    combine: unknown,
    inputs: Inputs<unknown>,
    options: ReduceOptions = {},
  ): Promise<unknown> {
    return this.#calls.reduce(fn, combine, inputs, options, this.reduce);
  }

  /**
   * Ends all workers. Pending calls reject with an `AbortError`, and running
   * tasks see `context.aborted`; or they end first, with `finish`. What `init`
   * returned is disposed in each worker that is idle then, if it can be.
   *
   * @param options With `finish`, pending calls end first: streams as they are
   * read.
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
    const { finish } = checkOptions("close", options, CLOSE_RULES);
    await this.#calls.close(finish);
  }

  /** Closes the pool. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
