import { assert, assertEquals } from "@std/assert";
import type { Progress } from "../mod.ts";
import { barLine, byNow, logLine } from "../src/progress/line.ts";
import { test } from "./harness.ts";

const half: Progress = {
  state: "running",
  done: 50,
  failed: 0,
  total: 100,
  elapsed: 2000,
  rate: 25,
  eta: 2000,
};

test("barLine() fits every terminal", () => {
  const states: Partial<Progress>[] = [
    {},
    { failed: 12 },
    { total: undefined, eta: undefined },
    { total: 1e7, done: 1234567, rate: 123456.7, eta: 1e8 },
    { state: "stopped", elapsed: 61_000 },
    { state: "done", done: 100, elapsed: 0.4, rate: 250000 },
    { done: 0, rate: 0, eta: undefined },
    { total: 0, done: 0, rate: 0 },
  ];
  for (const state of states) {
    for (let columns = 1; columns <= 200; columns++) {
      const line = barLine({ ...half, ...state }, columns, 3);
      assert([...line].length < columns || line === "", `${columns}: ${line}`);
    }
  }
});

test("barLine() drops the rate, then the percentage, then the bar", () => {
  const at = (columns: number) => barLine(half, columns, 0);
  assertEquals(
    at(100),
    `⠋  50/100 ${"█".repeat(20)}${"░".repeat(20)}  50 %  25/s  ETA 2.0 s`,
  );
  assertEquals(at(40), "⠋  50/100 ██████░░░░░░  50 %  ETA 2.0 s");
  assertEquals(at(32), "⠋  50/100 █████░░░░░  ETA 2.0 s");
  assertEquals(at(16), "⠋  50/100");
});

test("logLine() says the same without a bar", () => {
  assertEquals(
    logLine({ ...half, failed: 2, eta: 7_500_000 }),
    " 50/100  50 %  25/s  ETA 2 h 05 min  2 failed",
  );
});

test("byNow() tells fewer per second and a later end, the longer a task takes", () => {
  const nine = {
    ...half,
    done: 9,
    total: 10,
    elapsed: 144,
    rate: 62.5,
    eta: 16,
  };
  assertEquals(byNow(nine, 144), nine);
  const later = byNow(nine, 3600);
  assertEquals(later, { ...nine, elapsed: 3600, rate: 2.5, eta: 400 });
  assertEquals(logLine(later), " 9/10  90 %  2.5/s  ETA 0.4 s");
  const none = { ...nine, done: 0, elapsed: 0, rate: 0, eta: undefined };
  assertEquals(byNow(none, 0), none);
  assertEquals(logLine(byNow(none, 5000)), " 0/10  0 %  5.0 s");
  // An estimate of somebody else's, before any time has passed.
  const { rate, eta } = byNow({ ...nine, elapsed: 0, rate: 0 }, 1000);
  assertEquals([rate, eta], [9, 16]);
});
