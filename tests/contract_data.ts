// A chapter of the contract (contract.ts): what a call brings along.
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { TaskError } from "../mod.ts";
import type { TaskContext } from "../mod.ts";
import type { Chapter } from "./contract.ts";

const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const TASKS = new URL("./fixtures/tasks.ts", import.meta.url);

/** What is promised of `data`. */
export const bringing: Chapter = (it, { calls, pool }) => {
  const {
    parallelMap,
    parallelMapSettled,
    parallelMapStream,
    parallelReduce,
    Pool,
  } = calls;
  const isEven = (n: number) => n % 2 === 0;

  it("data is what one call brings along, functions included", async () => {
    await using workers = new Pool(pool);
    const even = await workers.map(
      (n, { data }) => data.isEven(n) ? n * data.factor : 0,
      range(10),
      { data: { isEven, factor: 3 } },
    );
    assertEquals(even, [0, 0, 6, 0, 12, 0, 18, 0, 24, 0]);
    // Another call, another value; and none.
    assertEquals(
      await workers.map((n, { data }) => n + data, range(3), { data: 10 }),
      [10, 11, 12],
    );
    assertEquals(
      await workers.map((_, { data }) => data === undefined, range(2)),
      [true, true],
    );
    const options = { ...pool, data: { isEven } };
    type Context = TaskContext<unknown, { isEven: typeof isEven }>;
    const fn = (n: number, { data }: Context) => data.isEven(n) ? 1 : 0;
    const add = (a: number, b: number) => a + b;
    assertEquals(await parallelReduce(fn, add, range(9), options), 5);
    assertEquals(
      await Array.fromAsync(parallelMapStream(fn, range(3), options)),
      [1, 0, 1],
    );
    assertEquals(
      (await parallelMapSettled(fn, range(2), options)).map((r) => r.status),
      ["fulfilled", "fulfilled"],
    );
  });

  it("data keeps its shape: nested functions, shared parts, odd keys", async () => {
    const shared = { isEven };
    const data = {
      list: [1, { twice: (n: number) => n * 2 }, shared],
      again: shared,
      ["__proto__"]: { ten: () => 10 },
      async later(n: number) {
        return await Promise.resolve(n + 1);
      },
      map: new Map([["a", new Date(5)]]),
      bytes: new Uint8Array([1, 2]),
      error: new RangeError("kept"),
    };
    const see = async (_: number, { data: given }: TaskContext) => {
      const data = given as {
        list: [number, { twice(n: number): number }, { isEven: unknown }];
        again: { isEven(n: number): boolean };
        later(n: number): Promise<number>;
        map: Map<string, Date>;
        bytes: Uint8Array;
        error: Error;
      };
      const proto = Object.getOwnPropertyDescriptor(data, "__proto__")!.value;
      return {
        keys: Object.keys(data),
        twice: data.list[1].twice(4),
        same: data.again === data.list[2] as unknown,
        even: data.again.isEven(3),
        ten: proto.ten(),
        later: await data.later(1),
        date: data.map.get("a")!.getTime(),
        bytes: [...data.bytes],
        error: [data.error instanceof RangeError, data.error.message],
        plain: Object.getPrototypeOf(data) === Object.prototype,
      };
    };
    assertEquals(await parallelMap(see, [0], { ...pool, data }), [{
      keys: Object.keys(data),
      twice: 8,
      same: true,
      even: false,
      ten: 10,
      later: 2,
      date: 5,
      bytes: [1, 2],
      error: [true, "kept"],
      plain: true,
    }]);
    // A function by itself, and a module's function with data.
    assertEquals(
      await parallelMap((n, { data }) => data(n), range(3), {
        ...pool,
        data: (n: number) => n - 1,
      }),
      [-1, 0, 1],
    );
    assertEquals(
      await parallelMap("timesData", range(3), {
        ...pool,
        module: TASKS,
        data: { factor: 5 },
      }),
      [0, 5, 10],
    );
  });

  it("data is a copy, made at the call, one for each worker", async () => {
    const data = { factor: 2, list: [1] };
    const workers = new Pool({ ...pool, workers: pool.workers && 1 });
    const fn = (
      n: number,
      { data }: TaskContext<unknown, { factor: number; list: number[] }>,
    ) => n * data.factor + data.list.push(0);
    const results = workers.map(fn, [1, 1, 1], { data });
    data.factor = 100;
    assertEquals(await results, [4, 5, 6]); // one list for all three
    assertEquals(data.list, [1]);
    await workers.close();
  });

  it("calls at once on one pool have each their own data", async () => {
    await using workers = new Pool(pool);
    const fn = async (n: number, { data }: TaskContext<unknown, number>) => {
      await new Promise((resolve) => setTimeout(resolve, n % 2));
      return data;
    };
    const all = await Promise.all(
      range(8).map((data) => workers.map(fn, range(20), { data })),
    );
    assertEquals(all, range(8).map((data) => range(20).map(() => data)));
  });

  it("data that cannot be sent is refused at the call, with its path", async () => {
    const workers = new Pool(pool);
    const fn = (n: number) => n;
    class Secret {
      reveal = () => 0;
    }
    for (
      const [data, ...words] of [
        [{ a: [{ s: Symbol("x") }] }, "a symbol", 'a[0].s"'],
        [{ max: Math.max }, "native or bound", 'at "data.max"'],
        [{ a: [isEven.bind(null)] }, "native or bound", 'at "data.a[0]"'],
        [{ Secret }, "class Secret", 'at "data.Secret"'],
        [new Secret(), "reveal"],
        [new Map([["f", isEven]]), "function isEven"],
        [{ weak: new WeakMap() }, "WeakMap", 'weak"'],
      ] as [unknown, ...string[]][]
    ) {
      const error = await assertRejects(
        () => workers.map(fn, [1], { data }),
        TypeError,
      );
      for (const word of words) assertStringIncludes(error.message, word);
      assertThrows(() => workers.stream(fn, [1], { data }), TypeError);
    }
    let deep: Record<string, unknown> = { isEven };
    for (let i = 0; i < 20_000; i++) deep = { deep };
    const odd = {
      get broken() {
        throw new RangeError("no");
      },
    };
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    for (
      const [data, words] of [
        [deep, "deeper than 500 levels"],
        [new Set([deep]), "deeper than 500 levels"],
        [new Map([[1, deep]]), "deeper than 500 levels"],
        [odd, '"data" must be readable'],
        [{ proxy }, '"data" must be readable'],
      ] as const
    ) {
      const error = await assertRejects(
        () => workers.map(fn, [1], { data }),
        TypeError,
      );
      assertStringIncludes(error.message, words);
    }
    // Arrays with keys of their own, with an iterator of their own, with holes.
    const own = Object.assign([1], { f: isEven });
    const iterated = Object.assign([isEven], { *[Symbol.iterator]() {} });
    const holes = new Array(1e6);
    assertEquals(
      await workers.map(
        (_, { data }) => [
          data.own.f(2),
          data.iterated[0](3),
          data.holes.length,
        ],
        [1],
        { data: { own, iterated, holes } },
      ),
      [[true, false, 1e6]],
    );
    const cycle: Record<string, unknown> = { isEven };
    cycle.self = cycle;
    assertEquals(
      await workers.map((_, { data }) => data.self === data, [1], {
        data: cycle,
      }),
      [true],
    );
    // A promise would call it, and take what it says for the data.
    const rule = { then: (n: number) => n * 10, factor: 2 };
    assertEquals(
      await workers.map((n, { data }) => data.then(n) * data.factor, [1], {
        data: rule,
      }),
      [20],
    );
    await workers.close();
  });

  it("data is one whole also when there are functions in it", async () => {
    await using workers = new Pool(pool);
    const part: { list: number[]; root?: unknown } = { list: [1] };
    const whole = {
      isEven,
      part,
      inMap: new Map<unknown, unknown>([["part", part], [part, "key"]]),
      inSet: new Set<unknown>([part]),
      inError: Object.assign(new Error("holds it"), { part }),
      deep: { list: [part] },
    };
    assertEquals(
      await workers.map(
        (n, { data }) => [
          data.isEven(n),
          data.inMap.get("part") === data.part,
          data.inMap.get(data.part),
          data.inSet.has(data.part),
          data.deep.list[0] === data.part,
          data.part.list,
        ],
        [1],
        { data: whole },
      ),
      [[false, true, "key", true, true, [1]]],
    );
    // The same where the parts lead back to the functions.
    part.root = whole;
    whole.inMap.set("root", whole).set("map", whole.inMap);
    whole.inSet.add(whole.inMap);
    assertEquals(
      await workers.map(
        (n, { data }) => {
          const root = data.inMap.get("root") as typeof data;
          return [
            root === data,
            root.isEven(n),
            data.part.root === data,
            data.inMap.get("map") === data.inMap,
            data.inSet.has(data.inMap),
            data.inMap.size,
          ];
        },
        [2],
        { data: { ...whole, inError: undefined } },
      ),
      [[false, true, false, true, true, 4]],
    );
    const error = await assertRejects(
      () =>
        workers.map((n: number) => n, [1], {
          data: { isEven, m: new Map([["key", { isEven }]]) },
        }),
      TypeError,
    );
    assertStringIncludes(error.message, 'm.get("key").isEven');
    const odd = await assertRejects(
      () =>
        workers.map((n: number) => n, [1], {
          data: { isEven, m: new Proxy(new Map(), {}) },
        }),
      TypeError,
    );
    assertStringIncludes(odd.message, "must be cloneable");
  });

  it("a name that a shipped function does not see is named, with the cure", async () => {
    await using workers = new Pool(pool);
    const factor = Number("3"); // Bun puts a literal where its name stands
    const error = await assertRejects(
      () => workers.map((n: number) => n * factor, [1]),
      TaskError,
    );
    assertStringIncludes(error.message, "data: { factor }");
    const inData = await assertRejects(
      () =>
        workers.map((n, { data }) => data.times(n), [1], {
          data: { times: (n: number) => n * factor },
        }),
      TaskError,
    );
    assertStringIncludes(inData.message, "data: { factor }");
    for (
      const [fn, words] of [
        [(new Function("return (n) => cov_1x2y().s[0]++ + n"))(), "coverage"],
        [(new Function("return (n) => __awaiter(n)"))(), "older target"],
      ]
    ) {
      const error = await assertRejects(
        () => workers.map(fn, [1]),
        TaskError,
      );
      assertStringIncludes(error.message, words);
    }
    const inInit = await assertRejects(
      () => parallelMap((n: number) => n, [1], { ...pool, init: () => factor }),
      TypeError,
    );
    assertStringIncludes(inInit.message, "workerData: { factor }");
    const inCombine = await assertRejects(
      () =>
        workers.reduce((n: number) => n, (a, b) => a + b * factor, [1, 2], {
          chunkSize: 2,
        }),
      TaskError,
    );
    assert(!inCombine.message.includes("context.data"), inCombine.message);
    class Sum {}
    const same = (n: number) => n;
    for (
      const [role, call] of [
        ["combine", () => parallelReduce(same, Sum as never, [1], pool)],
        ["init", () => parallelMap(same, [1], { ...pool, init: Sum as never })],
        [
          "a function in data",
          () => parallelMap(same, [1], { ...pool, data: { Sum } }),
        ],
      ] as [string, () => Promise<unknown>][]
    ) {
      const error = await assertRejects(call, TypeError);
      assertStringIncludes(error.message, `as ${role} must be callable`);
    }
    assert(factor === 3);
  });
};
