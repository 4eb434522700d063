/**
 * A pool whose workers are on other machines.
 *
 * @module
 */

import type {
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
  OnlyNames,
  ReduceOptions,
  RunOptions,
  SettledResult,
  StreamItem,
  StreamOptions,
  TypedArray,
} from "@parallel/map";
import { type Calls, checkOptions, CLOSE_RULES } from "@parallel/map/seam";
import type { MachineInfo } from "./messages.ts";
import type { NatsEngine } from "./nats_engine.ts";
import { openCalls, THEIRS } from "./open_calls.ts";
import {
  CONNECT_RULES,
  type ConnectOptions,
  LOCAL_RULES,
  type LocalOptions,
} from "./options.ts";
import { type RunningWorker, runWorker } from "./run_worker.ts";
import { startServer } from "./server.ts";

/** What of the options of a call makes sense where nothing is shared. */
export type Remote<O> = Omit<O, "module" | "transfer">;

/** Closes what a local pool was made of. */
type CloseAll = () => Promise<void>;

/**
 * A pool whose workers are on other machines, or in other processes: whoever
 * runs `runWorker` for it. It has the calls of `Pool`, with the same meaning.
 *
 * A function is the name of an export of the module that the machines were
 * started with. One that is given itself is sent by its source, as by a `Pool`
 * without a module; machines refuse that, unless they were told to allow it.
 *
 * A task may run twice, on two machines, when one of them is lost; it has one
 * result all the same.
 *
 * @typeParam M The module that the machines have, such as
 * `typeof import("./work.ts")`: a type, of which nothing is imported.
 */
export class NatsPool<M = unknown> implements AsyncDisposable {
  readonly #engine: NatsEngine;
  readonly #calls: Calls;
  readonly #closeAll: CloseAll;

  private constructor(engine: NatsEngine, calls: Calls, closeAll: CloseAll) {
    this.#engine = engine;
    this.#calls = calls;
    this.#closeAll = closeAll;
  }

  /**
   * Connects to a pool. It need not have machines yet.
   *
   * @param options Where it is.
   * @returns The pool.
   * @throws {TypeError} When an option is unknown or of the wrong kind.
   * @throws {RangeError} When an option is out of its range.
   * @throws {Error} When there is no server, it does not let this program in, or
   * its JetStream is off.
   */
  static async connect<M = unknown>(
    options: ConnectOptions,
  ): Promise<NatsPool<M>> {
    const checked = checkOptions("connect", options, CONNECT_RULES);
    return await NatsPool.#open(checked, async () => {});
  }

  /**
   * Starts a server and a machine of its own, here, for a first try: both end
   * with the pool.
   *
   * @param options How the machine serves it.
   * @returns The pool.
   * @throws {Error} When there is no `nats-server`; says how to install it.
   */
  static async local<M = unknown>(
    options: LocalOptions = {},
  ): Promise<NatsPool<M>> {
    const checked = checkOptions("start local pool", options, LOCAL_RULES);
    const { onEvent, ...rest } = checked;
    const server = await startServer();
    const { servers, connection } = server;
    const place = { servers, connection, pool: "local" };
    let worker: RunningWorker | undefined;
    const closeAll = async () => {
      try {
        // Nobody is left to whom its results would go.
        await worker?.close({ finish: false });
      } finally {
        await server.close();
      }
    };
    try {
      worker = await runWorker({
        backend: "processes",
        allowShipped: true,
        ...rest,
        ...place,
      });
      return await NatsPool.#open({ ...place, onEvent }, closeAll);
    } catch (error) {
      await closeAll();
      throw error;
    }
  }

  static async #open<M>(
    options: ConnectOptions,
    closeAll: CloseAll,
  ): Promise<NatsPool<M>> {
    const { engine, calls } = await openCalls(options);
    return new NatsPool<M>(engine, calls, closeAll);
  }

  /** How many tasks the machines that are known now run at once. */
  get slots(): number {
    return this.#engine.machines.slots;
  }

  /**
   * Says which machines there are: those that answered of late.
   *
   * @returns What each says of itself.
   */
  workers(): MachineInfo[] {
    return this.#engine.machines.all;
  }

  /**
   * Waits for a machine.
   *
   * @returns Settled when there is one.
   * @throws {WorkerStartError} When none comes within `workerTimeout`.
   */
  start(): Promise<void> {
    return this.#calls.start(this.start);
  }

  /**
   * Maps every input on the machines, as `Pool.map` does.
   *
   * @param fn The name of an export, or a function to be sent by its source.
   * @param inputs Any iterable.
   * @param options How the run is fed and stopped.
   * @returns One result per input, `results[i]` from `inputs[i]`.
   * @throws {TaskError} When a task fails; `index` is its position.
   * @throws {WorkerStartError} When no machine can serve the call.
   * @throws The signal's reason, when it aborts; what the inputs throw.
   */
  map<
    const N,
    T extends ExportInput<M, N> = ExportInput<M, N>,
    A extends TypedArray = never,
  >(
    name: KnownName<N, M>,
    inputs: Inputs<T | PromiseLike<T>>,
    options?:
      & Remote<MapOptions<A, ExportContext<M, N, "data">, unknown, T>>
      & MapOutput<ExportResult<M, N>, NoInfer<A>>
      & Needed<unknown, ExportContext<M, N, "data">>,
    ...only: OnlyNames<N>
  ): Promise<MapResults<ExportResult<M, N>, A>>;
  /** The same, with a function that is sent by its source. */
  map<T, R, D = unknown, A extends TypedArray = never>(
    fn: MapFunction<T, R, unknown, D>,
    inputs: Inputs<T | PromiseLike<T>>,
    options?:
      & Remote<MapOptions<A, D, unknown, T>>
      & MapOutput<NoInfer<R>, NoInfer<A>>
      & DataOption<D>
      & Needed<unknown, NoInfer<D>>,
  ): Promise<MapResults<R, A>>;
  map(
    fn: unknown,
    inputs: Inputs<unknown>,
    options: MapOptions<TypedArray> = {},
  ): Promise<unknown> {
    return this.#try(() =>
      this.#calls.map(fn, inputs, remote("map", fn, options), this.map)
    );
  }

  /**
   * Maps every input and resolves to what became of each, as `Pool.mapSettled`
   * does.
   *
   * @param fn The name of an export, or a function to be sent by its source.
   * @param inputs Any iterable.
   * @param options How the run is fed and stopped.
   * @returns One settled result per input.
   */
  mapSettled<const N, T extends ExportInput<M, N> = ExportInput<M, N>>(
    name: KnownName<N, M>,
    inputs: Inputs<T | PromiseLike<T>>,
    options?:
      & Remote<RunOptions<ExportContext<M, N, "data">, unknown, T>>
      & Needed<unknown, ExportContext<M, N, "data">>,
    ...only: OnlyNames<N>
  ): Promise<SettledResult<ExportResult<M, N>>[]>;
  /** The same, with a function that is sent by its source. */
  mapSettled<T, R, D = unknown>(
    fn: MapFunction<T, R, unknown, D>,
    inputs: Inputs<T | PromiseLike<T>>,
    options?:
      & Remote<RunOptions<D, unknown, T>>
      & DataOption<D>
      & Needed<unknown, NoInfer<D>>,
  ): Promise<SettledResult<R>[]>;
  mapSettled(
    fn: unknown,
    inputs: Inputs<unknown>,
    options: RunOptions = {},
  ): Promise<unknown> {
    return this.#try(() => {
      const own = remote("map", fn, options);
      return this.#calls.mapSettled(fn, inputs, own, this.mapSettled);
    });
  }

  /**
   * Maps inputs lazily, as `Pool.stream` does.
   *
   * @param fn The name of an export, or a function to be sent by its source.
   * @param inputs Any iterable, also an endless one.
   * @param options How the run is fed, ordered and stopped.
   * @returns The results, or with `settled` what became of each task.
   */
  stream<
    const N,
    T extends ExportInput<M, N> = ExportInput<M, N>,
    O extends boolean = false,
  >(
    name: KnownName<N, M>,
    inputs: Inputs<T | PromiseLike<T>>,
    options?:
      & Remote<StreamOptions<O, ExportContext<M, N, "data">, unknown, T>>
      & Needed<unknown, ExportContext<M, N, "data">>,
    ...only: OnlyNames<N>
  ): AsyncGenerator<StreamItem<T, ExportResult<M, N>, O>, undefined, unknown>;
  /** The same, with a function that is sent by its source. */
  stream<T, R, O extends boolean = false, D = unknown>(
    fn: MapFunction<T, R, unknown, D>,
    inputs: Inputs<T | PromiseLike<T>>,
    options?:
      & Remote<StreamOptions<O, D, unknown, T>>
      & DataOption<D>
      & Needed<unknown, NoInfer<D>>,
  ): AsyncGenerator<StreamItem<T, R, O>, undefined, unknown>;
  stream(
    fn: unknown,
    inputs: Inputs<unknown>,
    options: StreamOptions<boolean> = {},
  ): AsyncGenerator<unknown, undefined, unknown> {
    const own = remote("stream", fn, options);
    return this.#calls.stream(fn, inputs, own, this.stream);
  }

  /**
   * Maps every input and folds the results to one, as `Pool.reduce` does: on the
   * machines first.
   *
   * @param fn The name of an export, or a function to be sent by its source.
   * @param combine Folds two results to one: associative. One with a name is an
   * export too, where `fn` is; one without is sent by its source.
   * @param inputs Any iterable.
   * @param options How the run is fed and stopped, and where the fold begins.
   * @returns The one result.
   */
  reduce<const N, T extends ExportInput<M, N> = ExportInput<M, N>>(
    name: KnownName<N, M>,
    combine: (
      one: ExportResult<M, N>,
      other: ExportResult<M, N>,
    ) => ExportResult<M, N>,
    inputs: Inputs<T | PromiseLike<T>>,
    options?:
      & Remote<
        ReduceOptions<
          ExportResult<M, N>,
          ExportContext<M, N, "data">,
          unknown,
          T
        >
      >
      & Needed<unknown, ExportContext<M, N, "data">>,
    ...only: OnlyNames<N>
  ): Promise<ExportResult<M, N>>;
  /** The same, with a function that is sent by its source. */
  reduce<T, R, D = unknown>(
    fn: MapFunction<T, R, unknown, D>,
    combine: (one: R, other: R) => R,
    inputs: Inputs<T | PromiseLike<T>>,
    options?:
      & Remote<ReduceOptions<R, D, unknown, T>>
      & DataOption<D>
      & Needed<unknown, NoInfer<D>>,
  ): Promise<R>;
  reduce(
    fn: unknown,
    combine: unknown,
    inputs: Inputs<unknown>,
    options: ReduceOptions = {},
  ): Promise<unknown> {
    return this.#try(() => {
      const own = remote("reduce", fn, options);
      return this.#calls.reduce(fn, combine, inputs, own, this.reduce);
    });
  }

  /** What is wrong with a call rejects, as what goes wrong later does. */
  async #try<R>(call: () => Promise<R>): Promise<R> {
    return await call();
  }

  /**
   * Ends all calls, and leaves the pool; its machines stay. A local one ends its
   * machine and its server too.
   *
   * @param options With `finish`, pending calls end first.
   * @returns Settled when nothing is left of it on the servers; or, if they say
   * nothing, after 10 s: they and its machines then see to that by themselves.
   */
  async close(options: CloseOptions = {}): Promise<void> {
    const { finish } = checkOptions("close", options, CLOSE_RULES);
    try {
      await this.#calls.close(finish);
    } finally {
      await this.#closeAll();
    }
  }

  /** Leaves the pool. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The options of a call, if they can travel. */
function remote<O extends RunOptions>(
  action: string,
  fn: unknown,
  options: O,
): O {
  if (typeof options !== "object" || options === null) return options;
  if (options.module !== undefined) {
    throw new TypeError(
      `Cannot ${action} as the module is named by whoever starts the machines: received "module"`,
    );
  }
  if (options.transfer) {
    throw new TypeError(
      `Cannot ${action} as "transfer" needs workers in this process: received a pool of other machines, to which buffers are copied without it`,
    );
  }
  if (typeof fn !== "string") return options;
  // Inherited ones count, and a Map is to be refused.
  const module = { value: THEIRS, enumerable: true };
  return Object.create(options, { module });
}
