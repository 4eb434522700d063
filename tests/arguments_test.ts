// Bad input gets a clear error at the call, before a worker starts.
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertThrows,
} from "@std/assert";
import process from "node:process";
import { runInNewContext } from "node:vm";
import {
  parallelMap,
  parallelMapSettled,
  parallelMapStream,
  parallelReduce,
  Pool,
  type TaskContext,
} from "../mod.ts";
import { checkOptions, MAP_RULES } from "../src/core/api/option_rules.ts";
import { moduleUrl } from "../src/core/wire/function_ref.ts";
import { test } from "./harness.ts";
import { pause } from "./until.ts";

const id = (n: number) => n;
const shared = (bytes: number) => new Int32Array(new SharedArrayBuffer(bytes));
const bad = (options: object) => parallelMap(id, [1], options);
// deno-lint-ignore no-explicit-any -- wrong kinds on purpose
const wrong = (value: unknown) => value as any;

type Case = [
  rule: string,
  call: () => Promise<unknown>,
  Kind: typeof TypeError | typeof RangeError,
  message: string,
];

const CASES: Case[] = [
  [
    "fn is a function",
    () => parallelMap(wrong(5), [1]),
    TypeError,
    "fn must be a function or the name of an export: received 5",
  ],
  [
    "fn is not native",
    () => parallelMap(Math.sqrt, [1]),
    TypeError,
    "a native or bound function has no source to ship",
  ],
  [
    "fn is not bound",
    () => parallelMap(id.bind(null), [1]),
    TypeError,
    "a native or bound function has no source to ship",
  ],
  [
    "fn is not a class",
    () => parallelMap(wrong(class A {}), [1]),
    TypeError,
    "callable without new: received class A",
  ],
  [
    "a name needs module",
    () => parallelMap(wrong("f"), [1]),
    TypeError,
    'needs "module": received "f"',
  ],
  [
    "module is absolute",
    () => bad({ module: "./work.ts" }),
    TypeError,
    'absolute URL such as import.meta.url: received "./work.ts"',
  ],
  [
    "module is not null",
    () => bad({ module: null }),
    TypeError,
    "absolute URL such as import.meta.url: received null",
  ],
  [
    "results fit in output",
    () =>
      parallelMap(wrong((n: number) => n < 3 ? BigInt(n) : n), [1, 2, 3], {
        output: BigInt64Array,
        workers: 0,
      }),
    TypeError,
    'every result must fit in "output": received 3 for the input at index 2',
  ],
  [
    "a function with module has a name",
    () => parallelMap((n: number) => n, [1], { module: import.meta.url }),
    TypeError,
    "must have the name of its export",
  ],
  [
    "inputs are iterable",
    () => parallelMap(id, wrong(5)),
    TypeError,
    "inputs must be iterable or async iterable: received 5",
  ],
  [
    "inputs give an iterator",
    () => parallelMap(id, wrong({ [Symbol.iterator]: () => ({ a: 1 }) })),
    TypeError,
    "inputs must give an iterator: received Object",
  ],
  [
    "inputs give an async iterator",
    () => parallelMap(id, wrong({ [Symbol.asyncIterator]: () => 5 })),
    TypeError,
    "inputs must give an iterator: received 5",
  ],
  [
    "inputs are not null",
    () => parallelMap(id, wrong(null)),
    TypeError,
    "received null",
  ],
  [
    "concurrency has an end",
    () => bad({ concurrency: 2 ** 31 }),
    RangeError,
    '"concurrency" must be a whole number from 1 to 65536: received 2147483648',
  ],
  [
    "workers have an end",
    () => bad({ workers: Number.MAX_SAFE_INTEGER }),
    RangeError,
    '"workers" must be a whole number from 0 to 65536: received 9007199254740991',
  ],
  [
    "maxMemory has an end",
    () => bad({ maxMemory: 1e21 }),
    RangeError,
    '"maxMemory" must be a whole number from 64 to 1099511627776: received 1e+21',
  ],
  [
    "options are no Map",
    () => bad(new Map([["timeout", 5]])),
    TypeError,
    "options must be an object with a name for each: received Map",
  ],
  [
    "options are no list",
    () => bad([]),
    TypeError,
    "options must be an object with a name for each: received Array",
  ],
  [
    "options are an object",
    () => parallelMap(id, [1], wrong(null)),
    TypeError,
    "options must be an object: received null",
  ],
  [
    "options are known",
    () => bad({ worker: 5 }),
    TypeError,
    'received "worker"',
  ],
  [
    "workers is whole",
    () => bad({ workers: 1.5 }),
    RangeError,
    '"workers" must be a whole number from 0 to 65536: received 1.5',
  ],
  [
    "workers is not negative",
    () => bad({ workers: -1 }),
    RangeError,
    "received -1",
  ],
  [
    "workers is a number",
    () => bad({ workers: "5" }),
    TypeError,
    'received "5"',
  ],
  [
    "chunkSize is a number, and no bigint",
    () => bad({ chunkSize: 2n }),
    TypeError,
    '"chunkSize" must be a whole number from 1: received 2n',
  ],
  [
    "no bigint fits in output of numbers",
    () =>
      parallelMap(wrong((n: number) => n < 3 ? n : BigInt(n)), [1, 2, 3], {
        output: Float64Array,
        workers: 0,
      }),
    TypeError,
    'every result must fit in "output": received 3n for the input at index 2',
  ],
  [
    "chunkSize is from 1",
    () => bad({ chunkSize: 0 }),
    RangeError,
    '"chunkSize" must be a whole number from 1: received 0',
  ],
  [
    "concurrency is from 1",
    () => bad({ concurrency: NaN }),
    RangeError,
    "received NaN",
  ],
  ["retries is from 0", () => bad({ retries: -1 }), RangeError, '"retries"'],
  [
    "timeout is above 0",
    () => bad({ timeout: 0 }),
    RangeError,
    '"timeout" must be a number of milliseconds above 0: received 0',
  ],
  [
    "signal is a signal, and not only looks like one",
    () => bad({ signal: Object.create(AbortSignal.prototype) }),
    TypeError,
    '"signal" must be an AbortSignal: received AbortSignal',
  ],
  [
    "signal is a signal",
    () => bad({ signal: {} }),
    TypeError,
    '"signal" must be an AbortSignal: received Object',
  ],
  [
    "backend is known",
    () => bad({ backend: "fibers" }),
    TypeError,
    'received "fibers"',
  ],
  [
    "output is a class of typed arrays",
    () => bad({ output: Array }),
    TypeError,
    '"output" must be a typed-array constructor',
  ],
  [
    "output is no number, which is of the wrong kind and not out of a range",
    () => bad({ output: 5 }),
    TypeError,
    '"output" must be a typed-array constructor',
  ],
  [
    "permissions are no number either",
    () => bad({ permissions: 0 }),
    TypeError,
    '"permissions" must be "none"',
  ],
  [
    "permissions have known names",
    () => bad({ permissions: { reed: true } }),
    TypeError,
    'a list of texts without commas: received "reed"',
  ],
  [
    "permissions are lists",
    () => bad({ permissions: { net: "example.com" } }),
    TypeError,
    'a list of texts without commas: received "example.com"',
  ],
  [
    "permissions are lists of texts",
    () => bad({ permissions: { read: ["a", undefined] } }),
    TypeError,
    "a list of texts without commas: received undefined",
  ],
  [
    "an option of a stream is none of a map",
    () => bad({ ordered: false }),
    TypeError,
    'received "ordered", which a stream takes',
  ],
  [
    "an option of a pool is none of its calls",
    () => new Pool().map(id, [1], wrong({ workers: 2 })),
    TypeError,
    'received "workers", which new Pool takes',
  ],
  [
    "output is in shared memory",
    () => bad({ output: new Float64Array(9) }),
    TypeError,
    '"output" must be a typed-array constructor, or a typed array in shared memory: received Float64Array',
  ],
  [
    "onProgress is a function",
    () => bad({ onProgress: 1 }),
    TypeError,
    '"onProgress" must be a function: received 1',
  ],
  [
    "workerData is cloneable",
    () => bad({ workerData: () => 1 }),
    TypeError,
    '"workerData" must be cloneable',
  ],
  [
    "maxTasksPerWorker is from 1",
    () => bad({ maxTasksPerWorker: 0 }),
    RangeError,
    "received 0",
  ],
];

for (const [rule, call, Kind, message] of CASES) {
  test(`parallelMap() checks that ${rule}`, async () => {
    await assertRejects(call, Kind, message);
  });
}

test("a misspelt option is refused by every function", async () => {
  const options = wrong({ chunksize: 5 });
  await assertRejects(() => parallelMapSettled(id, [1], options), TypeError);
  assertThrows(() => parallelMapStream(id, [1], options), TypeError);
  assertThrows(() => new Pool(options), TypeError, "Cannot create pool as");
  await using pool = new Pool({ workers: 1 });
  await assertRejects(() => pool.map(id, [1], options), TypeError);
  await assertRejects(
    () => pool.map(id, [1], wrong({ workers: 2 })),
    TypeError,
  );
  assertThrows(() => pool.stream(id, [1], options), TypeError);
});

test("a refused call leaves no promise of its inputs that nobody handles", async () => {
  const left: unknown[] = [];
  const hear = (error: unknown) => left.push(error);
  process.on("unhandledRejection", hear);
  await using pool = new Pool({ workers: 1 });
  const inputs = () => [1, Promise.reject(new Error("mine"))];
  const options = wrong({ chunksize: 5 });
  const calls = [
    () => parallelMap(id, inputs(), options),
    () => parallelMapSettled(id, inputs(), options),
    () => parallelMapStream(id, inputs(), options).next(),
    () => parallelReduce(id, wrong(5), inputs()),
    () => parallelReduce(id, id, inputs(), options),
    () => pool.map(id, inputs(), options),
    () => pool.mapSettled(id, inputs(), options),
    () => pool.stream(id, inputs(), options).next(),
    () => pool.reduce(id, wrong(5), inputs()),
    () => pool.reduce(id, id, inputs(), options),
    () => pool.map(wrong(5), inputs()),
  ];
  for (const call of calls) {
    await assertRejects(async () => await call(), TypeError);
  }
  await pause(1); // they are told in another turn
  process.off("unhandledRejection", hear);
  assertEquals(left, []);
});

test("why a call is refused hides behind no error of its inputs", async () => {
  const inputs = {
    [Symbol.iterator]: () => inputs,
    next: () => ({ done: true as const, value: undefined }),
    return(): never {
      throw new RangeError("mine");
    },
  };
  await assertRejects(
    () => parallelMap(id, [1], { backend: "processes", output: shared(8) }),
    TypeError,
    '"output" must be a typed-array constructor where workers share no memory',
  );
  await assertRejects(
    () => parallelMap(id, inputs, { backend: "processes", output: shared(8) }),
    TypeError,
    '"output" must be a typed-array constructor where workers share no memory',
  );
});

test("a reduction begins with no promise", async () => {
  await using pool = new Pool({ workers: 1 });
  const sum = (a: number, b: number) => a + b;
  for (const initial of [Promise.resolve(5), { then: () => {} }]) {
    for (const inputs of [[], [1, 2]]) {
      await assertRejects(
        () => pool.reduce(id, sum, inputs, wrong({ initial })),
        TypeError,
        'Cannot reduce as "initial" must be a value, and no promise of one',
      );
    }
  }
  await pool.close();
  await assertRejects(
    () => pool.reduce(id, sum, [1]),
    TypeError,
    "Cannot reduce as the pool is closed",
  );
});

test("a change of options after the call does nothing", async () => {
  const all: Record<string, unknown> = { workers: 1 };
  await using pool = new Pool(all);
  all.workers = 3;
  const at = (_: number, { worker }: TaskContext) => {
    for (const end = Date.now() + 20; Date.now() < end;);
    return worker;
  };
  assertEquals(new Set(await pool.map(at, [1, 2, 3, 4])).size, 1);
  const options: Record<string, unknown> = { chunkSize: 1 };
  const streams = [
    pool.stream(id, [1, 2], options),
    parallelMapStream(id, [1, 2], options),
  ];
  const call = pool.map(id, [1, 2], options);
  Object.assign(options, { chunkSize: 0, bufferSize: -1, settled: true });
  assertEquals(await call, [1, 2]);
  for (const stream of streams) {
    assertEquals(await Array.fromAsync(stream), [1, 2]);
  }
});

test("an option is read once, and its check is of what is used", async () => {
  const turning = (first: unknown, then: unknown) => {
    let reads = 0;
    return {
      get chunkSize() {
        return reads++ === 0 ? first : then;
      },
    } as object;
  };
  await using pool = new Pool({ workers: 1 });
  const calls: ((options: object) => Promise<unknown>)[] = [
    (options) => parallelMap(id, [1, 2, 3], options),
    (options) => parallelMapSettled(id, [1, 2, 3], options),
    (options) => Array.fromAsync(parallelMapStream(id, [1, 2, 3], options)),
    (options) => pool.map(id, [1, 2, 3], options),
    (options) => pool.mapSettled(id, [1, 2, 3], options),
    (options) => pool.reduce(id, (a, b) => a + b, [1, 2, 3], options),
    async (options) =>
      await Array.fromAsync(pool.stream(id, [1, 2, 3], options)),
  ];
  for (const call of calls) {
    await call(turning(1, -1));
    await assertRejects(
      async () => await call(turning(-1, 1)),
      RangeError,
      '"chunkSize" must be a whole number from 1',
    );
  }
});

test("without workers, every backend is taken, also with a timeout", async () => {
  for (const backend of ["web", "threads", "processes"] as const) {
    const options = { workers: 0, backend, timeout: 60_000 };
    assertEquals(await parallelMap(id, [1], options), [1]);
  }
});

test("a typed array with an iterator of its own is read by that", async () => {
  class Own extends Uint8Array {
    override *[Symbol.iterator](): ArrayIterator<number> {
      yield 7;
    }
  }
  assertEquals(await parallelMap(id, new Own([1, 2]), { workers: 0 }), [7]);
});

test("what somebody has added to all objects is no option", async () => {
  const all = Object.prototype as { timeout?: number; other?: number };
  all.timeout = -1;
  all.other = 1;
  try {
    const results = await parallelMap(id, [1, 2], { workers: 1 });
    assertEquals(results, [1, 2]);
  } finally {
    delete all.timeout;
    delete all.other;
  }
});

test("options that are inherited count, and are checked", async () => {
  await using pool = new Pool(Object.create({ workers: 1 }));
  assertEquals(pool.workers, 1);
  class Options {
    get chunkSize() {
      return 0;
    }
  }
  for (const all of [Object.create({ chunkSize: 0 }), new Options()]) {
    for (const map of [parallelMap, pool.map.bind(pool)]) {
      await assertRejects(() => map(id, [1], all), RangeError, "received 0");
    }
  }
  const misspelt = Object.create({ chunksize: 1 });
  await assertRejects(() => pool.map(id, [1], misspelt), TypeError);
  await assertRejects(() => bad(misspelt), TypeError, 'received "chunksize"');
});

test("an option that is undefined takes its default", async () => {
  const options = { workers: undefined, chunkSize: undefined };
  assertEquals(await parallelMap(id, [1], options), [1]);
});

test("every kind of function can be shipped", async () => {
  const inAnObject = {
    method(n: number) {
      return n + 1;
    },
    async later(n: number) {
      return await n + 1;
    },
    ["com" + "puted"](n: number) {
      return n + 1;
    },
    arrow: (n: number) => n + 1,
  };
  const all = [
    ...Object.values(inAnObject),
    function (n: number) {
      return n + 1;
    },
    async (n: number) => (await n) + 1,
    ({ ...rest }: object & { length?: number }) => (rest.length ?? 0) + 2,
    // a comment in front of it
    (n: number) => /* and inside */ n + 1, // and behind it
  ];
  await using pool = new Pool({ workers: 1 });
  for (const fn of all) assertEquals(await pool.map(wrong(fn), [1]), [2]);
});

test("output may be a class of another realm, as in Jest", async () => {
  const Kind: Float64ArrayConstructor = runInNewContext("Float64Array");
  const half = (n: number) => n / 2;
  const options = { workers: 1, output: Kind };
  const results = await parallelMap(half, [1, 2], options);
  assertInstanceOf(results, Kind);
  assertEquals([...results], [0.5, 1]);
});

test("signal may be of a class in the place of the platform's", async () => {
  const own = globalThis.AbortSignal;
  class Signal extends EventTarget {
    aborted = false;
  }
  globalThis.AbortSignal = Signal as never;
  try {
    const signal = new Signal() as unknown as AbortSignal;
    const options = { workers: 0, signal };
    assertEquals(await parallelMap((n: number) => n, [1], options), [1]);
  } finally {
    globalThis.AbortSignal = own;
  }
});

test("module may be a URL of another realm", () => {
  const module = runInNewContext('({ href: "file:///work.js" })') as URL;
  assertEquals(moduleUrl(module), "file:///work.js");
  for (const odd of [{}, { href: 5 }, { href: "work.js" }, null, undefined]) {
    assertThrows(
      () => moduleUrl(odd as URL),
      TypeError,
      '"module" must be an absolute URL',
    );
  }
});

test("output must be in shared memory, of whatever realm", async () => {
  const [own, shared, array] = runInNewContext(`[
    new ArrayBuffer(8), new SharedArrayBuffer(8), new Int32Array(new SharedArrayBuffer(8)),
  ]`) as [ArrayBuffer, SharedArrayBuffer, Int32Array<SharedArrayBuffer>];
  const named = new Int32Array(own);
  Object.defineProperty(named, "buffer", { value: shared });
  const bare = Object.setPrototypeOf({ buffer: {} }, Int32Array.prototype);
  for (const output of [new Int32Array(own), named, bare]) {
    assertThrows(
      () => checkOptions("map", { output }, MAP_RULES),
      TypeError,
      "a typed array in shared memory",
    );
  }
  for (
    const output of [
      new Int32Array(shared) as Int32Array<SharedArrayBuffer>,
      array,
    ]
  ) {
    const options = { workers: 1, output };
    assert(await parallelMap((n: number) => n + 1, [1, 2], options) === output);
    assertEquals([...output], [2, 3]);
  }
});
