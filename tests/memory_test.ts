// maxMemory where workers share a process: one that holds more is replaced.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { parallelMap, Pool, type RunEvent } from "../mod.ts";
import { isThreadsAgain, test } from "./harness.ts";

const LONG = { timeout: 300_000 };
const range = (count: number) => Array.from({ length: count }, (_, i) => i);

/** Holds 20 MB more at each call; returns how often it was called here. */
function leak(how: string): number {
  const held = globalThis as unknown as { held?: unknown[] };
  held.held ??= [];
  held.held.push(
    how === "buffers"
      ? new Uint8Array(20e6).fill(1)
      : Array.from({ length: 300_000 }, (_, i) => ({ i, text: `${i} text` })),
  );
  return held.held.length;
}

for (const backend of ["web", "threads"] as const) {
  for (const how of ["buffers", "objects"]) {
    test(
      `${backend}: maxMemory replaces a worker that leaks ${how}, between two tasks`,
      { ...LONG, ignore: isThreadsAgain(backend) },
      async () => {
        const ends: boolean[] = [];
        const calls = await parallelMap(leak, Array<string>(24).fill(how), {
          backend,
          workers: 1,
          chunkSize: 1,
          maxMemory: 100,
          onEvent(event: RunEvent) {
            if (event.type === "worker-end") ends.push(event.lost);
          },
        });
        // 100 MB are five times 20; how much an object takes, each engine knows,
        // and Bun sees its buffers late.
        assert(Math.max(...calls) <= 20, calls.join());
        assert(Math.max(...calls) >= 2, calls.join());
        assert(ends.length >= 2, `${ends.length} workers`);
        assertEquals(ends.includes(true), false);
      },
    );
  }

  test(
    `${backend}: maxMemory leaves a worker alone that holds less`,
    LONG,
    async () => {
      let started = 0;
      const onEvent = ({ type }: RunEvent) => {
        if (type === "worker-start") started++;
      };
      const options = { backend, workers: 1, maxMemory: 500, onEvent };
      const calls = await parallelMap((n: number) => n, range(5000), options);
      assertEquals([calls, started], [range(5000), 1]);
    },
  );
}

test("maxMemory is refused where there is no worker", () => {
  assertThrows(
    () => new Pool({ workers: 0, maxMemory: 500 }),
    TypeError,
    'Cannot create pool as "maxMemory" needs workers, on a runtime that tells how much memory one has: received "workers" 0',
  );
});
