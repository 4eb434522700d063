// Bad input gets a clear error at the call, before a worker starts.
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  parallelMap,
  parallelMapSettled,
  parallelMapStream,
  Pool,
} from "../mod.ts";
import { test } from "./harness.ts";

const id = (n: number) => n;
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
    "inputs are not null",
    () => parallelMap(id, wrong(null)),
    TypeError,
    "received null",
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
    '"workers" must be a whole number from 0: received 1.5',
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
