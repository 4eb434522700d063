/**
 * The one-shot functions: a pool for one call.
 *
 * @module
 */

import type { Rules } from "../../words/check_options.ts";
import {
  checkOptions,
  MAP_RULES,
  POOL_RULES,
  REDUCE_RULES,
  RUN_RULES,
  splitOptions,
  STREAM_RULES,
} from "../api/option_rules.ts";
import type { Calls } from "./calls.ts";
import { callsHere } from "./calls_here.ts";
import { handleIfRefused } from "../engine/inputs.ts";
import type {
  DataOption,
  ExportContext,
  ExportInput,
  ExportOptions,
  ExportResult,
  Inputs,
  KnownName,
  MapFunction,
  MapOptions,
  MapOutput,
  MapResults,
  Needed,
  OnlyNames,
  PoolOptions,
  ReduceOptions,
  RunOptions,
  SettledResult,
  StreamItem,
  StreamOptions,
  TypedArray,
} from "../api/options.ts";

/**
 * Maps every input in workers and resolves to the results in input order.
 *
 * @param fn Called once per input, in a worker. Shipped by its source, it sees
 * nothing around it; with `module`, imported by its name.
 * @param inputs Any iterable; read only as fast as workers are free. Promises
 * among them are awaited, in their turn.
 * @param options How many workers, and how they are fed.
 * @returns One result per input, `results[i]` from `inputs[i]`.
 * @throws {TypeError} When an argument is of the wrong kind.
 * @throws {RangeError} When an option is out of its range.
 * @throws {TaskError} When a task fails: `index` is the input's position,
 * `cause` what was thrown. The first failure in time ends the run.
 * @throws {WorkerStartError} When no worker can start.
 * @throws The signal's reason, when it aborts; what the inputs throw, or a
 * promise among them rejects with.
 *
 * @example Usage
 * ```ts
 * import { parallelMap } from "@parallel/map";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await parallelMap((n: number) => n * n, [1, 2, 3]), [1, 4, 9]);
 * ```
 *
 * @example Numbers in, numbers out
 * ```ts
 * import { parallelMap } from "@parallel/map";
 * import { assertEquals } from "@std/assert";
 *
 * const roots = await parallelMap((n: number) => Math.sqrt(n), [4, 9], {
 *   output: Float64Array,
 * });
 * assertEquals(roots, new Float64Array([2, 3]));
 * ```
 */
export function parallelMap<
  T,
  R,
  W = unknown,
  S = W,
  D = unknown,
  A extends TypedArray = never,
>(
  fn: MapFunction<T, R, S, D>,
  inputs: Inputs<T | PromiseLike<T>>,
  options:
    | (
      & PoolOptions<unknown, W, S>
      & MapOptions<A, D, unknown, T>
      & MapOutput<NoInfer<R>, NoInfer<A>>
      & DataOption<D>
      & Needed<NoInfer<S>, NoInfer<D>>
    )
    | undefined,
): Promise<MapResults<R, A>>;
/** The same, without options: `state` and `data` are undefined. */
export function parallelMap<T, R>(
  fn: MapFunction<T, R, undefined, undefined>,
  inputs: Inputs<T | PromiseLike<T>>,
): Promise<R[]>;
/**
 * The same, with a function that is given by the name of its export.
 *
 * @param name The name: checked if the type of the module is known, as in
 * `ModuleSpecifier<typeof import("./work.ts")>`.
 * @param inputs Any iterable; read only as fast as workers are free.
 * @param options The same, with the module.
 * @param only Nothing: see {@linkcode OnlyNames}.
 * @returns One result per input.
 */
export function parallelMap<
  const N,
  M,
  T extends ExportInput<M, N>,
  A extends TypedArray = never,
>(
  name: KnownName<N, M>,
  inputs: Inputs<T | PromiseLike<T>>,
  options:
    & ExportOptions<M, N>
    & MapOptions<A, ExportContext<M, N, "data">, M, T>
    & MapOutput<ExportResult<M, N>, NoInfer<A>>,
  ...only: OnlyNames<N>
): Promise<MapResults<ExportResult<M, N>, A>>;
export function parallelMap(
  fn: unknown,
  inputs: Inputs<unknown>,
  options: PoolOptions & MapOptions<TypedArray> = {},
): Promise<unknown> {
  try {
    const { calls, run } = open("map", options, MAP_RULES, inputs);
    return calls.map(fn, inputs, run, parallelMap);
  } catch (error) {
    return Promise.reject(error);
  }
}

/**
 * Maps every input in workers and resolves to what became of each, as
 * `Promise.allSettled` does.
 *
 * @param fn Called once per input, in a worker: see {@linkcode parallelMap}.
 * @param inputs Any iterable; read only as fast as workers are free.
 * @param options How many workers, and how they are fed.
 * @returns One settled result per input; `reason` is a {@linkcode TaskError}.
 * @throws {WorkerStartError} When no worker can start.
 * @throws The signal's reason, when it aborts; what the inputs throw.
 *
 * @example Usage
 * ```ts
 * import { parallelMapSettled } from "@parallel/map";
 * import { assertEquals } from "@std/assert";
 *
 * const half = (n: number) => {
 *   if (n % 2) throw new RangeError(`${n} is odd`);
 *   return n / 2;
 * };
 * const [four, five] = await parallelMapSettled(half, [4, 5]);
 * assertEquals(four, { status: "fulfilled", value: 2 });
 * assertEquals(five?.status, "rejected");
 * ```
 */
export function parallelMapSettled<T, R, W = unknown, S = W, D = unknown>(
  fn: MapFunction<T, R, S, D>,
  inputs: Inputs<T | PromiseLike<T>>,
  options:
    | (
      & PoolOptions<unknown, W, S>
      & RunOptions<D, unknown, T>
      & DataOption<D>
      & Needed<NoInfer<S>, NoInfer<D>>
    )
    | undefined,
): Promise<SettledResult<R>[]>;
/** The same, without options: `state` and `data` are undefined. */
export function parallelMapSettled<T, R>(
  fn: MapFunction<T, R, undefined, undefined>,
  inputs: Inputs<T | PromiseLike<T>>,
): Promise<SettledResult<R>[]>;
/** The same, with a function that is given by the name of its export. */
export function parallelMapSettled<const N, M, T extends ExportInput<M, N>>(
  name: KnownName<N, M>,
  inputs: Inputs<T | PromiseLike<T>>,
  options:
    & ExportOptions<M, N>
    & RunOptions<ExportContext<M, N, "data">, M, T>,
  ...only: OnlyNames<N>
): Promise<SettledResult<ExportResult<M, N>>[]>;
export function parallelMapSettled(
  fn: unknown,
  inputs: Inputs<unknown>,
  options: PoolOptions & RunOptions = {},
): Promise<unknown> {
  try {
    const { calls, run } = open("map", options, RUN_RULES, inputs);
    return calls.mapSettled(fn, inputs, run, parallelMapSettled);
  } catch (error) {
    return Promise.reject(error);
  }
}

/**
 * Maps every input in workers and folds the results to one, in the workers
 * first: one partial result a chunk crosses, instead of one result an input.
 * For sums, counts, histograms, the union of sets.
 *
 * @param fn Called once per input, in a worker: see {@linkcode parallelMap}.
 * @param combine Folds two results to one, in the workers and in this thread:
 * shipped by its source, or with `module` imported by its name, if it has one.
 * It must be associative, `combine(combine(a, b), c)` the same as
 * `combine(a, combine(b, c))`, as nobody knows which results are folded first;
 * it need not commute, as they stay in the order of the inputs. It may change
 * and return its first argument, if `fn` returns a new object each time. What it
 * returns is cloned where it was folded in a worker, and not where in this thread.
 * @param inputs Any iterable; read only as fast as workers are free.
 * @param options How many workers, how they are fed, and where the fold begins.
 * @returns The one result, as `Array.prototype.reduce` gives it.
 * @throws {TypeError} When there are no inputs and no `initial`, or an argument
 * is of the wrong kind.
 * @throws {TaskError} When a task fails, or `combine`: the message names the
 * inputs whose results it folded.
 * @throws {WorkerStartError} When no worker can start.
 *
 * @example Count words
 * ```ts
 * import { parallelReduce } from "@parallel/map";
 * import { assertEquals } from "@std/assert";
 *
 * const count = (line: string) => {
 *   const counts = new Map<string, number>();
 *   for (const word of line.split(" ")) {
 *     counts.set(word, (counts.get(word) ?? 0) + 1);
 *   }
 *   return counts;
 * };
 * const merge = (a: Map<string, number>, b: Map<string, number>) => {
 *   for (const [word, n] of b) a.set(word, (a.get(word) ?? 0) + n);
 *   return a;
 * };
 * const counts = await parallelReduce(count, merge, ["a b a", "b a"]);
 * assertEquals(counts, new Map([["a", 3], ["b", 2]]));
 * ```
 */
export function parallelReduce<T, R, W = unknown, S = W, D = unknown>(
  fn: MapFunction<T, R, S, D>,
  combine: (one: R, other: R) => R,
  inputs: Inputs<T | PromiseLike<T>>,
  options:
    | (
      & PoolOptions<unknown, W, S>
      & ReduceOptions<R, D, unknown, T>
      & DataOption<D>
      & Needed<NoInfer<S>, NoInfer<D>>
    )
    | undefined,
): Promise<R>;
/** The same, without options: `state` and `data` are undefined. */
export function parallelReduce<T, R>(
  fn: MapFunction<T, R, undefined, undefined>,
  combine: (one: R, other: R) => R,
  inputs: Inputs<T | PromiseLike<T>>,
): Promise<R>;
/** The same, with a function that is given by the name of its export. */
export function parallelReduce<const N, M, T extends ExportInput<M, N>>(
  name: KnownName<N, M>,
  combine: (
    one: ExportResult<M, N>,
    other: ExportResult<M, N>,
  ) => ExportResult<M, N>,
  inputs: Inputs<T | PromiseLike<T>>,
  options:
    & ExportOptions<M, N>
    & ReduceOptions<ExportResult<M, N>, ExportContext<M, N, "data">, M, T>,
  ...only: OnlyNames<N>
): Promise<ExportResult<M, N>>;
export function parallelReduce(
  fn: unknown,
  combine: unknown,
  inputs: Inputs<unknown>,
  options: PoolOptions & ReduceOptions = {},
): Promise<unknown> {
  try {
    const { calls, run } = open("reduce", options, REDUCE_RULES, inputs);
    return calls.reduce(fn, combine, inputs, run, parallelReduce);
  } catch (error) {
    return Promise.reject(error);
  }
}

/**
 * Maps inputs lazily: the first read starts the workers, inputs are read a
 * bounded way ahead of the reader, and leaving the loop ends both the source
 * and the workers.
 *
 * @param fn Called once per input, in a worker: see {@linkcode parallelMap}.
 * @param inputs Any iterable or async iterable, also an endless one.
 * @param options How many workers, how they are fed, and the order of results.
 * @returns The results, or with `settled` what became of each task, in input
 * order unless `ordered` is false.
 * @throws {TypeError} When an argument is of the wrong kind, at the call.
 *
 * @example An endless source
 * ```ts
 * import { parallelMapStream } from "@parallel/map";
 * import { assertEquals } from "@std/assert";
 *
 * function* naturals() {
 *   for (let n = 0;; n++) yield n;
 * }
 * const squares: number[] = [];
 * for await (const n of parallelMapStream((n: number) => n * n, naturals())) {
 *   if (squares.push(n) === 4) break;
 * }
 * assertEquals(squares, [0, 1, 4, 9]);
 * ```
 *
 * @example Failures as they come
 * ```ts
 * import { parallelMapStream } from "@parallel/map";
 * import { assertEquals } from "@std/assert";
 *
 * const parse = (text: string) => JSON.parse(text) as number;
 * const failed: string[] = [];
 * let sum = 0;
 * for await (
 *   const outcome of parallelMapStream(parse, ["1", "{", "3"], { settled: true })
 * ) {
 *   if (outcome.status === "fulfilled") sum += outcome.value;
 *   else failed.push(outcome.input);
 * }
 * assertEquals({ sum, failed }, { sum: 4, failed: ["{"] });
 * ```
 */
export function parallelMapStream<
  T,
  R,
  W = unknown,
  S = W,
  O extends boolean = false,
  D = unknown,
>(
  fn: MapFunction<T, R, S, D>,
  inputs: Inputs<T | PromiseLike<T>>,
  options:
    | (
      & PoolOptions<unknown, W, S>
      & StreamOptions<O, D, unknown, T>
      & DataOption<D>
      & Needed<NoInfer<S>, NoInfer<D>>
    )
    | undefined,
): AsyncGenerator<StreamItem<T, R, O>, undefined, unknown>;
/** The same, without options: `state` and `data` are undefined. */
export function parallelMapStream<T, R>(
  fn: MapFunction<T, R, undefined, undefined>,
  inputs: Inputs<T | PromiseLike<T>>,
): AsyncGenerator<R, undefined, unknown>;
/** The same, with a function that is given by the name of its export. */
export function parallelMapStream<
  const N,
  M,
  T extends ExportInput<M, N>,
  O extends boolean = false,
>(
  name: KnownName<N, M>,
  inputs: Inputs<T | PromiseLike<T>>,
  options:
    & ExportOptions<M, N>
    & StreamOptions<O, ExportContext<M, N, "data">, M, T>,
  ...only: OnlyNames<N>
): AsyncGenerator<StreamItem<T, ExportResult<M, N>, O>, undefined, unknown>;
export function parallelMapStream(
  fn: unknown,
  inputs: Inputs<unknown>,
  options: PoolOptions & StreamOptions<boolean> = {},
): AsyncGenerator<unknown, undefined, unknown> {
  const { calls, run } = open("stream", options, STREAM_RULES, inputs);
  return calls.stream(fn, inputs, run, parallelMapStream);
}

function open<O extends RunOptions>(
  action: string,
  options: PoolOptions & O,
  rules: Rules,
  inputs: unknown,
): { calls: Calls; run: O } {
  const all = { ...POOL_RULES, ...rules };
  return handleIfRefused(inputs, () => {
    const { pool, run } = splitOptions<O>(checkOptions(action, options, all));
    return { calls: callsHere(pool, true), run };
  });
}
