// What a whole program does: that it ends by itself, and says what it cannot.
import { assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import process from "node:process";
import { isThreadsAgain, runtime, test } from "./harness.ts";
import { ROOT, RUN_ALL, runProgram } from "./run_program.ts";

const patience = 300_000;

/** A program that does not end has no exit code. */
function run(name: string, ...args: string[]) {
  const program = `tests/fixtures/programs/${name}.ts`;
  return runProgram([...RUN_ALL, program, ...args], ROOT, "", patience);
}

const deno = "Deno" in globalThis;

test("a script ends by itself when its last call has settled", {
  timeout: patience,
}, () => {
  const { code, out, err } = run("settles");
  assertEquals([code, out.trim(), err], [0, "done", ""]);
});

test(
  "on Deno, the error of a lost worker has the exit code, however it is given",
  {
    timeout: patience,
    ignore: !deno,
  },
  () => {
    const { code, out, err } = run("exit_codes");
    assertEquals([code, out.trim(), err], [0, "4 5 6", ""]);
  },
);

for (const backend of ["web", "threads", "processes"]) {
  const uses = [
    "plainly",
    "with init",
    "started",
    "half a stream",
    "with timers left",
    "without what Deno hides",
  ];
  for (const use of uses) {
    test(`${backend}: a pool that nobody closes lets the process end: ${use}`, {
      timeout: patience,
      ignore: isThreadsAgain(backend),
    }, () => {
      const { code, out, err } = run("idle", backend, use);
      assertEquals([code, out.trim(), err], [0, "last line", ""]);
    });
  }

  test(`${backend}: a worker that ended while idle does not get a task`, {
    timeout: patience,
  }, () => {
    const { code, out, err } = run("idle_end", backend);
    assertEquals([code, out.replace(/\s/g, ""), err], [0, "[2,3]", ""]);
  });
}

test("an abort is told at once, also in a loop, which keeps no program up", {
  timeout: patience,
}, () => {
  const { code, out, err } = run("stuck");
  assertStringIncludes(out, "aborted");
  assertEquals(code, 0);
  // Deno cannot stop the loop of a Web Worker: it must say so, and how to.
  if (!deno) return assertEquals(err, "");
  assertStringIncludes(err, "the task of input 0 still runs");
  assertStringIncludes(err, '"backend": "threads"');
});

for (const backend of ["web", "threads"]) {
  test(`${backend}: a loop that a task left behind keeps no program up`, {
    timeout: patience,
    ignore: isThreadsAgain(backend),
  }, () => {
    const { code, out, err } = run("loops_on", backend);
    assertEquals([code, out, err], [0, "1\n", ""]);
  });
}

test("a task that timed out in a loop uses no core any more", {
  timeout: patience,
}, () => {
  const { code, out } = run("timed_out");
  assertEquals(code, 0);
  assertLess(Number(out), 0.3);
});

for (const backend of ["web", "threads", "processes"]) {
  test(`${backend}: a worker's console reaches the caller's`, {
    timeout: patience,
  }, () => {
    // All of it: also what a task said just before its worker was ended.
    const lines = run("prints", backend).out.trim().split("\n").toSorted();
    const said = [0, 1, 2].flatMap((n) =>
      [0, 1, 2, 3].map((line) => `from task ${n}: line ${line}`)
    );
    assertEquals(lines, said);
  });

  for (const how of ["log", "write", "sync", "itself"]) {
    const who = how === "itself" ? "the program beside it" : "a task";
    test(`${backend}: what ${who} prints waits for a slow reader: ${how}`, {
      timeout: patience,
      // Bun ends a worker without it: docs/runtimes.md.
      ignore: isThreadsAgain(backend) || process.platform === "win32" ||
        ("Bun" in globalThis && how === "write" && backend !== "threads"),
    }, () => {
      const program = "tests/fixtures/programs/prints_much.ts";
      const script = '"$@" | { sleep 1; wc -c; }';
      const shell = ["sh", "-c", script, "sh"];
      const { out, err } = runProgram(
        [...shell, ...RUN_ALL, program, backend, how],
      );
      assertEquals([out.trim(), err], ["1000000", ""]);
    });
  }
}

test("on Node.js a thread prints what --import has it print", {
  timeout: patience,
  ignore: runtime !== "node",
}, () => {
  const code =
    "console.log('out'); process.stderr.write('err'); process.stdout.write('.');";
  const url = `data:text/javascript,${encodeURIComponent(code)}`;
  const program = "tests/fixtures/programs/prints_much.ts";
  const { code: ended, out, err } = runProgram(
    [...RUN_ALL, `--import=${url}`, program, "threads", "none"],
  );
  assertEquals([ended, out, err], [0, "out\n.out\n.", "errerr"]);
});
