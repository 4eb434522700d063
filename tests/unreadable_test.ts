// A message that is written but cannot be read on the other side: V8 (Deno)
// writes objects nested deeper than it reads, and says "messageerror" there.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { parallelMapSettled } from "../mod.ts";
import { detectRuntime } from "../src/core/runtime/detect.ts";
import type { WorkerHandle } from "../src/core/runtime/runtime.ts";
import type { Tagged, ToWorker } from "../src/core/wire/protocol.ts";
import { runtime, test } from "./harness.ts";

/** Too deep to be read on Deno 2.9.5, not too deep to be written. */
const DEPTH = 3000;

function nest(depth: number): unknown {
  let value: unknown = 0;
  for (let i = 0; i < depth; i++) value = { value };
  return value;
}

// Bun 1.4.5 reads all it writes, a thread of Node.js 24 all that its caller does.
const readsAll = runtime !== "deno";

for (const kind of ["web", "threads"] as const) {
  test(`${kind}: a worker says that it could not read a message`, {
    ignore: readsAll,
  }, async () => {
    const heard: unknown[] = [];
    let handle: WorkerHandle;
    await new Promise<void>((resolve) => {
      handle = detectRuntime().backend(kind).start({
        onMessage(message) {
          const [, { type }] = message as Tagged;
          heard.push(type);
          if (type === "pong") handle.terminate();
        },
        onUnreadable: () => heard.push("not read here"),
        onEnd: () => resolve(),
      });
      handle.post({ type: "ping", more: nest(DEPTH) } as ToWorker, []);
      handle.post({ type: "ping" }, []);
    });
    assertEquals(heard, ["unreadable", "pong"]);
  });

  test(`${kind}: values that cannot be read do not leave a call pending`, {
    timeout: 300_000,
  }, async () => {
    const options = { workers: 1, backend: kind };
    // What becomes of them is told elsewhere; here, that there is an end.
    const ends = await Promise.allSettled([
      parallelMapSettled((value) => typeof value, [nest(DEPTH)], options),
      parallelMapSettled(nest, [DEPTH], options),
    ]);
    assertEquals(ends.length, 2);
  });

  test(`${kind}: a result that is too deep is refused with what to do`, {
    timeout: 300_000,
  }, async () => {
    const options = { workers: 1, backend: kind };
    const [result] = await parallelMapSettled(nest, [DEPTH], options);
    if (result.status === "fulfilled") return; // Bun 1.4.5 reads it
    // A thread of Node.js 24 has a larger stack than the caller: it writes what
    // that cannot read.
    assertStringIncludes(result.reason.message, "objects within objects");
    assertStringIncludes(result.reason.message, "send a list of them");
  });
}
