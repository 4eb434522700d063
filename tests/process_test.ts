// What a whole program does: that it ends by itself, and says what it cannot.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { test } from "./harness.ts";
import { runProgram, runtime } from "./programs.ts";

const program = (name: string) =>
  new URL(`./fixtures/programs/${name}.ts`, import.meta.url);
const seconds = 60_000;

test("a script ends by itself when its last call has settled", {
  timeout: seconds,
}, async () => {
  const { code, stdout, stderr } = await runProgram(program("settles"));
  assertEquals([code, stdout.trim(), stderr], [0, "done", ""]);
});

test("an idle pool does not keep the process where the runtime can tell", {
  // Deno has no unref() for a Web Worker: there only threads let it end.
  timeout: seconds,
}, async () => {
  const backend = runtime === "deno" ? "threads" : "web";
  const { code, stdout } = await runProgram(program("idle"), ["-A"], [backend]);
  assertEquals([code, stdout.trim()], [0, "last line"]);
});

test("an abort is told at once, also in the middle of a loop", {
  timeout: seconds,
}, async () => {
  const { stdout, stderr, code } = await runProgram(program("stuck"));
  assertStringIncludes(stdout, "aborted");
  assertEquals(code, 0);
  // Deno cannot stop the loop of a Web Worker: it must say so, and how to.
  if (runtime === "bun") return assertEquals(stderr, "");
  assertStringIncludes(stderr, "the task of input 0 still runs");
  assertStringIncludes(stderr, '"backend": "threads"');
});

test("a worker's console reaches the caller's", {
  timeout: seconds,
}, async () => {
  const { stdout } = await runProgram(program("prints"));
  const lines = stdout.trim().split("\n").toSorted();
  assertEquals(lines, ["from task 0", "from task 1", "from task 2"]);
  assert(lines.length === 3);
});
