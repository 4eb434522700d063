// Whatever the data is: nothing hangs, nothing is lost, nothing runs. Values,
// sources and listeners that once broke a call, one test each, on every
// backend; tests/values_test.ts and tests/programs_test.ts generate more.
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { Buffer } from "node:buffer";
import { markAsUntransferable } from "node:worker_threads";
import {
  parallelMap,
  parallelMapSettled,
  parallelMapStream,
  Pool,
  type RunEvent,
  type TaskContext,
  type TaskError,
  TaskTimeoutError,
} from "../mod.ts";
import { isThreadsAgain, test, testOnce } from "./harness.ts";

const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const same = <T>(value: T) => value;
const MARKS = ["@parallel/map error", "kind", "as", "then", "__proto__"];

/** Indexes of the tasks that failed. */
const failed = (results: PromiseSettledResult<unknown>[]) =>
  results.flatMap(({ status }, i) => status === "rejected" ? [i] : []);
const reason = (result: PromiseSettledResult<unknown>): TaskError => {
  assert(result.status === "rejected");
  return result.reason;
};

for (const name of ["web", "threads", "inline"] as const) {
  const pool = name === "inline"
    ? { workers: 0 }
    : { workers: 1, backend: name };
  const options = { ignore: isThreadsAgain(name), timeout: 300_000 };
  const it = (title: string, body: () => Promise<void>) =>
    test(`${name}: ${title}`, options, body);

  it("what a task leaves behind sees the end of its run at once", async () => {
    const cell = new Int32Array(new SharedArrayBuffer(4));
    const leave = (cell: Int32Array, context: TaskContext) => {
      const timer = setInterval(() => {
        if (!context.aborted) return;
        Atomics.store(cell, 0, 1);
        clearInterval(timer);
      }, 1);
    };
    await using workers = new Pool(pool);
    await workers.map(leave, [cell]);
    while (Atomics.load(cell, 0) === 0) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  });

  it("an error keeps its class when its task has replaced that", async () => {
    const { TypeError } = globalThis;
    try {
      const [thrown] = await parallelMapSettled(
        (none) => {
          globalThis.TypeError = class extends Error {} as never;
          return (none as never as { key: 1 }).key;
        },
        [null],
        pool,
      );
      assertInstanceOf(reason(thrown).cause, TypeError);
    } finally {
      globalThis.TypeError = TypeError;
    }
  });

  it("data that looks like an error of ours stays data", async () => {
    (globalThis as { ran?: number }).ran = 0;
    const parts = { class: "Function", message: "globalThis.ran++", name: "x" };
    for (const mark of MARKS) {
      const text = JSON.stringify({ toJSON: { [mark]: parts } });
      const data: unknown = JSON.parse(text);
      const [thrown] = await parallelMapSettled(
        (data) => {
          throw Object.assign(new Error("400"), { data });
        },
        [data],
        pool,
      );
      const cause = reason(thrown).cause as { data: unknown };
      assertEquals(JSON.stringify(cause.data), text);
      const whole = { data, error: new Error("beside it") };
      const [back] = await parallelMap((v: typeof whole) => v, [whole], pool);
      assertEquals(JSON.stringify(back.data), text);
      const state = await parallelMap(
        (_: number, { state }: TaskContext) => JSON.stringify(state),
        [0],
        { ...pool, workerData: whole.data },
      );
      assertEquals(state, [text]);
    }
    assertEquals((globalThis as { ran?: number }).ran, 0);
  });

  it("an error that is hard to rebuild fails its task alone", async () => {
    const results = await parallelMapSettled(
      (n: number) => {
        class OwnAbort extends DOMException {
          override name = "OwnAbort" as never;
          override code = 7 as never;
        }
        if (n === 1) throw new OwnAbort("mine", "AbortError");
        if (n === 2) throw new Proxy(new Error("proxy"), {});
        if (n === 3) throw Object.freeze(new TypeError("frozen"));
        if (n === 4) {
          throw Object.defineProperty(new Error(), "message", {
            get() {
              throw new Error("no message");
            },
          });
        }
        if (n === 5) throw Object.create(null);
        if (n === 6) {
          throw new Proxy({}, {
            get() {
              throw new Error("no property");
            },
            getPrototypeOf() {
              throw new Error("no prototype");
            },
          });
        }
        return n;
      },
      range(8),
      pool,
    );
    assertEquals(failed(results), [1, 2, 3, 4, 5, 6]);
    const own = reason(results[1]).cause as DOMException;
    assertEquals([own.name, own.code], ["OwnAbort", 7]);
    assertInstanceOf(reason(results[3]).cause, TypeError);
  });

  it("a chain of 5,000 causes arrives", async () => {
    const chain = (length: number) => {
      let error = new Error("first");
      for (let i = 1; i < length; i++) {
        error = new Error(`${i}`, { cause: error });
      }
      return error;
    };
    const count = (error: unknown) => {
      let length = 0;
      for (let at = error; at instanceof Error; at = at.cause) length++;
      return length;
    };
    const [there] = await parallelMap(count, [chain(5000)], pool);
    assertEquals(there, 5000);
    const [back] = await parallelMap(chain, [5000], pool);
    assertEquals(count(back), 5000);
    const [thrown] = await parallelMapSettled(
      (length: number) => {
        let error = new Error("first");
        for (let i = 1; i < length; i++) {
          error = new Error(`${i}`, { cause: error });
        }
        throw error;
      },
      [5000],
      pool,
    );
    assertEquals(count(reason(thrown).cause), 5000);
  });

  it("a value of any depth arrives or fails alone, both ways", async () => {
    const make = (depth: number) => {
      let value: unknown = null;
      for (let i = 0; i < depth; i++) value = i % 2 ? [value] : { value };
      return value;
    };
    await using workers = new Pool(pool);
    for (const depth of [100, 2000, 3000, 5000, 20_000]) {
      const there = await workers.mapSettled(
        (value) => value === 1,
        [1, make(depth), 1],
        { chunkSize: 3 },
      );
      const back = await workers.mapSettled(make, [1, depth, 1], {
        chunkSize: 3,
      });
      for (const results of [there, back]) {
        assertEquals([results[0], results[2]].map((r) => r.status), [
          "fulfilled",
          "fulfilled",
        ]);
        if (depth <= 2000) assertEquals(failed(results), []);
      }
    }
  });

  it("a value of any depth settles beside one that is refused late", async () => {
    await using workers = new Pool(pool);
    for (const depth of range(4).map((n) => 2000 + 500 * n)) {
      let deep: unknown = 0;
      for (let level = 0; level < depth; level++) deep = [deep];
      const inputs = [deep, { p: new Proxy({}, {}) }, 2];
      const results = await workers.mapSettled((v) => v === 2, inputs, {
        chunkSize: 3,
      });
      assertEquals(results[1].status, "rejected");
      assertEquals(results[2], { status: "fulfilled", value: true });
    }
  });

  it("the longest array can be thrown", async () => {
    const results = await parallelMapSettled(
      (n: number) => {
        // Bun 1.4.5 would take half a minute to clone that.
        if (n === 1) throw new Array("Bun" in globalThis ? 1e5 : 2 ** 32 - 1);
        return n;
      },
      range(3),
      pool,
    );
    assertEquals(failed(results), [1]);
    const { message } = reason(results[1]);
    assert(message.endsWith("threw an array"), message);
  });

  it("an error without a stack or a usable toString is told", async () => {
    const results = await parallelMapSettled(
      () => {
        throw Object.assign(new RangeError("r"), { stack: "", toString: 1 });
      },
      range(1),
      pool,
    );
    assertInstanceOf(reason(results[0]).cause, RangeError);
  });

  it("one error with a function in it does not fail its chunk", async () => {
    const settings = { ...pool, chunkSize: 3 };
    const make = (n: number) =>
      n === 1
        ? { error: Object.assign(new Error("500"), { config: { retry() {} } }) }
        : n;
    const [, back] = await parallelMap(make, range(3), settings);
    const { error } = back as { error: Error & { config: unknown } };
    assertEquals(error.message, "500");
    assertEquals(error.config, { retry: "[Function: retry]" } as never);
    const there = range(3).map(make);
    assertEquals(await parallelMap((v) => typeof v, there, settings), [
      "number",
      "object",
      "number",
    ]);
  });

  it("an error with a toString of its own can be shown", async () => {
    const [settled] = await parallelMapSettled(
      () => {
        const toString = () => "mine";
        const inside = { toString, kept: () => 1 };
        throw Object.assign(new Error("odd"), { toString, inside });
      },
      [1],
      pool,
    );
    const { cause } = reason(settled);
    assertEquals(String(cause), "Error: odd");
    const { inside } = cause as Error & { inside: { kept: string } };
    assertEquals(String(inside), "[object Object]");
    assertEquals(inside.kept, "[Function: kept]");
  });

  it("what is thrown may say anything of its size, or throw", async () => {
    const odd = (i: number) => {
      class Day extends Date {
        get byteLength() {
          throw new Error("no bytes");
        }
      }
      class Bytes extends Uint8Array<ArrayBuffer> {
        override get buffer(): ArrayBuffer {
          throw new Error("no buffer");
        }
      }
      return [
        new Day(3),
        Object.assign(new Date(3), { byteLength: 4n }),
        Object.assign(new Date(3), { buffer: { byteLength: Symbol() } }),
        new Bytes(new ArrayBuffer(3)),
        Object.defineProperty(new Date(3), "buffer", {
          get() {
            throw undefined;
          },
          enumerable: true,
        }),
        ...[-1, Symbol(), undefined].map((length) =>
          new Proxy([], {
            get(list, key) {
              if (key !== "length") return Reflect.get(list, key);
              if (length === undefined) throw new Error("no length");
              return length;
            },
          })
        ),
      ][i];
    };
    const throwOne = (
      i: number,
      { data }: { data: (i: number) => unknown },
    ) => {
      if (i < 8) throw data(i);
      const error = new Error("mine");
      throw Object.assign(error, { first: 1, odd: data(i - 8), code: "E1" });
    };
    const run = { ...pool, data: odd };
    const settled = await parallelMapSettled(throwOne, range(16), run);
    for (const [i, one] of settled.entries()) {
      assertEquals(reason(one).name, "TaskError"); // its worker goes on
      if (i < 8) continue;
      const { message, ...parts } = reason(one).cause as Error;
      assertEquals(message, "mine");
      assertEquals(Object.keys(parts).sort(), ["code", "first", "odd"]);
    }
  });

  it("an error under any key of an array arrives whole", async () => {
    const error = Object.assign(new TypeError("in", { cause: 5 }), { code: 7 });
    const list = Object.assign([1], { error });
    const [got] = await parallelMap((v: typeof list) => v, [list], pool);
    assertInstanceOf(got.error, TypeError);
    assertEquals([got.error.cause, got.error.code], [5, 7]);
  });

  it("a Buffer, and a typed array of an own class, are inputs", async () => {
    class Own extends Uint8Array {}
    for (
      const bytes of [
        Buffer.from("x".repeat(50)),
        Buffer.alloc(40_000, 7),
        new Own([1, 2, 3]),
        new Uint8Array(new ArrayBuffer(8, { maxByteLength: 16 })),
      ]
    ) {
      const want = Array.from(bytes, (n) => n + 1);
      const got = parallelMap((n: number) => n + 1, bytes, pool);
      const { length } = bytes;
      bytes.fill(99); // what no memory shares was copied at the call
      assertEquals(await got, want);
      assertEquals(bytes.length, length);
    }
  });

  it("what is refused does not cost its neighbours their buffers", async () => {
    const settings = { ...pool, chunkSize: 4, transfer: true };
    const odd: (() => unknown)[] = [
      () => ({ p: new Proxy({}, {}) }),
      () => new Proxy({}, {}),
      () => ({ bytes: new Uint8Array(9), p: new Proxy({}, {}) }),
      () => ({ f() {} }),
      () => (function* () {})(),
    ];
    for (const make of odd) {
      const inputs = [new Uint8Array(9), make(), { b: new ArrayBuffer(9) }, 3];
      const there = await parallelMapSettled((v) => typeof v, inputs, settings);
      assertEquals(failed(there), [1]);
    }
    let reads = 0;
    const changes = Object.defineProperty(range(20), "key", {
      enumerable: true,
      get: () => ++reads % 2 === 0 ? same : 1,
    });
    const beside = [new Uint8Array(9), changes, { b: new ArrayBuffer(9) }, 3];
    const sent = await parallelMapSettled((v) => typeof v, beside, settings);
    assertEquals(failed(sent), []);
    const back = await parallelMapSettled(
      (n: number) =>
        n === 1 ? { p: new Proxy({}, {}) } : { bytes: new Uint8Array(9) },
      range(4),
      settings,
    );
    assertEquals(failed(back), [1]);
    const memory = () => new WebAssembly.Memory({ initial: 1 }).buffer;
    const size = (buffer: ArrayBuffer) => buffer.byteLength;
    const whole = memory();
    const inputs = [new ArrayBuffer(9), whole, new ArrayBuffer(9)];
    assertEquals(await parallelMap(size, inputs, settings), [9, 65536, 9]);
    assertEquals(whole.byteLength, 65536); // it cannot be moved: copied
  });

  it("transfer: what cannot be moved costs its neighbours in a value nothing", async () => {
    const settings = { ...pool, transfer: true, retries: 1 };
    const large = () => new Uint8Array(100_000).fill(7);
    const small = () => Buffer.from("small"); // of memory that many share
    const view = () => {
      const { buffer, byteOffset, length } = small();
      return new Uint8Array(buffer, byteOffset, length);
    };
    const memory = () => {
      const { buffer } = new WebAssembly.Memory({ initial: 1 });
      return new Uint8Array(buffer, 0, 5);
    };
    const marked = () => { // as that of small Buffers is, if it is made larger
      const buffer = new ArrayBuffer(50_000);
      markAsUntransferable(buffer);
      return Buffer.from(buffer, 9, 5);
    };
    const inputs = [small, view, memory, marked].flatMap((other) => [
      { large: large(), other: other() },
      { other: other(), large: large() },
      [large(), [other()], large()],
      { other: other(), more: [other(), small()] },
    ]);
    function sizes(value: object): unknown {
      return ArrayBuffer.isView(value)
        ? value.byteLength
        : Object.values(value).map(sizes);
    }
    const want = inputs.map((value) => sizes(value));
    assertEquals(await parallelMap(sizes, inputs, settings), want);
    const back = async (kind: number) => {
      const { Buffer } = await import("node:buffer");
      const small = Buffer.from("small");
      const other = kind > 0
        ? new Uint8Array(small.buffer, small.byteOffset, small.length)
        : small;
      return { large: new Uint8Array(100_000).fill(7), other };
    };
    const results = await parallelMap(back, [0, 1], settings);
    for (const { large, other } of results) {
      assertEquals([large.length, large[99_999]], [100_000, 7]);
      assertEquals(String.fromCharCode(...other), "small");
    }
  });

  it("a failure whose input was moved is told as it was", async () => {
    const [result] = await parallelMapSettled(
      (_: Uint8Array) => {
        throw new Error("the real one");
      },
      [new Uint8Array(8)],
      { ...pool, transfer: true, retries: 3 },
    );
    assertEquals((reason(result).cause as Error).message, "the real one");
    assertEquals(reason(result).attempts, 1); // it cannot be sent again
  });

  it("a refusal says where in the value", async () => {
    const page = { links: [{ href: new URL("file:///x") }] };
    const results = await parallelMapSettled(same, [
      { page },
      { deep: [0, { "odd key": Symbol() }] },
      [1, [() => {}]],
      { p: [new Proxy({}, {})] },
    ], pool);
    const where = results.map((result) =>
      reason(result).message.match(/at "(.*)"$/)?.[1]
    );
    assertEquals(where, [
      "page.links[0].href",
      'deep[1]["odd key"]',
      "[1][0]",
      "p[0]",
    ]);
  });

  it("a Proxy is called one, whatever is behind it", async () => {
    const behind = [{ a: 1 }, [1], new Map([[1, 2]]), new Set([1])];
    const inputs = behind.map((value) => ({ p: new Proxy(value, {}) }));
    const results = await parallelMapSettled(same, inputs, pool);
    for (const result of results) {
      assertMatch(
        reason(result).message,
        /: received what structured clone refuses, such as a Proxy \(.+\) at "p"$/,
      );
    }
  });

  it("a source that fails tells why, even if it cannot be closed", async () => {
    const own = new Error("connection lost");
    let n = 0;
    const cursor = {
      [Symbol.iterator]: () => ({
        next() {
          if (n === 500) throw own;
          return { value: n++, done: false };
        },
        return() {
          throw new Error("cannot close");
        },
      }),
    } as Iterable<number>;
    const caught = await parallelMap(same, cursor, pool).catch((e) => e);
    assertStrictEquals(caught, own);
  });

  for (const kind of ["sync", "async"]) {
    it(`a stream gives what came before its ${kind} source failed`, async () => {
      const own = new URIError("source");
      function* fail() {
        yield* range(7);
        throw own;
      }
      async function* later() {
        yield* fail();
      }
      for (const ordered of [true, false]) {
        const got: number[] = [];
        const source = kind === "sync" ? fail() : later();
        const settings = { ...pool, ordered };
        const caught = await (async () => {
          const echo = (n: number) => n;
          for await (const n of parallelMapStream(echo, source, settings)) {
            got.push(n);
          }
        })().catch((error) => error);
        assertStrictEquals(caught, own);
        assertEquals(got.sort(), range(7));
      }
    });
  }

  it("an iterator that answers no object is an error", async () => {
    for (const answer of [5, undefined, null, "text"]) {
      const odd = { [Symbol.iterator]: () => ({ next: () => answer }) };
      const error = await parallelMap(same, odd as unknown as Iterable<number>)
        .catch((error) => error);
      assertInstanceOf(error, TypeError);
    }
  });

  it("leaving a stream passes on what its source throws", async () => {
    const own = new Error("cannot close");
    const source = {
      [Symbol.iterator]: () => ({
        next: () => ({ value: 1, done: false }),
        return() {
          throw own;
        },
      }),
    } as Iterable<number>;
    const caught = await (async () => {
      for await (const _ of parallelMapStream(same, source, pool)) break;
    })().catch((error) => error);
    assertStrictEquals(caught, own);
  });

  it("a Set that shrinks and a class that lies give what they yield", async () => {
    class Odd extends Set<number> {
      override get size(): number {
        return NaN;
      }
      override [Symbol.iterator]() {
        return [1, 2, 3].values() as SetIterator<number>;
      }
    }
    assertEquals(await parallelMap(same, new Odd(), pool), [1, 2, 3]);
    assertEquals(await parallelMap(same, new Set(), pool), []);
    assertEquals(await parallelMap(same, new Map([[1, 2]]), pool), [[1, 2]]);
    const numbers = new Set(range(100));
    const got = parallelMap(same, numbers, pool);
    for (let n = 50; n < 100; n++) numbers.delete(n);
    const results = await got;
    assertEquals(results, range(results.length));
    assert(results.length >= 50);
    class List extends Array<number> {
      override [Symbol.iterator]() {
        return [7, 8].values();
      }
    }
    assertEquals(await parallelMap(same, new List(5), pool), [7, 8]);
  });

  it("a listener that throws at the end is heard", async () => {
    for (const type of ["run-end", "worker-end"]) {
      const own = new Error("mine");
      const onEvent = (event: RunEvent) => {
        if (event.type === type) throw own;
      };
      const caught = await parallelMap(same, [1], { ...pool, onEvent })
        .catch((error) => error);
      assertStrictEquals(caught, own);
    }
  });

  it("nothing is told after the last word", async () => {
    const states: string[] = [];
    const ending = new AbortController();
    const caught = await parallelMapSettled(
      () => {
        throw 1;
      },
      range(3),
      {
        ...pool,
        chunkSize: 3,
        signal: ending.signal,
        onProgress: ({ state }) => void states.push(state),
        onEvent: ({ type }) => {
          if (type === "task-fail") ending.abort("enough");
        },
      },
    ).catch((error) => error);
    assertEquals(caught, "enough");
    assertEquals(states.filter((state) => state !== "running"), ["stopped"]);
    assertEquals(states.at(-1), "stopped");
    const own = new Error("mine");
    const said: string[] = [];
    const at = await parallelMap(same, [1], {
      ...pool,
      onProgress: ({ state }) => {
        said.push(state);
        if (state === "done") throw own;
      },
    }).catch((error) => error);
    assertStrictEquals(at, own);
    assertEquals(said.at(-1), "done");
  });

  if (name === "inline") continue; // there is no worker to post or to stop

  it("what a task posts is not believed", async () => {
    const messages: unknown[] = [undefined, null, 5, "text", [], {}]
      .concat(["failed", "refused", "stray", "done", "ready", "held", "unread"]
        .flatMap((type) => [{ type }, [0, { type }], [{ type }]]));
    const posts = (message: unknown) => {
      const scope = globalThis as unknown as {
        postMessage(message: unknown): void;
        process?: { getBuiltinModule(name: string): { parentPort?: unknown } };
      };
      type Port = { postMessage(message: unknown): void };
      const { parentPort } =
        scope.process?.getBuiltinModule("node:worker_threads") ?? {};
      (parentPort as Port | undefined)?.postMessage(message);
      if (parentPort == null) scope.postMessage(message);
      return 1;
    };
    const got = await parallelMap(posts, messages, pool);
    assertEquals(got, messages.map(() => 1));
  });

  it("a task may tell itself what it likes", async () => {
    const tell = () => {
      const scope = new EventTarget();
      const target = "dispatchEvent" in globalThis ? globalThis : scope;
      let heard = 0;
      target.addEventListener("message", () => heard++);
      target.dispatchEvent(new Event("message"));
      for (const data of [undefined, { type: "chunk" }, { type: "start" }]) {
        target.dispatchEvent(new MessageEvent("message", { data }));
      }
      return heard;
    };
    assertEquals(await parallelMap(tell, [1], pool), [4]);
  });

  // Threads have one port, and no way to stop others from hearing it.
  const onWeb = name === "web" ? it : () => {};
  onWeb("what a task listens to is not ours", async () => {
    const hears = (n: number) => {
      const scope = globalThis as unknown as { onmessage: unknown };
      scope.onmessage = () => {
        throw new Error("an odd message");
      };
      return n;
    };
    const got = await parallelMap(hears, range(5), { ...pool, chunkSize: 1 });
    assertEquals(got, range(5));
  });

  it("a task is timed whatever its clock says", async () => {
    await using timed = new Pool({
      workers: 1,
      ...(name === "threads" ? { backend: name } : {}),
      init: () => {
        const now = performance.now.bind(performance);
        performance.now = () => now() + 60 * 3600 * 1000;
      },
    });
    const error = await timed.map(
      () => {
        for (;;);
      },
      [1],
      { timeout: 100 },
    ).catch((error) => error);
    assertInstanceOf(error, TaskTimeoutError);
  });

  it("a list with holes loses no task that goes again", async () => {
    const again = (value: unknown, { attempt, index }: TaskContext) => {
      if (attempt === 1) throw new Error("the first time");
      return `${value} at ${index}`;
    };
    const options = { ...pool, retries: 1, chunkSize: 5 };
    assertEquals(
      await parallelMap(again, new Array(12), options),
      range(12).map((n) => `undefined at ${n}`),
    );
    const inputs: unknown[] = range(12);
    delete inputs[1];
    delete inputs[7];
    assertEquals(
      await Array.fromAsync(parallelMapStream(again, inputs, options)),
      range(12).map((n) => `${inputs[n]} at ${n}`),
    );
  });

  it("inputs that throw end what a busy worker does for them", async () => {
    await using workers = new Pool(pool);
    const wait = (_: number, { signal }: TaskContext) =>
      new Promise<void>((resolve) => {
        signal.addEventListener("abort", () => resolve());
      });
    function* source() {
      yield 1;
      throw new Error("the source");
    }
    const call = workers.map(wait, source(), { concurrency: 2 });
    await assertRejects(() => call, Error, "the source");
    assertEquals(await workers.map(same, [1]), [1]);
  });

  it("a stream has as many tasks wait as concurrency says", async () => {
    const cell = new Int32Array(new SharedArrayBuffer(4));
    const meet = async (
      n: number,
      { data }: TaskContext<unknown, Int32Array>,
    ) => {
      Atomics.add(data, 0, 1);
      while (Atomics.load(data, 0) < 20) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      return n;
    };
    const options = { ...pool, concurrency: 20, data: cell };
    assertEquals(
      await Array.fromAsync(parallelMapStream(meet, range(20), options)),
      range(20),
    );
  });

  it("a stream may be left and read from within its first read", async () => {
    let closed = 0;
    function* endless() {
      try {
        for (let n = 0;; n++) yield n;
      } finally {
        closed++;
      }
    }
    await using workers = new Pool(pool);
    let left = false;
    const stream: AsyncGenerator<number> = workers.stream(same, endless(), {
      onProgress() {
        if (!left) void stream.return(undefined);
        left = true;
      },
    });
    assertEquals(await Array.fromAsync(stream), []);
    assertEquals(closed, 1);
    let begun = 0;
    const got: number[] = [];
    const again: AsyncGenerator<number> = workers.stream(same, range(4), {
      onEvent({ type }) {
        if (type !== "run-start") return;
        begun++;
        void again.next().then(({ value }) => got.push(value));
      },
    });
    for await (const value of again) got.push(value);
    assertEquals([begun, got.toSorted()], [1, range(4)]);
  });

  it("an object that is less than its class fails alone", async () => {
    const real = () => [new Date(5), /a/g, new Blob(["b"])];
    const classes = [Date, RegExp, Blob].entries();
    for (const [i, { prototype }] of classes) {
      const values = [{ of: real()[i] }, real()[i], [real()[i]]];
      // As a naive copy makes it.
      const odd = Object.create(prototype);
      const inputs = [odd, ...values];
      const outcomes = await parallelMapSettled(same<object>, inputs, pool);
      assertEquals(failed(outcomes), [0], prototype.constructor.name);
      const made = await parallelMapSettled(
        (n: number, { data }) => {
          const { values, name } = data;
          const { prototype } = (globalThis as never)[name] as typeof Date;
          return n === 0 ? Object.create(prototype) : values[n - 1];
        },
        range(4),
        { ...pool, data: { values, name: prototype.constructor.name } },
      );
      assertEquals(failed(made), [0], prototype.constructor.name);
    }
  });

  it("what only inherits from a class is told so, and may be thrown", async () => {
    const make = (n: number) => {
      const classes = [Map, Set, ArrayBuffer, DataView, Uint8Array, Date];
      const { prototype, name } = classes[n]!;
      return { name, odd: Object.assign(Object.create(prototype), { a: 1 }) };
    };
    const odd = range(6).map((n) => make(n));
    const inputs = await parallelMapSettled(
      same<object>,
      [...odd.map(({ odd }) => odd), {}],
      pool,
    );
    const thrown = await parallelMapSettled(
      (n: number, { data }) => {
        const { odd } = data.make(n);
        throw n % 2 === 0 ? odd : new Error("with it", { cause: odd });
      },
      range(6),
      { ...pool, data: { make } },
    );
    for (const [n, { name }] of odd.entries()) {
      const it = `an object that inherits from ${name}, but is none`;
      assertStringIncludes(reason(inputs[n]!).message, `: received ${it}`);
      const { cause } = reason(thrown[n]!);
      assertEquals(n % 2 === 0 ? cause : (cause as Error).cause, { a: 1 });
    }
    assertEquals(inputs[6]!.status, "fulfilled");
  });

  it("an explicit concurrency of 1 is the default", async () => {
    const pings: string[] = [];
    await using timed = new Pool({
      workers: 1,
      ...(name === "threads" ? { backend: name } : {}),
    });
    const results = await timed.mapSettled(
      (n: number) => {
        while (n === 1);
        return n;
      },
      range(3),
      { timeout: 100, concurrency: 1 },
    );
    assertEquals(failed(results), [1]);
    assertEquals(pings, []);
  });
}

testOnce(
  "20,000 calls at once on one pool settle",
  async () => {
    await using pool = new Pool({ workers: 2 });
    const { signal } = new AbortController();
    const calls = range(20_000).map((n) => pool.map(same, [n], { signal }));
    assertEquals((await Promise.all(calls)).flat(), range(20_000));
  },
);
