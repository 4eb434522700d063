// A chapter of the contract (contract.ts): tasks that share a chunk.
import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { type RunEvent, TaskError, TaskTimeoutError } from "../mod.ts";
import type { Chapter } from "./contract.ts";

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

/** What tasks that are done, or have failed, promise beside those that are not. */
export const neighbours: Chapter = (it, { calls, pool, timed }) => {
  const {
    parallelMap,
    parallelReduce,
    parallelMapSettled,
    parallelMapStream,
    Pool,
  } = calls;

  /** Fails at 2; of the others, those behind it never end, in either way. */
  const deeds = {
    waits: async (n: number) => {
      if (n === 2) throw new RangeError("two");
      if (n > 2) await new Promise(() => {});
      return n;
    },
    computes: (n: number) => {
      if (n === 2) throw new RangeError("two");
      while (n > 2);
      return n;
    },
    "waits, after a moment": async (n: number) => {
      await new Promise((resolve) => setTimeout(resolve, n));
      if (n === 2) throw new RangeError("two");
      if (n > 2) await new Promise(() => {});
      return n;
    },
  };

  for (const [how, deed] of Object.entries(deeds)) {
    it(`a failure does not wait for a neighbour that ${how}`, async () => {
      const ways = deed === deeds.computes
        ? [{ chunkSize: 8 }, { chunkSize: 8, timeout: 60_000 }]
        : [
          { chunkSize: 8 },
          { chunkSize: 8, concurrency: 3, timeout: 60_000 },
          { chunkSize: 2, concurrency: 8 },
        ];
      // In one chunk: what computes in another may not be stopped.
      const inputs = range(8);
      for (const way of ways) {
        const options = { ...("timeout" in way ? timed : pool), ...way };
        const error = await assertRejects(
          () => parallelMap(deed, inputs, options),
          TaskError,
        );
        assertEquals(error.index, 2);
        assertInstanceOf(error.cause, RangeError);
        const seen: number[] = [];
        const read = async () => {
          const stream = parallelMapStream(deed, inputs, options);
          for await (const n of stream) seen.push(n);
        };
        assertEquals((await assertRejects(read, TaskError)).index, 2);
        assertEquals(seen, [0, 1]); // what comes before it is there
        const reduced = await assertRejects(
          () =>
            parallelReduce(deed, (a, b) => a + b, inputs, {
              ...options,
              initial: 0,
            }),
          TaskError,
        );
        assertEquals(reduced.index, 2);
      }
    });
  }

  it("a failure at the last attempt does not wait for its neighbours", async () => {
    const deed = async (n: number, { attempt }: { attempt: number }) => {
      if (n === 2) throw new RangeError(`at attempt ${attempt}`);
      if (n === 3) await new Promise(() => {});
      return n;
    };
    const error = await assertRejects(
      () =>
        parallelMap(deed, range(8), {
          ...pool,
          chunkSize: 8,
          concurrency: 2,
          retries: 2,
        }),
      TaskError,
    );
    assertEquals([error.index, error.attempts], [2, 3]);
    assertStringIncludes(String(error.cause), "at attempt 3");
  });

  it("events tell each failure, and when each task ran, once", async () => {
    const deed = async (n: number) => {
      if (n === 1) throw new RangeError("one");
      await new Promise((resolve) => setTimeout(resolve, n % 2 ? 150 : 1));
      if (n === 3) throw new RangeError("three");
      return n;
    };
    const failed: number[] = [];
    const ran: number[] = [];
    const options = {
      ...pool,
      chunkSize: 4,
      concurrency: 4,
      onEvent: (event: RunEvent) => {
        if (event.type !== "chunk-done") return;
        failed.push(...event.failed);
        for (const [offset, from] of event.from.entries()) {
          if (!Number.isNaN(from)) ran.push(event.first + offset);
        }
      },
    };
    await parallelMapSettled(deed, range(8), options);
    assertEquals(failed.toSorted(), [1, 3]);
    assertEquals(ran.toSorted(), range(8));
    // Of a stream in order, also what came before its failure.
    [failed.length, ran.length] = [0, 0];
    const late = async (n: number) => {
      if (n === 2) throw new RangeError("two");
      await new Promise((resolve) => setTimeout(resolve, 150));
      return n;
    };
    const read = () =>
      Array.fromAsync(parallelMapStream(late, range(4), options));
    await assertRejects(read, TaskError);
    assertEquals(failed, [2]);
    for (const n of [0, 1, 2]) assertEquals(ran.filter((m) => m === n), [n]);
  });

  it("a task that never ends is late, whatever was taken back behind it", async () => {
    const deed = async (n: number) => {
      if (n === 3000) await new Promise(() => {});
      return n;
    };
    const options = { ...timed, timeout: 1000 };
    const sum = (a: number, b: number) => a + b;
    for (
      const call of [
        () => parallelMap(deed, range(6000), options),
        () =>
          parallelReduce(deed, sum, range(6000), { ...options, initial: 0 }),
      ]
    ) assertEquals((await assertRejects(call, TaskTimeoutError)).index, 3000);
  });

  it("what is done, and what is behind it, does not wait for a task that waits", async () => {
    const none = (n: number) => n === 700 ? new Promise<number>(() => {}) : n;
    const later = async (n: number) =>
      n === 700
        ? await new Promise<number>(() => {})
        : await Promise.resolve(n);
    const record = async (n: number) => ({
      n: n === 700 ? await new Promise(() => {}) : await Promise.resolve(n),
      list: [n],
    });
    // One lane that waits would be all that there is in this thread.
    for (const concurrency of pool.workers === 0 ? [3] : [1, 3]) {
      // The chunks are large by then.
      const options = { concurrency, ordered: false };
      for (const deed of [none, later]) {
        const seen = new Set<number>();
        const more = { ...pool, ...options };
        const stream = parallelMapStream(deed, range(1500), more);
        for await (const n of stream) if (seen.add(n).size === 1499) break;
        assertEquals(seen.has(700), false);
      }
      const seen = new Set<number>();
      await using workers = new Pool(pool);
      const stream = workers.stream(record, range(1500), {
        ...options,
        settled: true,
      });
      for await (const { index, status } of stream) {
        assertEquals(status, "fulfilled");
        if (seen.add(index).size === 1499) break;
      }
      assertEquals(seen.has(700), false);
    }
  });

  it("results that came before their chunk was done are those of their inputs", async () => {
    // Some wait for so long that what is done beside them is told before.
    const deed = async (n: number) => {
      if (n % 40 === 39) {
        await new Promise((resolve) => setTimeout(resolve, 70));
      }
      if (n % 7 === 3) throw new RangeError(`${n}`);
      return n % 2 ? { n } : n;
    };
    for (const concurrency of [1, 4]) {
      const options = { ...pool, concurrency };
      const outcomes = await parallelMapSettled(deed, range(160), options);
      for (const [n, outcome] of outcomes.entries()) {
        if (n % 7 === 3) {
          assertEquals(outcome.status, "rejected");
          continue;
        }
        const value = n % 2 ? { n } : n;
        assertEquals(outcome, { status: "fulfilled", value });
      }
      const total = await parallelReduce(
        async (n: number) => {
          if (n % 40 === 39) {
            await new Promise((resolve) => setTimeout(resolve, 70));
          }
          return `${n},`;
        },
        (a, b) => a + b,
        range(160),
        { ...options, initial: "" },
      );
      assertEquals(total, range(160).map((n) => `${n},`).join(""));
    }
  });
};
