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
    assert(error.message.endsWith('received "settled"'), error.message);
  });
};
