// What a shipped function is: whatever can be called as fn(value, context), as
// strict as its file, and blind to what is around it.
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  type ModuleSpecifier,
  parallelMap,
  parallelReduce,
  Pool,
  TaskError,
  WorkerStartError,
} from "../mod.ts";
import { functionRef } from "../src/core/wire/function_ref.ts";
import { negate, seesOfWorker } from "./fixtures/tasks.ts";
import { test } from "./harness.ts";
import { until } from "./until.ts";

const TASKS: ModuleSpecifier<typeof import("./fixtures/tasks.ts")> = new URL(
  "./fixtures/tasks.ts",
  import.meta.url,
);
const HINT = "(a shipped function sees nothing around it";
const BACKENDS = {
  web: { backend: "web", workers: 1 },
  threads: { backend: "threads", workers: 1 },
  inline: { workers: 0 },
} as const;
// deno-lint-ignore no-explicit-any -- wrong kinds on purpose
const wrong = (value: unknown) => value as any;
const slow = { timeout: 300_000 };

/** What no worker has. */
declare const onlyHere: unknown;

/** The error of a task of this function. */
function errorOf(fn: unknown, options: object): Promise<TaskError> {
  return assertRejects(() => parallelMap(wrong(fn), [1], options), TaskError);
}

// Around the functions of this file, and not in any worker.
const name = "outer";
const location = "outer";
const require = "outer";
const key = "key";
const symbol = Symbol("symbol");

for (const backend of ["web", "threads"] as const) {
  test(`${backend}: a module that maps while it is loaded is refused, and no other`, async () => {
    await using pool = new Pool({ backend, workers: 1 });
    const early = new URL("./fixtures/maps_early.ts", import.meta.url);
    const numbers = () => pool.map("square", [1, 2], { module: TASKS });
    assertEquals(await numbers(), [1, 4]);
    const refused = pool.map(wrong("early"), [1], { module: early });
    await assertRejects(() => refused, WorkerStartError, "must not map");
    assertEquals(await numbers(), [1, 4]);
  });

  test(`${backend}: a task may map beside a module that a call before left loading`, async () => {
    const loading = new Int32Array(new SharedArrayBuffer(4));
    const init = (loading: Int32Array) =>
      void Object.assign(globalThis, { loading });
    const options = { backend, workers: 1, init, workerData: loading };
    await using pool = new Pool(options);
    const long = new URL("./fixtures/loads_long.ts", import.meta.url);
    const abort = new AbortController();
    const { signal } = abort;
    const left = pool.map(wrong("loaded"), [1], { module: long, signal });
    await until(() => Atomics.load(loading, 0) === 1);
    abort.abort("left");
    await left.catch(() => {});
    const maps = async (n: number, { data }: { data: string }) => {
      const { parallelMap } = await import(data);
      return await parallelMap((n: number) => n + 1, [n], { workers: 1 });
    };
    const data = new URL("../mod.ts", import.meta.url).href;
    assertEquals(await pool.map(maps, [1], { data }), [[2]]);
    Atomics.store(loading, 0, 2);
    assertEquals(await pool.map(wrong("loaded"), [1], { module: long }), [1]);
  });
}

test("no advice is given on errors that say no name of something around", async () => {
  const own = () => {
    throw new ReferenceError("order 1 refers to no customer");
  };
  // As texts: a compiler would see that they cannot run.
  const early = new Function("const before = x; let x; return before;");
  const derived = new Function(
    "return new (class extends Object { constructor() { this.n = 1; } })()",
  );
  for (const fn of [own, early, derived]) {
    for (const options of Object.values(BACKENDS)) {
      const { message, cause } = await errorOf(fn, options);
      assertInstanceOf(cause, ReferenceError);
      assert(!message.includes(HINT), message);
    }
  }
});

for (const [backend, options] of Object.entries(BACKENDS)) {
  test(
    `${backend}: a shipped function is strict, as its file is`,
    slow,
    async () => {
      const writes = () => {
        (Object.freeze({ a: 1 }) as { a: number }).a = 2;
      };
      const misspells = (n: number) => {
        // @ts-expect-error -- nobody has declared it
        mispelt = n;
      };
      assertInstanceOf((await errorOf(writes, options)).cause, TypeError);
      const { cause, message } = await errorOf(misspells, options);
      assertInstanceOf(cause, ReferenceError);
      assertStringIncludes(message, HINT);
      const kind = function (this: unknown) {
        return typeof this;
      };
      const object = {
        kind() {
          return typeof this;
        },
      };
      for (const fn of [kind, object.kind]) {
        assertEquals(await parallelMap(wrong(fn), [1], options), ["undefined"]);
      }
    },
  );

  test(`${backend}: what only parses as sloppy is sloppy`, slow, async () => {
    const all = [
      new Function("n", "with ({ one: 1 }) return n + one"),
      new Function("n", "n", "return 2"),
      new Function("n", "return n + 01"),
    ];
    await using pool = new Pool(options);
    for (const fn of all) assertEquals(await pool.map(wrong(fn), [1]), [2]);
  });

  test(
    `${backend}: a shipped function that calls itself is told how`,
    slow,
    async () => {
      const sum = (n: number): number => n < 1 ? 0 : n + sum(n - 1);
      const told =
        `${HINT}, nor itself by the name of a variable: to call itself, write it as`;
      assertStringIncludes((await errorOf(sum, options)).message, told);
      const written = function sum(n: number): number {
        return n < 1 ? 0 : n + sum(n - 1);
      };
      assertEquals(await parallelMap(written, [4], options), [10]);
      const add = (a: number, b: number): number =>
        b < 1 ? a : add(a + 1, b - 1);
      await assertRejects(
        () => parallelReduce((n: number) => n, add, [1, 2], options),
        TaskError,
        told,
      );
    },
  );

  test(`${backend}: an init is shipped like a function`, slow, async () => {
    const inits = [
      [() => key, `received ReferenceError: ${key} is not defined ${HINT}`],
      [() => {
        throw { toString: null };
      }, '"init" must not throw: received object'],
      [() => {
        throw undefined;
      }, '"init" must not throw: received undefined'],
      [() => {
        throw new RangeError("no licence");
      }, '"init" must not throw: received RangeError: no licence'],
    ] as const;
    for (const [init, says] of inits) {
      await assertRejects(
        () => parallelMap(() => 1, [1], { ...options, init }),
        WorkerStartError,
        says,
      );
    }
  });

  test(
    `${backend}: a shipped function imports by URL, and is told so`,
    slow,
    async () => {
      const byName = async () => await import("no-such-package");
      const byPath = async () => await import("./no_such_file.ts");
      const says = "by their whole URLs alone: bring import.meta.resolve(…)";
      for (const fn of [byName, byPath]) {
        assertStringIncludes((await errorOf(fn, options)).message, says);
        await assertRejects(
          () => parallelMap(() => 1, [1], { ...options, init: fn }),
          WorkerStartError,
          says,
        );
      }
      const nope = async () => await import("node:no_such_module");
      assertEquals(
        (await errorOf(nope, options)).message.includes(says),
        false,
      );
      const kinds = await parallelMap(
        async (name: string, { data }) => typeof (await import(data))[name],
        ["times7", "nothing"],
        { ...options, data: import.meta.resolve("./fixtures/bundled.ts") },
      );
      assertEquals(kinds, ["function", "undefined"]);
    },
  );

  if (backend === "inline") continue; // it has the globals of its caller

  test(
    `${backend}: a global that workers lack is told from a variable`,
    slow,
    async () => {
      const scope = globalThis as { onlyHere?: object };
      scope.onlyHere = {};
      try {
        const reads = () => onlyHere;
        const says = (option: string) =>
          `ReferenceError: onlyHere is not defined ${HINT}, nor the program's global "onlyHere": ${option} what it needs of that, or of a variable of that name)`;
        assertStringIncludes(
          (await errorOf(reads, options)).message,
          says('bring along as "data"'),
        );
        await assertRejects(
          () => parallelMap(() => 1, [1], { ...options, init: reads }),
          WorkerStartError,
          says('bring along as "workerData"'),
        );
        const folded = { ...options, chunkSize: 2 }; // there, and not here
        await assertRejects(
          () => parallelReduce((n: number) => n, reads, [1, 2], folded),
          TaskError,
          says("define in it"),
        );
        const { message } = await errorOf("readsOnlyHere", {
          ...options,
          module: TASKS,
        });
        assertEquals(
          message,
          'Cannot map input 0 as readsOnlyHere threw ReferenceError: onlyHere is not defined (workers have no global "onlyHere")',
        );
      } finally {
        delete scope.onlyHere;
      }
    },
  );

  test(
    `${backend}: an outer "name" is not the worker's own`,
    slow,
    async () => {
      const reads = { name: () => name, location: () => location };
      for (const fn of [...Object.values(reads), () => require]) {
        const { cause, message } = await errorOf(fn, options);
        assertInstanceOf(cause, ReferenceError);
        assertStringIncludes(message, HINT);
      }
      const kinds = () => [typeof name, typeof location, typeof require];
      const [seen] = await parallelMap(kinds, [1], options);
      assertEquals(seen, ["undefined", "undefined", "undefined"]);
    },
  );

  test(
    `${backend}: a module sees its worker, also after a shipped function`,
    slow,
    async () => {
      await using pool = new Pool(options);
      const look = () => pool.map("seesOfWorker", [1], { module: TASKS });
      const before = await look();
      assertEquals(await pool.map(seesOfWorker, [1]), [[]]);
      assertEquals(await look(), before);
      const data = { shipped: () => 1 };
      const beside = { module: TASKS, data };
      assertEquals(await pool.map("seesOfWorker", [1], beside), before);
    },
  );

  test(
    `${backend}: what init puts on globalThis stays there`,
    slow,
    async () => {
      const init = () => {
        Object.defineProperty(globalThis, "location", {
          value: { href: "https://example.com/" },
          configurable: true,
        });
      };
      const read = () => globalThis.location.href;
      await using pool = new Pool({ ...options, init });
      for (const _ of [1, 2]) {
        assertEquals(await pool.map(read, [1]), ["https://example.com/"]);
      }
    },
  );
}

/** Adds one, in every way that a class or an object can say it. */
class Adder {
  static async shared(n: number) {
    return await n + 1;
  }
  "a(b"(n: number) {
    return n + 1;
  }
  12(n: number) {
    return n + 1;
  }
}

const adder = {
  [symbol](n: number) {
    return n + 1;
  },
  [key](n: number) {
    return n + 1;
  },
  // As the source of a function, up to the comment, it would be another one.
  ["a(){} //"](n: number) {
    return n + 1;
  },
  async [Symbol.iterator](n: number) {
    return await n + 1;
  },
  async(n: number) {
    return n + 1;
  },
  get(n: number) {
    return n + 1;
  },
  set(n: number) {
    return n + 1;
  },
  class(n: number) {
    return n + 1;
  },
  if(n: number) {
    return n + 1;
  },
  ["__proto__"](n: number) {
    return n + 1;
  },
};

/** The same, under a name that is none. */
function named(name: PropertyDescriptor): unknown {
  return Object.defineProperty((n: number) => n + 1, "name", name);
}

test("any method can be shipped, whatever it is called", slow, async () => {
  const { shared, prototype } = Adder;
  await using pool = new Pool({ workers: 1 });
  // As text, or a compiler might leave out the comment.
  const noted = new Function(
    "return { class /* no */ (n) { return n + 1 } }",
  )();
  for (const at of [shared, prototype["a(b"], prototype[12], noted.class]) {
    assertEquals(await pool.map(wrong(at), [1]), [2], String(at));
  }
  for (const at of Reflect.ownKeys(adder)) {
    assertEquals(await pool.map(wrong(adder)[at], [1]), [2], String(at));
  }
});

test("a function in data is given what it lacks as an argument, and its error says so", async () => {
  const times = (n: number) => n * Number([key].length);
  const fn = (n: number, context: { data: { times: typeof times } }) =>
    context.data.times(n);
  const asArgument =
    "data: { key }, which is context.data there, and give it to functions in data as an argument, or";
  const { message } = await errorOf(fn, { workers: 1, data: { times } });
  assertStringIncludes(message, asArgument);
  const plain = await errorOf(times, { workers: 1, data: { n: 1 } });
  assertStringIncludes(plain.message, "which is context.data there, or export");
});

test("a name is no reason to refuse a function", slow, async () => {
  const names: PropertyDescriptor[] = [
    { value: 5 },
    { value: Symbol("symbol") },
    { value: () => 1 },
    { value: "\ud800" },
    { value: "a\nthrow 1 //" },
    {
      get() {
        throw new Error("no name");
      },
    },
  ];
  await using pool = new Pool({ workers: 1 });
  for (const name of names) {
    assertEquals(await pool.map(wrong(named(name)), [1]), [2]);
  }
  await assertRejects(
    () => pool.map(wrong(named(names[0])), [1], { module: TASKS }),
    TypeError,
    "must have the name of its export",
  );
});

test("an arrow function has no this, as in a module", async () => {
  class Scale {
    factor = 3;
    plain = (workers: number) =>
      parallelMap((n: number) => n * this.factor, [1, 2], { workers });
  }
  for (const workers of [0, 1]) {
    const error = await assertRejects(() => new Scale().plain(workers));
    assert((error as Error).cause instanceof TypeError, String(error));
  }
  // What is called with one has it, and there are no arguments to be read.
  const inside = (n: number) =>
    ({
      n,
      get twice() {
        return this.n * 2;
      },
    }).twice;
  assertEquals(await parallelMap(inside, [2], { workers: 0 }), [4]);
  const around = (0, eval)("() => typeof this + arguments.length");
  await assertRejects(() => parallelMap(around, [1], { workers: 0 }));
});

test("nothing in the text of a function runs where it is shipped from", () => {
  const scope = globalThis as Record<string, unknown>;
  // Each ends the parenthesis around the function, were it read as code.
  const escapes = [
    "(){}), (globalThis.escaped = 1), (function(){}//",
    "(){}); globalThis.escaped = 1; (function(){}//",
    "(){})}; globalThis.escaped = 1; () => {(function(){}//",
    "(){}); function escaped() {} (function(){}//",
    "(){}); var escaped = 1; (function(){}//",
    "(){}]; globalThis.escaped = 1; [function(){}//",
    "() {} }), (globalThis.escaped = 1), ({ b",
  ];
  const methods = escapes.flatMap((escape) => [
    `${JSON.stringify(`a${escape}`)}(x) { return x; }`,
    `async ${JSON.stringify(`a${escape}`)}(x) { return await x; }`,
    `a /* ${escape} */ (x) { return x; }`,
    `a // ${escape}\n(x) { return x; }`,
    `[\`a${escape}\`](x) { return x; }`,
    `[${JSON.stringify(escape)}](x) { with (this) return x; }`,
    `[/[(]/ + ${JSON.stringify(escape)}](x) { return x; }`,
    `get(x, y = ${JSON.stringify(escape)}) { return x; }`,
  ]);
  for (const inline of [false, true]) {
    for (const method of methods) {
      const object = (0, eval)(`({ ${method} })`);
      const [key] = Reflect.ownKeys(object);
      const place = { entry: undefined, inline };
      const ref = functionRef(object[key!], undefined, place);
      assert(!("escaped" in scope), method);
      assert(ref.from === "source");
      const shipped = (0, eval)(ref.source);
      assert(!("escaped" in scope), ref.source);
      const same = String(shipped).replace(/^(async )?function ?/, "");
      assert(method.endsWith(same), `${method} is not ${shipped}`);
    }
  }
});

/** What a class or an object has and cannot be shipped. */
class Holder extends Adder {
  #one = 1;
  #add(n: number) {
    return n + 1;
  }
  get add() {
    return this.#add;
  }
  get addOne() {
    return (n: number) => n + this.#one;
  }
  override 12(n: number) {
    return super[12](n);
  }
}

const accessors = {
  get one() {
    return 1;
  },
  set one(n: number) {
    throw n;
  },
  get [symbol]() {
    return 1;
  },
};

test("a function that cannot be shipped is refused at the call", async () => {
  const accessor = (key: PropertyKey) =>
    Object.getOwnPropertyDescriptor(accessors, key)!;
  const holder = new Holder();
  const wrap =
    'wrap it as (value) => f(value), and if f is no global, export what calls it and set "module"';
  const alone = "must stand on its own, without super, new.target, import.meta";
  const refused: [fn: unknown, says: string][] = [
    [accessor("one").get, "not a getter or setter: received function get one"],
    [accessor("one").set, "not a getter or setter: received function set one"],
    [accessor(symbol).get, "not a getter or setter"],
    [holder.add, `${alone} and private names`],
    [holder.addOne, `${alone} and private names`],
    [holder[12], alone],
    [() => import.meta.url, alone],
    [class Adder {}, "callable without new: received class Adder"],
    [function* list() {}, "a generator does not: received GeneratorFunction"],
    [async function* list() {}, "received AsyncGeneratorFunction list"],
    [new Proxy((n: number) => n, {}), `nor has a Proxy, ${wrap}`],
    [negate, `${wrap}: received function bound byDefault`],
    [Math.sqrt, `${wrap}: received function sqrt`],
  ];
  for (const [fn, says] of refused) {
    await assertRejects(
      () => parallelMap(wrong(fn), [1]),
      TypeError,
      says,
    );
  }
  for (const wrongOne of [accessor("one").get, holder.add]) {
    const what = wrongOne === holder.add ? "the source of combine" : "combine";
    await assertRejects(
      () => parallelReduce((n: number) => n, wrong(wrongOne), [1]),
      TypeError,
      `Cannot map as ${what} must`,
    );
  }
  for (const fn of [class Adder {}, function* list() {}]) {
    await assertRejects(
      () => parallelMap(wrong(fn), [1], { module: TASKS }),
      TypeError,
      "Cannot map as fn must",
    );
  }
});

test("a bound function is imported by the name of its export", async () => {
  await using pool = new Pool({ workers: 1, module: TASKS });
  const named = 'with "module" must have the name of its export';
  await assertRejects(
    () => pool.map(negate, [1]),
    TypeError,
    `Cannot map as fn ${named}, or be that name as a string: received function bound byDefault`,
  );
  assertThrows(
    () => new Pool({ module: TASKS, init: negate as () => number }),
    TypeError,
    `Cannot map as init ${named}: received function bound byDefault`,
  );
  await assertRejects(
    () => pool.reduce((n: number) => n, negate, [1]),
    TypeError,
    `Cannot map as combine ${named}: received function bound byDefault`,
  );
  assertEquals(await pool.map("negate", [1]), [-1]);
});

test("a function that is shipped again is not parsed again", () => {
  const place = { entry: undefined, inline: false };
  const { eval: own } = globalThis;
  let parsed = 0;
  globalThis.eval = (script) => {
    parsed++;
    return own(script);
  };
  try {
    const ship = () => functionRef((n: number) => n + 0.25, undefined, place);
    const first = ship();
    const once = parsed;
    assert(once > 0);
    for (let i = 0; i < 10; i++) assertEquals(ship(), first);
    assertEquals(parsed, once);
    // Nor is one of another kind, whose text is asked about in other ways.
    const odd = { async ["two words"]() {} };
    functionRef(odd["two words"], undefined, place);
    const twice = parsed;
    functionRef(odd["two words"], undefined, place);
    assertEquals(parsed, twice);
  } finally {
    globalThis.eval = own;
  }
});

test("with concurrency, a result is what it was when its task ended", async () => {
  interface State {
    row: { n: number };
    waiting: number;
    gate: Promise<void>;
    open(): void;
  }
  const init = (): State => {
    const { promise, resolve } = Promise.withResolvers<void>();
    return { row: { n: -1 }, waiting: 0, gate: promise, open: resolve };
  };
  // Each task fills the row a microtask after the one before it.
  const fill = async (n: number, { state }: { state: State }) => {
    if (++state.waiting === 8) state.open();
    await state.gate;
    for (let i = 0; i < n; i++) await undefined;
    state.row.n = n;
    return state.row;
  };
  const inputs = Array.from({ length: 8 }, (_, n) => n);
  for (const chunkSize of [1, 8]) {
    const options = { workers: 1, concurrency: 8, chunkSize, init };
    const rows = await parallelMap(fill, inputs, options);
    assertEquals(rows.map(({ n }) => n), inputs, `chunkSize ${chunkSize}`);
  }
});
