/**
 * Every option with its default, and what a function gets. The checks are
 * in option_rules.ts.
 *
 * @module
 */

import type { TaskError } from "./errors.ts";
import type { Progress, RunEvent } from "./events.ts";

/** What a task gets beside its value. */
export interface TaskContext<S = unknown, D = unknown> {
  /** Position of the input, from 0. */
  readonly index: number;
  /** The number of this attempt, from 1. */
  readonly attempt: number;
  /** Number of the worker in its pool, from 0. */
  readonly worker: number;
  /**
   * What `init` returned in this worker, or the worker's own `workerData`;
   * undefined if neither was given.
   */
  readonly state: S;
  /**
   * What the call brought along as `data`: a copy for each worker. Undefined, as
   * `state` is, where a call has none.
   */
  readonly data: D;
  /**
   * True when the run is over, also in the middle of a synchronous loop, or when
   * this task took longer than `timeout` while others run in its worker. What a
   * task has left running sees it as well, also once its worker is at another run.
   * Read it in the loop: a parameter `{ aborted }` is read once, and stays false.
   */
  readonly aborted: boolean;
  /**
   * Aborts with an `AbortError` when the run is over before this task is: for
   * `fetch` and whatever else waits; with a `TimeoutError` when the task took
   * longer than `timeout`, beside others in its worker. A loop that does not wait
   * never hears it: see `aborted`.
   */
  readonly signal: AbortSignal;
  /**
   * Throws the reason of `signal`, once that has aborted. Call it as a method.
   *
   * @throws {DOMException} When `aborted` is true.
   */
  throwIfAborted(): void;
}

/**
 * A function that maps one value: `(value, context) => result`. What it returns
 * is copied when the task has ended. For a reduction it returns a new object each
 * time, as `combine` gets that itself.
 */
export type MapFunction<T, R, S = unknown, D = unknown> = (
  value: T,
  context: TaskContext<S, D>,
) => R | PromiseLike<R>;

/** Anything that can be read one value after another. */
export type Inputs<T> = Iterable<T> | AsyncIterable<T>;

/**
 * Where an exported function is: a URL, or `import.meta` itself. With a type,
 * `ModuleSpecifier<typeof import("./work.ts")>`, a name that is given for the
 * function is checked, and so are inputs and results; nothing is imported.
 */
export type ModuleSpecifier<M = unknown> =
  & (string | URL | { readonly url: string })
  // Never there: it only carries the type.
  & { readonly "~exports"?: M };

/**
 * The names of the functions of a module that can be called with a value and a
 * context; any, if its type is not known. `infer` keeps TypeScript from inferring
 * the module from the name. Of overloads, the last counts.
 */
export type ExportName<M> = M extends infer E ? unknown extends E ? string : {
    [N in keyof E]: E[N] extends (value: never, context: infer C) => unknown
      ? TaskContext<never, never> extends C ? N : never
      : never;
  }[keyof E]
  : never;

/**
 * A name, if the module has such a function; else the names that it has. Of a
 * pool whose state `S` is known, the function must take that.
 */
export type KnownName<N, M, S = unknown> = N extends ExportName<M>
  ? unknown extends ExportContext<M, N, "state"> ? N
  : unknown extends S ? N
  : [S] extends [ExportContext<M, N, "state">] ? N
  : "fn must take the state of this pool"
  : ExportName<M>;

/** The same for a call without options, and so without `data`. */
export type BareName<N, M, S> = undefined extends ExportContext<M, N, "data">
  ? KnownName<N, M, S>
  : "fn needs data";

/** The input type of a function that is given by its name. */
export type ExportInput<M, N> = N extends keyof M
  ? M[N] extends (value: infer T, context: never) => unknown ? T : unknown
  : unknown;

/** What a function that is given by its name returns, awaited. */
export type ExportResult<M, N> = N extends keyof M
  ? M[N] extends (value: never, context: never) => infer R ? Awaited<R>
  : unknown
  : unknown;

/**
 * What the context of such a function is to have as `data`, or as `state`:
 * anything, if the function does not say.
 */
export type ExportContext<M, N, K extends "data" | "state"> = N extends keyof M
  ? M[N] extends (value: never, context: infer C) => unknown
    ? C extends { readonly [P in K]: infer V } ? V : unknown
  : unknown
  : unknown;

/**
 * No argument where `N` is a name; else more than a call has, so that this
 * overload is out of the question for a call with a function. Then the error is
 * that of the other overload alone, at the option that is wrong.
 */
export type OnlyNames<N> = [N] extends [string] ? [] : [never, never];

/** A typed array of any kind but Float16Array, which is new to TypeScript. */
export type TypedArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

/** A constructor of typed arrays, such as `Float64Array`. */
export interface TypedArrayConstructor<A extends TypedArray> {
  /** Makes an array of that many zeros. */
  new (length: number): A;
  /** Bytes of one element. */
  readonly BYTES_PER_ELEMENT: number;
}

/** A typed array of that class, as far as `output` needs to know it. */
export interface OutputArray<A extends TypedArray> {
  /** Bytes of one element. */
  readonly BYTES_PER_ELEMENT: number;
  /** Its memory: a SharedArrayBuffer. */
  readonly buffer: ArrayBufferLike;
  /** Views a part of it. */
  subarray(begin?: number, end?: number): A;
}

/**
 * What workers may do if they are processes of Deno: `"none"`, what the program may
 * (`"inherit"`), or by name what the flags `--allow-…` would give: all of a kind
 * (`true`), or a list, such as the files and folders for `read`.
 */
export type Permissions = "none" | "inherit" | PermissionLists;

/**
 * The permissions of Deno, by name. What is left out is not given. Paths are
 * relative to the current folder at the call.
 */
export interface PermissionLists {
  /** Files and folders to read. */
  read?: boolean | readonly string[] | undefined;
  /** Files and folders to write. */
  write?: boolean | readonly string[] | undefined;
  /** Hosts, as in `example.com` and `localhost:8000`. */
  net?: boolean | readonly string[] | undefined;
  /** Names of variables. */
  env?: boolean | readonly string[] | undefined;
  /** Programs to start. One that starts may do everything. */
  run?: boolean | readonly string[] | undefined;
  /** Native libraries to load. One that is loaded may do everything. */
  ffi?: boolean | readonly string[] | undefined;
  /** System information to read, as in `hostname`. */
  sys?: boolean | readonly string[] | undefined;
  /** Hosts to import modules from; without it, none, nor packages of npm. */
  import?: boolean | readonly string[] | undefined;
}

/** What `init` is given: `workerData`, where its type is known. */
export type InitData<W> = unknown extends W ? never : W;

/** How the workers of a pool are made. */
export interface PoolOptions<M = unknown, W = unknown, S = W> {
  /**
   * How many workers at most. They are started when first needed, never more
   * than there are tasks. `0` runs everything in this thread, inputs and
   * results still cloned, for debugging.
   *
   * @default {the number of cores, as the runtime tells it} for a pool. One-shot
   * calls that run concurrently divide that number, and calls within a task have
   * the share of their worker, from 1. It only says how many are started.
   */
  workers?: number | undefined;
  /**
   * The module that exports the function. Without it the function is shipped
   * by its source, and sees nothing around it.
   */
  module?: ModuleSpecifier<M> | undefined;
  /** Cloned once to each worker; it is `context.state` unless `init` is given. */
  workerData?: W | undefined;
  /**
   * Runs once in each worker with `workerData`; what it returns (awaited) is
   * `context.state`. Shipped or imported as the function is. If that has
   * `Symbol.asyncDispose` or `Symbol.dispose`, it is called before a worker
   * that has no task is ended: by `close`, or after `maxTasksPerWorker`. The
   * worker is ended a second later at the latest.
   */
  init?: ((workerData: InitData<W>) => S | PromiseLike<S>) | undefined;
  /**
   * `"web"` starts Web Workers; `"threads"` starts `node:worker_threads`, which
   * take longer to start but can be stopped on Deno in the middle of an endless
   * loop (from 2.9.4 on). Node.js has no Web Workers, and starts threads for both.
   * `"processes"` starts processes: a crash, a kill or a lack of memory is the
   * end of one of them, and a `WorkerLostError`; but no memory can be shared, and
   * `transfer` is refused. On Deno they need `--allow-run` and `--allow-env`, and
   * have the `permissions` that they are given.
   *
   * @default {"web"} and `"threads"` on Deno for a run with `timeout`.
   */
  // Any string, though the call refuses others: else `{ backend: "threads" }`,
  // in a variable, would need `as const`.
  backend?:
    | "web"
    | "threads"
    | "processes"
    | (string & Record<never, never>)
    | undefined;
  /**
   * A worker is replaced after that many tasks.
   *
   * @default {Infinity}
   */
  maxTasksPerWorker?: number | undefined;
  /**
   * How much memory a worker may have, in MB (millions of bytes), from 64.
   *
   * With `backend: "processes"` it is a wall, around all that the process has,
   * 30 to 60 MB to begin with: one that has more is ended within some 20 ms, and
   * its task rejects with a `WorkerLostError` whose `signal` is `SIGKILL`.
   *
   * With other workers it is no wall. One whose heap and buffers hold more when
   * it has done a chunk, garbage included, is replaced before it gets another
   * task: for functions, or what they import, that leak. A task that takes too
   * much at once still ends the program.
   *
   * @default {undefined} no limit.
   */
  maxMemory?: number | undefined;
  /**
   * What the workers may do, for `backend: "processes"` on Deno, which alone keeps
   * to it: docs/processes.md says what that protects, and what not.
   *
   * @default {"none"} for shipped functions; `"inherit"` with `module`, and from
   * the first imported function on in a pool.
   */
  // Any string, as of `backend`.
  permissions?: Permissions | (string & Record<never, never>) | undefined;
  /** Called with every event of the workers and tasks of the pool. */
  onEvent?: ((event: RunEvent) => void) | undefined;
}

/**
 * Says how long a task may take, compared to others: `(value) => number`. It is
 * declared as a method so that its parameter is bivariant.
 */
export type WeightFunction<T> = { weight(value: T): number }["weight"];

/** How one run is fed and stopped. */
export interface RunOptions<D = unknown, M = unknown, T = never> {
  /** As in {@linkcode PoolOptions}, for this run alone. */
  module?: ModuleSpecifier<M> | undefined;
  /**
   * What this call brings along for `fn`, which gets it as `context.data`. It
   * is cloned at the call, and sent once to each worker. Functions in it, in
   * plain objects and arrays, are shipped by their source.
   */
  data?: D | undefined;
  /**
   * Tasks in one message; fewer where inputs come slowly.
   *
   * @default adaptive: starts at 1 and grows with short tasks.
   */
  chunkSize?: number | undefined;
  /**
   * Says how long the task of a value may take, compared to the others, in any unit:
   * the bytes of a file, say. Called in this thread, once a value. The heaviest
   * of what is known goes first, so that no long task is begun last; chunks are
   * cut, and `onProgress` estimates, by weight. Results stay in their order.
   *
   * All of a list is known at once. From other iterables up to 1024 values are read
   * ahead, as many as come within some 2 ms, and in a stream no more than
   * `bufferSize` says.
   *
   * @default {undefined} inputs go in their order.
   */
  weight?: WeightFunction<NoInfer<T>> | undefined;
  /**
   * Tasks in flight at once inside each worker, for async functions that wait.
   *
   * @default {1}
   */
  concurrency?: number | undefined;
  /** Ends the run when it aborts. */
  signal?: AbortSignal | undefined;
  /**
   * Limit for one task in milliseconds, from its start in the worker. A task that
   * takes longer fails, and the worker is replaced. With `concurrency`, one that
   * waits fails alone: its `signal` aborts, and the others finish first. To make a
   * result ready to send may take a minute more, or ten times `timeout` if that is
   * longer.
   *
   * @default {Infinity}
   */
  timeout?: number | undefined;
  /**
   * How often a task that threw, timed out, lost its worker, or gave a result
   * that cannot be sent, is tried again. Not for such a result in a reduction, nor
   * where the buffers of the input were moved.
   *
   * @default {0}
   */
  retries?: number | undefined;
  /**
   * Moves the ArrayBuffers in inputs and results instead of copying them, where
   * they can be moved (docs/values.md).
   *
   * @default {false}
   */
  transfer?: boolean | undefined;
  /** Called with the progress: at the start, when tasks settle, and at the end. */
  onProgress?: ((progress: Progress) => void) | undefined;
  /** Called with every event of this run. */
  onEvent?: ((event: RunEvent) => void) | undefined;
}

/**
 * What must be among the options for a function whose context has a `state` of
 * type `S`, and `data` of type `D`, neither of which may be undefined. Of a
 * variable with options TypeScript knows what there is by
 * `satisfies RunOptions`; a function that hands on those of its caller takes
 * `RunOptions<D> & Needed<unknown, D>`.
 */
export type Needed<S, D> =
  & (undefined extends S ? unknown : { init: unknown } | { workerData: S })
  & (undefined extends D ? unknown : { data: D });

/** Options that may be left out, where no `data` is needed of them. */
export type NoOptions<D> = undefined extends D ? undefined : never;

/**
 * The option `data`. Makes TypeScript infer a `D` with `undefined` in it, if what is
 * given may be undefined: from an optional property it does not.
 */
export type DataOption<D> =
  | { data: D }
  | { data?: undefined }
  | { data?: D | undefined };

/**
 * Of a call with a function that is given by its name: how the workers are made,
 * and what there must be.
 */
export type ExportOptions<M, N> =
  & PoolOptions<M, unknown, ExportContext<M, N, "state">>
  & { module: ModuleSpecifier<M> }
  & Needed<ExportContext<M, N, "state">, ExportContext<M, N, "data">>;

/** The options of {@linkcode Pool.close}. */
export interface CloseOptions {
  /**
   * Whether pending calls end first; new ones are refused at once.
   *
   * @default {false} they reject.
   */
  finish?: boolean | undefined;
}

/** The options of {@linkcode Pool.map}. */
export interface MapOptions<
  A extends TypedArray = never,
  D = unknown,
  M = unknown,
  T = never,
> extends RunOptions<D, M, T> {
  /**
   * A typed-array constructor: the results are written into one such array. Or
   * a typed array in shared memory, with an element for every input: there the
   * workers write the results themselves, and it is what the call resolves to.
   * A task that fails writes nothing; after a call that rejected, those that
   * were running may still write.
   */
  output?: TypedArrayConstructor<A> | OutputArray<A> | undefined;
}

/**
 * Of `output`, that the results fit: bigints for a typed array of these, numbers
 * for any other. What else a function returns would be NaN or 0 there.
 */
export type MapOutput<R, A> = [A] extends [never] ? unknown
  // Of a function whose parameters have no type R is not known at first.
  : unknown extends R ? unknown
  : [R] extends [A extends { [index: number]: infer N } ? N : never] ? unknown
  : { output?: "fn must return what this array holds" };

/** What a map gives: a list, or the typed array that `output` names or is. */
export type MapResults<R, A> = [A] extends [never] ? R[] : NoInfer<A>;

/** The options of {@linkcode Pool.reduce}. */
export interface ReduceOptions<
  R = unknown,
  D = unknown,
  M = unknown,
  T = never,
> extends RunOptions<D, M, T> {
  /**
   * Where the fold begins, in the caller: combined with the first result, and
   * the result itself if there are no inputs. No promise, which nobody would
   * await.
   *
   * @default {undefined} the fold begins with the first result.
   */
  initial?: NoInfer<R> | undefined;
}

/**
 * What became of a task, as `Promise.allSettled` says it; `reason` is a
 * {@linkcode TaskError}.
 */
export type SettledResult<R = unknown> =
  | { status: "fulfilled"; value: R }
  | { status: "rejected"; reason: TaskError };

/** The same with the input, and its position from 0. */
export type TaskOutcome<T = unknown, R = unknown> =
  & { index: number; input: T }
  & SettledResult<R>;

/**
 * What a stream yields: results, or outcomes where `settled` is true. By name,
 * as of a conditional type that stands behind `yield*` in a generic function
 * TypeScript takes both sides.
 */
export type StreamItem<T, R, O extends boolean> = {
  true: TaskOutcome<T, R>;
  false: R;
}[`${O}`];

/** The options of {@linkcode Pool.stream}. */
export interface StreamOptions<
  O extends boolean = false,
  D = unknown,
  M = unknown,
  T = never,
> extends RunOptions<D, M, T> {
  /**
   * Whether to yield what became of each task: a failure, a lost worker or a
   * timeout is an item then, and not the end of the stream.
   *
   * @default {false}
   */
  settled?: O | undefined;
  /**
   * Whether results come in input order, or as they are ready.
   *
   * @default {true}
   */
  ordered?: boolean | undefined;
  /**
   * How many inputs may be read ahead of the reader, in tasks.
   *
   * @default four chunks per worker, and twice `concurrency` at least.
   */
  bufferSize?: number | undefined;
}
