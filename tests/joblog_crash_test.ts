// What a job log is for: the program ends in the middle, and is started again.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import process from "node:process";
import { test } from "./harness.ts";
import { folder, PATIENCE } from "./pmap.ts";
import { ROOT, runProgram } from "./run_program.ts";

const JOB = `${ROOT}tests/fixtures/joblog_job.ts`;

/** With no more than the files on Deno, and nobody to grant more. */
const START = [
  process.execPath, // npm's `deno` starts another process, and takes signals
  ...("Deno" in globalThis
    ? ["run", "--no-prompt", "--allow-read", "--allow-write"]
    : []),
];

const job = (folder: string, ...numbers: number[]) =>
  [...START, JOB, folder, ...numbers].map(String);

function linesOf(file: string): string[] {
  return existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
}

/** The ids that have a result in whole lines of a log. */
function kept(log: string): string[] {
  return linesOf(log).slice(1, -1).map((line) => JSON.parse(line))
    .filter(({ ok }) => ok).map(({ result }) => result.split(" ")[1]);
}

/** Starts a job, and kills it when its log has that many lines. */
async function killAt(folder: string, lines: number): Promise<void> {
  const [program, ...args] = job(folder, 60, 5);
  const child = spawn(program, args, { cwd: ROOT, stdio: "ignore" });
  const ended = new Promise((resolve) => child.on("close", resolve));
  while (linesOf(`${folder}/log`).length < lines) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  child.kill("SIGKILL");
  await ended;
}

test(
  "a job that is killed goes on with its log, as one unbroken run",
  PATIENCE,
  async () => {
    using dir = folder();
    using other = folder();
    const [log, ran] = [dir.path("log"), dir.path("ran")];
    for (const lines of [1, 10, 30]) {
      const done = new Set(kept(log));
      const before = linesOf(ran).length;
      await killAt(dir.path(""), lines);
      const ids = linesOf(ran).slice(Math.max(0, before - 1), -1);
      assert(ids.every((id) => !done.has(id)), "ran again without need");
    }
    const resumed = runProgram(job(dir.path(""), 60, 0));
    const unbroken = runProgram(job(other.path(""), 60, 0));
    assertEquals([resumed.err, unbroken.err], ["", ""]);
    assertEquals(resumed.out, unbroken.out);
    assertMatch(resumed.out, /^59 result 59 /m);
    assertMatch(
      resumed.out,
      /^57 Cannot map input 57 as work threw RangeError: 57 ends in seven$/m,
    );
    assertEquals(new Set(kept(log)).size, kept(log).length);
    assertEquals(existsSync(`${log}.lock`), false);
  },
);

test(
  "a job goes on after a line was torn or damaged, or its lock was left",
  PATIENCE,
  () => {
    using dir = folder();
    const log = dir.path("log");
    const { out } = runProgram(job(dir.path(""), 20, 0));
    const whole = readFileSync(log);
    for (const cut of [1, 30, whole.length - 5, whole.length]) {
      writeFileSync(log, whole.subarray(0, whole.length - cut));
      writeFileSync(`${log}.lock`, `999999999 0 ${hostname()} deno`);
      const { out: again, err } = runProgram(job(dir.path(""), 20, 0));
      assertEquals([again, err], [out, ""], `cut ${cut}`);
    }
    writeFileSync(log, `${whole}\0\0\n{"index":3}\n{"ok":true}\n`);
    const { out: same, err } = runProgram(job(dir.path(""), 20, 0));
    assertEquals([same, err], [out, ""]);
  },
);

test(
  "a job ends with the error of its disk when the log cannot be written",
  { ...PATIENCE, ignore: process.platform === "win32" },
  () => {
    using dir = folder();
    const { out } = runProgram(job(dir.path(""), 60, 0, 500_000));
    using small = folder();
    // No file may have more than 10 MB, and to write beyond that is an error.
    const limit = 'trap "" XFSZ; ulimit -f 20000; exec "$@"';
    const end = runProgram(
      ["sh", "-c", limit, "sh", ...job(small.path(""), 60, 0, 500_000)],
    );
    assertMatch(end.err, /EFBIG|file too large/i);
    assertMatch(end.err, /Cannot write job log as .* received ".*log"/);
    assertEquals(end.err.includes("Suppressed"), false, end.err);
    assertEquals(out.startsWith(end.out), true);
    const again = runProgram(job(small.path(""), 60, 0, 500_000));
    assertEquals([again.out, again.err], [out, ""]);
  },
);

test(
  "a job that cannot lock its log says so, and leaves no lock",
  { ...PATIENCE, ignore: process.platform === "win32" },
  () => {
    using dir = folder();
    const limit = 'trap "" XFSZ; ulimit -f 0; exec "$@" 2>&1 | cat';
    const { out } = runProgram(
      ["sh", "-c", limit, "sh", ...job(dir.path(""), 3, 0)],
    );
    assertMatch(out, /Cannot open job log as .* received ".*log" \(.+\)/);
    assertEquals(existsSync(dir.path("log.lock")), false);
  },
);
