import { assert, assertEquals, assertRejects } from "@std/assert";
import { join, toFileUrl } from "@std/path";
import { writeFileSync } from "node:fs";
import { Pool, TaskTimeoutError, WorkerLostError } from "../mod.ts";
import { createClock } from "../src/core/runtime/clock.ts";
import { freshTag } from "../src/core/runtime/timers.ts";
import { runtime, test } from "./harness.ts";
import { inFolder, ROOT, RUN_ALL, runProgram } from "./run_program.ts";

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

test("turns come in the order they were asked for, whichever channel is first", () => {
  const ports: { onmessage?: () => void; close(): void }[] = [];
  const { MessageChannel } = globalThis;
  globalThis.MessageChannel = class {
    port1 = { close() {} };
    port2 = { close() {}, postMessage: () => void ports.push(this.port1) };
  } as unknown as typeof MessageChannel;
  try {
    const clock = createClock();
    const came: number[] = [];
    for (const n of [1, 2, 3]) clock.turn(() => came.push(n));
    // As WebKit does.
    for (const port of ports.reverse()) port.onmessage!();
    assertEquals(came, [1, 2, 3]);
  } finally {
    globalThis.MessageChannel = MessageChannel;
  }
});

test("nothing waits for the timers that a test has put on the globals", async () => {
  const { setTimeout, clearTimeout, queueMicrotask, Date } = globalThis;
  const { now } = performance;
  const { timeout } = AbortSignal;
  const workers = new Pool({ workers: 2 });
  const leave = new AbortController();
  try {
    Object.assign(globalThis, {
      setTimeout: () => 0,
      clearTimeout: () => {},
      queueMicrotask: () => {},
      Date: class extends Date {
        static override now = () => 0;
      },
    });
    performance.now = () => 0;
    AbortSignal.timeout = () => new AbortController().signal;
    const call = workers.map((n: number) => n + 1, [1, 2, 3]);
    assertEquals(await call, [2, 3, 4]);
    const exit = () => {
      (globalThis as unknown as { process: { exit(): void } }).process.exit();
    };
    await assertRejects(() => workers.map(exit, [1]), WorkerLostError);
    const never = () => {
      for (;;);
    };
    await assertRejects(
      () => workers.map(never, [1], { timeout: 50 }),
      TaskTimeoutError,
    );
    const waiting = workers.map(
      () => new Promise(() => {}),
      [1, 2],
      { signal: leave.signal },
    );
    leave.abort();
    await assertRejects(() => waiting, DOMException);
    assertEquals(await workers.map((n: number) => -n, [1, 2]), [-1, -2]);
    await workers.close();
  } finally {
    Object.assign(globalThis, { setTimeout, clearTimeout, queueMicrotask });
    Object.assign(globalThis, { Date });
    performance.now = now;
    AbortSignal.timeout = timeout;
  }
});

test("a program stays up for a timer, and not for one that was called off", () => {
  inFolder((folder) => {
    const timers = toFileUrl(join(ROOT, "src/core/runtime/timers.ts"));
    const program = join(folder, "program.mjs");
    writeFileSync(
      program,
      `import { after } from "${timers}";
      after(3_600_000, () => {})();
      after(50, () => console.log("came"));
      after(-5, () => console.log("late"));`,
    );
    const { code, out, err } = runProgram([...RUN_ALL, program]);
    assertEquals({ code, out, err }, { code: 0, out: "late\ncame\n", err: "" });
  });
});

test("on Deno, of a long wait that was called off little is left", {
  ignore: runtime !== "deno",
}, () => {
  inFolder((folder) => {
    const timers = toFileUrl(join(ROOT, "src/core/runtime/timers.ts"));
    const program = join(folder, "program.mjs");
    // Nothing ends a signal of an hour before that.
    writeFileSync(
      program,
      `const { timeout } = AbortSignal;
      let longest = 0;
      AbortSignal.timeout = (ms) => {
        longest = Math.max(longest, ms);
        return timeout.call(AbortSignal, ms);
      };
      const { after } = await import("${timers}");
      after(3_600_000, () => {})();
      const began = performance.now();
      after(600, () => {
        const late = performance.now() - began >= 599;
        console.log(JSON.stringify({ late, short: longest <= 250 }));
      });`,
    );
    const { out, err } = runProgram([...RUN_ALL, program]);
    assertEquals(err, "");
    assertEquals(JSON.parse(out), { late: true, short: true });
  });
});

test("nothing depends on the dates and random numbers that a test has put there", async () => {
  const { Date } = globalThis;
  const { random } = Math;
  const { randomUUID } = crypto;
  const dates = Array.from({ length: 64 }, (_, i) => ({ at: new Date(i) }));
  const same = (value: unknown) => value;
  try {
    // What libraries of fake timers do; some make a function of timeOrigin.
    Object.defineProperty(performance, "timeOrigin", {
      value: () => 0,
      configurable: true,
    });
    globalThis.Date = class {
      static now = () => 0;
      getTime = () => 0;
    } as unknown as DateConstructor;
    Math.random = () => 0.5;
    crypto.randomUUID = () => "0-0-0-0-0";
    for (const workers of [0, 2]) {
      await using pool = new Pool({ workers });
      await pool.start();
      const found = await pool.map(same, dates, { chunkSize: 32 });
      assertEquals(
        found.every((one) => {
          const { at } = one as { at: Date };
          return Object.getPrototypeOf(at) === Date.prototype;
        }),
        true,
      );
      assertEquals(found.map((one) => +(one as { at: Date }).at), range(64));
    }
    assert(freshTag() !== freshTag()); // what tells workers apart
  } finally {
    delete (performance as { timeOrigin?: unknown }).timeOrigin;
    Object.assign(globalThis, { Date });
    Object.assign(Math, { random });
    Object.assign(crypto, { randomUUID });
  }
});
