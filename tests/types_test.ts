// What the types promise. No call in this file is made: it is type-checked, by
// `deno test` and by `npm run check`.
import {
  type Inputs,
  type MapFunction,
  type MapOptions,
  type ModuleSpecifier,
  type Needed,
  parallelMap,
  parallelMapSettled,
  parallelMapStream,
  parallelReduce,
  Pool,
  type PoolOptions,
  type RunEvent,
  type RunOptions,
  type SettledResult,
  type TaskContext,
  type TaskError,
  type TaskOutcome,
} from "../mod.ts";
import type {
  ConnectOptions,
  NatsPool,
  WorkerOptions,
} from "../src/nats/mod.ts";
import type { JobLog, LoggedOutcome } from "../src/joblog/mod.ts";
import { progressBar } from "../src/progress/mod.ts";
import { Timeline } from "../src/timeline/mod.ts";
import { test } from "./harness.ts";

/** Whether two types are one; `any` is only itself. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends
  (<T>() => T extends B ? 1 : 2) ? true : false;

/** Compiles when a call, which is not made, gives exactly that type. */
interface Gives<Expected> {
  <Actual>(
    call: () => Actual,
    ...wrong: Same<Actual, Expected> extends true ? [] : [received: Actual]
  ): void;
}
function gives<Expected>(): Gives<Expected> {
  return () => {};
}

/** For calls, which are not made, that must not compile. */
function refuses(...calls: (() => unknown)[]): void {
  void calls;
}

type Results<R> = Promise<R[]>;
type Settled<R> = Promise<SettledResult<R>[]>;
type Stream<R> = AsyncGenerator<R, undefined, unknown>;

const half = (n: number) => n / 2;
const later = (n: number) => Promise.resolve(String(n));
const soon = (n: number): PromiseLike<number> => Promise.resolve(n);
const encoder = () => new TextEncoder();
const seed = () => Promise.resolve(1);
const stated = (n: number, { state }: { state: string }) => state.at(n);
const module = import.meta.url;

test("types: a call gives what its function returns, awaited", () => {
  gives<Results<number>>()(() => parallelMap(half, [1]));
  gives<Results<string>>()(() => parallelMap(later, [1]));
  gives<Results<void>>()(() => parallelMap(() => {}, [1]));
  gives<Results<{ id: number }>>()(() => parallelMap((id) => ({ id }), [1]));
  gives<Results<number | undefined>>()(() =>
    parallelMap((n) => n > 1 ? n : undefined, [1])
  );
  gives<Results<number>>()(() =>
    parallelMap((n) => n > 1 ? n : Promise.resolve(n), [1])
  );
  gives<Results<number>>()(() => parallelMap(soon, [1]));
  gives<Results<number>>()(() => parallelMap((n) => n > 1 ? soon(n) : n, [1]));
  gives<Results<number>>()(() => parallelMap(async (n) => await soon(n), [1]));
  gives<Results<number>>()(() => ({} as Pool).map(soon, [1]));
  gives<Stream<number>>()(() => parallelMapStream(soon, [1]));
  gives<Promise<number>>()(() => parallelReduce(soon, (a, b) => a + b, [1]));
  gives<Settled<number>>()(() => parallelMapSettled(half, [1]));
  gives<Settled<string>>()(() => parallelMapSettled(later, [1]));
  gives<Stream<number>>()(() => parallelMapStream(half, [1]));
  gives<Stream<string>>()(() => parallelMapStream(later, [1]));
});

test("types: a stream yields outcomes where settled is true", () => {
  const on = {} as boolean;
  const pool = {} as Pool;
  gives<AsyncGenerator<TaskOutcome<number, string>, undefined, unknown>>()(
    () => parallelMapStream(later, [1], { settled: true }),
  );
  gives<AsyncGenerator<TaskOutcome<string, number>, undefined, unknown>>()(
    () => pool.stream((s) => s.length, ["a"], { settled: true }),
  );
  gives<Stream<string>>()(() => pool.stream(later, [1], { settled: false }));
  gives<Stream<string | TaskOutcome<number, string>>>()(() =>
    parallelMapStream(later, [1], { settled: on })
  );
  const outcome = {} as TaskOutcome<number, string>;
  gives<TaskError | string>()(() =>
    outcome.status === "fulfilled" ? outcome.value : outcome.reason
  );
  refuses(
    // @ts-expect-error: a list of settled results is another function
    () => parallelMap(later, [1], { settled: true }),
  );
});

test("types: a function gets what its inputs give", () => {
  const words: readonly (string | number)[] = [];
  gives<Results<number>>()(() => parallelMap((n) => n * 2, new Set([1])));
  gives<Results<number>>()(() => parallelMap((n) => n, new Float64Array(1)));
  gives<Results<string>>()(() => parallelMap((s) => s.trim(), "abc"));
  gives<Results<string>>()(() => parallelMap(([s]) => s, new Map([["a", 1]])));
  gives<Results<string>>()(() =>
    parallelMap((s) => s, {} as ReadableStream<string>)
  );
  gives<Results<string | number>>()(() => parallelMap((w) => w, words));
  gives<Results<number>>()(() => parallelMap(([a, b]) => a + b, [[1, 2]]));
  gives<Results<number>>()(() =>
    parallelMap(([a, b]: [number, number]) => a + b, [[1, 2]])
  );
  gives<Results<bigint>>()(() => parallelMap((n) => n, {} as Inputs<bigint>));
  gives<Settled<number>>()(() => parallelMapSettled((n) => n, [1]));
  gives<Stream<number>>()(() => parallelMapStream((n) => n, [1]));
  refuses(
    // @ts-expect-error: half takes numbers
    () => parallelMap(half, ["1"]),
    // @ts-expect-error: as above
    () => parallelMapSettled(half, new Set(["1"])),
    // @ts-expect-error: as above
    () => parallelMapStream(half, "abc"),
    // @ts-expect-error: no inputs
    () => parallelMap(half),
    // @ts-expect-error: inputs are iterable
    () => parallelMap(half, 5),
    // @ts-expect-error: fn is called with two arguments
    () => parallelMap((a: number, _: unknown, b: number) => a + b, [1]),
  );
});

test("types: promises among the inputs are awaited", () => {
  const pool = {} as Pool;
  const mixed = [Promise.resolve(1), 2];
  const texts: Promise<string>[] = [];
  gives<Results<number>>()(() => parallelMap(half, mixed));
  gives<Results<number>>()(() => parallelMap((n) => n * 2, mixed));
  gives<Results<string>>()(() => parallelMap((text) => text.trim(), texts));
  gives<Results<number>>()(() => parallelMap(<T>(value: T) => value, mixed));
  gives<Results<string | undefined>>()(() =>
    parallelMap((text) => text, [...texts, undefined])
  );
  gives<Results<number>>()(() =>
    parallelMap(([a, b]: [number, number]) => a + b, [[1, 2]])
  );
  gives<Settled<number>>()(() => parallelMapSettled((n) => n, mixed));
  gives<Stream<TaskOutcome<number, string>>>()(() =>
    parallelMapStream(later, mixed, { settled: true })
  );
  gives<Promise<number>>()(() => parallelReduce(half, (a, b) => a + b, mixed));
  gives<Results<number>>()(() => pool.map((n) => n, mixed));
  gives<Settled<number>>()(() => pool.mapSettled((n) => n, mixed));
  gives<Stream<number>>()(() => pool.stream((n) => n, new Set(mixed)));
  gives<Promise<number>>()(() => pool.reduce(half, (a, b) => a + b, mixed));
  refuses(
    // @ts-expect-error: half takes numbers
    () => parallelMap(half, texts),
    // @ts-expect-error: as above
    () => pool.map(half, texts),
  );
});

test("types: context.state is what init returns, awaited", () => {
  gives<Results<number>>()(() => parallelMap((_, { index }) => index, [""]));
  gives<Results<TaskContext<TextEncoder>>>()(() =>
    parallelMap((_, context) => context, [1], { init: encoder })
  );
  gives<Results<number>>()(() =>
    parallelMap((n, { state }) => n + state, [1], { init: seed })
  );
  gives<Results<number>>()(() =>
    parallelMap((n, { state }) => n + state, [1], { init: () => soon(1) })
  );
  gives<Pool<unknown, unknown, number>>()(() =>
    new Pool({ init: () => soon(1) })
  );
  gives<Settled<number>>()(() =>
    parallelMapSettled((n, { state }) => n + state, [1], { init: seed })
  );
  gives<Stream<number>>()(() =>
    parallelMapStream((n, { state }) => n + state, [1], { init: seed })
  );
  gives<Results<number>>()(() =>
    parallelMap((_, { state }) => state, [1], {
      workerData: 3,
      init: (data: number) => data,
    })
  );
  gives<Results<undefined>>()(() => parallelMap((_, { state }) => state, [1]));
  gives<Results<string | undefined>>()(() =>
    parallelMap(stated, [1], { workerData: "a" })
  );
  refuses(
    // @ts-expect-error: the state is a number
    () => parallelMap(stated, [1], { init: seed }),
    // @ts-expect-error: as above
    () => parallelMapSettled(stated, [1], { init: seed }),
    // @ts-expect-error: as above
    () => parallelMapStream(stated, [1], { init: seed }),
    // @ts-expect-error: a context has no such thing
    () => parallelMap((_, { attempts }) => attempts, [1]),
  );
});

test("types: context.state is workerData where there is no init", () => {
  const limits = new Int32Array(2);
  gives<Results<number>>()(() =>
    parallelMap((n, { state }) => n + state, [1], { workerData: 3 })
  );
  gives<Settled<string>>()(() =>
    parallelMapSettled((_, { state }) => state.name, [1], {
      workerData: { name: "a" },
    })
  );
  gives<Stream<number>>()(() =>
    parallelMapStream((n, { state }) => state.at(n) ?? 0, [1], {
      workerData: limits,
    })
  );
  gives<Promise<number>>()(() =>
    parallelReduce((n, { state }) => n + state, (a, b) => a + b, [1], {
      workerData: 3,
    })
  );
  gives<Results<null>>()(() =>
    parallelMap((_, { state }) => state, [1], { workerData: null })
  );
  gives<Results<number>>()(() =>
    new Pool({ workerData: { by: 2 } }).map((n, { state }) => n * state.by, [1])
  );
  refuses(
    // @ts-expect-error: the state is a number
    () => parallelMap((_, { state }) => state.at(0), [1], { workerData: 3 }),
    // @ts-expect-error: as above
    () => new Pool({ workerData: 3 }).map(stated, [1]),
  );
});

test("types: init takes workerData", () => {
  gives<Pool<unknown, { by: number }, string>>()(() =>
    new Pool({
      workerData: { by: 2 },
      init: async ({ by }) => await Promise.resolve(String(by)),
    })
  );
  gives<Results<number>>()(() =>
    parallelMap((n) => n, [1], { workerData: 3, init: (n) => n.toFixed() })
  );
  // An init whose parameter has no type comes after fn, which is asked first.
  gives<Results<string>>()(() =>
    parallelMap((_, { state }) => state, [1], {
      workerData: 3,
      init: (n: number) => n.toFixed(),
    })
  );
  const { data } = {} as { data: unknown };
  gives<Results<string>>()(() =>
    parallelMap((_, { state }) => state, [1], {
      workerData: data,
      init: (text: string) => text,
    })
  );
  const written: PoolOptions = { workerData: 3, init: (text: string) => text };
  gives<Pool>()(() => new Pool(written));
  const open = (path: string) => path;
  refuses(
    // @ts-expect-error: workerData is a number
    () => new Pool({ workerData: 3, init: open }),
    // @ts-expect-error: as above
    () => parallelMap(half, [1], { workerData: 3, init: open }),
    // @ts-expect-error: as above
    () => parallelMapSettled(half, [1], { workerData: 3, init: open }),
    // @ts-expect-error: as above
    () => parallelMapStream(half, [1], { workerData: 3, init: open }),
  );
});

test("types: the results are the typed array that output names", () => {
  const output = Float64Array;
  gives<Promise<Float64Array<ArrayBuffer>>>()(() =>
    parallelMap(half, [1], { output })
  );
  gives<Promise<BigInt64Array<ArrayBuffer>>>()(() =>
    parallelMap((n) => BigInt(n), [1], { output: BigInt64Array })
  );
  gives<Promise<Float64Array<ArrayBuffer>>>()(() =>
    parallelMap("work", [1], { output, module })
  );
  gives<Promise<Float64Array<ArrayBuffer>>>()(() =>
    new Pool({ init: seed }).map((n, { state }) => n + state, [1], { output })
  );
  gives<Promise<Float64Array<ArrayBuffer>>>()(() =>
    parallelMap(async (n, { state }) => await soon(n + state), [1], {
      output,
      init: seed,
    })
  );
  gives<Promise<Float64Array<ArrayBuffer>>>()(() =>
    parallelMap((n, { data }) => n > 1 ? 1 : data.by, [1], {
      output,
      data: { by: 2 },
      weight: (n) => n,
    })
  );
  gives<Promise<BigUint64Array<ArrayBuffer>>>()(() =>
    new Pool().map((n) => BigInt(n), [1], { output: BigUint64Array })
  );
  const unchecked = (text: string) => JSON.parse(text); // any
  gives<Promise<Float64Array<ArrayBuffer>>>()(() =>
    parallelMap(unchecked, ["1"], { output })
  );
  gives<Results<number>>()(() => parallelMap(half, [1], { output: undefined }));
  const shared = new Float64Array(new SharedArrayBuffer(8));
  gives<Promise<Float64Array<SharedArrayBuffer>>>()(() =>
    parallelMap(half, [1], { output: shared })
  );
  gives<Promise<Float64Array>>()(() =>
    new Pool().map("work", shared, { output: shared as Float64Array, module })
  );
  const some: MapOptions = { chunkSize: 1 };
  const into: MapOptions<Int8Array> = { output: Int8Array };
  gives<Results<number>>()(() => ({} as Pool).map(half, [1], some));
  gives<Promise<Int8Array>>()(() => parallelMap(half, [1], into));
  refuses(
    // @ts-expect-error: a text is no number
    () => parallelMap(later, [1], { output }),
    // @ts-expect-error: as above
    () => parallelMap((n) => String(n), [1], { output, workers: 1 }),
    // @ts-expect-error: nor is undefined
    () => parallelMap((n) => n > 1 ? n : undefined, [1], { output }),
    // @ts-expect-error: nor is nothing
    () => new Pool().map(() => {}, [1], { output, chunkSize: 1 }),
    // @ts-expect-error: it holds bigints
    () => parallelMap(half, [1], { output: BigInt64Array }),
    // @ts-expect-error: as above, for memory that is shared
    () => new Pool().map(half, [1], { output: {} as BigUint64Array }),
    // @ts-expect-error: it holds numbers
    () => parallelMap((n) => BigInt(n), [1], { output: shared }),
    // @ts-expect-error: an Array is no typed array
    () => parallelMap(half, [1], { output: Array }),
    // @ts-expect-error: nor is a list
    () => parallelMap(half, [1], { output: [1] }),
    // @ts-expect-error: nor is a list, also where the function has a name
    () => parallelMap("work", [1], { output: [1], module }),
    // @ts-expect-error: settled results are no numbers
    () => parallelMapSettled(half, [1], { output }),
    // @ts-expect-error: a stream has no list
    () => parallelMapStream(half, [1], { output }),
    // @ts-expect-error: as above, of a pool
    () => new Pool().mapSettled(half, [1], { output }),
    // @ts-expect-error: as above
    () => new Pool().stream(half, [1], { output }),
  );
});

test("types: a weight is that of an input", () => {
  interface File {
    name: string;
    size: number;
  }
  const files = [] as File[];
  const open = ({ name }: File) => name;
  const pool = {} as Pool;
  gives<Results<string>>()(() =>
    parallelMap(open, files, { weight: (file) => file.size })
  );
  gives<Results<string>>()(() =>
    parallelMap(open, files.map((file) => Promise.resolve(file)), {
      weight: ({ size }) => size,
    })
  );
  gives<Settled<string>>()(() =>
    pool.mapSettled(open, files, { weight: (file) => file.size })
  );
  gives<Stream<string>>()(() =>
    pool.stream(open, files, { weight: (file) => file.size, ordered: false })
  );
  gives<Promise<string>>()(() =>
    parallelReduce(open, (a, b) => a + b, files, { weight: (f) => f.size })
  );
  gives<Results<string>>()(() =>
    parallelMap(({ name }) => name, files, { weight: ({ size }) => size })
  );
  gives<Promise<Float64Array<ArrayBuffer>>>()(() =>
    parallelMap("work", [1], {
      output: Float64Array,
      module,
      weight: (n) => n,
    })
  );
  const some: RunOptions = { weight: ({ size }: { size: number }) => size };
  const heavy = { weight: ({ size }: File) => size, chunkSize: 1 };
  gives<Results<string>>()(() => pool.map(open, files, some));
  gives<Results<string>>()(() => pool.map(open, files, heavy));
  refuses(
    // @ts-expect-error: a file has no bytes
    () => parallelMap(open, files, { weight: (file) => file.bytes }),
    // @ts-expect-error: a text is no number
    () => pool.map(open, files, { weight: (file) => file.name }),
    // @ts-expect-error: nobody awaits it
    () => pool.map(open, files, { weight: async (file) => await file.size }),
  );
});

test("types: context.data is what its literal is", () => {
  const even = (n: number) => n % 2 === 0;
  gives<Results<number>>()(() =>
    parallelMap((n, { data }) => data.even(n) ? data.factor : 0, [1], {
      data: { even, factor: 2 },
    })
  );
  gives<Results<string>>()(() =>
    ({} as Pool).map((_, { data }) => data, [1], { data: "a" })
  );
  gives<Settled<string>>()(() =>
    parallelMapSettled((_, { data }) => data, [1], { data: "a" })
  );
  gives<Stream<string>>()(() =>
    parallelMapStream((_, { data }) => data, [1], { data: "a" })
  );
  gives<Promise<number>>()(() =>
    parallelReduce((n, { data }) => n + data, (a, b) => a + b, [1], {
      data: 1,
      initial: 0,
    })
  );
  // What a fold begins with is not what it is inferred from.
  gives<Promise<Map<number, number>>>()(() =>
    parallelReduce((n: number) => new Map([[n, 1]]), (a) => a, [1], {
      initial: new Map(),
    })
  );
  gives<Results<number>>()(() =>
    parallelMap((n, { data, state }) => n + data + state, [1], {
      init: seed,
      data: 1,
    })
  );
  const stringed = (_: number, { data }: TaskContext<unknown, string>) => data;
  refuses(
    // @ts-expect-error: the data is a number
    () => parallelMap(stringed, [1], { data: 1 }),
  );
});

test("types: what a function wants in its context must be there", () => {
  const pool = {} as Pool;
  type Given = { by: number };
  const scaled = (n: number, { data }: { data: Given }) => n * data.by;
  const maybe = (n: number, { data }: { data: Given | undefined }) =>
    n * (data?.by ?? 1);
  const anyhow = (_: number, context: TaskContext) => context.data;
  type Work = typeof import("./fixtures/typed.ts");
  const module: ModuleSpecifier<Work> = import.meta;
  const typed = {} as Pool<Work>;
  const add = (a: number, b: number) => a + b;
  const data = { by: 2 };
  gives<Results<number>>()(() => parallelMap(scaled, [1], { data }));
  gives<Results<number>>()(() => parallelMap(maybe, [1]));
  gives<Results<number>>()(() => pool.map(maybe, [1], { chunkSize: 1 }));
  gives<Results<unknown>>()(() => pool.map(anyhow, [1]));
  gives<Results<number>>()(() =>
    parallelMap("scale", [1], { module, data: { by: 2 } })
  );
  gives<Results<number>>()(() => typed.map("scale", [1], { data }));
  gives<Stream<number>>()(() => typed.stream("scale", [1], { data }));
  gives<Results<string[]>>()(() =>
    parallelMap("split", [["a", 1]], { module, init: () => "b" })
  );
  // So it must for a name, if the pool knows its state.
  const counted = new Pool({ module, init: seed });
  gives<Results<number>>()(() => counted.map("scale", [1], { data }));
  gives<Results<string[]>>()(() => typed.map("split", [["a", 1]]));
  gives<Results<string[]>>()(() =>
    new Pool({ module, init: () => "b" }).map("split", [["a", 1]])
  );
  gives<Results<string[]>>()(() =>
    new Pool({ workerData: "b" }).map("split", [["a", 1]], { module })
  );
  const squares = <S>(pool: Pool<Work, unknown, S>) => pool.map("square", [1]);
  gives<Results<number>>()(() => squares(counted));
  // Whoever maps for others hands on what they gave.
  const around = <T, R, S, D>(
    fn: (value: T, context: TaskContext<S, D>) => R,
    values: T[],
    data: D,
    init: () => S,
  ) => parallelMap(fn, values, { data, init });
  const with3 = <T, R>(fn: (value: T) => R, values: T[], how?: RunOptions) =>
    pool.map(fn, values, how);
  const handed = <T, R, S, D>(
    fn: MapFunction<T, R, S, D>,
    values: T[],
    how: PoolOptions<unknown, unknown, S> & RunOptions<D> & Needed<S, D>,
  ) => parallelMap(fn, values, how);
  const how = { data, chunkSize: 1 } satisfies RunOptions<Given>;
  gives<Results<number>>()(() => handed(scaled, [1], { data }));
  gives<Results<number>>()(() => parallelMap(scaled, [1], how));
  const optional = how as { data: Given; chunkSize: number } | undefined;
  gives<Results<number>>()(() => parallelMap(half, [1], optional));
  gives<Results<number>>()(() => pool.map(half, [1], optional));
  gives<Results<number>>()(() => around(scaled, [1], data, () => 1));
  gives<Results<number>>()(() => with3(half, [1]));
  gives<Results<number>>()(() => parallelMap(half, [1], undefined));
  gives<Results<number>>()(() => typed.map("square", [1], undefined));
  gives<Results<number>>()(() => typed.map("indexed", [1]));
  gives<Promise<number>>()(() => typed.reduce("square", add, [1]));
  // What may be undefined, where the function says so.
  const scaledOrNot = (n: number, { data }: { data?: { by: number } }) =>
    n * (data?.by ?? 1);
  const by = data as { by: number } | undefined;
  gives<Results<number>>()(() => parallelMap(scaledOrNot, [1], { data: by }));
  gives<Results<number>>()(() => pool.map(scaledOrNot, [1], { data: by }));
  gives<Results<number>>()(() =>
    pool.map((n: number, { data }) => n * (data?.by ?? 1), [1], { data: by })
  );
  refuses(
    // @ts-expect-error: it wants one
    () => parallelMap(scaled, [1], { data: by }),
    // @ts-expect-error: as above
    () => pool.map(scaled, [1], { data: by }),
    // @ts-expect-error: it gives texts
    () => parallelMap("shout", ["a"], { module, output: Float64Array }),
    // @ts-expect-error: as above
    () => typed.map("shout", ["a"], { output: Float64Array }),
  );
  refuses(
    // @ts-expect-error: no data
    () => parallelMap(scaled, [1]),
    // @ts-expect-error: as above
    () => parallelMap(scaled, [1], { workers: 1 }),
    // @ts-expect-error: as above
    () => parallelMapSettled(scaled, [1]),
    // @ts-expect-error: as above
    () => parallelMapSettled(scaled, [1], { workers: 1 }),
    // @ts-expect-error: as above
    () => parallelMapStream(scaled, [1]),
    // @ts-expect-error: as above
    () => parallelMapStream(scaled, [1], { ordered: false }),
    // @ts-expect-error: as above
    () => parallelReduce(scaled, add, [1]),
    // @ts-expect-error: as above
    () => parallelReduce(scaled, add, [1], { initial: 0 }),
    // @ts-expect-error: as above
    () => pool.map(scaled, [1]),
    // @ts-expect-error: as above
    () => pool.map(scaled, [1], { chunkSize: 1 }),
    // @ts-expect-error: as above
    () => pool.mapSettled(scaled, [1]),
    // @ts-expect-error: as above
    () => pool.mapSettled(scaled, [1], { chunkSize: 1 }),
    // @ts-expect-error: as above
    () => pool.stream(scaled, [1]),
    // @ts-expect-error: as above
    () => pool.stream(scaled, [1], { ordered: false }),
    // @ts-expect-error: as above
    () => pool.reduce(scaled, add, [1]),
    // @ts-expect-error: as above
    () => pool.reduce(scaled, add, [1], { initial: 0 }),
    // @ts-expect-error: as above
    () => parallelMap("scale", [1], { module }),
    // @ts-expect-error: as above
    () => typed.map("scale", [1], { chunkSize: 1 }),
    // @ts-expect-error: as above
    () => typed.map("scale", [1]),
    // @ts-expect-error: as above
    () => typed.mapSettled("scale", [1]),
    // @ts-expect-error: as above
    () => typed.stream("scale", [1]),
    // @ts-expect-error: as above
    () => typed.reduce("scale", add, [1]),
    // @ts-expect-error: as above
    () => typed.map("scale", [1], undefined),
    // @ts-expect-error: it takes no context
    () => parallelMap("add", [1], { module }),
    // @ts-expect-error: as above
    () => typed.map("add", [1]),
    // @ts-expect-error: it is a number
    () => parallelMap("scale", [1], { module, data: { by: "2" } }),
    // @ts-expect-error: as above
    () => parallelMapSettled("scale", [1], { module, data: { by: "2" } }),
    // @ts-expect-error: as above
    () => parallelMapStream("scale", [1], { module, data: { by: "2" } }),
    // @ts-expect-error: as above
    () => parallelReduce("scale", add, [1], { module, data: { by: "2" } }),
    // @ts-expect-error: as above
    () => typed.map("scale", [1], { data: { by: "2" } }),
    // @ts-expect-error: as above
    () => typed.mapSettled("scale", [1], { data: { by: "2" } }),
    // @ts-expect-error: as above
    () => typed.stream("scale", [1], { data: { by: "2" } }),
    // @ts-expect-error: as above
    () => typed.reduce("scale", add, [1], { data: { by: "2" } }),
    // @ts-expect-error: neither init nor workerData
    () => parallelMap(stated, [1]),
    // @ts-expect-error: as above
    () => parallelMap(stated, [1], { workers: 1 }),
    // @ts-expect-error: the state is a number
    () => parallelMap(stated, [1], { workerData: 3 }),
    // @ts-expect-error: neither init nor workerData
    () => parallelMap("split", [["a", 1]], { module }),
    // @ts-expect-error: the state is a number
    () => parallelMap("split", [["a", 1]], { module, workerData: 3 }),
    // @ts-expect-error: as above
    () => parallelMap("split", [["a", 1]], { module, init: seed }),
    // @ts-expect-error: as above
    () => new Pool({ module, init: seed }).map("split", [["a", 1]]),
    // @ts-expect-error: as above
    () => counted.mapSettled("split", [["a", 1]]),
    // @ts-expect-error: as above
    () => counted.stream("split", [["a", 1]]),
    // @ts-expect-error: as above
    () => counted.reduce("split", (a) => a, [["a", 1]]),
    // @ts-expect-error: as above
    () => new Pool({ init: seed }).map("split", [["a", 1]], { module }),
  );
});

test("types: a pool of machines checks data as well", () => {
  type Work = typeof import("./fixtures/typed.ts");
  const pool = {} as NatsPool<Work>;
  const data = { by: 2 };
  const add = (a: number, b: number) => a + b;
  const scaled = (n: number, { data }: { data: { by: number } }) => n * data.by;
  gives<Results<number>>()(() => pool.map("scale", [1], { data }));
  gives<Stream<number>>()(() => pool.stream("scale", [1], { data }));
  gives<Results<number>>()(() => pool.map(scaled, [1], { data }));
  refuses(
    // @ts-expect-error: no data
    () => pool.map("scale", [1], { retries: 1 }),
    // @ts-expect-error: it is a number
    () => pool.map("scale", [1], { data: { by: "2" } }),
    // @ts-expect-error: as above
    () => pool.mapSettled("scale", [1], { data: { by: "2" } }),
    // @ts-expect-error: as above
    () => pool.stream("scale", [1], { data: { by: "2" } }),
    // @ts-expect-error: as above
    () => pool.reduce("scale", add, [1], { data: { by: "2" } }),
    // @ts-expect-error: no data
    () => pool.map(scaled, [1], { retries: 1 }),
    // @ts-expect-error: as above
    () => pool.mapSettled(scaled, [1], { retries: 1 }),
    // @ts-expect-error: as above
    () => pool.stream(scaled, [1], { retries: 1 }),
    // @ts-expect-error: as above
    () => pool.reduce(scaled, add, [1], { retries: 1 }),
  );
});

test("types: a generator may yield all that a stream does", () => {
  const words = async function* (): AsyncGenerator<string, void, unknown> {
    yield* parallelMapStream(later, [1]);
  };
  const any = async function* <T, R>(
    fn: (value: T) => Promise<R>,
    values: Inputs<T>,
  ): AsyncGenerator<R> {
    yield* parallelMapStream(fn, values, { ordered: false });
  };
  gives<AsyncGenerator<string>>()(() => any(later, [1]));
  const outcomes = (pool: Pool): AsyncGenerator<unknown, void, unknown> =>
    pool.stream(later, [1], { settled: true });
  gives<AsyncGenerator<unknown, void, unknown>[]>()(() => [
    words(),
    outcomes({} as Pool),
  ]);
});

test("types: a pool knows the state of its workers", () => {
  gives<Pool>()(() => new Pool());
  gives<Pool<unknown, number>>()(() => new Pool({ workerData: 3 }));
  gives<Pool<unknown, unknown, TextEncoder>>()(() =>
    new Pool({ init: encoder })
  );
  gives<Pool<unknown, unknown, number>>()(() => new Pool({ init: seed }));
  gives<Pool<unknown, string, string>>()(() =>
    new Pool({ init: (data: string) => data })
  );

  const pool = {} as Pool<unknown, unknown, number>;
  const any: Pool = pool;
  const numbers: Pool<unknown, number> = pool;
  gives<Pool[]>()(() => [any, numbers, pool]);
  gives<Results<number>>()(() => pool.map((n, { state }) => n + state, [1]));
  gives<Settled<number>>()(() =>
    pool.mapSettled((n, { state }) => n + state, [1])
  );
  gives<Stream<number>>()(() => pool.stream((n, { state }) => n + state, [1]));
  gives<Results<unknown>>()(() => pool.map("work", [1], { module }));
  gives<Promise<void>>()(() => pool.start());
  gives<Promise<void>>()(() => pool.close());
  refuses(
    // @ts-expect-error: the state is a number
    () => pool.map(stated, [1]),
    // @ts-expect-error: as above
    () => pool.mapSettled(stated, [1]),
    // @ts-expect-error: as above
    () => pool.stream(stated, [1]),
  );
});

test("types: a function given by its name has the types of its module", () => {
  type Work = typeof import("./fixtures/typed.ts");
  const module: ModuleSpecifier<Work> = new URL(import.meta.url);
  const text: ModuleSpecifier<Work> = import.meta.url;
  const meta: ModuleSpecifier<Work> = import.meta;
  const pool = new Pool({ module, workers: 2, init: seed });
  const output = Float64Array;
  gives<Results<number>>()(() => parallelMap("square", [1], { module }));
  gives<Results<string>>()(() => parallelMap("shout", "a", { module: text }));
  gives<Results<string[]>>()(() =>
    parallelMap("split", [["a", 1]], { module: meta, workerData: "a" })
  );
  gives<Promise<Float64Array<ArrayBuffer>>>()(() =>
    parallelMap("square", [1], { module, output })
  );
  gives<Settled<string>>()(() => parallelMapSettled("shout", "a", { module }));
  gives<Stream<string>>()(() => parallelMapStream("shout", "a", { module }));
  gives<Stream<TaskOutcome<string, string>>>()(() =>
    parallelMapStream("shout", "a", { module, settled: true })
  );
  gives<Promise<number>>()(() =>
    parallelReduce("square", (a, b) => a + b, [1], { module, initial: 0 })
  );

  gives<Pool<Work, unknown, number>>()(() => pool);
  gives<Pool<Work>>()(() => new Pool<Work>({ module: import.meta.url }));
  gives<Results<number>>()(() => pool.map("square", [1]));
  gives<Promise<Float64Array<ArrayBuffer>>>()(() =>
    pool.map("square", [1], { output })
  );
  gives<Settled<string>>()(() => pool.mapSettled("shout", ["a"]));
  gives<Stream<string>>()(() => pool.stream("shout", ["a"]));
  gives<Promise<number>>()(() => pool.reduce("square", (a, b) => a + b, [1]));
  gives<Results<string>>()(() => new Pool().map("shout", "a", { module }));
  gives<Results<number>>()(() => pool.map((n, { state }) => n + state, [1]));
  // What is written by hand says as much.
  const hand: ModuleSpecifier<{ sum(ns: number[]): number }> = "file:///a.js";
  gives<Results<number>>()(() => parallelMap("sum", [[1]], { module: hand }));
  refuses(
    // @ts-expect-error: there is no such function
    () => parallelMap("squares", [1], { module }),
    // @ts-expect-error: as above
    () => parallelMapSettled("squares", [1], { module }),
    // @ts-expect-error: as above
    () => parallelMapStream("squares", [1], { module }),
    // @ts-expect-error: as above
    () => parallelReduce("squares", (a) => a, [1], { module }),
    // @ts-expect-error: as above
    () => pool.map("squares", [1]),
    // @ts-expect-error: as above
    () => pool.mapSettled("squares", [1]),
    // @ts-expect-error: as above
    () => pool.stream("squares", [1]),
    // @ts-expect-error: as above
    () => pool.reduce("squares", (a) => a, [1]),
    // @ts-expect-error: it is a number
    () => parallelMap("version", [1], { module }),
    // @ts-expect-error: it is a class
    () => parallelMap("Shape", [1], { module }),
    // @ts-expect-error: it takes numbers
    () => parallelMap("square", ["a"], { module }),
    // @ts-expect-error: as above
    () => parallelMapSettled("square", ["a"], { module }),
    // @ts-expect-error: as above
    () => parallelMapStream("square", ["a"], { module }),
    // @ts-expect-error: as above
    () => parallelReduce("square", (a) => a, ["a"], { module }),
    // @ts-expect-error: as above
    () => pool.map("square", ["a"]),
    // @ts-expect-error: as above
    () => pool.mapSettled("square", ["a"]),
    // @ts-expect-error: as above
    () => pool.stream("square", ["a"]),
    // @ts-expect-error: as above
    () => pool.reduce("square", (a) => a, ["a"]),
    // @ts-expect-error: results are numbers
    () => pool.reduce("square", (a: string) => a, [1]),
    // @ts-expect-error: a name says of which module
    () => parallelMap("square", [1]),
  );
});

test("types: of a module that is not typed, nobody knows its functions", () => {
  gives<Results<unknown>>()(() => parallelMap("work", [1], { module }));
  gives<Settled<unknown>>()(() => parallelMapSettled("work", [1], { module }));
  gives<Stream<unknown>>()(() => parallelMapStream("work", [1], { module }));
  gives<Promise<unknown>>()(() =>
    parallelReduce("work", (a) => a, [1], { module })
  );
  gives<Stream<TaskOutcome<number, unknown>>>()(() =>
    parallelMapStream("work", [1], { module, settled: true })
  );
  const name: string = "work";
  gives<Results<unknown>>()(() => parallelMap(name, [1], { module }));
});

test("types: a generic function gives what it makes of its inputs", () => {
  const same = <T>(value: T) => value;
  const pair = <T>(value: T): [T, T] => [value, value];
  const wait = async <T>(value: T) => await Promise.resolve(value);
  const pool = {} as Pool;
  gives<Results<number>>()(() => parallelMap(same, [1]));
  gives<Results<number>>()(() =>
    parallelMap(same, [1], { workers: 2, module })
  );
  gives<Results<[string, string]>>()(() => parallelMap(pair, new Set(["a"])));
  gives<Results<number>>()(() => parallelMap(wait, [1]));
  gives<Settled<number>>()(() => parallelMapSettled(same, [1]));
  gives<Stream<number>>()(() => parallelMapStream(same, [1]));
  gives<Promise<number>>()(() => parallelReduce(same, (a, b) => a + b, [1]));
  gives<Results<number>>()(() => pool.map(same, [1]));
  gives<Settled<number>>()(() => pool.mapSettled(same, [1]));
  gives<Stream<number>>()(() => pool.stream(same, [1]));
  gives<Promise<number>>()(() => pool.reduce(same, (a, b) => a + b, [1]));
});

test("types: a function around a call may be generic itself", () => {
  const all = <T, R>(fn: (value: T) => R, values: T[]) =>
    parallelMap(fn, values);
  gives<Results<number>>()(() => all(half, [1]));
  const paths = <T extends { path: string }>(values: T[]) =>
    new Pool().map(({ path }) => path, values);
  gives<Results<string>>()(() => paths([{ path: "a" }]));
});

test("types: an option that is unknown or of the wrong kind is refused", () => {
  const pool = {} as Pool;
  refuses(
    // @ts-expect-error: it is called workers
    () => parallelMap(half, [1], { worker: 5 }),
    // @ts-expect-error: it is a number
    () => parallelMap(half, [1], { workers: "2" }),
    // @ts-expect-error: it is a string
    () => parallelMap(half, [1], { backend: 5 }),
    // @ts-expect-error: a string, or an object
    () => parallelMap(half, [1], { permissions: 5 }),
    // @ts-expect-error: one of Deno's
    () => parallelMap(half, [1], { permissions: { reed: true } }),
    // @ts-expect-error: the controller is not its signal
    () => parallelMap(half, [1], { signal: new AbortController() }),
    // @ts-expect-error: no URL
    () => parallelMap(half, [1], { module: 5 }),
    // @ts-expect-error: for a stream
    () => parallelMap(half, [1], { ordered: false }),
    // @ts-expect-error: as above
    () => parallelMapSettled(half, [1], { bufferSize: 1 }),
    // @ts-expect-error: of a call
    () => new Pool({ concurrency: 2 }),
    // @ts-expect-error: as above
    () => new Pool({ timeout: 2 }),
    // @ts-expect-error: of a pool
    () => pool.map(half, [1], { workers: 2 }),
    // @ts-expect-error: as above
    () => pool.stream(half, [1], { maxTasksPerWorker: 2 }),
    // @ts-expect-error: for a stream
    () => pool.map(half, [1], { ordered: false }),
  );
});

test("types: options may stand in a variable", () => {
  const how = { workers: 2, backend: "threads", module, workerData: 3 };
  const run = { chunkSize: 1, transfer: true, output: Float64Array, data: "a" };
  const outcomes = { ordered: false, settled: true };
  gives<Promise<Float64Array<ArrayBuffer>>>()(() =>
    parallelMap((n, { data, state }) => n + data.length + state, [1], {
      ...how,
      ...run,
    })
  );
  gives<Results<string>>()(() => parallelMap(later, [1], how));
  gives<Settled<string>>()(() => parallelMapSettled(later, [1], how));
  gives<Promise<Float64Array<ArrayBuffer>>>()(() =>
    new Pool(how).map((n, { state }) => n + state, [1], run)
  );
  const apart = { backend: "processes", permissions: "none" };
  gives<Pool>()(() => new Pool(apart));
  gives<Results<string>>()(() => parallelMap(later, [1], apart));
  const place = { servers: ["a", "b"] as const, pool: "p", storage: "memory" };
  const [client, machine]: [ConnectOptions, WorkerOptions] = [
    place,
    { ...place, ...apart },
  ];
  void [client, machine];
  // There, TypeScript does not know that true is meant to stay so.
  gives<Stream<string | TaskOutcome<number, string>>>()(() =>
    parallelMapStream(later, [1], outcomes)
  );
});

test("types: a job log takes promises among its inputs, as a stream does", () => {
  const log = {} as JobLog;
  type Logged<T> = AsyncGenerator<LoggedOutcome<T, number>, undefined, unknown>;
  const lengthOf = (text: string) => text.length;
  gives<Logged<string>>()(() =>
    log.stream(
      [Promise.resolve("a")],
      (rest, options) => parallelMapStream(lengthOf, rest, options),
      { key: (text) => text.slice(1) },
    )
  );
  gives<Logged<string>>()(() =>
    log.stream(
      ["a", Promise.resolve("b")],
      (rest, options) => parallelMapStream(lengthOf, rest, options),
    )
  );
  gives<Logged<string>>()(() =>
    log.stream(
      ["a"],
      (rest, options) => parallelMapStream(lengthOf, rest, options),
    )
  );
});

test("types: listeners and errors say what they carry", () => {
  gives<Results<number>>()(() =>
    parallelMap(half, [1], {
      onProgress: progressBar(),
      onEvent: new Timeline().record,
    })
  );
  const event = {} as RunEvent;
  const error = {} as TaskError;
  gives<number>()(() => event.type === "chunk-send" ? event.tasks : 0);
  gives<number>()(() => error.index + error.attempts);
  gives<unknown>()(() => error.cause);
  refuses(
    // @ts-expect-error: not every event has tasks
    () => event.tasks,
    // @ts-expect-error: read only
    () => error.index = 1,
  );
});
