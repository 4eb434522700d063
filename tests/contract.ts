// What every backend must do, in one place. A test file per runtime is not
// needed: the same suite runs on each backend of the runtime at hand, and a
// known difference is an entry in `DIFFERENCES`, with its reason.
import {
  assert,
  assertEquals,
  assertGreater,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { Buffer } from "node:buffer";
import {
  type PoolOptions,
  type Progress,
  type RunEvent,
  type TaskContext,
  TaskError,
  TaskTimeoutError,
  WorkerLostError,
  WorkerStartError,
} from "../mod.ts";
import * as library from "../mod.ts";
import type { ShopError } from "./fixtures/tasks.ts";
import { endings } from "./contract_close.ts";
import { contexts } from "./contract_context.ts";
import { bringing } from "./contract_data.ts";
import { neighbours } from "./contract_neighbours.ts";
import { outcomes } from "./contract_outcomes.ts";
import { promises } from "./contract_promises.ts";
import { reductions } from "./contract_reduce.ts";
import { sharedArrays } from "./contract_shared.ts";
import { weights } from "./contract_weights.ts";
import {
  isEngineTestedElsewhere,
  isOfAnotherTurn,
  isThreadsAgain,
  runtime,
  test,
} from "./harness.ts";
import { BROWSER_SKIPS, withoutSharedMemory } from "./skips.ts";
import { pause, until } from "./until.ts";
import { workersGone } from "./workers_gone.ts";

/** What is called: another engine brings its own. */
export type ContractCalls = Pick<
  typeof library,
  | "parallelMap"
  | "parallelMapSettled"
  | "parallelMapStream"
  | "parallelReduce"
  | "Pool"
>;

/** Another engine. */
export interface ContractEngine {
  calls: ContractCalls;
  /** Whether what it needs is not on this machine. */
  absent: boolean;
  /** Runs a test with what it needs. */
  around(body: () => Promise<void>): Promise<void>;
  /** Ends what the tests have left; undefined if each ends its own. */
  end: (() => Promise<void>) | undefined;
}

const HERE: ContractEngine = {
  calls: library,
  absent: false,
  around: (body) => body(),
  end: undefined,
};

/** A chapter of the contract, in a file of its own. */
export type Chapter = (
  it: (title: string, body: () => Promise<void>) => void,
  options: {
    calls: ContractCalls;
    pool: Pick<PoolOptions, "workers" | "backend">;
    /** The same for runs with `timeout`. */
    timed: Pick<PoolOptions, "workers" | "backend">;
  },
) => void;

/** A way to run tasks. */
export type BackendName = "web" | "threads" | "processes" | "inline" | "nats";

const NO_WORKER = "in the caller's thread there is no worker to end";
const REFUSED = "it is refused: tests/processes_test.ts";
const NO_SECOND_THREAD = "in the caller's thread there is one at a time";

/** Those of workers whose memory is their own. */
const APART: Record<string, string> = {
  ...withoutSharedMemory(
    "it counts in memory that is shared: tests/processes_test.ts",
    "such an output is refused: tests/processes_test.ts",
  ),
  "a SharedArrayBuffer is shared": REFUSED,
  "transfer moves buffers both ways, for many inputs": REFUSED,
  "transfer moves what a source gives, and copies a row it fills again":
    REFUSED,
  "many large results of one chunk all arrive, from moved inputs": REFUSED,
};

/** Tests a backend does not run, with the reason. */
const DIFFERENCES: Record<string, Record<string, string>> = {
  "bun web": {
    "the cause of a lost worker is the error that ended it":
      "workers under bun test 1.4.5 do not hear uncaughtException",
  },
  "bun nats": {
    "the cause of a lost worker is the error that ended it":
      "workers under bun test 1.4.5 do not hear uncaughtException",
  },
  "deno processes": {
    "other values arrive as docs/values.md says":
      "a Blob is refused: tests/processes_test.ts",
  },
  "node processes": {
    "other values arrive as docs/values.md says":
      "a Blob is refused: tests/processes_test.ts",
  },
  "bun processes": {
    "other values arrive as docs/values.md says":
      "a Buffer stays one: tests/processes_test.ts",
  },
  processes: APART,
  nats: {
    ...APART,
    "a failure at the last attempt does not wait for its neighbours":
      "those before it do, as a chunk has one answer: docs/cluster.md",
    "what is done, and what is behind it, does not wait for a task that waits":
      "a chunk is answered when the slowest of its tasks is done: docs/cluster.md",
    "other values arrive as docs/values.md says":
      "a Blob is refused: tests/nats_test.ts",
    "weight: the heaviest go first, and context.index is the input's":
      "who has a chunk, and so its event, is only known with its answer",
    "maxTasksPerWorker replaces workers":
      "what is told of the workers of a machine is which of them had a task",
  },
  inline: {
    "signal rejects with its reason itself": NO_WORKER,
    "close settles every pending call": NO_WORKER,
    "the cause of a lost worker is the error that ended it": NO_WORKER,
    "a task that exits loses its worker, and only itself": NO_WORKER,
    "a worker that ends while it sends a result is lost by that task":
      NO_WORKER,
    "a task that closes its worker loses it": NO_WORKER,
    "an error in a timer loses the worker of its task": NO_WORKER,
    "an unhandled rejection loses the worker of its task": NO_WORKER,
    "a pool is usable after its workers were lost": NO_WORKER,
    "a lost task is tried again": NO_WORKER,
    "concurrent tasks of a lost worker are told apart": NO_WORKER,
    "timeout ends a synchronous endless loop, and only that task": NO_WORKER,
    "timeout leaves a pool that works": NO_WORKER,
    "timeout: a loop that an earlier task left behind keeps no other waiting":
      NO_WORKER,
    "timeout: of tasks that wait, only the one that is late fails": NO_WORKER,
    "timeout: tasks that wait for ever begin once, and are told": NO_WORKER,
    "a task that never ends is late, whatever was taken back behind it":
      NO_WORKER,
    "what a task posts by itself is left alone": NO_WORKER,
    "a synchronous loop sees the abort": NO_SECOND_THREAD,
    "a loop that a task left behind ends with its run, whatever comes next":
      NO_SECOND_THREAD,
    "a loop that a task left behind ends when its worker is at another call":
      NO_SECOND_THREAD,
    "a call that was aborted writes nothing to the output of the next":
      NO_SECOND_THREAD,
    "an abort does not wait for a task that computes": NO_SECOND_THREAD,
    "tasks run at the same time": NO_SECOND_THREAD,
    "tasks behind a slow one go to a worker that idles": NO_SECOND_THREAD,
    "module state is one per worker": NO_WORKER,
    "maxTasksPerWorker replaces workers": NO_WORKER,
    "init that exits ends the run": NO_WORKER,
    "a lost worker is an item of a settled stream": NO_WORKER,
    "a timeout is an item of a settled stream": NO_WORKER,
    "a reduction keeps its order when workers are lost": NO_WORKER,
    "combine that never returns is ended by timeout": NO_WORKER,
    "combine that ends its worker ends the reduction": NO_WORKER,
    "tasks of a lost worker are written to a shared output": NO_WORKER,
  },
};

const TASKS = new URL("./fixtures/tasks.ts", import.meta.url);
const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const double = (n: number) => n * 2;
const failAt2 = (n: number) => {
  if (n === 2) throw new RangeError("two");
  return n;
};
const reasons = (results: PromiseSettledResult<unknown>[]) =>
  results.map((r) => r.status === "fulfilled" ? r.value : r.reason);

/**
 * Registers the suite for one backend.
 *
 * @param name The backend.
 * @param engine What is called, if not the library itself.
 */
export function contract(
  name: BackendName,
  { calls, absent, around, end }: ContractEngine = HERE,
): void {
  const { parallelMap, parallelMapSettled, parallelMapStream, Pool } = calls;
  const inPage = runtime === "browser" ? skipsInPage(name) : [];
  const differences: Record<string, string> = Object.assign(
    {},
    DIFFERENCES[name],
    DIFFERENCES[`${runtime} ${name}`],
    ...inPage,
  );
  const pool: Pick<PoolOptions, "workers" | "backend"> = name === "inline"
    ? { workers: 0 }
    : { workers: 2, ...(name !== "nats" && { backend: name }) };
  // `timeout` picks its backend by itself when none is asked for.
  const timed: typeof pool = name === "web" ? { workers: 2 } : pool;
  const used = new Set<string>();
  const isSame = isThreadsAgain(name);
  // Of Deno: what one test opens, another may close.
  const kept = end !== undefined;
  const sanitizers = { sanitizeOps: !kept, sanitizeResources: !kept };
  type Register = Parameters<Chapter>[0];
  const registerUnless = (isLeftOut: boolean): Register => (title, body) => {
    used.add(title);
    const ignore = absent || isSame || isLeftOut || title in differences ||
      isOfAnotherTurn(title, name);
    const options = { ignore, timeout: 300_000, ...sanitizers };
    test(`${name}: ${title}`, options, () => around(body));
  };
  const it = registerUnless(false);
  const itOfEngine = registerUnless(isEngineTestedElsewhere(name));

  endings(it, { calls, pool, timed });
  bringing(it, { calls, pool, timed });
  contexts(it, { calls, pool, timed });
  sharedArrays(it, { calls, pool, timed });
  outcomes(itOfEngine, { calls, pool, timed });
  neighbours(it, { calls, pool, timed });
  weights(itOfEngine, { calls, pool, timed });
  promises(itOfEngine, { calls, pool, timed });
  reductions(itOfEngine, { calls, pool, timed });

  it("results come in input order", async () => {
    const inputs = range(1000);
    assertEquals(await parallelMap(double, inputs, pool), inputs.map(double));
  });

  it("no input gives an empty list and starts nothing", async () => {
    const events: string[] = [];
    const onEvent = ({ type }: RunEvent) => events.push(type);
    assertEquals(await parallelMap(double, [], { ...pool, onEvent }), []);
    assertEquals(events, ["run-start", "run-end"]);
  });

  it("one input starts one worker", async () => {
    const events: string[] = [];
    const onEvent = ({ type }: RunEvent) => events.push(type);
    assertEquals(await parallelMap(double, [4], { ...pool, onEvent }), [8]);
    assertEquals(events.filter((type) => type === "worker-start").length, 1);
    assertEquals(events.filter((type) => type === "worker-end").length, 1);
  });

  it("any iterable is an input", async () => {
    await using workers = new Pool(pool);
    function* some() {
      yield* range(40);
    }
    async function* later() {
      for (const n of range(40)) yield await Promise.resolve(n);
    }
    class Pages extends Array<number> {
      async *[Symbol.asyncIterator]() {
        for (const n of this) yield await Promise.resolve(`page ${n}`);
      }
    }
    /** Whoever reads the value of a step takes it. */
    const queue = (...left: number[]): AsyncIterable<number> => ({
      [Symbol.asyncIterator]: () => ({
        next: () =>
          Promise.resolve({
            done: left.length === 0,
            get value() {
              return left.shift()!;
            },
          }),
      }),
    });
    const sources = [
      new Set(range(40)),
      new Map([[1, 2]]).keys(),
      some(),
      later(),
      new Blob(["ab"]).stream(),
      Int16Array.of(3, -4),
      "añ💚",
      [, 1] as number[],
      Pages.from([1, 2]),
      queue(1, 2, 3),
    ];
    const wanted = [
      range(40),
      [1],
      range(40),
      range(40),
      [Uint8Array.of(97, 98)],
      [3, -4],
      ["a", "ñ", "💚"],
      [undefined, 1],
      ["page 1", "page 2"],
      [1, 2, 3],
    ];
    for (const [i, source] of sources.entries()) {
      const results = await workers.map(
        (value: unknown) => value,
        source as Iterable<unknown>,
      );
      assertEquals(results, wanted[i] as unknown[]);
    }
  });

  it("numbers keep NaN, -0 and infinities", async () => {
    const inputs = range(100).map((i) => [NaN, -0, 1 / 0, 0.1][i % 4]);
    const results = await parallelMap((n: number) => n, inputs, pool);
    assert(results.every((n, i) => Object.is(n, inputs[i])));
  });

  it("values arrive as structured clone brings them", async () => {
    const shared = { deep: [1] };
    const value = {
      shared: [shared, shared],
      date: new Date(5),
      map: new Map([[{ a: 1 }, new Set([2n])]]),
      regex: /x/gi,
      none: undefined,
      bytes: Uint8Array.of(1, 2),
      cycle: null as unknown,
    };
    value.cycle = value;
    const [back] = await parallelMap((v: typeof value) => v, [value], pool);
    assertEquals(back.date, value.date);
    assertEquals(back.map, value.map);
    assertEquals(back.bytes, value.bytes);
    assertStrictEquals(back.shared[0], back.shared[1]);
    assertStrictEquals(back.cycle, back);
    assert("none" in back && back !== value);
  });

  it("other values arrive as docs/values.md says", async () => {
    class Point {
      x = 1;
      get y() {
        return 2;
      }
    }
    class Table extends Map<number, number> {}
    const regex = /x/g;
    regex.lastIndex = 3;
    const values = [
      new Point(),
      new Table([[1, 2]]),
      regex,
      Buffer.from("ab"),
      new Blob(["xy"]),
      Object(5n),
    ];
    const back = await parallelMap((v: unknown) => v, values, pool) as [
      object,
      Map<number, number>,
      RegExp,
      Uint8Array,
      Blob,
      unknown,
    ];
    assertEquals(back[0], { x: 1 });
    assertStrictEquals(back[1].constructor, Map);
    assertEquals([back[2].source, back[2].lastIndex], ["x", 0]);
    assertStrictEquals(back[3].constructor, Uint8Array);
    assertEquals([...back[3]], [97, 98]);
    assertEquals(await back[4].text(), "xy");
    assertEquals(back[5], Object(5n));
  });

  it("many small objects and strings in a chunk arrive whole", async () => {
    await using workers = new Pool(pool);
    const inputs = range(300).map((id) => ({
      id,
      name: `\ud800${id}`,
      at: { x: -0, on: id % 2 ? undefined : null },
    }));
    const options = { chunkSize: 100 };
    const turn = ({ id, name, at }: (typeof inputs)[0]) => ({ at, name, id });
    const turned = await workers.map(turn, inputs, options);
    assertEquals(turned, inputs.map(turn));
    assertEquals(Object.keys(turned[299]), ["at", "name", "id"]);
    const names = await workers.map(({ name }) => name, inputs, options);
    assertEquals(names, inputs.map(({ name }) => name));
    // One failure: then the others of its chunk go as a list.
    const settled = await workers.mapSettled(
      (value: (typeof inputs)[0]) => {
        if (value.id === 150) throw new Error("150");
        return value;
      },
      inputs,
      options,
    );
    assertEquals(settled[150].status, "rejected");
    assertEquals(
      settled.flatMap((one) => one.status === "fulfilled" ? [one.value] : []),
      inputs.toSpliced(150, 1),
    );
  });

  it("an Error as a value keeps class, name, cause and properties", async () => {
    const error = Object.assign(new RangeError("r", { cause: { n: 1 } }), {
      code: 7,
    });
    const group = new AggregateError([error, 2], "two");
    const [back] = await parallelMap(
      (v: { group: AggregateError }) => v,
      [{ group }],
      pool,
    );
    assertInstanceOf(back.group, AggregateError);
    const [first, second] = back.group.errors;
    assertInstanceOf(first, RangeError);
    assertEquals([first.cause, (first as typeof error).code, second], [
      { n: 1 },
      7,
      2,
    ]);
  });

  it("async functions are awaited", async () => {
    const later = async (n: number) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      return n + 1;
    };
    assertEquals(await parallelMap(later, [1, 2, 3], pool), [2, 3, 4]);
  });

  it("the context tells index, attempt, worker and state", async () => {
    const tell = (_: string, c: TaskContext<{ a: number }>) => [
      c.index,
      c.attempt,
      c.worker,
      c.state.a,
      c.aborted,
    ];
    const results = await parallelMap(tell, ["x", "y"], {
      ...pool,
      workers: pool.workers === 0 ? 0 : 1,
      workerData: { a: 5 },
    });
    assertEquals(results, [[0, 1, 0, 5, false], [1, 1, 0, 5, false]]);
  });

  it("init makes the state, once per worker", async () => {
    const results = await parallelMap(
      (n: number, { state }: TaskContext<{ calls: number; base: number }>) =>
        ++state.calls && state.base + n,
      range(20),
      {
        ...pool,
        workerData: 100,
        init: async (base: number) => await { calls: 0, base },
      },
    );
    assertEquals(results, range(20).map((n) => 100 + n));
  });

  it("an exported function and init are imported by name", async () => {
    const { greet, open } = await import("./fixtures/tasks.ts");
    const options = { ...pool, module: TASKS, workerData: "hello", init: open };
    assertEquals(await parallelMap(greet, ["a", "b"], options), [
      "hello a",
      "hello b",
    ]);
    assertEquals(
      await parallelMap("square", [3], { ...pool, module: TASKS.href }),
      [9],
    );
    assertEquals(
      await parallelMap("default", [3], { ...pool, module: TASKS }),
      [
        -3,
      ],
    );
  });

  it("module state is one per worker", async () => {
    const { countCalls } = await import("./fixtures/tasks.ts");
    const before = countCalls();
    await using workers = new Pool({ ...pool, module: TASKS });
    await workers.start(); // else one would do for tasks that are so short
    const counts = await workers.map(countCalls, range(50));
    assertEquals(countCalls(), before + 1); // the caller's own is untouched
    assertEquals(counts.filter((n) => n === 1).length, pool.workers);
  });

  it("tasks run at the same time", async () => {
    // Each waits until the other has started: alone, neither would end.
    const meet = async (cell: Int32Array) => {
      Atomics.add(cell, 0, 1);
      while (Atomics.load(cell, 0) < 2) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      return Atomics.load(cell, 0);
    };
    const cell = new Int32Array(new SharedArrayBuffer(4));
    assertEquals(await parallelMap(meet, [cell, cell], pool), [2, 2]);
  });

  it("tasks behind a slow one go to a worker that idles", async () => {
    // 1 takes its thread until 2 has run: in another worker, or never.
    const act = (deed: number, { state }: TaskContext<Int32Array>) => {
      if (deed === 1) return Atomics.wait(state, 0, 0, 20_000);
      if (deed === 2) {
        Atomics.store(state, 0, 1);
        Atomics.notify(state, 0);
      }
      return "went on";
    };
    const workerData = new Int32Array(new SharedArrayBuffer(4));
    await using workers = new Pool({ ...pool, workerData });
    await workers.start();
    const inputs = [...range(2000).map(() => 0), 1, 2, 2];
    const results = await workers.map(act, inputs);
    // "not-equal" if 2 ran before 1 began
    assert(["ok", "not-equal"].includes(results[2000]), results[2000]);
    assertEquals(results.slice(-2), ["went on", "went on"]);
  });

  it("concurrency keeps tasks in flight inside each worker", async () => {
    const wait = async (cell: Int32Array) => {
      const now = Atomics.add(cell, 0, 1) + 1;
      for (let peak = Atomics.load(cell, 1); now > peak;) {
        peak = Atomics.compareExchange(cell, 1, peak, now);
      }
      // Nobody leaves before all seats were taken at once.
      while (Atomics.load(cell, 1) < Atomics.load(cell, 2)) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      Atomics.sub(cell, 0, 1);
    };
    const seats = 5 * (pool.workers || 1);
    const cell = new Int32Array(new SharedArrayBuffer(12));
    cell[2] = seats;
    const inputs = range(60).map(() => cell);
    await parallelMap(wait, inputs, { ...pool, concurrency: 5 });
    assertEquals(cell[1], seats);
  });

  it("a throw rejects with its index, class, properties and stack", async () => {
    const { closeShop } = await import("./fixtures/tasks.ts");
    const error = await assertRejects(
      () => parallelMap(closeShop, [0, 1], { ...pool, module: TASKS }),
      TaskError,
      "Cannot map input 1 as closeShop threw ShopError: closed",
    );
    assertEquals([error.index, error.attempts], [1, 1]);
    const cause = error.cause as ShopError;
    assertInstanceOf(cause, RangeError);
    assertEquals([cause.name, cause.message, cause.code], [
      "ShopError",
      "closed",
      "E_SHOP",
    ]);
    assertEquals(cause.detail.at, { shelf: 7 });
    assertInstanceOf(cause.detail.inner, TypeError);
    assertInstanceOf(cause.cause, SyntaxError);
    assertStringIncludes(cause.stack ?? "", "tasks.ts:");
    assertStringIncludes(cause.stack ?? "", "contract.ts:");
    assertStringIncludes(error.stack ?? "", "contract.ts:");
  });

  it("whatever is thrown arrives, and is still a throw", async () => {
    const throwIt = (what: string) => {
      const odd: Record<string, unknown> = {
        undefined: undefined,
        null: null,
        zero: 0,
        empty: "",
        plain: { a: [1] },
        abort: new DOMException("d", "AbortError"),
        group: new AggregateError([new RangeError("in")], "g"),
        uncloneable: Object.assign(new Error("u"), { run: () => 1 }),
        url: Object.assign(new Error("l"), { at: new URL("file:///x") }),
      };
      throw odd[what];
    };
    const names = [
      "undefined",
      "null",
      "zero",
      "empty",
      "plain",
      "abort",
      "group",
      "uncloneable",
      "url",
    ];
    const causes = reasons(await parallelMapSettled(throwIt, names, pool))
      .map((error, index) => {
        assertInstanceOf(error, TaskError);
        assertEquals(error.index, index);
        return error.cause;
      });
    assertEquals(causes.slice(0, 5), [undefined, null, 0, "", { a: [1] }]);
    const [abort, group, odd, url] = causes.slice(5);
    assertInstanceOf(abort, DOMException);
    assertEquals(abort.name, "AbortError");
    assertInstanceOf(group, AggregateError);
    assertInstanceOf(group.errors[0], RangeError);
    assertEquals((odd as { run: unknown }).run, "[Function: run]");
    assertEquals((url as { at: unknown }).at, "file:///x");
  });

  it("mapSettled tells the outcome of each input", async () => {
    const results = await parallelMapSettled(failAt2, range(5), pool);
    assertEquals(results.map((r) => r.status === "fulfilled"), [
      true,
      true,
      false,
      true,
      true,
    ]);
    assertEquals(reasons(results)[4], 4);
  });

  it("retries try a failed task again", async () => {
    const flaky = (n: number, { attempt }: TaskContext) => {
      if (attempt <= n) throw new Error(`attempt ${attempt}`);
      return attempt;
    };
    const results = reasons(
      await parallelMapSettled(flaky, [0, 1, 2, 3], { ...pool, retries: 2 }),
    );
    assertEquals(results.slice(0, 3), [1, 2, 3]);
    assertInstanceOf(results[3], TaskError);
    assertEquals(results[3].attempts, 3);
  });

  it("an input that cannot be cloned names its index", async () => {
    await using workers = new Pool(pool);
    const bad: unknown[] = [
      () => 1,
      Symbol("s"),
      { deep: [{ callback() {} }] },
      new WeakMap(),
      [Promise.resolve(1)],
      new URL("file:///x"),
      new Headers(),
      new Proxy({}, {}),
    ];
    for (const value of bad) {
      const results = reasons(
        await workers.mapSettled(
          (v: unknown) => typeof v,
          [1, value, "x"],
        ),
      );
      const error = results[1];
      assertInstanceOf(error, TaskError);
      assertStringIncludes(
        error.message,
        "Cannot map input 1 as it must be cloneable: received ",
      );
      assertEquals([results[0], results[2]], ["number", "string"]);
    }
  });

  it("what only structured clone itself refuses is named", async () => {
    const make = (n: number): unknown =>
      [
        () => [1].values(),
        () => ({ at: [new Intl.NumberFormat("en")] }),
        () => new WebAssembly.Memory({ initial: 1 }),
      ][n]!();
    const results = reasons(await parallelMapSettled(make, range(3), pool));
    const texts = results.map((error) => (error as Error).message);
    for (
      const [index, name] of [
        "[object Array Iterator]",
        '[object Intl.NumberFormat] at "at[0]"',
        "WebAssembly.Memory",
      ].entries()
    ) assertStringIncludes(texts[index]!, name);
  });

  it("a result that cannot be cloned fails its task alone", async () => {
    const make = (n: number): unknown =>
      [
        () => n,
        Symbol("s"),
        new URL("file:///x"),
        { a: new Headers() },
        new WeakSet(),
        new Proxy({}, {}),
        n,
      ][n];
    const results = reasons(await parallelMapSettled(make, range(7), pool));
    for (const error of results.slice(0, 6)) {
      assertInstanceOf(error, TaskError);
      assertStringIncludes(error.message, "as its result must be cloneable");
      assertEquals((error.cause as Error).name, "DataCloneError");
    }
    assertEquals(results[6], 6);
  });

  it("a getter that throws fails its input with its own error", async () => {
    const bad = {
      get boom() {
        throw new RangeError("getter");
      },
    };
    const results = reasons(
      await parallelMapSettled((v: unknown) => typeof v, [bad, 1], pool),
    );
    assertInstanceOf(results[0], TaskError);
    assertStringIncludes(results[0].message, "getter");
    assertEquals(results[1], "number");
  });

  it("a result may be longer than a call may have arguments", async () => {
    const [list] = await parallelMap(
      (n: number) => Array.from({ length: n }, (_, i) => ({ i })),
      [250_000],
      pool,
    );
    assertEquals([list.length, list[249_999]], [250_000, { i: 249_999 }]);
  });

  it("inputs changed during the run do not matter", async () => {
    const inputs = range(500);
    const running = parallelMap(double, inputs, pool);
    inputs.length = 3;
    inputs[0] = 99;
    assertEquals(await running, range(500).map(double));
    const set = new Set(range(500));
    const reading = parallelMap(double, set, pool);
    set.clear();
    assertEquals(await reading, range(500).map(double));
  });

  it("an iterable that throws passes its own error on", async () => {
    await using workers = new Pool(pool);
    const own = new Error("mine");
    for (const at of [0, 3, 9]) {
      let returned = 0;
      const make = (step: () => { done: boolean; value: number }) => ({
        next: step,
        return() {
          returned++;
          return { done: true, value: 0 };
        },
      });
      let n = 0;
      const step = () => {
        if (n === at) throw own;
        return { done: n === 9, value: n++ };
      };
      const sync = { [Symbol.iterator]: () => make(step) };
      const caught = await workers.map(double, sync as Iterable<number>)
        .catch((error) => error);
      assertStrictEquals(caught, own);
      n = 0;
      const later = {
        [Symbol.asyncIterator]: () =>
          make(step) as unknown as AsyncIterator<number>,
      };
      const again = await workers.map(
        double,
        later as AsyncIterable<number>,
      )
        .catch((error) => error);
      assertStrictEquals(again, own);
      assertEquals(returned, 0); // as in for…of
    }
  });

  it("signal rejects with its reason itself", async () => {
    const reason = { why: "enough" };
    const wait = () => new Promise((resolve) => setTimeout(resolve, 10_000));
    const abort = new AbortController();
    const running = parallelMap(wait, range(4), {
      ...pool,
      signal: abort.signal,
    });
    setTimeout(() => abort.abort(reason), 30);
    assertStrictEquals(await running.catch((error) => error), reason);
    const before = parallelMap(double, [1], { ...pool, signal: abort.signal });
    assertStrictEquals(await before.catch((error) => error), reason);
    await calm();
  });

  it("a synchronous loop sees the abort", async () => {
    const cell = new Int32Array(new SharedArrayBuffer(8));
    const spin = (cell: Int32Array, context: TaskContext) => {
      Atomics.add(cell, 0, 1);
      try {
        for (;;) context.throwIfAborted();
      } finally {
        Atomics.add(cell, 1, 1);
      }
    };
    // On a busy machine, a worker may be ended before it sees the abort.
    while (Atomics.load(cell, 1) < 2) {
      cell.fill(0);
      let ended = 0;
      const abort = new AbortController();
      const running = parallelMap(spin, [cell, cell], {
        ...pool,
        signal: abort.signal,
        onEvent: ({ type }) => ended += type === "worker-end" ? 1 : 0,
      });
      await until(() => Atomics.load(cell, 0) >= 2);
      abort.abort();
      await assertRejects(() => running, DOMException);
      await until(() => Atomics.load(cell, 1) >= 2 || ended >= 2);
    }
    await calm();
  });

  it("an abort does not wait for a task that computes", async () => {
    const cell = new Int32Array(new SharedArrayBuffer(12));
    const [BEGUN, MAY_END, ENDED] = [0, 1, 2];
    const spin = (cell: Int32Array) => {
      Atomics.store(cell, 0, 1);
      while (Atomics.load(cell, 1) === 0);
      Atomics.store(cell, 2, 1);
    };
    await using workers = new Pool(pool);
    await workers.start();
    const abort = new AbortController();
    const running = workers.map(spin, [cell], { signal: abort.signal });
    try {
      await until(() => Atomics.load(cell, BEGUN) > 0);
      abort.abort();
      await assertRejects(() => running, DOMException);
      assertEquals(cell[ENDED], 0);
      assertEquals(await workers.map(double, [1, 2, 3]), [2, 4, 6]);
    } finally { // Deno cannot end the loop of a Web Worker
      Atomics.store(cell, MAY_END, 1);
    }
  });

  it("a task that exits loses its worker, and only itself", async () => {
    const { perish } = await import("./fixtures/tasks.ts");
    const inputs = ["fine", "exit", "fine", "fine", "exit", "fine"];
    const results = reasons(
      await parallelMapSettled(perish, inputs, { ...pool, module: TASKS }),
    );
    for (const [index, how] of inputs.entries()) {
      if (how === "fine") assertEquals(results[index], "fine");
      else {
        const error = results[index];
        assertInstanceOf(error, WorkerLostError);
        assertEquals(error.index, index);
        if (runtime === "browser") continue; // there is no code
        assertStringIncludes(error.message, "with exit code 3");
      }
    }
  });

  it("a task that closes its worker loses it", async () => {
    const { perish } = await import("./fixtures/tasks.ts");
    // Bun has no self.close(): there the task would wait for ever.
    const how = "close" in globalThis && name === "web" ? "close" : "exit";
    const results = reasons(
      await parallelMapSettled(perish, ["fine", how, "fine"], {
        ...pool,
        module: TASKS,
      }),
    );
    assertInstanceOf(results[1], WorkerLostError);
    assertEquals([results[0], results[2]], ["fine", "fine"]);
  });

  for (
    const [how, title] of [
      ["timer", "an error in a timer loses the worker of its task"],
      ["reject", "an unhandled rejection loses the worker of its task"],
    ]
  ) {
    it(title, async () => {
      const { perish } = await import("./fixtures/tasks.ts");
      const results = reasons(
        await parallelMapSettled(perish, ["fine", how, "fine"], {
          ...pool,
          module: TASKS,
        }),
      );
      assertInstanceOf(results[1], WorkerLostError);
      assertEquals(results[1].signal, undefined); // that of the pool is its own
      assertEquals([results[0], results[2]], ["fine", "fine"]);
    });
  }

  it("the cause of a lost worker is the error that ended it", async () => {
    const { perish } = await import("./fixtures/tasks.ts");
    for (const how of ["timer", "reject"]) {
      const error = await assertRejects(
        () => parallelMap(perish, [how], { ...pool, module: TASKS }),
        WorkerLostError,
      );
      assertInstanceOf(error.cause, RangeError);
      assertStringIncludes(error.cause.stack ?? "", "tasks.ts:");
    }
  });

  it("a call gets its turn beside one that never ends", async () => {
    await using workers = new Pool(pool);
    const same = (n: number) => n;
    const later = async (n: number) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      return n;
    };
    const last = (_: number, n: number) => n;
    function* endless() {
      for (;;) yield 1;
    }
    for (const [fn, concurrency] of [[same, 1], [later, 8]] as const) {
      const leave = new AbortController();
      const { signal } = leave;
      const { promise: isBusy, resolve } = Promise.withResolvers<void>();
      const onProgress = ({ done }: Progress) => {
        if (done > 100) resolve();
      };
      const options = { concurrency, signal, onProgress };
      const never = workers.reduce(fn, last, endless(), options);
      await Promise.race([isBusy, never]);
      assertEquals(await workers.map(double, range(20)), range(20).map(double));
      leave.abort();
      await assertRejects(() => never, DOMException);
    }
  });

  it("a pool is usable after its workers were lost", async () => {
    const { perish } = await import("./fixtures/tasks.ts");
    await using workers = new Pool({ ...pool, module: TASKS });
    for (let round = 0; round < 3; round++) {
      await assertRejects(
        () => workers.map(perish, ["exit", "exit"]),
        WorkerLostError,
      );
      assertEquals(await workers.map(perish, ["fine"]), ["fine"]);
    }
  });

  it("a lost task is tried again", async () => {
    const { leave } = await import("./fixtures/tasks.ts");
    type Context = TaskContext<unknown, { leave: () => Promise<never> }>;
    const once = (n: number, { attempt, data }: Context) =>
      n === 3 && attempt === 1 ? data.leave() : attempt;
    const options = { ...pool, retries: 1, data: { leave } };
    assertEquals(await parallelMap(once, range(6), options), [
      1,
      1,
      1,
      2,
      1,
      1,
    ]);
  });

  it("concurrent tasks of a lost worker are told apart", async () => {
    const { leave } = await import("./fixtures/tasks.ts");
    type Context = TaskContext<unknown, { leave: () => Promise<never> }>;
    const exitLater = async (n: number, { data }: Context) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return n === 4 ? await data.leave() : n;
    };
    const results = reasons(
      await parallelMapSettled(exitLater, range(12), {
        ...pool,
        data: { leave },
        concurrency: 4,
      }),
    );
    for (const [index, result] of results.entries()) {
      if (index === 4) assertInstanceOf(result, WorkerLostError);
      else assertEquals(result, index);
    }
  });

  it("timeout ends a synchronous endless loop, and only that task", async () => {
    const spin = (n: number) => {
      while (n === 2);
      return n;
    };
    const results = reasons(
      await parallelMapSettled(spin, range(8), { ...timed, timeout: 500 }),
    );
    const error = results[2];
    assertInstanceOf(error, TaskTimeoutError);
    assertEquals([error.index, error.timeout], [2, 500]);
    results[2] = 2;
    assertEquals(results, range(8));
  });

  it("timeout: a loop that an earlier task left behind keeps no other waiting", async () => {
    const leave = (n: number) => {
      if (n === 0) {
        setTimeout(() => {
          while (n === 0);
        }, 0);
      }
      return n;
    };
    const options = { ...timed, workers: 1, chunkSize: 1, timeout: 500 };
    async function* slowly() {
      for (const n of range(5)) {
        yield n;
        await pause(30);
      }
    }
    assertEquals(await parallelMap(leave, slowly(), options), range(5));
  });

  it("timeout: of tasks that wait, only the one that is late fails", async () => {
    const wait = async (n: number) => {
      await new Promise((done) => n === 2 || setTimeout(done, 10));
      return n;
    };
    const results = reasons(
      await parallelMapSettled(wait, range(8), {
        ...timed,
        concurrency: 4,
        timeout: 2000,
      }),
    );
    assertInstanceOf(results[2], TaskTimeoutError);
    assertEquals(results.with(2, 2), range(8));
  });

  it("timeout: tasks that wait for ever begin once, and are told", async () => {
    const counts = new Int32Array(new SharedArrayBuffer(8));
    const wait = (counts: Int32Array, context: TaskContext) => {
      Atomics.add(counts, 0, 1);
      context.signal.addEventListener("abort", () => {
        const isLate = context.signal.reason.name === "TimeoutError";
        if (isLate && context.aborted) Atomics.add(counts, 1, 1);
      });
      return new Promise<void>(() => {});
    };
    const results = reasons(
      await parallelMapSettled(wait, new Array(12).fill(counts), {
        ...timed,
        workers: 1,
        concurrency: 6,
        timeout: 2000, // a worker may be silent for as long on a busy machine
      }),
    );
    for (const result of results) assertInstanceOf(result, TaskTimeoutError);
    assertEquals([...counts], [12, 12]);
  });

  it("timeout leaves a pool that works", async () => {
    await using workers = new Pool(timed);
    assertEquals(await workers.map(double, [1]), [2]);
    const spin = () => {
      for (;;);
    };
    await assertRejects(
      () => workers.map(spin, [1], { timeout: 200 }),
      TaskTimeoutError,
    );
    assertEquals(await workers.map(double, [1, 2]), [2, 4]);
  });

  it("maxTasksPerWorker replaces workers", async () => {
    const starts: number[] = [];
    const results = await parallelMap(double, range(20), {
      ...pool,
      maxTasksPerWorker: 4,
      onEvent: (event) => {
        if (event.type === "worker-start") starts.push(event.worker);
      },
    });
    assertEquals(results, range(20).map(double));
    assertGreater(starts.length, 4);
  });

  it("init that throws ends the run with one clear error", async () => {
    const error = await assertRejects(
      () =>
        parallelMap(double, range(9), {
          ...pool,
          init: () => {
            throw new RangeError("no licence");
          },
        }),
      WorkerStartError,
      "no licence",
    );
    assertInstanceOf(error.cause, RangeError);
  });

  it("init that exits ends the run", async () => {
    const { leave: init } = await import("./fixtures/tasks.ts");
    await assertRejects(
      () => parallelMap(double, range(9), { ...pool, init }),
      WorkerStartError,
    );
  });

  it("close settles every pending call", async () => {
    const wait = () => new Promise((resolve) => setTimeout(resolve, 10_000));
    const workers = new Pool(pool);
    const pending = [
      workers.map(wait, range(5)),
      workers.mapSettled(wait, [1]),
      workers.stream(wait, [1]).next(),
    ];
    const outcomes = Promise.allSettled(pending);
    await pause(20);
    await Promise.all([workers.close(), workers.close()]);
    for (const outcome of await outcomes) {
      assert(outcome.status === "rejected");
      assertEquals(outcome.reason.name, "AbortError");
    }
    await assertRejects(() => workers.map(double, [1]), TypeError, "closed");
  });

  it("close works while workers start, when idle, and after a failure", async () => {
    for (const state of ["new", "starting", "idle", "failed"]) {
      const workers = new Pool(pool);
      if (state === "starting") void workers.start().catch(() => {});
      if (state === "idle") await workers.map(double, [1, 2]);
      if (state === "failed") await workers.map(failAt2, [2]).catch(() => {});
      await workers.close();
    }
  });

  it("runs of one pool share its workers and do not mix", async () => {
    await using workers = new Pool(pool);
    const triple = (n: number) => n * 3;
    const all = await Promise.all([
      workers.map(double, range(300)),
      workers.map(triple, range(200)),
      Array.fromAsync(workers.stream(double, range(100))),
      workers.mapSettled(failAt2, range(4)),
    ]);
    assertEquals(all[0], range(300).map(double));
    assertEquals(all[1], range(200).map(triple));
    assertEquals(all[2], range(100).map(double));
    assertEquals(all[3].map((r) => r.status)[2], "rejected");
  });

  it("stream keeps order, or not", async () => {
    const inputs = range(300);
    const inOrder = parallelMapStream(double, inputs, pool);
    assertEquals(await Array.fromAsync(inOrder), inputs.map(double));
    if (pool.workers === 0) return; // one thread has but one order
    // The first task waits for a hundred others, more than are sent at a time:
    // some must have been answered before it can be.
    const last = async (n: number, { state }: TaskContext<Int32Array>) => {
      if (n > 0) Atomics.add(state, 0, 1);
      while (n === 0 && Atomics.load(state, 0) < 100) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      return n;
    };
    const workerData = new Int32Array(new SharedArrayBuffer(4));
    const asReady = await Array.fromAsync(
      parallelMapStream(last, inputs, { ...pool, workerData, ordered: false }),
    );
    assertEquals(asReady.toSorted((a, b) => a - b), inputs);
    assert(asReady[0] !== 0);
  });

  it("stream reads only a bounded way ahead", async () => {
    let read = 0;
    function* endless() {
      for (;;) yield read++;
    }
    const reader = parallelMapStream(double, endless(), {
      ...pool,
      bufferSize: 10,
    });
    assertEquals(read, 0); // nothing starts before the first read
    assertEquals((await reader.next()).value, 0);
    await pause(30);
    assert(read <= 11, `read ${read}`);
    await reader.return(undefined);
  });

  it("a stream read after its pool was closed, or its signal, rejects", async () => {
    const workers = new Pool(pool);
    const late = workers.stream(double, range(3));
    await workers.close();
    const error = await assertRejects(() => late.next(), DOMException);
    assertEquals(error.name, "AbortError");
    assertEquals((await late.next()).done, true);
    const abort = new AbortController();
    const { signal } = abort;
    const reader = parallelMapStream(double, range(3), { ...pool, signal });
    abort.abort("enough");
    assertEquals(await reader.next().catch((reason) => reason), "enough");
    await calm();
  });

  it("what a task posts by itself is left alone", async () => {
    const post = (n: number) => {
      const { postMessage } = globalThis as { postMessage?(v: unknown): void };
      const like = ["x", "type", "done", "serial", n + 1, "tasks", 1, 3, n];
      for (const odd of [null, 5, "x", { type: "odd" }, like, [n, {}], []]) {
        postMessage?.(odd);
      }
      return `${n}`;
    };
    const texts = range(4).map(String);
    assertEquals(await parallelMap(post, range(4), pool), texts);
  });

  it("a slow source does not hold back what is finished", async () => {
    const release = Promise.withResolvers<void>();
    async function* slow() {
      yield 1;
      await release.promise;
      yield 2;
    }
    const reader = parallelMapStream(double, slow(), pool);
    assertEquals((await reader.next()).value, 2); // before 2 has come in
    release.resolve();
    assertEquals((await reader.next()).value, 4);
    assertEquals((await reader.next()).done, true);
  });

  it("break ends the source and the workers", async () => {
    let closed = 0;
    async function* endless() {
      try {
        for (let n = 0;; n++) yield await Promise.resolve(n);
      } finally {
        closed++;
      }
    }
    for await (const n of parallelMapStream(double, endless(), pool)) {
      if (n > 50) break;
    }
    await pause(5);
    assertEquals(closed, 1);
    const fail = () => {
      throw new RangeError("mine");
    };
    const listeners = [
      { onProgress: ({ state }: Progress) => state === "stopped" && fail() },
      { onEvent: ({ type }: RunEvent) => type === "run-end" && fail() },
    ];
    for (const listener of listeners) {
      await assertRejects(async () => {
        const options = { ...pool, ...listener };
        const stream = parallelMapStream(double, endless(), options);
        for await (const n of stream) if (n > 50) break;
      }, RangeError);
    }
  });

  it("a failing task ends a stream in its turn", async () => {
    const got: number[] = [];
    await assertRejects(async () => {
      for await (const n of parallelMapStream(failAt2, range(50), pool)) {
        got.push(n);
      }
    }, TaskError);
    assertEquals(got, [0, 1]);
  });

  it("transfer moves buffers both ways, for many inputs", async () => {
    const inputs = range(6).map((n) => new Uint8Array(1000).fill(n));
    const results = await parallelMap(
      (bytes: Uint8Array) => bytes.map((b) => b + 1),
      inputs,
      { ...pool, transfer: true },
    );
    assertEquals(
      results.map((bytes) => bytes[999]),
      range(6).map((n) => n + 1),
    );
    assertEquals(inputs.map((bytes) => bytes.length), range(6).map(() => 0));
    const again = reasons(
      await parallelMapSettled((b: Uint8Array) => b.length, inputs, {
        ...pool,
        transfer: true,
      }),
    );
    assertInstanceOf(again[0], TaskError);
    assertStringIncludes(again[0].message, "moved away");
    const part = new Uint8Array(9).subarray(1); // it is cut out
    const options = { ...pool, transfer: true };
    assertEquals(await parallelMap((b) => b.length, [part], options), [8]);
    assertEquals(part.length, 8);
  });

  it("transfer moves what a source gives, and copies a row it fills again", async () => {
    const one = { ...pool, workers: pool.workers && 1, transfer: true };
    function* rows() {
      const row = { n: 0 };
      for (row.n = 0; row.n < 20; row.n++) yield row;
    }
    const same = ({ n }: { n: number }) => n;
    const options = { ...one, chunkSize: 10 };
    assertEquals(await parallelMap(same, rows(), options), range(20));
    const given = range(3).map(() => ({ bytes: new Uint8Array(9) }));
    const lengths = await parallelMap(
      ({ bytes }) => bytes.length,
      given.values(),
      one,
    );
    assertEquals(lengths, [9, 9, 9]);
    assertEquals(given.map(({ bytes }) => bytes.length), [0, 0, 0]);
  });

  it("a row that is filled again is what it was, also when its task is tried again", async () => {
    await using workers = new Pool(pool);
    function* rows() {
      const row = { n: 0 };
      for (row.n = 0; row.n < 6; row.n++) yield row;
    }
    async function* laterRows() {
      for (const row of rows()) {
        yield row;
        await pause(1);
      }
    }
    async function* filledEarly() {
      for (const row of rows()) {
        await pause(1);
        yield row;
      }
    }
    async function* afterOthers() {
      yield { n: 0 };
      yield { n: 1 };
      const row = { n: 2 };
      for (; row.n < 6; row.n++) {
        await pause(1);
        yield row;
      }
    }
    const failOnce = async (
      { n }: { n: number },
      { attempt }: TaskContext,
    ) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (attempt === 1) throw new Error("once");
      return n;
    };
    for (const source of [rows, laterRows, filledEarly, afterOthers]) {
      const options = { chunkSize: 1, retries: 1 };
      const outcomes = await workers.mapSettled(failOnce, source(), options);
      assertEquals(
        outcomes.map((one) => one.status === "fulfilled" && one.value),
        range(6),
      );
      const weighed: number[] = [];
      const weight = ({ n }: { n: number }) => {
        weighed.push(n);
        return 1;
      };
      const numbers = ({ n }: { n: number }) => n;
      assertEquals(await workers.map(numbers, source(), { weight }), range(6));
      assertEquals(weighed, range(6));
      const two = { chunkSize: 2 };
      assertEquals(await workers.map(numbers, source(), two), range(6));
      for (const how of [{ chunkSize: 1 }, { bufferSize: 1 }]) {
        const inputs: number[] = [];
        const settled = { ...how, settled: true } as const;
        for await (
          const { input } of workers.stream(numbers, source(), settled)
        ) inputs.push(input.n);
        assertEquals(inputs, range(6));
      }
    }
  });

  it("an outcome has the object that its source gave", async () => {
    await using workers = new Pool(pool);
    class Job {
      #size = 1;
      get size(): number {
        return this.#size;
      }
    }
    const given = range(6).map(() => new Job());
    async function* slowly() {
      for (const job of given) {
        yield job;
        await pause(2);
      }
    }
    const weight = ({ size }: Job) => size;
    for (const how of [{}, { weight }]) {
      const options = { ...how, settled: true } as const;
      for (const source of [given.values(), slowly()]) {
        const found: Job[] = [];
        for await (
          const { input } of workers.stream(() => 1, source, options)
        ) found.push(input);
        assertEquals(found.map((job) => given.indexOf(job)), range(6));
        assertEquals(found.map(weight), range(6).map(() => 1));
      }
    }
  });

  it("a view is cut out of its buffer", async () => {
    const big = new Uint8Array(1 << 20).fill(7);
    const sizes = await parallelMap(
      (view: Uint8Array) => [view.length, view.buffer.byteLength],
      [big.subarray(10, 20)],
      pool,
    );
    assertEquals(sizes, [[10, 10]]);
  });

  it("a SharedArrayBuffer is shared", async () => {
    const cell = new Int32Array(new SharedArrayBuffer(4));
    await parallelMap(
      (cell: Int32Array) => Atomics.add(cell, 0, 1),
      range(50).map(() => cell),
      pool,
    );
    assertEquals(cell[0], 50);
  });

  it("output fills one typed array", async () => {
    await using workers = new Pool(pool);
    for (const inputs of [range(3000), Float64Array.from(range(3000))]) {
      const results = await workers.map(double, inputs, {
        output: Float64Array,
      });
      assertInstanceOf(results, Float64Array);
      assertEquals([...results], range(3000).map(double));
    }
    const unknown = await workers.map(double, range(3000).values(), {
      output: Int32Array,
    });
    assertEquals([...unknown], range(3000).map(double));
  });

  it("progress counts completions", async () => {
    const seen: Progress[] = [];
    await parallelMapSettled(failAt2, range(10), {
      ...pool,
      onProgress: (progress) => seen.push(progress),
    });
    const { state, done, failed, total } = seen.at(-1)!;
    assertEquals([state, done, failed, total], ["done", 10, 1, 10]);
    assertEquals([seen[0].state, seen[0].done], ["running", 0]);
    assert(seen.every(({ done }, i) => i === 0 || done >= seen[i - 1].done));
  });

  it("progress of a stream that is left ends as stopped", async () => {
    const states: string[] = [];
    const options = {
      ...pool,
      bufferSize: 1,
      onProgress: ({ state }: Progress) => void states.push(state),
    };
    for await (const _ of parallelMapStream(double, range(9), options)) break;
    assertEquals([states[0], states.at(-1)], ["running", "stopped"]);
  });

  it("a listener that throws ends the run with its error", async () => {
    const own = new Error("mine");
    const fail = () => {
      throw own;
    };
    for (const option of [{ onProgress: fail }, { onEvent: fail }]) {
      const caught = await parallelMap(double, range(5), { ...pool, ...option })
        .catch((error) => error);
      assertStrictEquals(caught, own);
    }
  });

  it("events tell every task once, with its times", async () => {
    const events: RunEvent[] = [];
    await parallelMap(double, range(200), {
      ...pool,
      onEvent: (event) => events.push(event),
    });
    const told: number[] = [];
    for (const event of events) {
      if (event.type !== "chunk-done") continue;
      for (const [offset, from] of event.from.entries()) {
        if (Number.isNaN(from)) continue; // it went elsewhere
        assert(from <= event.to[offset] && event.to[offset] <= event.at);
        told.push(event.first + offset);
      }
    }
    assertEquals(told.toSorted((a, b) => a - b), range(200));
    assertEquals(events.at(-1)?.type, "worker-end");
  });

  if (end !== undefined) { // whatever the turn is
    const title = `${name}: nothing is left of what the tests used`;
    test(title, { ignore: absent, ...sanitizers }, () => around(end));
  }

  for (const title of Object.keys(differences)) {
    if (!used.has(title)) throw new Error(`No test is called "${title}"`);
  }
}

/** What a page does not run, by what it is and in which browser. */
function skipsInPage(name: BackendName) {
  const isPlain = typeof SharedArrayBuffer === "undefined";
  const [browser = ""] = navigator.userAgent.match(/Chrome|Firefox/) ?? [];
  return ["", isPlain ? " plain" : " isolated", ` ${browser || "WebKit"}`]
    .map((where) => BROWSER_SKIPS[name + where]);
}

/** Waits until workers that were ended in the background are gone. */
async function calm(): Promise<void> {
  if (runtime !== "deno") return;
  await pause(400);
  await workersGone(); // on a busy machine it takes longer
}
