// What a pool does while it has nothing to do. That it lets the program end is
// in process_test.ts.
import { assertEquals } from "@std/assert";
import { Pool, type RunEvent } from "../mod.ts";
import { detectRuntime } from "../src/core/runtime/detect.ts";
import { test } from "./harness.ts";
import { pause, until } from "./until.ts";

const patience = 300_000;
const double = (n: number) => 2 * n;

/** Longer than a worker that is idle keeps the process up on Deno, in ms. */
const LONG = 150;

test("on Deno, the hidden method that lets an idle worker go is there", () => {
  // Without it, Deno's Web Workers would be threads, which can be stopped.
  const { stopsLoops } = detectRuntime().backend("web");
  assertEquals(stopsLoops, !("Deno" in globalThis));
});

/** Blocks this thread, so that it hears of nothing meanwhile. */
const block = (ms: number) =>
  void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

/** Ends the worker when the task is over, and says so in shared memory. */
function exitLater(ms: number, { state }: { state: Int32Array }): number {
  setTimeout(() => {
    Atomics.add(state, 0, 1);
    globalThis.process.exit(3);
  }, ms);
  return ms;
}

for (const backend of ["web", "threads"] as const) {
  for (
    const [how, wait] of [["hears of it", pause], ["is busy", block]] as const
  ) {
    test(
      `${backend}: workers that end while idle do not fail the next call: the caller ${how}`,
      {
        timeout: patience,
      },
      async () => {
        const lost: number[] = [];
        const onEvent = (event: RunEvent) => {
          if (event.type === "worker-end" && event.lost) {
            lost.push(event.worker);
          }
        };
        const ended = new Int32Array(new SharedArrayBuffer(4));
        await using pool = new Pool({
          workers: 4,
          backend,
          onEvent,
          workerData: ended,
        });
        // One task a worker, as all of them are up and idle.
        await pool.start();
        await pool.map(exitLater, [LONG, LONG, LONG, LONG], { chunkSize: 1 });
        await until(async () => {
          await wait(10);
          return Atomics.load(ended, 0) === 4;
        });
        await wait(LONG);
        const inputs = [1, 2, 3, 4, 5, 6, 7, 8];
        const options = { chunkSize: 1 };
        assertEquals(
          await pool.map(double, inputs, options),
          inputs.map(double),
        );
        assertEquals(lost.toSorted(), [0, 1, 2, 3]);
      },
    );
  }

  test(`${backend}: a worker that is idle for long keeps its state`, {
    timeout: patience,
  }, async () => {
    await using pool = new Pool({
      workers: 1,
      backend,
      init: () => ({ calls: 0 }),
    });
    const count = (_: number, { state }: { state: { calls: number } }) =>
      ++state.calls;
    for (const calls of [1, 2, 3]) {
      assertEquals(await pool.map(count, [0]), [calls]);
      await pause(LONG);
    }
  });

  test(`${backend}: a pool that was idle for long is closed all the same`, {
    timeout: patience,
  }, async () => {
    let workers = 0;
    const onEvent = ({ type }: RunEvent) => {
      if (type === "worker-start") workers++;
      if (type === "worker-end") workers--;
    };
    const pool = new Pool({ workers: 2, backend, onEvent });
    await pool.start();
    await pause(LONG);
    await pool.close();
    assertEquals(workers, 0);
  });
}
