import { assertEquals } from "@std/assert";
import { undeclaredIn } from "../scripts/shipped.ts";
import { denoBoot } from "../src/core/runtime/deno.ts";
import { bootSource } from "../src/core/worker/boot.ts";
import type { WorkerPort } from "../src/core/worker/worker_main.ts";
import { test } from "./harness.ts";

function ofThisFile(): WorkerPort {
  throw new Error("Cannot be called as nobody ships it");
}

function openPort(): WorkerPort {
  return ofThisFile();
}

test("undeclaredIn() finds a name of its file in a worker's program", () => {
  const source = bootSource(openPort, [], { whole: false });
  const names = undeclaredIn(source).map(({ name }) => name);
  assertEquals(names, ["ofThisFile"]);
});

test("undeclaredIn() tells the line, and knows the globals of a worker", () => {
  const source = [
    "const held = performance.now();",
    "postMessage(held, Atomics, crypto, structuredClone, globalThis.process);",
    "export const inner = () => outer(held);",
  ].join("\n");
  assertEquals(undeclaredIn(source), [
    { name: "outer", line: "export const inner = () => outer(held);" },
  ]);
});

test("a worker's program uses no name that it does not declare", () => {
  assertEquals(undeclaredIn(denoBoot()), []);
});
