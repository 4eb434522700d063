import { assertEquals, assertThrows } from "@std/assert";
import { detectRuntime } from "../src/runtime/detect.ts";
import { test } from "./harness.ts";
import { inFolder, ROOT, runProgram } from "./run_program.ts";

test("detectRuntime() names the runtime at hand", () => {
  const { name, cores, entry } = detectRuntime();
  assertEquals(name, "Deno" in globalThis ? "deno" : "bun");
  assertEquals(Number.isInteger(cores) && cores >= 1, true);
  assertEquals(URL.canParse(entry ?? "file:///"), true);
});

test("detectRuntime() says what it found where it knows nothing", () => {
  assertThrows(
    () => detectRuntime({}),
    TypeError,
    "Cannot start workers as the runtime must be Deno or Bun: received an unknown runtime",
  );
});

test("detectRuntime() names an unknown runtime by its user agent", () => {
  assertThrows(
    () => detectRuntime({ navigator: { userAgent: "Somewhere/1.0" } }),
    TypeError,
    "received Somewhere/1.0",
  );
});

test("detectRuntime() names Node.js, which has a user agent too", () => {
  assertThrows(
    () =>
      detectRuntime({
        process: { versions: { node: "24.1.0" } },
        navigator: { userAgent: "Node.js/24" },
      }),
    TypeError,
    "received Node.js 24.1.0",
  );
});

const node = runProgram(["node", "--version"]).code === 0;

test("a call on Node.js says what is supported", {
  ignore: !node, // Node.js is not needed for anything else
  timeout: 60_000,
}, () =>
  inFolder((folder) => {
    const file = `${folder}/shipped.mjs`;
    const script = `${ROOT}tests/fixtures/shipped.ts`;
    runProgram(["bun", "build", script, "--target=node", `--outfile=${file}`]);
    const { code, err } = runProgram(["node", file]);
    assertEquals(code, 1);
    const [, told] = err.match(/TypeError: (.*) received Node\.js \d+/) ?? [];
    assertEquals(
      told,
      "Cannot start workers as the runtime must be Deno or Bun:",
    );
  }));
