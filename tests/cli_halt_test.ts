// What a job that ends before its inputs do still writes.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { constants, existsSync, readFileSync, writeFileSync } from "node:fs";
import { TaskError } from "../mod.ts";
import { withRetries } from "../src/cli/retries.ts";
import { runtime, test } from "./harness.ts";
import type { Ended } from "./pmap.ts";
import {
  folder,
  lines,
  namedPipe,
  numbers,
  openPipe,
  PATIENCE,
  pmap,
  send,
  start,
  work,
} from "./pmap.ts";
import { records } from "./pmap_log.ts";
import { pause, until } from "./until.ts";

/** A reader that begins late; the status goes to standard error. */
const LATE = '{ "$@"; echo "status $?" >&2; } | { sleep 2; cat; }';

test(
  "pmap --halt soon, and an error in its inputs, leave a slow reader no half line",
  PATIENCE,
  async () => {
    // More than a pipe takes.
    const long = "n => String(n).repeat(300)";
    const all = numbers(400).map((n) => n + 1000);
    const out = lines(all.map((n) => String(n).repeat(300)));
    const halted = await pmap(
      ["-e", long, "--halt", "soon", "-j1"],
      `${lines(all)}oops\n`,
      LATE,
    );
    assertMatch(halted.err, /stopped by --halt after 1 failure[^]*status 1\n/);
    assertEquals(halted.out, out);
    const broken = await pmap(
      ["-e", "row => row.n.repeat(300)", "--csv", "-j1"],
      `n\n${lines(all)}1,2\n`,
      LATE,
    );
    assertMatch(broken.err, /Cannot read inputs[^]*status 3\n/);
    assertEquals(broken.out, out);
  },
);

test(
  "pmap --halt now counts no result that it does not write",
  PATIENCE,
  async () => {
    using dir = folder();
    const [go, read] = [dir.path("go"), dir.path("read")];
    writeFileSync(
      dir.path("late.js"),
      `import { existsSync } from "node:fs";
      const file = (path) => new Promise((resolve) => {
        const look = () =>
          existsSync(path) ? resolve() : setTimeout(look, 10);
        look();
      });
      export default async (n) => {
        if (n === 0) return "long".repeat(100_000);
        if (n === 1) await new Promise((wake) => setTimeout(wake, 500));
        if (n === 1) throw "no";
        await file(n === 2 ? "/never" : ${JSON.stringify(go)});
        return n;
      };`,
    );
    // Of the first result, a pipe takes a part; the rest waits for the reader.
    const script =
      `"$@" | { until [ -e "${read}" ]; do sleep 0.1; done; cut -c1-9; }`;
    const args = [dir.path("late.js"), "-j4", "--chunk-size", "1"];
    using running = start([...args, "--halt", "now"], script);
    let err = "";
    running.child.stderr!.on("data", (text) => err += text);
    running.child.stdin!.end(lines(numbers(4)));
    await until(() => err.includes('threw "no"'));
    writeFileSync(go, ""); // the last one ends when the job has
    await pause(500);
    writeFileSync(read, "");
    const ended = await running.ended;
    // On a busy machine, not even the first has come before the failure.
    const count = ended.out.split("\n").length; // with the one that failed
    assertMatch(ended.err, new RegExp(`1 failure of ${count} inputs?\n`));
  },
);

test(
  "pmap ends at Ctrl-C while a reader stalls after --halt",
  PATIENCE,
  async () => {
    using dir = folder();
    const pipe = namedPipe(dir);
    using _ = openPipe(pipe);
    const args = ["-e", "n => String(n).repeat(300)", "--halt", "now", "-j1"];
    using running = start(args, `exec "$@" > ${pipe}`);
    const { child, ended } = running;
    let err = "";
    child.stderr!.on("data", (text) => err += text);
    child.stdin!.end(`${lines(numbers(2000))}oops\n`);
    await until(() => err.includes("must be one JSON value"));
    await pause(1000); // more than Ctrl-C would wait for the reader
    assertEquals(child.exitCode, null);
    send("INT", running);
    assertEquals((await ended).status, 130);
  },
);

test(
  "pmap --halt soon ends also while no more inputs come",
  async () => {
    for (const more of [[], ["--retries", "1", "--retry-delay", "10"]]) {
      using running = start([work("odd"), "--halt", "soon", "-j1", ...more]);
      running.child.stdin!.write("2\n"); // and it stays open
      const { status, err } = await running.ended;
      assertEquals(status, 1);
      assertMatch(err, /stopped by --halt after 1 failure of 1 input\n/);
    }
  },
);

for (const what of ["open", "read"] as const) {
  test(
    `pmap --halt ends while there is nothing to ${what} in a named pipe`,
    PATIENCE,
    async () => {
      using dir = folder();
      const pipe = namedPipe(dir);
      using _ = what === "read" ? openPipe(pipe) : undefined;
      const args = [work("odd"), "--halt", "now", "-", pipe];
      const { status, err } = await pmap(args, "2\n");
      assertEquals(status, 1);
      assertMatch(err, /stopped by --halt after 1 failure of 1 input\n/);
    },
  );
}

const LONG = `"${"x".repeat(20_000)}"\n`.repeat(600);

for (
  const [what, redirect, flag, inputs] of [
    ["its messages", "2>", "--halt=never", LONG],
    ["its --failed", "", "--failed", LONG],
    ["the messages of a dry run", "2>", "--dry-run", "x\n".repeat(2000)],
  ] as const
) {
  test(
    `pmap waits for a slow reader of ${what} before it goes on`,
    PATIENCE,
    async () => {
      using dir = folder();
      const pipe = namedPipe(dir);
      const opened = openPipe(pipe);
      writeFileSync(dir.path("inputs"), `1\n${inputs}2\n`);
      // Of several files, a message names the one that it is of.
      const file = `${dir.path(".")}/${"./".repeat(1500)}inputs`;
      const fn = "(x) => { if (x.length > 1) throw x; return x; }";
      const args = [
        "-e",
        fn,
        "-j1",
        "--chunk-size",
        "9",
        file,
        "/dev/null",
        flag,
      ];
      if (flag === "--failed") args.push(pipe);
      using running = start(args, `exec "$@" ${redirect && redirect + pipe}`);
      let out = "";
      running.child.stdout!.on("data", (text) => out += text);
      // Of a dry run on Deno, this thread waits: nothing may be written by then.
      if (flag !== "--dry-run") await until(() => out !== "");
      await pause(2000); // it would be done by then
      assertEquals(out.includes("2"), false);
      using reader = start([], `exec cat ${pipe}`, []);
      await until(() => out.includes("2"));
      opened[Symbol.dispose]();
      assertEquals((await running.ended).status, 1);
      const { out: read } = await reader.ended;
      assert(read.split("\n").length >= inputs.split("\n").length);
    },
  );
}

test(
  "pmap leaves the pipe of its messages as it was for other programs",
  {
    ...PATIENCE,
    // Bun 1.4.5 itself leaves a pipe that way.
    ignore: runtime === "bun" || !existsSync("/proc/self/fdinfo"),
  },
  async () => {
    using dir = folder();
    const pipe = namedPipe(dir);
    using _ = openPipe(pipe);
    const args = [work("odd"), "--halt", "now", "-", pipe];
    const script = '{ "$@"; cat /proc/self/fdinfo/2; } 2>&1 | cat';
    using running = start(args, script);
    running.child.stdin!.end("2\n");
    const { out } = await running.ended;
    const [, flags] = /^flags:\s*(\d+)$/m.exec(out)!;
    assertEquals(Number.parseInt(flags, 8) & constants.O_NONBLOCK, 0, out);
  },
);

test(
  "pmap writes what has a result also when an earlier input has none yet",
  PATIENCE,
  async () => {
    // Of so many, one or two may still wait behind the first.
    const jobs = lines([
      { id: 0, ms: 600_000 },
      ...numbers(40).map((n) => ({ id: n + 1 })),
      { id: 41, ms: 300, fail: true },
    ]);
    function check({ out, err }: Ended): void {
      const ids = out.trim().split("\n").map(Number);
      assert(ids.length > 35 && ids.length <= 40, out);
      assertEquals(ids, ids.toSorted((a, b) => a - b));
      assertMatch(err, new RegExp(` ${ids.length + 1} inputs\\b`));
    }
    using dir = folder();
    const args = [work("job"), "-j2", "--chunk-size", "1"];
    for (const more of [[], ["--joblog", dir.path("log")]]) {
      const halted = await pmap([...args, ...more, "--halt", "now"], jobs);
      assertEquals(halted.status, 1);
      check(halted);
    }
    assertEquals(records(dir.path("log")).length > 36, true);
    const failed = dir.path("failed");
    using running = start([...args, "--failed", failed]);
    running.child.stdin!.write(jobs);
    await until(() =>
      existsSync(failed) && readFileSync(failed, "utf8") !== ""
    );
    send("INT", running);
    const ended = await running.ended;
    assertEquals(ended.status, 130);
    check(ended);
  },
);

test(
  "pmap --halt soon tells every input that failed and would have been called again",
  async () => {
    using dir = folder();
    const failed = dir.path("failed");
    // The first is over at once: it is no JSON. The others fail in its wait.
    const input = `${lines([1002, 1004, 1006])}oops\n${lines(numbers(500))}`;
    for (const delay of [[], ["--retry-delay", "1h"]]) {
      const flags = ["--retries", "3", ...delay, "--failed", failed];
      const args = [work("odd"), "-j1", "--halt", "soon", "--chunk-size", "4"];
      const { status, err } = await pmap([...args, ...flags], input);
      assertEquals(status, 1);
      const told = [...err.matchAll(/threw RangeError: (\d+) is even/g)]
        .map(([, number]) => number);
      for (const first of ["1002", "1004", "1006"]) {
        assert(told.includes(first), err);
      }
      assertMatch(err, new RegExp(`after ${told.length + 1} failures of`));
      const kept = readFileSync(failed, "utf8").trim().split("\n");
      assertEquals(kept.sort(), ["oops", ...told].sort());
    }
  },
);

test(
  "pmap --halt soon tells what ran and failed while it waited for it",
  PATIENCE,
  async () => {
    using dir = folder();
    const [one, other] = [dir.path("one"), dir.path("other")];
    const jobs = lines([
      { id: 0, ms: 3000, fail: true, marks: one, waits: other },
      { id: 1, ms: 100, fail: true, marks: other, waits: one },
    ]);
    const args = [work("job"), "-j2", "--retries", "1", "--halt", "soon"];
    const { err } = await pmap([...args, "--chunk-size", "1"], jobs);
    assertMatch(err, /job 1 failed at attempt 2[^]*job 0 failed\n/);
    assertMatch(err, /after 2 failures of 2 inputs\n/);
  },
);

test("withRetries() reads no more inputs while many wait to be called again", async () => {
  let read = 0;
  async function* inputs() {
    for (; read < 5000; read++) yield { index: read, text: "1" };
  }
  const over = Promise.withResolvers<void>();
  let again = 0;
  const outcomes = withRetries(inputs(), {
    retries: 1,
    delay: 2 ** 31, // ms, which no timer takes
    over: over.promise,
    retried: (more) => again += more,
    async *run(inputs) {
      let index = 0;
      for await (const input of inputs) {
        const reason = new TaskError("no", { index, attempts: 1, cause: 1 });
        yield { index: index++, input, status: "rejected", reason };
      }
    },
  });
  const first = outcomes.next();
  await until(() => again > 1000);
  await pause(50);
  assert(read < 1010, `${read}`);
  over.resolve();
  const told = [(await first).value!.index];
  for await (const { index } of outcomes) told.push(index);
  assertEquals(told.toSorted((a, b) => a - b), numbers(5000));
  assertEquals(again, 0);
});
