// A chapter of the contract (contract.ts): how a pool ends in peace.
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { TaskContext } from "../mod.ts";
import type { Chapter } from "./contract.ts";
import { warningsOf } from "./warnings.ts";

const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const counter = () => new Int32Array(new SharedArrayBuffer(8));

/** What is promised of the end of workers. */
export const endings: Chapter = (it, { calls, pool }) => {
  const { parallelMap, Pool } = calls;
  // Counts those that were opened at 0, and those that were disposed at 1.
  const open = (cell: Int32Array) => {
    Atomics.add(cell, 0, 1);
    return { [Symbol.dispose]: () => void Atomics.add(cell, 1, 1) };
  };
  const openLater = (cell: Int32Array) => {
    Atomics.add(cell, 0, 1);
    return {
      async [Symbol.asyncDispose]() {
        await new Promise((resolve) => setTimeout(resolve, 5));
        Atomics.add(cell, 1, 1);
      },
    };
  };
  const same = (n: number) => n;

  /**
   * The warnings of work whose workers are ended in time: a machine may be too busy
   * for that within the second that it may take, but not again and again.
   */
  async function saidInTime(work: () => Promise<void>): Promise<string[]> {
    for (let tries = 1;; tries++) {
      const said = await warningsOf(work);
      const late = said.some((text) => text.includes("within 1000 ms"));
      if (!late || tries === 10) return said;
    }
  }

  /** All that is opened is disposed. */
  async function disposes(
    work: (cell: Int32Array) => Promise<void>,
  ): Promise<void> {
    let cell = counter();
    const said = await saidInTime(() => work(cell = counter()));
    assertEquals([cell[0], said], [cell[1], []]);
  }

  it("close with finish waits for no reader of what is ready", async () => {
    const fail = (n: number) => {
      if (n === 3) throw new Error("three");
      return n;
    };
    const left = async (stream: AsyncIterator<unknown>) => {
      const got: unknown[] = [];
      try {
        for (let next; !(next = await stream.next()).done;) {
          got.push(next.value);
        }
      } catch (error) {
        got.push(((error as Error).cause as Error).message);
      }
      return got;
    };
    for (const ordered of [true, false]) {
      const workers = new Pool(pool);
      // What is not in their chunk may come before them, where there is no order.
      const inputs = ordered ? [1, 2, 3, 4] : [1, 2, 3];
      const stream = workers.stream(fail, inputs, {
        ordered,
        chunkSize: 3,
      });
      assertEquals((await stream.next()).value, 1);
      await workers.close({ finish: true });
      assertEquals(await left(stream), [2, "three"]);
    }
    // As many as there is room for, once one is read; with and without weights.
    const weights = [undefined, () => 1];
    for (const weight of weights) {
      const workers = new Pool(pool);
      const stream = workers.stream(same, range(9), { bufferSize: 8, weight });
      assertEquals((await stream.next()).value, 0);
      await workers.close({ finish: true });
      assertEquals(await left(stream), range(9).slice(1));
    }
  });

  it("what init returned is disposed before its worker is ended", async () => {
    const inits: ((cell: Int32Array) => unknown)[] = [open, openLater];
    for (const init of inits) {
      await disposes(async (workerData) => {
        const options = { ...pool, init, workerData };
        assertEquals(await parallelMap(same, range(50), options), range(50));
      });
      await disposes(async (workerData) => {
        const workers = new Pool({ ...pool, init, workerData });
        await workers.start();
        await workers.map(same, range(10));
        await workers.close();
      });
    }
  });

  it("what init returned is disposed when its worker is replaced", async () => {
    await disposes(async (workerData) => {
      await using workers = new Pool({
        ...pool,
        init: openLater,
        workerData,
        maxTasksPerWorker: 2,
      });
      assertEquals(await workers.map(same, range(9)), range(9));
    });
  });

  /** Ends a worker with such a state. */
  async function endWith(init: () => unknown): Promise<void> {
    const workers = new Pool({ ...pool, workers: pool.workers && 1, init });
    assertEquals(await workers.map(same, [1]), [1]);
    await workers.close();
  }

  it("what cannot be disposed is said, and ends all the same", async () => {
    const stuck = () => ({
      [Symbol.dispose]() {
        throw new RangeError("stuck");
      },
    });
    assertEquals(await saidInTime(() => endWith(stuck)), [
      '@parallel/map: what "init" returned could not be disposed: received RangeError: stuck',
    ]);
  });

  it("a worker that never ends disposing is ended", async () => {
    const endless = () => ({
      [Symbol.asyncDispose]: () => new Promise(() => {}),
    });
    assertEquals(await warningsOf(() => endWith(endless)), [
      '@parallel/map: what "init" returned could not be disposed: received no end within 1000 ms',
    ]);
  });

  it("close({ finish: true }) lets pending calls end, and takes no more", async () => {
    const workers = new Pool(pool);
    const later = async (n: number, { aborted }: TaskContext) => {
      await new Promise((resolve) => setTimeout(resolve, 2));
      return aborted ? -1 : n;
    };
    const all = [
      workers.map(later, range(20)),
      workers.map(later, range(7), { concurrency: 3 }),
    ];
    const stream = workers.stream(later, range(5));
    const first = stream.next();
    const closed = workers.close({ finish: true });
    await assertRejects(() => workers.map(later, [1]), TypeError, "closed");
    assertEquals(await Promise.all(all), [range(20), range(7)]);
    assertEquals((await first).value, 0);
    assertEquals(await Array.fromAsync(stream), [1, 2, 3, 4]);
    await closed;
  });

  it("close({ finish: true }) does not wait until results that are ready are read", async () => {
    const workers = new Pool(pool);
    const same = (n: number) => n;
    const stream = workers.stream(same, range(5), { bufferSize: 5 });
    assertEquals((await stream.next()).value, 0);
    await workers.close({ finish: true });
    assertEquals(await Array.fromAsync(stream), [1, 2, 3, 4]);
  });

  it("close() after close({ finish: true }) waits no more", async () => {
    const workers = new Pool(pool);
    const pending = workers.map(() => new Promise(() => {}), [1])
      .catch((error) => error);
    const finished = workers.close({ finish: true });
    const closed = workers.close();
    assertEquals((await pending).name, "AbortError");
    await Promise.all([finished, closed]);
  });

  it("start() of a pool that is closed meanwhile is aborted", async () => {
    const workers = new Pool({
      ...pool,
      init: () => new Promise((resolve) => setTimeout(resolve, 50)),
    });
    const started = workers.start().catch((error) => error);
    await workers.close();
    assertEquals((await started).name, "AbortError");
  });

  it("close takes finish and nothing else", async () => {
    const workers = new Pool(pool);
    const odd = { finished: true } as { finish?: boolean };
    const error = await assertRejects(() => workers.close(odd), TypeError);
    assertStringIncludes(error.message, 'received "finished"');
    await workers.close();
  });
};
