// One of everything, on whatever runtime runs it. `npm run floors` runs it on
// the oldest runtimes that are supported. It uses nothing but this library and
// node:, and does not close its last pool: it must end all the same.
//
//   deno run -A scripts/smoke.ts inline web threads
//   bun scripts/smoke.ts web
import { deepStrictEqual as equal, ok, rejects } from "node:assert";
import process from "node:process";
import {
  parallelMap,
  parallelMapSettled,
  parallelMapStream,
  Pool,
  type PoolOptions,
  type RunEvent,
  TaskError,
  TaskTimeoutError,
  WorkerLostError,
  WorkerStartError,
} from "../mod.ts";

/** How long one check may take, in ms. */
const HANGS_MS = 20_000;

const range = (count: number) => Array.from({ length: count }, (_, n) => n);
const twice = (n: number) => 2 * n;

/** Imported by the workers, from this very file. */
export function viaImport(n: number): number {
  return twice(n);
}

/** What must work everywhere. */
const CHECKS: Record<string, (how: PoolOptions) => Promise<void>> = {
  async "numbers come in order"(how) {
    equal(await parallelMap(twice, range(1000), how), range(1000).map(twice));
  },
  async "numbers fill a typed array"(how) {
    const options = { ...how, output: Float64Array };
    const inputs = Float64Array.from(range(1000));
    equal(await parallelMap(twice, inputs, options), inputs.map(twice));
  },
  async "records and strings"(how) {
    const rows = range(1000).map((id) => ({
      id,
      name: `row ${id}`,
      odd: id % 2,
    }));
    equal(
      await parallelMap((row) => ({ ...row, more: [row.id] }), rows, how),
      rows.map((row) => ({ ...row, more: [row.id] })),
    );
  },
  async "buffers are moved"(how) {
    const inputs = range(4).map((n) => Uint8Array.of(n, n).buffer);
    const options = { ...how, transfer: true };
    const lengths = await parallelMap((b) => b.byteLength, inputs, options);
    equal([lengths, inputs.map((b) => b.byteLength)], [[2, 2, 2, 2], [
      0,
      0,
      0,
      0,
    ]]);
  },
  async "an error names its input"(how) {
    const fn = (n: number) => {
      if (n === 3) throw new RangeError("three");
      return n;
    };
    const error = await parallelMap(fn, range(9), how).catch((e) => e);
    ok(error instanceof TaskError && error.index === 3, error);
    ok(error.cause instanceof RangeError, error);
  },
  async "every outcome, settled"(how) {
    const fn = (n: number) => {
      if (n % 2 === 1) throw n;
      return n;
    };
    const ends = await parallelMapSettled(fn, range(6), how);
    equal(
      ends.map((e) => e.status === "fulfilled" ? e.value : e.reason.cause),
      range(6),
    );
  },
  async "a task is tried again"(how) {
    const fn = (n: number, { attempt }: { attempt: number }) => {
      if (attempt === 1) throw n;
      return attempt;
    };
    equal(await parallelMap(fn, [1, 2], { ...how, retries: 1 }), [2, 2]);
  },
  async "tasks that wait, several at once"(how) {
    const fn = async (n: number) => {
      await new Promise((r) => setTimeout(r, 5));
      return n;
    };
    equal(
      await parallelMap(fn, range(20), { ...how, concurrency: 5 }),
      range(20),
    );
  },
  async "init and workerData"(how) {
    const init = (data: unknown) => ({ base: (data as number) + 1 });
    const fn = (n: number, { state }: { state: { base: number } }) =>
      state.base + n;
    const options = { ...how, init, workerData: 10 };
    equal(await parallelMap(fn, [1, 2], options), [12, 13]);
  },
  async "an init that fails"(how) {
    const init = () => {
      throw new Error("no");
    };
    await rejects(parallelMap(twice, [1], { ...how, init }), WorkerStartError);
  },
  async "a function of a module"(how) {
    const options = { ...how, module: import.meta.url };
    equal(await parallelMap(viaImport, [1, 2], options), [2, 4]);
  },
  async "an endless stream"(how) {
    let closed = false;
    function* naturals() {
      try {
        for (let n = 0;; n++) yield n;
      } finally {
        closed = true;
      }
    }
    const seen: number[] = [];
    for await (const n of parallelMapStream(twice, naturals(), how)) {
      if (seen.push(n) === 100) break;
    }
    equal([seen, closed], [range(100).map(twice), true]);
  },
  async "an abort"(how) {
    const never = () => new Promise<never>(() => {});
    const abort = new AbortController();
    const call = parallelMap(never, range(4), { ...how, signal: abort.signal });
    const reason = new Error("enough");
    setTimeout(() => abort.abort(reason), 20);
    await rejects(call, reason);
  },
  async "a pool is closed while it works"(how) {
    const pool = new Pool(how);
    const call = pool.map(() => new Promise<never>(() => {}), range(4));
    await Promise.all([rejects(call, { name: "AbortError" }), pool.close()]);
  },
};

/** What only workers can do. */
const WORKER_CHECKS: typeof CHECKS = {
  async "a worker that exits is lost, and its task alone"(how) {
    const fn = (n: number) => n === 2 ? globalThis.process.exit(3) : n;
    const ends = await parallelMapSettled(fn, range(6), how);
    equal(ends.map(({ status }) => status === "fulfilled"), [
      true,
      true,
      false,
      true,
      true,
      true,
    ]);
    ok((ends[2] as PromiseRejectedResult).reason instanceof WorkerLostError);
  },
  async "a worker with an error that nobody caught is lost"(how) {
    const fn = () => {
      setTimeout(() => {
        throw new Error("stray");
      }, 0);
      return new Promise<never>(() => {});
    };
    await rejects(parallelMap(fn, [1], how), WorkerLostError);
  },
  async "a worker in an endless loop is stopped"({ workers, backend }) {
    const how = backend === "web" ? { workers } : { workers, backend };
    const fn = (n: number) => {
      while (n === 1);
      return n;
    };
    const ends = await parallelMapSettled(fn, range(3), {
      ...how,
      timeout: 300,
    });
    ok((ends[1] as PromiseRejectedResult).reason instanceof TaskTimeoutError);
    equal(ends.map(({ status }) => status === "fulfilled"), [
      true,
      false,
      true,
    ]);
  },
  async "workers are replaced"(how) {
    let workers = 0;
    const onEvent = ({ type }: RunEvent) => {
      if (type === "worker-start") workers++;
      if (type === "worker-end") workers--;
    };
    const options = { ...how, maxTasksPerWorker: 3, onEvent };
    equal(await parallelMap(twice, range(20), options), range(20).map(twice));
    equal(workers, 0);
  },
};

/**
 * A check that is left out in the caller's own thread on Deno 2.8, which at times
 * lets timers that are due wait for 30 s and more, where nothing else wakes the
 * program: docs/runtimes.md. It does so without this library as well.
 */
const STALLS = "tasks that wait, several at once";
const mayStall = globalThis.Deno?.version.deno.startsWith("2.8.") ?? false;

/** Runs the checks on one backend, and leaves a pool open. */
async function check(backend: string): Promise<number> {
  const inline = backend === "inline";
  const how: PoolOptions = inline
    ? { workers: 0 }
    : { workers: 2, backend: backend as "web" | "threads" };
  const checks = Object.entries(
    inline ? CHECKS : { ...CHECKS, ...WORKER_CHECKS },
  ).filter(([name]) => !(inline && mayStall && name === STALLS));
  for (const [name, body] of checks) {
    const timer = setTimeout(() => {
      console.error(`${backend}: ${name}: hangs`);
      process.exit(1);
    }, HANGS_MS);
    try {
      await body(how);
    } catch (error) {
      console.error(`${backend}: ${name}`);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
  equal(await new Pool(how).map(twice, [1]), [2]);
  return checks.length;
}

async function main(): Promise<void> {
  for (const backend of process.argv.slice(2)) {
    console.log(`${backend}: ${await check(backend)} checks passed`);
  }
}

// Not awaited: in the caller's own thread, this module is imported once more.
if (import.meta.main) void main();
