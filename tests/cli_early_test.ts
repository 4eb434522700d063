// A call that has ended is written and logged, however long its neighbours in a
// chunk take.

import { assertEquals, assertMatch } from "@std/assert";
import { existsSync, writeFileSync } from "node:fs";
import { createOutboxes, openOutbox, OutboxReader } from "../src/cli/outbox.ts";
import { test } from "./harness.ts";
import {
  firstOutput,
  folder,
  lines,
  numbers,
  PATIENCE,
  pmap,
  start,
  work,
} from "./pmap.ts";
import { records } from "./pmap_log.ts";
import { until } from "./until.ts";

const COUNT = 300;

for (const name of ["gate", "asyncGate"]) {
  for (const logged of [false, true]) {
    test(
      `pmap writes what has ended while a neighbour goes on: ${name}${
        logged ? " with a log" : ""
      }`,
      PATIENCE,
      async () => {
        using dir = folder();
        const [file, log] = [dir.path("go"), dir.path("log")];
        const flags = ["--workers", "1", "--chunk-size", "100", "--unordered"];
        using running = start([
          work(name),
          ...flags,
          ...(name === "gate" ? [] : ["--concurrency", "4"]),
          ...(logged ? ["--joblog", log] : []),
        ]);
        const { child, ended } = running;
        let out = "";
        let err = "";
        child.stdout!.on("data", (text) => out += text);
        child.stderr!.on("data", (text) => err += text);
        const inputs = numbers(COUNT).map((id) =>
          id === COUNT - 1 ? { id, file } : { id }
        );
        child.stdin!.end(lines(inputs));
        const fails = name === "gate" ? 1 : 0;
        const all = () => out.split("\n").length - 1;
        await until(() => all() === COUNT - 1 - fails);
        if (fails) await until(() => err.includes("threw Error: one fails"));
        if (logged) {
          await until(() =>
            existsSync(log) && records(log).length === COUNT - 1
          );
        }
        writeFileSync(file, "");
        const { status, out: whole, err: said } = await ended;
        assertEquals(status, fails, said);
        const found = whole.trim().split("\n").map(Number);
        assertEquals(
          found.sort((a, b) => a - b),
          numbers(COUNT).filter((id) => id !== 1 || !fails),
        );
        if (fails) assertMatch(said, /1 of 300 inputs failed/);
        if (logged) assertEquals(records(log).length, COUNT);
      },
    );
  }
}

test(
  "pmap writes what has ended while a neighbour goes on, however many workers were lost",
  PATIENCE,
  async () => {
    using dir = folder();
    const [file, log] = [dir.path("go"), dir.path("log")];
    const flags = ["-j", "1", "--chunk-size", "2", "--joblog", log];
    using running = start([work("job"), ...flags]);
    const lost = numbers(12).map((id) => ({ id, leaves: true }));
    const rest = [{ id: 12 }, { id: 13, waits: file }];
    running.child.stdin!.end(lines([...lost, ...rest]));
    await firstOutput(running);
    await until(() => records(log).length === 13);
    writeFileSync(file, "");
    const { status, out } = await running.ended;
    assertEquals([status, out], [1, "12\n13\n"]);
  },
);

test(
  "pmap tells failures early only when no retry follows",
  PATIENCE,
  async () => {
    const flags = ["--workers", "1", "--chunk-size", "10", "--retries", "2"];
    const { status, out } = await pmap([work("third"), ...flags], "1\n2\n3\n");
    assertEquals([status, out], [0, lines(["1 at 3", "2 at 3", "3 at 3"])]);
  },
);

/** What two looks at an outbox find, each after some entries. */
function looks(
  ...rounds: [index: number, text: string][][]
): [index: number, text: string][][] {
  const [memory] = createOutboxes(1);
  const reader = new OutboxReader(memory);
  const write = openOutbox(memory);
  return rounds.map((entries) => {
    for (const [index, text] of entries) write(index, text);
    return reader.readLate((index) => index < 100)
      .map(({ index, text }) => [index, text] as [number, string]);
  });
}

test("OutboxReader finds what was there at the last look, if it is late", () => {
  const long = "x".repeat(1000);
  assertEquals(
    looks([], [[0, "a"], [1, "é😀"], [200, "done"]], [[2, long]], [], []),
    [[], [], [[0, "a"], [1, "é😀"]], [[2, long]], []],
  );
});

test("OutboxReader finds nothing that was written over", () => {
  const large = "x".repeat(100_000);
  const [, , third, fourth] = looks(
    [[0, "a"]],
    [[1, large], [2, large], [3, large], [4, large]], // begins anew
    [[5, "b"]],
    [],
  );
  assertEquals(third.filter(([index]) => index === 0), []);
  assertEquals(fourth.at(-1), [5, "b"]);
});

test("openOutbox() writes no more once another worker has the outbox", () => {
  const [memory] = createOutboxes(1);
  const reader = new OutboxReader(memory);
  const one = openOutbox(memory);
  one(0, "a");
  const other = openOutbox(memory);
  other(1, "b");
  one(2, "late");
  reader.readLate(() => true);
  assertEquals(reader.readLate(() => true), [{ index: 1, text: "b" }]);
});

test("openOutbox() leaves out what it has no room for", () => {
  const huge = "x".repeat(1_000_000);
  assertEquals(looks([[0, huge], [1, "b"]], [], []), [[], [[1, "b"]], []]);
});
