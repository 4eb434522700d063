// A chapter of the contract (contract.ts): what a task is told.
import { assert, assertEquals } from "@std/assert";
import type { TaskContext } from "../mod.ts";
import type { Chapter } from "./contract.ts";
import { until } from "./until.ts";

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

/** What is promised of `context`. */
export const contexts: Chapter = (it, { calls, pool }) => {
  const { Pool } = calls;
  type Workers = InstanceType<typeof Pool>;

  /**
   * Makes a pool of one worker, and has a run of it aborted. On a busy machine
   * the worker may be ended before it sees that: then it is done again.
   */
  async function abortUntilSeen(
    cell: Int32Array,
    run: (workers: Workers, signal: AbortSignal) => Promise<unknown>,
    hasBegun: () => boolean,
    hasSeen: () => boolean,
    then: (workers: Workers) => Promise<void> = () => Promise.resolve(),
  ): Promise<void> {
    for (let tries = 0; tries < 20; tries++) {
      let isEnded = false;
      await using workers = new Pool({
        ...pool,
        workers: pool.workers && 1,
        onEvent: ({ type }) => isEnded ||= type === "worker-end",
      });
      const abort = new AbortController();
      cell.fill(0);
      const reason = run(workers, abort.signal).catch((reason) => reason);
      await until(hasBegun);
      abort.abort("enough");
      assertEquals(await reason, "enough");
      await until(() => hasSeen() || isEnded);
      if (hasSeen()) return await then(workers);
    }
    throw new Error("ended each time, before it saw the abort");
  }

  it("context.signal aborts when the run is over", async () => {
    const heard = new Int32Array(new SharedArrayBuffer(8));
    const wait = (
      heard: Int32Array,
      { signal, index }: TaskContext,
    ) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => {
          const { name, message } = signal.reason;
          const right = signal.aborted && name === "AbortError" &&
            message === "The run of this task is over";
          Atomics.store(heard, index, right ? 1 : 2);
          Atomics.notify(heard, index);
          reject(signal.reason);
        });
        if (index === 1) Atomics.store(heard, index, 3);
      });
    await abortUntilSeen(
      heard,
      (workers, signal) =>
        workers.map(wait, [heard, heard], { signal, concurrency: 2 }),
      () => Atomics.load(heard, 1) === 3,
      () => Atomics.load(heard, 0) > 0 && Atomics.load(heard, 1) < 3,
      async (workers) => {
        assertEquals([...heard], [1, 1]);
        // The worker lives, and the next run has signals of its own.
        const aborted = (_: number, { signal }: TaskContext) => signal.aborted;
        assertEquals(await workers.map(aborted, [1, 2]), [false, false]);
      },
    );
  });

  it("context.signal is one a task, and aborts after no task", async () => {
    const keep = async (_: number, context: TaskContext) => {
      const { signal } = context;
      const kept = globalThis as unknown as { kept?: AbortSignal[] };
      kept.kept ??= [];
      kept.kept.push(signal);
      await new Promise((resolve) => setTimeout(resolve, 1));
      const once = signal === context.signal;
      return [once, new Set(kept.kept).size === kept.kept.length];
    };
    await using workers = new Pool({ ...pool, workers: pool.workers && 1 });
    const good = await workers.map(keep, range(3), { concurrency: 3 });
    assertEquals(good, range(3).map(() => [true, true]));
    const aborted = () => {
      const { kept } = globalThis as unknown as { kept: AbortSignal[] };
      return kept.some((signal) => signal.aborted);
    };
    assertEquals(await workers.map(aborted, [1]), [false]);
  });

  it("what an attempt left behind takes no signal from the next", async () => {
    const cell = new Int32Array(new SharedArrayBuffer(8));
    const attempt = async (cell: Int32Array, context: TaskContext) => {
      const scope = globalThis as unknown as { first?: TaskContext };
      if (context.attempt === 1) {
        scope.first = context;
        throw new Error("again");
      }
      const { signal } = context;
      const early = scope.first!.signal;
      await new Promise((resolve) => setTimeout(resolve, 1));
      const late = scope.first!.signal;
      if (early === late && late !== signal) Atomics.store(cell, 0, 1);
      await new Promise((resolve) => {
        signal.addEventListener("abort", resolve);
      });
      Atomics.store(cell, 1, 1);
    };
    await abortUntilSeen(
      cell,
      (workers, signal) => workers.map(attempt, [cell], { signal, retries: 1 }),
      () => Atomics.load(cell, 0) > 0,
      () => Atomics.load(cell, 1) > 0,
    );
  });

  it("what a task leaves behind sees that its run is over", async () => {
    const kept = (_: unknown, context: TaskContext) => {
      const scope = globalThis as unknown as { left?: TaskContext };
      const { left } = scope;
      scope.left = context;
      return left?.aborted;
    };
    await using workers = new Pool({ ...pool, workers: pool.workers && 1 });
    assertEquals(await workers.map(kept, [1, 2]), [undefined, false]);
    assertEquals(await workers.map(kept, [1, 2]), [true, false]);
  });

  it("a loop that a task left behind ends with its run, whatever comes next", async () => {
    const leave = (n: number, context: TaskContext) => {
      queueMicrotask(() => {
        const last = Date.now() + 60_000; // to fail, and not for ever
        while (!context.aborted && Date.now() < last);
        (globalThis as { saw?: boolean }).saw = context.aborted;
      });
      return n;
    };
    const saw = () => (globalThis as { saw?: boolean }).saw;
    await using workers = new Pool({ ...pool, workers: 1 });
    for (let round = 0; round < 3; round++) {
      assertEquals(await workers.map(leave, [round]), [round]);
      assertEquals(await workers.map(saw, [0]), [true]);
    }
  });

  it("a loop that a task left behind ends when its worker is at another call", async () => {
    await using workers = new Pool({ ...pool, workers: 2 });
    await workers.start();
    const flags = new Int32Array(new SharedArrayBuffer(8));
    const leave = async (n: number, context: TaskContext) => {
      const flags = context.data as Int32Array;
      if (n > 0) { // its run goes on for as long as the other call
        while (Atomics.load(flags, 1) === 0) {
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
        return;
      }
      setTimeout(() => {
        const last = Date.now() + 60_000; // to fail, and not for ever
        while (!context.aborted && Date.now() < last);
      }, 5);
      Atomics.store(flags, 0, 1);
    };
    const options = { chunkSize: 1, data: flags };
    const left = workers.map(leave, [0, 1], options);
    await until(() => Atomics.load(flags, 0) > 0);
    const began = Date.now();
    await workers.map((n: number) => n, range(20), { chunkSize: 1 });
    assert(Date.now() - began < 50_000);
    Atomics.store(flags, 1, 1);
    await left;
  });

  it("context.throwIfAborted() throws the reason of context.signal itself", async () => {
    const compare = (_: unknown, context: TaskContext) => {
      const scope = globalThis as unknown as { lasting?: TaskContext };
      const { lasting } = scope;
      scope.lasting = context;
      if (lasting === undefined) return undefined;
      const { signal } = lasting; // the run of that task is over
      try {
        lasting.throwIfAborted();
      } catch (error) {
        return error === signal.reason;
      }
    };
    await using workers = new Pool({ ...pool, workers: pool.workers && 1 });
    assertEquals(await workers.map(compare, [1]), [undefined]);
    assertEquals(await workers.map(compare, [1]), [true]);
  });

  it("a signal that is read after the end of its run is aborted", async () => {
    const cell = new Int32Array(new SharedArrayBuffer(8));
    const late = async (cell: Int32Array, context: TaskContext) => {
      Atomics.store(cell, 0, 1);
      while (!context.aborted) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      Atomics.store(cell, 1, context.signal.aborted ? 1 : 2);
    };
    await abortUntilSeen(
      cell,
      (workers, signal) => workers.map(late, [cell], { signal }),
      () => Atomics.load(cell, 0) > 0,
      () => Atomics.load(cell, 1) > 0,
    );
    assertEquals(cell[1], 1);
  });
};
