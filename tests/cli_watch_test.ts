import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { BAR_OUTPUT, BESIDE_BAR } from "../src/cli/messages.ts";
import { Output } from "../src/cli/output.ts";
import { test } from "./harness.ts";
import {
  COMMAND,
  folder,
  lines,
  numbers,
  PATIENCE,
  pmap,
  work,
} from "./pmap.ts";

test("pmap --bar shows progress on standard error", PATIENCE, async () => {
  const input = lines(numbers(10));
  const { status, out, err } = await pmap([work("same"), "--bar"], input);
  assertEquals([status, out], [0, input]);
  assertMatch(err, /\b10\b/);
});

/** What is seen on a terminal, line by line, when all was written. */
function seen(written: string): string[] {
  return written.split("\n").map((line) => {
    let shown = "";
    for (const part of line.split("\r")) {
      const texts = part.split("\x1b[K"); // which clears what stands behind it
      const rest = texts.length > 1 ? "" : shown.slice(part.length);
      shown = texts.join("") + rest;
    }
    return shown;
  });
}

/** Runs the command at a terminal, and gives what it writes there. */
async function atTerminal(kind: string, args: string[]): Promise<string> {
  using dir = folder();
  const words = [...COMMAND, ...args].map((word) => `'${word}'`);
  writeFileSync(dir.path("run"), `exec ${words.join(" ")}\n`);
  const command = `sh ${dir.path("run")}`;
  const script =
    `unset CI; TERM=${kind} exec script -qec '${command}' /dev/null`;
  return (await pmap([], "", script)).out;
}

const TERMINAL = {
  ...PATIENCE,
  ignore: spawnSync("script", ["--version"]).status !== 0 ||
    process.platform !== "linux",
};

test(
  "pmap --bar leaves the results whole that are written to its terminal",
  TERMINAL,
  async () => {
    const fn =
      "async (n) => { await new Promise((wake) => setTimeout(wake, 50)); return n; }";
    const inputs = ["--args", ...numbers(20).map(String)];
    const out = await atTerminal(
      "xterm",
      ["-e", fn, "-j1", "--bar", ...inputs],
    );
    const shown = seen(out);
    const isResult = (line: string) => line.startsWith('"');
    const expected = numbers(20).map((n) => `"${n}"`);
    assertEquals(shown.filter(isResult), expected);
    const others = shown.filter((line) => !isResult(line));
    assertMatch(others.join("\n"), /^✓ 20\/20 .*\n$/);
  },
);

test(
  "pmap clears no line of a terminal where no bar stands",
  TERMINAL,
  async () => {
    for (const [kind, ...bar] of [["xterm"], ["dumb", "--bar"]] as const) {
      const fn = "(n) => { throw n; }";
      const out = await atTerminal(kind, ["-e", fn, ...bar, "--args", "one"]);
      assertMatch(out, /^pmap: Cannot map input 0/m);
      const text = out.replaceAll("\r\n", "\n");
      assertEquals([text.includes("\r"), text.includes("\x1b")], [
        false,
        false,
      ]);
    }
  },
);

test("pmap --bar draws nothing while results are being written, and no old bar after it", async () => {
  using dir = folder();
  const { stderr } = process;
  const write = Object.getOwnPropertyDescriptor(stderr, "write");
  const drawn: string[] = [];
  const take = (text: string, done: () => void) => {
    drawn.push(text);
    done();
    return true;
  };
  Object.defineProperty(stderr, "write", { value: take, configurable: true });
  const file = openSync(dir.path("results"), "w");
  try {
    const output = new Output(file, (error) => drawn.push(String(error)), {
      around: BESIDE_BAR,
    });
    const line = "x".repeat(100_000); // of which the write begins at once
    BAR_OUTPUT.write("\rfirst\r");
    output.write(line);
    BAR_OUTPUT.write("\rsecond\r");
    BAR_OUTPUT.write("\rthird\r");
    assertEquals(drawn, ["\rfirst\r"]);
    await output.drained();
    assertEquals(drawn, ["\rfirst\r", "\rthird\r"]);
    output.write(line);
    BAR_OUTPUT.write("\rlast\n");
    await output.drained();
    output.write(line);
    await output.drained();
    assertEquals(drawn, ["\rfirst\r", "\rthird\r", "\rlast\n"]);
    const written = readFileSync(dir.path("results"), "utf8");
    const cleared = `\r\x1b[K${line}\n`;
    assertEquals(written, `${cleared}${cleared}${line}\n`);
  } finally {
    closeSync(file);
    if (write !== undefined) Object.defineProperty(stderr, "write", write);
    else delete (stderr as Partial<typeof stderr>).write;
  }
});

test("pmap --timeline writes a page", PATIENCE, async () => {
  using dir = folder();
  const file = dir.path("timeline.html");
  const input = lines(numbers(10));
  const args = [work("same"), "--timeline", file];
  const { status, out } = await pmap(args, input);
  assertEquals([status, out], [0, input]);
  assertMatch(readFileSync(file, "utf8"), /^<!doctype html>[^]*<\/html>\s*$/i);
});

test("pmap --timeline can be a pipe", PATIENCE, async () => {
  const { out } = await pmap(
    [work("same"), "--timeline", "/dev/fd/3"],
    "1\n",
    '{ "$@" 3>&1 > /dev/null; echo "status $?"; } | cat',
  );
  assertMatch(out, /^<!doctype html>[^]*<\/html>\s*status 0\n$/i);
});

test(
  "pmap --timeline says that a job was stopped, not that it goes on",
  PATIENCE,
  async () => {
    using dir = folder();
    const file = dir.path("timeline.html");
    const jobs = lines([{ id: 0, ms: 600_000 }, { id: 1, fail: true }]);
    const args = [work("job"), "-j2", "--halt", "now", "--timeline", file];
    assertEquals((await pmap(args, jobs)).status, 1);
    const page = readFileSync(file, "utf8");
    assertMatch(page, /The run was stopped before the end/);
    assertEquals(page.includes("not over"), false);
  },
);

test(
  "pmap --timeline says nothing of the job that only its calls show",
  PATIENCE,
  async () => {
    using dir = folder();
    const file = dir.path("timeline.html");
    const says = (text: string) =>
      assertStringIncludes(readFileSync(file, "utf8"), text);
    const job = ["-e", "n => -n", "--timeline", file];
    const log = [...job, "--joblog", dir.path("log"), "--resume"];
    assertEquals((await pmap(log, "1\n2\n3\n")).status, 0);
    assertEquals((await pmap(log, "1\n2\n3\n")).status, 0); // all are kept
    says("No input was left to map");
    assertEquals((await pmap(log, "1\n2\n3\n4\n")).status, 0);
    assertEquals(readFileSync(file, "utf8").includes("one input:"), false);
    // The last tasks end, and no other begins.
    const soon = ["-e", "n => n.n.n", "-j1", "--chunk-size", "1", "--halt"];
    const args = [...soon, "soon", "--timeline", file];
    assertEquals((await pmap(args, lines(numbers(1000)))).status, 1);
    says("The run was stopped before the end");
  },
);

test("pmap --timeline names inputs, not calls", PATIENCE, async () => {
  using dir = folder();
  const file = dir.path("timeline.html");
  const inputsIn = () =>
    [...new Set(readFileSync(file, "utf8").match(/input \d+/g))].sort();

  const odd = "n => { if (n % 2) throw new Error('odd'); }";
  const again = ["--retries", "2", "--retry-delay", "1ms", "-j1"];
  const args = ["-e", odd, ...again, "--timeline", file];
  assertEquals((await pmap(args, lines([0, 1]))).status, 1);
  assertEquals(inputsIn(), ["input 0", "input 1"]);

  const log = ["--joblog", dir.path("log"), "--resume", "--timeline", file];
  assertEquals((await pmap(["-e", "n => -n", ...log], "0\n1\n")).status, 0);
  assertEquals(inputsIn(), ["input 0", "input 1"]);
  assertEquals((await pmap(["-e", "n => -n", ...log], "0\n1\n2\n")).status, 0);
  assertEquals(inputsIn(), ["input 2"]);
});
