// How calls at once, and calls within tasks, divide the cores.
import { assertEquals } from "@std/assert";
import {
  type ModuleSpecifier,
  parallelMap,
  parallelMapStream,
  Pool,
  type RunEvent,
} from "../mod.ts";
import { test } from "./harness.ts";

const cores = navigator.hardwareConcurrency;
const NESTED: ModuleSpecifier<typeof import("./fixtures/nested.ts")> = new URL(
  "./fixtures/nested.ts",
  import.meta.url,
);

test("ten calls at once divide the cores, and none waits for another", async () => {
  // No call ends before each has begun its second task: all ten go on at once.
  const meet = async (goal: number, { state }: { state: Int32Array }) => {
    Atomics.add(state, 0, 1);
    while (Atomics.load(state, 0) < goal) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  const workerData = new Int32Array(new SharedArrayBuffer(4));
  let started = 0;
  const onEvent = ({ type }: RunEvent) => {
    if (type === "worker-start") started++;
  };
  const each = Math.max(1, Math.floor(cores / 10));
  await Promise.all(
    Array.from(
      { length: 10 },
      () => parallelMap(meet, [10, 20], { workerData, onEvent, chunkSize: 1 }),
    ),
  );
  assertEquals(started, 10 * Math.min(2, each));
});

test("an explicit number of workers is obeyed, whatever else is called", async () => {
  const meet = async (goal: number, { state }: { state: Int32Array }) => {
    Atomics.add(state, 0, 1);
    while (Atomics.load(state, 0) < goal) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  // They meet only if every call has as many workers as it asked for.
  const workerData = new Int32Array(new SharedArrayBuffer(4));
  const options = { workers: 3, workerData };
  await Promise.all([
    parallelMap(meet, [6, 6, 6], options),
    parallelMap(meet, [6, 6, 6], options),
  ]);
  assertEquals(workerData[0], 6);
});

test("a call, or a pool, within a task has the share of its worker", async () => {
  await using pool = new Pool({ workers: cores, module: NESTED });
  assertEquals(await pool.map("countNested", [[4, 1]]), [[1, 1]]);
  await using one = new Pool({ workers: 1, module: NESTED });
  const [[started, workers]] = await one.map("countNested", [
    [cores, cores],
  ]);
  assertEquals([started, workers], [cores, cores]);
});

test("a call after others has all cores again", async () => {
  const calls = Array.from(
    { length: 5 },
    () => parallelMap((n: number) => n, [1, 2]),
  );
  await Promise.all(calls);
  let workers = 0;
  await parallelMap((n: number) => n, [1], {
    onEvent: (event) => {
      if (event.type === "run-start") workers = event.workers;
    },
  });
  assertEquals(workers, cores);
});

test("a stream that nobody reads on keeps no cores from others", async () => {
  function* naturals() {
    for (let n = 0;; n++) yield n;
  }
  const left = parallelMapStream((n: number) => n, naturals());
  assertEquals((await left.next()).value, 0);
  let workers = 0;
  const onEvent = (event: RunEvent) => {
    if (event.type === "run-start") workers = event.workers;
  };
  // Until it is as far ahead of its reader as it may be.
  for (let i = 0; i < 500 && workers < cores; i++) {
    await parallelMap((n: number) => n, [1], { onEvent });
  }
  assertEquals(workers, cores);
  await left.return(undefined);
});
