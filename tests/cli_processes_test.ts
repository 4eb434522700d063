// pmap --processes: what ends a call ends its process, and nothing else.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { readCommand } from "../src/cli/command.ts";
import { setupOf, workersOf } from "../src/cli/job_setup.ts";
import { LOADED } from "../src/cli/travel.ts";
import { test } from "./harness.ts";
import { folder, lines, numbers, PATIENCE, pmap, send, start } from "./pmap.ts";
import { records } from "./pmap_log.ts";
import { until } from "./until.ts";

const linux = process.platform === "linux";

test(
  "pmap --processes fails the call that ends its process, and goes on",
  PATIENCE,
  async () => {
    const fn = `(n) => {
    if (n === 2) process.kill(process.pid, "SIGKILL");
    if (n === 4) process.exit(7);
    console.log("logged", n);
    process.stdout.write("written\\n");
    return 2 * n;
  }`;
    const args = ["-e", fn, "--processes", "--workers", "2"];
    const { status, out, err } = await pmap(args, lines(numbers(20)));
    const results = numbers(20).filter((n) => n !== 2 && n !== 4);
    assertEquals([status, out], [1, lines(results.map((n) => 2 * n))]);
    assertMatch(
      err,
      /map input 2 \(line 3\) as its worker ended under it by SIGKILL/,
    );
    assertMatch(err, /map input 4 \(line 5\) as .* with exit code 7\n/);
    assertMatch(err, /^logged 19$/m);
  },
);

test("pmap --processes --max-memory fails the call that takes more", {
  ...PATIENCE,
  ignore: !linux,
}, async () => {
  const fn = `(n) => {
    const all = [];
    while (n === 1) all.push(new Uint8Array(1 << 22).fill(1));
    return n;
  }`;
  const args = ["-e", fn, "--processes", "--max-memory", "400", "-j1"];
  const { status, out, err } = await pmap(args, "0\n1\n2\n");
  assertEquals([status, out], [1, "0\n2\n"]);
  assertMatch(
    err,
    /map input 1 .*by SIGKILL, as when memory runs out, or --max-memory is reached\n/,
  );
});

test("pmap --max-memory replaces a worker that leaks", PATIENCE, async () => {
  const fn = `(n) => {
    globalThis.held ??= [];
    return held.push(new Uint8Array(2e7).fill(1));
  }`;
  const args = ["-e", fn, "--max-memory", "100", "-j1", "--chunk-size", "1"];
  const { status, out } = await pmap(args, lines(numbers(40)));
  assertEquals(status, 0);
  const calls = out.trim().split("\n").map(Number);
  assertEquals(calls.length, 40);
  // 100 MB are five times 20; Bun sees its buffers late.
  assert(Math.max(...calls) <= 20, calls.join());
});

test(
  "pmap --processes ends a loop after --timeout, and says when a module never loads",
  PATIENCE,
  async () => {
    const args = [
      "-e",
      "(n) => { while (n); return n; }",
      "--processes",
      "-j1",
    ];
    const late = await pmap([...args, "--timeout", "1s"], "0\n1\n0\n");
    assertEquals([late.status, late.out], [1, "0\n0\n"]);
    assertMatch(late.err, /map input 1 .*longer than --timeout: 1000 ms/);
    using dir = folder();
    const stuck = dir.path("stuck.mjs");
    writeFileSync(stuck, "await new Promise(() => {}); export default 1;");
    const flags = ["--processes", "--load-timeout", "500"];
    const { status, err } = await pmap([stuck, ...flags], "1\n");
    assertEquals(status, 2);
    assertMatch(err, /MODULE must load within --load-timeout, 500 ms/);
  },
);

test("pmap --processes takes a call that takes long for one, and not for loading", () => {
  const command = readCommand(["-e", "x => x", "--processes"]);
  assert(command.to === "run");
  const target = { url: "-e", name: "-e", title: "-e", digest: undefined };
  const plan = { ...command.settings, target };
  const setup = setupOf(plan);
  const { onEvent, workerData } = workersOf(plan, setup, undefined);
  const flags = new Int32Array(setup.flags);
  assertEquals([flags[LOADED], workerData!.flags], [0, undefined]);
  onEvent!({ type: "worker-ready", worker: 0, at: 1 });
  assertEquals(flags[LOADED], 1);
});

test(
  "pmap --processes logs a call when it has ended, and goes on with the log of threads",
  PATIENCE,
  async () => {
    using dir = folder();
    const [log, go] = [dir.path("log"), dir.path("go")];
    const fn = `async (n) => {
    const { existsSync } = process.getBuiltinModule("node:fs");
    while (n === 30 && !existsSync(${JSON.stringify(go)})) {
      await new Promise((wake) => setTimeout(wake, 5));
    }
    return n;
  }`;
    const args = ["-e", fn, "--joblog", log, "--resume", "-j1"];
    await pmap(args, lines(numbers(10)));
    using running = start([...args, "--processes"]);
    running.child.stdin!.end(lines(numbers(31)));
    await until(() => existsSync(log) && records(log).length === 30);
    writeFileSync(go, "");
    const { status, out, err } = await running.ended;
    assertEquals([status, out, err], [0, lines(numbers(31)), ""]);
    const indexes = records(log).map(({ index }) => index);
    assertEquals(indexes, numbers(31));
  },
);

test("pmap --processes leaves no process behind at Ctrl-C", {
  ...PATIENCE,
  ignore: !linux,
}, async () => {
  using dir = folder();
  const note = dir.path("pids");
  const fn = `(n) => {
    const { appendFileSync } = process.getBuiltinModule("node:fs");
    appendFileSync(${JSON.stringify(note)}, process.pid + "\\n");
    for (;;);
  }`;
  using running = start(["-e", fn, "--processes", "-j2"]);
  running.child.stdin!.end("1\n2\n");
  const pids = () =>
    existsSync(note) ? readFileSync(note, "utf8").split("\n").slice(0, -1) : [];
  await until(() => pids().length === 2);
  send("INT", running);
  const { status, err } = await running.ended;
  assertEquals(status, 130);
  assertMatch(err, /ended by SIGINT/);
  const alive = () =>
    pids().filter((pid) => {
      try {
        const text = readFileSync(`/proc/${pid}/status`, "utf8");
        return !/^State:\s+Z/m.test(text);
      } catch {
        return false;
      }
    });
  await until(() => alive().length === 0);
});
