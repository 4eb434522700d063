// A chapter of the contract (contract.ts): promises among the inputs.
import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import type { Chapter } from "./contract.ts";

const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const double = (n: number) => n * 2;
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Comes after so many ms. */
async function later<T>(value: T, ms = 0): Promise<T> {
  await wait(ms);
  return value;
}

/** Rejects after so many ms. */
async function failLater(reason: unknown, ms = 0): Promise<never> {
  await wait(ms);
  throw reason;
}

/** A promise of no kind that the language has; it begins when it is awaited. */
class Lazy implements PromiseLike<number> {
  begun = 0;
  readonly #value: number;
  constructor(value: number) {
    this.#value = value;
  }
  then<A, B>(
    resolve?: ((value: number) => A | PromiseLike<A>) | null,
    reject?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): PromiseLike<A | B> {
    this.begun++;
    return later(this.#value).then(resolve, reject);
  }
}

/** What is promised of promises. */
export const promises: Chapter = (it, { calls, pool }) => {
  const { parallelMap, parallelMapStream, Pool } = calls;
  it("promises among the inputs are awaited, in any kind of inputs", async () => {
    await using workers = new Pool(pool);
    const mixed = () => [Promise.resolve(1), 2, later(3, 5), new Lazy(4), 5];
    function* some() {
      yield* mixed();
    }
    // An async generator would await them itself.
    const slow = () => {
      const values = some();
      const next = () => Promise.resolve(values.next());
      return { [Symbol.asyncIterator]: () => ({ next }) };
    };
    for (const inputs of [mixed(), new Set(mixed()), some(), slow()]) {
      assertEquals(await workers.map(double, inputs), [2, 4, 6, 8, 10]);
    }
    const outcomes = workers.stream(double, mixed(), { settled: true });
    assertEquals(
      (await Array.fromAsync(outcomes)).map(({ input }) => input),
      [1, 2, 3, 4, 5],
    );
    const add = (a: number, b: number) => a + b;
    assertEquals(await workers.reduce(double, add, mixed()), 30);
  });

  it("promises keep the order of the inputs, whenever they come", async () => {
    await using workers = new Pool(pool);
    const inputs = range(500).map((n) =>
      n % 3 === 0 ? n : later(n, n * 7 % 20)
    );
    for (const options of [{}, { chunkSize: 7 }, { concurrency: 3 }]) {
      assertEquals(
        await workers.map(double, inputs, options),
        range(500).map(double),
      );
    }
    const stream = workers.stream(double, inputs, { bufferSize: 10 });
    assertEquals(await Array.fromAsync(stream), range(500).map(double));
  });

  it("a promise that rejects ends the call with its own reason", async () => {
    await using workers = new Pool(pool);
    for (const reason of [new RangeError("mine"), undefined]) {
      // The others reject too, and before their turn: nobody is told.
      const inputs = () => [
        1,
        later(2, 5),
        failLater(reason, 20),
        failLater("no"),
        ...range(200),
        Promise.reject(new Error("nor this")),
      ];
      const made = () => ({ // when they are read
        *[Symbol.iterator]() {
          yield 1;
          yield later(2, 5);
          yield failLater(reason, 20);
          yield failLater("no");
        },
      });
      const calls = [
        parallelMap(double, inputs(), pool),
        workers.map(double, new Set(inputs())),
        workers.map(double, made()),
        workers.map(double, made(), { chunkSize: 1000 }),
        workers.map(double, inputs(), { chunkSize: 1000 }),
        workers.mapSettled(double, inputs()),
        workers.reduce(double, (a) => a, inputs()),
      ];
      for (const end of await Promise.allSettled(calls)) {
        assertEquals(end.status, "rejected");
        assertStrictEquals((end as PromiseRejectedResult).reason, reason);
      }
    }
  });

  it("a promise that rejects is told in its turn in a stream", async () => {
    const reason = new RangeError("mine");
    let closed = 0;
    function* source() {
      try {
        yield 1;
        yield later(2, 5);
        yield 3;
        yield failLater(reason);
        yield failLater("no");
      } finally {
        closed++;
      }
    }
    for (const settled of [false, true]) {
      const got: unknown[] = [];
      const stream = parallelMapStream(double, source(), {
        ...pool,
        settled,
        chunkSize: 10,
      });
      const error = await assertRejects(async () => {
        for await (const item of stream) got.push(item);
      }, RangeError);
      assertStrictEquals(error, reason);
      assertEquals(got.length, 3);
    }
    assertEquals(closed, 2);
  });

  // A runtime ends a program, and the tests, for one that nobody handles.
  it("no promise that a source made is one that nobody handles", async () => {
    await using workers = new Pool(pool);
    const reason = new RangeError("mine");
    /** Makes promises early, and is slow from `slow` on. */
    const source = (make: ((n: number) => unknown)[], slow: number) => ({
      [Symbol.asyncIterator]() {
        let n = 0;
        return {
          async next(): Promise<IteratorResult<number>> {
            if (n >= slow) await wait(5);
            const done = n === make.length;
            const value = done ? undefined : make[n++](n - 1);
            return { done, value } as IteratorResult<number>;
          },
        };
      },
    });
    const good = (n: number) => later(n);
    const slow = (n: number) => later(n, 20);
    const bad = () => Promise.reject(reason);
    const sources = () => [
      source([bad, good, good], 1),
      source([good, bad, good, good], 2),
      source([slow, bad, good], 1),
      source([slow, good, bad, bad], 9),
    ];
    for (const options of [{}, { chunkSize: 4 }, { weight: () => 1 }]) {
      for (const inputs of sources()) {
        assertStrictEquals(
          await workers.map(double, inputs, options).catch((error) => error),
          reason,
        );
      }
    }
    // What waits when a task fails, a reader leaves, or a signal aborts.
    const fail = () => {
      throw new Error("a task");
    };
    const waits = () => source([() => 1, slow, bad, bad], 3);
    await assertRejects(() => workers.map(fail, waits(), { chunkSize: 1 }));
    for await (const _ of workers.stream(double, waits())) break;
    const abort = new AbortController();
    const { signal } = abort;
    const call = workers.map(double, waits(), { signal });
    const asked = source([() => 1, bad], 1);
    const late = workers.map(double, asked, { signal });
    const again = workers.map(double, {
      *[Symbol.iterator]() {
        yield 1;
        abort.abort("enough");
        yield bad() as never;
      },
    }, { signal, chunkSize: 2 });
    for (const end of await Promise.allSettled([call, late, again])) {
      assertEquals(end, { status: "rejected", reason: "enough" });
    }
    for (const inputs of [[bad()], new Set([bad()])]) {
      assertEquals(
        await workers.map(double, inputs, { signal }).catch((error) => error),
        "enough",
      );
    }
    workers.stream(double, new Set([bad()]));
    await wait(30); // until all of them have rejected
  });

  it("a stream may be read after a promise has rejected, or never", async () => {
    const stream = () => parallelMapStream(double, [1, failLater("no")], pool);
    const late = stream();
    stream();
    await wait(20);
    assertEquals((await late.next()).value, 2);
    assertEquals(await late.next().catch((reason) => reason), "no");
  });

  it("an abort, a close or a reader that leaves does not wait for a promise", async () => {
    const never = new Promise<number>(() => {});
    const late = Promise.withResolvers<number>();
    const inputs = () => [1, 2, late.promise, never, 5];
    const abort = new AbortController();
    const { signal } = abort;
    const workers = new Pool(pool);
    const calls = Promise.allSettled([
      parallelMap(double, inputs(), { ...pool, signal }),
      parallelMap(double, inputs().values(), { ...pool, signal }),
      workers.map(double, inputs()),
    ]);
    for await (const n of parallelMapStream(double, inputs(), pool)) {
      if (n === 4) break;
    }
    abort.abort("enough");
    await workers.close();
    const reasons = (await calls).map((end) =>
      (end as PromiseRejectedResult).reason
    );
    assertEquals(reasons.slice(0, 2), ["enough", "enough"]);
    assertInstanceOf(reasons[2], DOMException);
    late.reject(new Error("nobody is told"));
    await wait(400); // until workers that were ended in the background are gone
  });

  it("a promise that begins when it is awaited begins once, in its turn", async () => {
    const lazy = range(20).map((n) => new Lazy(n));
    const first = Promise.withResolvers<number>();
    const call = parallelMap(double, [first.promise, ...lazy], pool);
    await wait(5);
    assertEquals(lazy.filter(({ begun }) => begun > 0).length, 0);
    first.resolve(7);
    assertEquals(await call, [14, ...range(20).map(double)]);
    assertEquals(lazy.every(({ begun }) => begun === 1), true);
  });
};
