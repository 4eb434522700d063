// A chapter of the contract (contract.ts): outcomes as they come.
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertNotStrictEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import {
  type ModuleSpecifier,
  TaskError,
  TaskTimeoutError,
  WorkerLostError,
} from "../mod.ts";
import type { Chapter } from "./contract.ts";

const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const TASKS: ModuleSpecifier<typeof import("./fixtures/tasks.ts")> = new URL(
  "./fixtures/tasks.ts",
  import.meta.url,
);

/** What a stream of outcomes promises. */
export const outcomes: Chapter = (it, { calls, pool, timed }) => {
  const { parallelMap, parallelMapStream, Pool } = calls;
  const oddFails = (n: number) => {
    if (n % 2) throw new RangeError(`${n} is odd`);
    return n * 10;
  };

  it("a settled stream yields failures as items, in order or not", async () => {
    for (const ordered of [true, false]) {
      const stream = parallelMapStream(oddFails, range(200), {
        ...pool,
        ordered,
        settled: true,
      });
      const items = await Array.fromAsync(stream);
      if (!ordered) items.sort((a, b) => a.index - b.index);
      assertEquals(items.map(({ index, input }) => [index, input]), [
        ...range(200).map((n) => [n, n]),
      ]);
      for (const item of items) {
        if (item.status === "fulfilled") {
          assertEquals(item.value, item.input * 10);
        } else {
          assertEquals(item.input % 2, 1);
          assertInstanceOf(item.reason, TaskError);
          assertEquals(item.reason.index, item.index);
          assertInstanceOf(item.reason.cause, RangeError);
        }
      }
      assertEquals(items.filter((i) => i.status === "rejected").length, 100);
    }
  });

  it("what an async source throws as it is closed is lost", async () => {
    const ends = [
      () => Promise.reject(new Error("mine")),
      () => {
        throw new Error("mine"); // at once, though it should not
      },
    ];
    for (const end of ends) {
      let n = 0;
      const source = {
        [Symbol.asyncIterator]: () => source,
        next: () => Promise.resolve({ done: false, value: n++ }),
        return: end,
      } as AsyncIterableIterator<number>;
      for await (const n of parallelMapStream((n) => n, source, pool)) {
        assertEquals(n, 0);
        break;
      }
    }
  });

  it("a worker that ends while it sends a result is lost by that task", async () => {
    const fatal = (n: number) =>
      n !== 2 ? { n } : {
        get n() {
          return globalThis.process.exit(3);
        },
      };
    for (const chunkSize of [1, 3]) {
      const error = await assertRejects(
        () => parallelMap(fatal, range(6), { ...pool, chunkSize }),
        WorkerLostError,
      );
      assertEquals(error.index, 2);
    }
  });

  it("a result is what it was when its task ended", async () => {
    // What a worker has once, and every task fills again.
    const init = () => ({
      memory: new WebAssembly.Memory({ initial: 1 }),
      list: [0],
      record: { n: 0, more: { n: 0 } },
      map: new Map([["n", 0]]),
      error: Object.assign(new Error("n"), { n: [0] }),
    });
    type State = ReturnType<typeof init>;
    const refill = (n: number, { state }: { state: State }) => {
      const { memory: { buffer }, list, record, map, error } = state;
      const view = new Uint8Array(buffer, 8 * (n % 2), 1);
      view[0] =
        list[0] =
        record.n =
        record.more.n =
        error.n[0] =
          n;
      map.set("n", n);
      return [view, list, record, map, { view }, error][n % 6];
    };
    const numberIn = (result: unknown): unknown => {
      const found = result as Partial<Record<0 | "n", unknown>> & {
        view?: unknown;
      };
      if (found instanceof Map) return found.get("n");
      return found[0] ??
        (found.view !== undefined
          ? (found.view as Uint8Array)[0]
          : found.n instanceof Array
          ? found.n[0]
          : found.n);
    };
    const one = { ...pool, workers: pool.workers && 1 };
    await using workers = new Pool({ ...one, init });
    const inputs = range(60);
    for (const chunkSize of [undefined, 1, 25]) {
      const results = await workers.map(refill, inputs, { chunkSize });
      assertEquals(results.map(numberIn), inputs);
    }
    const later = async (n: number, context: { state: State }) => {
      await new Promise((resolve) => setTimeout(resolve, n % 3));
      const { state } = context;
      const { record, list } = state;
      record.n = list[0] = n;
      return n % 2 ? record : list;
    };
    const waited = await workers.map(later, inputs, {
      concurrency: 4,
      chunkSize: 30,
    });
    assertEquals(waited.map(numberIn), inputs);
    // What results have in common is in each as it was then.
    const common = await workers.map(
      (n, { state: { list } }: { state: State }) => {
        list[n] = n;
        return { n, common: { list } };
      },
      range(40),
      { chunkSize: 20 },
    );
    assertEquals(common.map(({ common }) => common.list.length), [
      ...range(40).map((n) => n + 1),
    ]);
  });

  it("what is thrown is what it was then, and fails its task alone", async () => {
    const init = () => ({
      memory: new WebAssembly.Memory({ initial: 1 }),
      list: new Uint8Array(1),
      at: new Date(0),
    });
    type State = ReturnType<typeof init>;
    const fill = (n: number, { state }: { state: State }) => {
      state.list[0] = n;
      state.at.setTime(n);
      if (n % 3 === 0) throw state;
      throw Object.assign(new Error("bad", { cause: state.at }), {
        list: n % 3 === 1 ? state.list : { of: state.list },
      });
    };
    const one = { ...pool, workers: pool.workers && 1, init };
    await using workers = new Pool(one);
    const inputs = range(60);
    type Thrown = { list: { of?: Uint8Array }; at?: Date; cause: Date };
    for (const chunkSize of [undefined, 25]) {
      const all = await workers.mapSettled(fill, inputs, { chunkSize });
      const got = all.map((outcome) => {
        assert(outcome.status === "rejected");
        const { list, at, cause } = outcome.reason.cause as Thrown;
        return [Number(at ?? cause), (list.of ?? list as Uint8Array)[0]];
      });
      assertEquals(got, inputs.map((n) => [n, n]));
    }
    // A task that comes later moves what an earlier one has thrown.
    const grow = (n: number, { state: { memory } }: { state: State }) => {
      if (n % 2 === 0) {
        const bytes = new Uint8Array(memory.buffer, 0, 2);
        throw Object.assign(new Error("bad"), { bytes });
      }
      memory.grow(1);
      return n;
    };
    for (const chunkSize of [undefined, 10]) {
      const all = await workers.mapSettled(grow, inputs, { chunkSize });
      assertEquals(
        all.map((outcome) =>
          outcome.status === "fulfilled"
            ? outcome.value
            : (outcome.reason.cause as { bytes: Uint8Array }).bytes.length
        ),
        inputs.map((n) => n % 2 === 0 ? 2 : n),
      );
    }
  });

  it("a list that many results hold is one of its own in each", async () => {
    for (const length of [3, 17, 400]) {
      for (const beside of [undefined, new Uint8Array([1, 2])]) {
        // Others are left where one of a message cannot be written in codes.
        const results = await parallelMap(
          (n: number, { state }) => ({
            n,
            list: state.list,
            beside: state.beside,
            odd: n === 7 ? 2n ** 70n : undefined,
            of: new Map([[n, { n }]]),
          }),
          range(60),
          {
            ...pool,
            chunkSize: 20,
            workerData: {
              list: range(length).map((n) => n % 2 ? n : `${n}`),
              beside,
            },
          },
        );
        for (const { n, list } of results) {
          assertEquals(list.length, length);
          list.push(n);
        }
        assertEquals(results.map(({ list }) => list.slice(length)), [
          ...range(60).map((n) => [n]),
        ]);
        assertEquals(
          new Set(results.map(({ beside }) => beside)).size,
          [
            ...beside ? range(60) : [0],
          ].length,
        );
      }
    }
    // One that is changed before the next task returns it.
    const changed = await parallelMap(
      (n: number, { state }) => {
        if (n % 5 === 0) state[n % 20] = -n;
        return { n, list: state };
      },
      range(60),
      { ...pool, workers: pool.workers && 1, workerData: range(20) },
    );
    const model = range(20);
    const expected = range(60).map((n) => {
      if (n % 5 === 0) model[n % 20] = -n;
      return { n, list: model.slice() };
    });
    assertEquals(changed, expected);
    assertEquals(new Set(changed.map(({ list }) => list)).size, 60);
  });

  it("a result list with holes and other keys keeps both", async () => {
    const results = await parallelMap(
      (n: number) => {
        const list: number[] & { total?: number } = Array.from(
          { length: 20 },
          (_, i) => i,
        );
        delete list[n % 20];
        list.total = n;
        return list;
      },
      range(200),
      pool,
    );
    assertEquals(
      results.map((list) => [list.total, Object.keys(list).length]),
      [
        ...range(200).map((n) => [n, 20]),
      ],
    );
  });

  for (const transfer of [false, true]) {
    const from = transfer ? ", from moved inputs" : "";
    it(`many large results of one chunk all arrive${from}`, async () => {
      const inputs = range(20).map((n) => new Uint8Array(40_000).fill(n));
      const results = await parallelMap(
        (bytes) => ({ n: bytes[9], text: "x".repeat(2e6) }),
        inputs,
        { ...pool, workers: pool.workers && 1, chunkSize: 20, transfer },
      );
      assertEquals(results.map(({ n, text }) => [n, text.length]), [
        ...range(20).map((n) => [n, 2e6]),
      ]);
    });
  }

  it("an input is what it was when its source gave it", async () => {
    await using workers = new Pool({ ...pool, workers: pool.workers && 1 });
    // As combinations are often made, and rows read.
    function* rows(count: number) {
      yield { header: ["n"] };
      const row = { n: 0, cells: [0] };
      for (let n = 0; n < count; n++) {
        row.n = row.cells[0] = n;
        yield row;
      }
    }
    // As files are read.
    async function* blocks(count: number, kind: "whole" | "part" | "bare") {
      const block = new Uint8Array(8);
      for (let n = 0; n < count; n++) {
        block.fill(n);
        yield kind === "whole"
          ? block
          : kind === "part"
          ? block.subarray(2, 4)
          : block.buffer;
        if (n % 10 === 0) await null;
      }
    }
    for (const chunkSize of [undefined, 1, 8]) {
      const options = { chunkSize };
      const sums = await workers.map(
        (row) => "n" in row ? row.n + row.cells[0]! : row.header.length,
        rows(30),
        options,
      );
      assertEquals(sums, [1, ...range(30).map((n) => 2 * n)]);
      for (const kind of ["whole", "part", "bare"] as const) {
        const bytes = await workers.map(
          (block) => new Uint8Array(block).join(),
          blocks(30, kind),
          options,
        );
        const length = kind === "part" ? 2 : 8;
        assertEquals(bytes, [
          ...range(30).map((n) => new Array(length).fill(n).join()),
        ]);
      }
    }
    // Outcomes have the class of the caller's own.
    class Bytes extends Uint8Array {}
    const stream = workers.stream(
      (bytes) => bytes.length,
      [
        new Bytes(3),
      ].values(),
      { settled: true },
    );
    for await (const { input } of stream) assertInstanceOf(input, Bytes);
  });

  it("what a source gives again is still what it was", async () => {
    const one = { ...pool, workers: pool.workers && 1, chunkSize: 6 };
    function* again<T>(value: T) {
      for (let n = 0; n < 6; n++) yield value;
    }
    // An error is whole.
    class Odd extends Error {
      code = 5;
    }
    const codes = await parallelMap(
      ({ error }) => error.code,
      again({ error: new Odd("deep") }),
      one,
    );
    assertEquals(codes, new Array(6).fill(5));
    // What is like a promise is awaited each time.
    class Later {
      then(take: (value: number) => void) {
        take(7);
      }
    }
    const sevens = await parallelMap(
      (n) => n,
      again(new Later() as unknown as Promise<number>),
      one,
    );
    assertEquals(sevens, new Array(6).fill(7));
    // What its class says of it can be asked; and what it makes is not taken.
    class Job {
      size = 3;
      weigh() {
        return this.size;
      }
    }
    const sizes = await parallelMap(({ size }) => size, again(new Job()), {
      ...one,
      weight: (job) => job.weigh(),
    });
    assertEquals(sizes, new Array(6).fill(3));
    class Longer extends Uint8Array {
      constructor(length: number) {
        super(length + 1);
      }
    }
    const lengths = await parallelMap(
      ({ length }) => length,
      again(new Longer(2)),
      one,
    );
    assertEquals(lengths, new Array(6).fill(3));
  });

  it("an outcome has the caller's own input, not a copy", async () => {
    const inputs = [{ n: 1 }, { n: 2 }, { n: 3 }];
    const same = (input: { n: number }) => input;
    const stream = parallelMapStream(same, inputs, { ...pool, settled: true });
    for (const [i, item] of (await Array.fromAsync(stream)).entries()) {
      assertStrictEquals(item.input, inputs[i]);
      assert(item.status === "fulfilled");
      assertEquals(item.value, inputs[i]);
      assertNotStrictEquals(item.value, inputs[i]);
    }
  });

  it("values that cannot be sent are items of a settled stream", async () => {
    const inputs = [1, () => {}, 3, Symbol("4"), 5];
    const stream = parallelMapStream(
      (value: unknown) => value === 3 ? () => {} : 0,
      inputs,
      { ...pool, settled: true },
    );
    const items = await Array.fromAsync(stream);
    assertEquals(
      items.map(({ status }) => status === "fulfilled"),
      [true, false, false, false, true],
    );
    for (const [i, item] of items.entries()) {
      assertStrictEquals(item.input, inputs[i]);
    }
  });

  it("a timer comes while no input can be sent", async () => {
    await using workers = new Pool(pool);
    const make: (() => object)[] = [() => () => 1, () => new Proxy({}, {})];
    for (const one of make) { // seen at once; only when it is posted
      const inputs = Array.from({ length: 100_000 }, () => one());
      const signal = AbortSignal.timeout(1);
      const reason = await workers.mapSettled(() => 1, inputs, { signal })
        .catch((reason) => reason);
      assertEquals(reason.name, "TimeoutError");
    }
  });

  it("a lost worker is an item of a settled stream", async () => {
    const hows = ["fine", "exit", "fine", "reject", "fine"];
    const stream = parallelMapStream(
      "perish",
      hows,
      { ...pool, module: TASKS, settled: true },
    );
    const items = await Array.fromAsync(stream);
    assertEquals(items.map((item) => item.input), hows);
    for (const item of items) {
      if (item.input === "fine") assertEquals(item.status, "fulfilled");
      else {
        assert(item.status === "rejected");
        assertInstanceOf(item.reason, WorkerLostError);
      }
    }
  });

  it("a stream whose signal has aborted says so when it is read", async () => {
    const reason = new Error("enough");
    let read = 0;
    const source = function* () {
      yield read++;
    };
    for (const settled of [false, true]) {
      const signal = AbortSignal.abort(reason);
      const options = { ...pool, settled, signal };
      const stream = parallelMapStream((n: number) => n, source(), options);
      const error = await assertRejects(() => stream.next());
      assertStrictEquals(error, reason);
      assertEquals(await stream.next(), { done: true, value: undefined });
    }
    assertEquals(read, 0);
  });

  it("a timeout is an item of a settled stream", async () => {
    const stream = parallelMapStream(
      (n: number) => {
        while (n === 1);
        return n;
      },
      range(4),
      { ...timed, timeout: 500, settled: true },
    );
    const items = await Array.fromAsync(stream);
    assertEquals(
      items.map((item) => item.status === "fulfilled" ? item.value : "late"),
      [0, "late", 2, 3],
    );
    const [, late] = items;
    assert(late.status === "rejected");
    assertInstanceOf(late.reason, TaskTimeoutError);
  });

  it("a task of a settled stream is tried again before it is an item", async () => {
    const thrice = (n: number, { attempt }: { attempt: number }) => {
      if (attempt < 3) throw new Error("not yet");
      return n + attempt;
    };
    const options = { ...pool, settled: true, retries: 2 } as const;
    const items = await Array.fromAsync(
      parallelMapStream(thrice, range(5), options),
    );
    assertEquals(
      items.map((item) => item.status === "fulfilled" && item.value),
      range(5).map((n) => n + 3),
    );
  });

  it("a settled stream ends by break, by an abort, or with its source", async () => {
    await using workers = new Pool(pool);
    let last = -1;
    const endless = (function* () {
      for (let n = 0;; n++) yield n;
    })();
    // "Stop at 5 failures" is the caller's own line.
    let failures = 0;
    for await (
      const item of workers.stream(oddFails, endless, { settled: true })
    ) {
      last = item.index;
      if (item.status === "rejected" && ++failures === 5) break;
    }
    assertEquals(last, 9);
    function* broken() {
      yield 0;
      yield 1;
      throw new TypeError("no more");
    }
    const seen: number[] = [];
    await assertRejects(async () => {
      for await (
        const { index } of workers.stream(oddFails, broken(), { settled: true })
      ) seen.push(index);
    }, TypeError);
    assertEquals(seen, [0, 1]);
    const abort = new AbortController();
    const { signal } = abort;
    const reader = workers.stream(oddFails, range(1000), {
      settled: true,
      signal,
    });
    await reader.next();
    abort.abort("enough");
    const reason = await Array.fromAsync(reader).catch((reason) => reason);
    assertEquals(reason, "enough");
  });

  it("settled is for streams", async () => {
    const options = { ...pool, settled: true };
    const error = await assertRejects(
      () => parallelMap(oddFails, range(3), options as typeof pool),
      TypeError,
    );
    assert(
      error.message.endsWith('received "settled", which a stream takes'),
      error.message,
    );
  });
};
