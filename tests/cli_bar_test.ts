// How many inputs there are, while a file of them is still being read.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { writeFileSync } from "node:fs";
import { readCommand } from "../src/cli/command.ts";
import { estimate } from "../src/cli/estimate.ts";
import { Inputs } from "../src/cli/inputs.ts";
import { barLine, logLine } from "../src/progress/line.ts";
import { test } from "./harness.ts";
import {
  firstOutput,
  folder,
  lines,
  numbers,
  PATIENCE,
  pmap,
  send,
  start,
} from "./pmap.ts";

/** The inputs of a command line, as a job reads them. */
function inputsOf(args: string[]): Inputs {
  const command = readCommand(["-e", "x => x", ...args]);
  assert(command.to === "run");
  return new Inputs(command.settings, {
    indexed: false,
    ended: () => false,
    full: () => false,
    room: () => Promise.resolve(),
  });
}

test("pmap --bar knows about how many lines its files have, and in the end how many", async () => {
  using dir = folder();
  const texts = {
    ascii: numbers(50_000).map((n) => `{"number":${10_000 + n % 5000}}\n`),
    wide: numbers(50_000).map(() => '"日本語日本語日本語"\n'),
    blank: numbers(50_000).map((n) => n % 2 ? "\n" : '"a longer line"\r\n'),
  };
  for (const [name, lines] of Object.entries(texts)) {
    const files = ["a", "b"].map((part) => dir.path(name + part));
    for (const file of files) writeFileSync(file, lines.join(""));
    const inputs = inputsOf(files);
    const all = name === "blank" ? 50_000 : 100_000;
    assertEquals(inputs.total, undefined);
    let read = 0;
    for await (const _ of inputs) {
      const { count, exact } = inputs.total!;
      // It reads more bytes than lines are given of: to be taken into account.
      if (++read >= 100 && !exact) {
        assert(Math.abs(count - all) < 0.02 * all, `${count} after ${read}`);
      }
    }
    assertEquals([read, inputs.total], [all, { count: all, exact: true }]);
  }
});

test("pmap --bar knows how many arguments there are before it reads them", () => {
  const words = ["--args", ...numbers(7).map((n) => `word${n}`)];
  assertEquals(inputsOf(words).total, { count: 7, exact: true });
  const batches = inputsOf(["--batch", "3", ...words]);
  assertEquals(batches.total, { count: 3, exact: true });
});

test("pmap --bar does not guess how many lines a pipe has", async () => {
  const inputs = inputsOf(["/dev/null"]);
  assertEquals(inputs.total, undefined);
  for await (const _ of inputs) assert(false);
  assertEquals(inputs.total, { count: 0, exact: true });
});

const progress = {
  state: "running",
  done: 100,
  failed: 0,
  total: undefined,
  elapsed: 2000,
  rate: 50,
  eta: undefined,
} as const;

test("pmap --bar marks an estimate, with no more figures than are known", () => {
  const total = { count: 1234.5, exact: false };
  const calls = { total, sent: 120, again: 0, kept: 0 };
  const seen = estimate(progress, calls);
  assertEquals(seen, {
    ...progress,
    total: 1200,
    estimated: true,
    eta: 22_000,
  });
  assertEquals(logLine(seen), " 100/~1200  ~8 %  50/s  ETA 22.0 s");
  assertEquals(
    barLine(seen, 46, 0),
    `⠋  100/~1200 ${"░".repeat(8)}  ~8 %  50/s  ETA 22.0 s`,
  );
  const exact = { ...calls, total: { count: 1234, exact: true } };
  assertEquals(estimate(progress, exact).total, 1234);
  assertEquals(logLine(estimate(progress, exact)).slice(0, 9), " 100/1234");
});

test(
  "pmap --bar says of a job that was stopped how far it was",
  PATIENCE,
  async () => {
    using dir = folder();
    const file = dir.path("inputs");
    writeFileSync(file, lines(numbers(2000)));
    const fn = `async (n) => {
    await new Promise((wake) => setTimeout(wake, 10));
    if (n === 20) throw new Error("twenty");
  }`;
    const soon = await pmap(["-e", fn, "--halt", "soon", "--bar", file]);
    assertMatch(soon.err, /^ *\d+\/~\d+ .* stopped after .*1 failed$/m);
    using running = start(["-e", "(n) => n", "--unordered", "--bar"]);
    running.child.stdin!.write(lines([1, 2, 3]));
    await firstOutput(running);
    send("SIGTERM", running); // child.kill of Deno would end the inputs as well
    const { err } = await running.ended;
    assertMatch(err, /^\d done .* stopped after .*\npmap: ended by SIGTERM/m);
  },
);

test("pmap --bar leaves out what is kept, and is never behind", () => {
  const total = { count: 1000, exact: false };
  const totalOf = (calls: object) =>
    estimate(progress, { total, sent: 120, again: 0, kept: 0, ...calls }).total;
  assertEquals(totalOf({ kept: 400 }), 600);
  assertEquals(totalOf({ kept: 990 }), 120);
  assertEquals(totalOf({ kept: 5000 }), 120);
  assertEquals(totalOf({ total: undefined }), undefined);
  const known = { ...progress, total: 130 };
  const calls = { total, sent: 130, again: 0, kept: 0 };
  assertEquals(estimate(known, calls), known);
  const none = { ...progress, done: 0, rate: 0 };
  assertEquals(estimate(none, calls).eta, undefined);
});

test("pmap --bar counts an input once, however often it is called", () => {
  const total = { count: 1000, exact: true };
  const calls = { total, sent: 120, again: 60, kept: 0 };
  const tasks = { ...progress, failed: 70 };
  const seen = { ...tasks, done: 40, failed: 10, rate: 20 };
  assertEquals(estimate(tasks, calls), {
    ...seen,
    total: 1000,
    estimated: false,
    eta: 48_000,
  });
  assertEquals(estimate(tasks, { ...calls, total: undefined }), seen);
  const ended = estimate({ ...tasks, total: 160 }, calls);
  assertEquals(ended, { ...seen, total: 100 });
});
