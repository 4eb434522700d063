import { assertEquals } from "@std/assert";
import { undeclaredIn } from "../scripts/shipped.ts";
import { openPort as denoPort } from "../src/core/runtime/deno.ts";
import { bootSource } from "../src/core/worker/boot.ts";
import type { WorkerPort } from "../src/core/worker/worker_main.ts";
import { runtime, test } from "./harness.ts";

function ofThisFile(): WorkerPort {
  throw new Error("Cannot be called as nobody ships it");
}

function openPort(): WorkerPort {
  return ofThisFile();
}

test("undeclaredIn() finds a name of its file in a worker's program", () => {
  const names = undeclaredIn(bootSource(openPort)).map(({ name }) => name);
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
  assertEquals(undeclaredIn(bootSource(denoPort)), []);
});

// Deno makes what Node.js has when a program first asks for it: 11 ms a worker.
test("a Web Worker of Deno starts without asking for process", {
  ignore: runtime !== "deno",
}, async () => {
  const before = `let asked = false;
    Object.defineProperty(globalThis, "process", {
      get() {
        asked = true;
        return { exit() {} };
      },
    });`;
  const source = `${before}${bootSource(denoPort)}
    const early = asked;
    globalThis.process;
    postMessage({ type: "asked", early, asked });`;
  const url = URL.createObjectURL(
    new Blob([source], { type: "text/javascript" }),
  );
  const worker = new Worker(url, { type: "module", name: "asks" });
  try {
    const answer = await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => data.type === "asked" && resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(event.message));
      };
    });
    assertEquals(answer, { type: "asked", early: false, asked: true });
  } finally {
    worker.terminate();
    URL.revokeObjectURL(url);
  }
});
