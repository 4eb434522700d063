import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  appendFileSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { testOnce as test } from "./harness.ts";
import { folder, lines, numbers, PATIENCE, pmap, start, work } from "./pmap.ts";
import { counted, logged, records, runs } from "./pmap_log.ts";

test("pmap --resume runs nothing again that succeeded", PATIENCE, async () => {
  using dir = folder();
  const [log, ran] = [dir.path("log"), dir.path("ran")];
  const input = lines(counted(300, ran));
  const once = await logged(log, "count", input);
  const twice = await logged(log, "count", input);
  assertEquals([once.status, twice.status], [0, 0]);
  assertEquals(twice.out, once.out);
  assertEquals(new Set(runs(ran).values()), new Set([1]));
});

test(
  "pmap --resume prints no more of a log with CRLF than its results",
  PATIENCE,
  async () => {
    using dir = folder();
    const log = dir.path("log");
    const first = await logged(log, "where", "7\n8\n");
    const text = readFileSync(log, "utf8");
    writeFileSync(log, text.replaceAll("\n", "\r\n"));
    const second = await logged(log, "where", "8\n7\n");
    assertEquals([first.out, second.out], ["0\n1\n", "1\n0\n"]);
  },
);

test("pmap --resume is safe for a list that changed", PATIENCE, async () => {
  using dir = folder();
  const [log, ran] = [dir.path("log"), dir.path("ran")];
  const inputs = counted(40, ran);
  await logged(log, "count", lines(inputs.slice(0, 30)));
  const changed = [...inputs].reverse().filter((_, i) => i % 3 > 0);
  const { out } = await logged(log, "count", lines(changed));
  using fresh = folder();
  const expected = await logged(fresh.path("log"), "count", lines(changed));
  assertEquals(out, expected.out);
});

test(
  "pmap --resume tells equal inputs apart by how many there are",
  PATIENCE,
  async () => {
    using dir = folder();
    const log = dir.path("log");
    const first = await logged(log, "where", "7\n7\n8\n");
    assertEquals(first.out, "0\n1\n2\n");
    // The third 7 is new, and runs with the index it has in this list.
    const second = await logged(log, "where", "8\n7\n7\n7\n");
    assertEquals(second.out, "2\n0\n1\n3\n");
  },
);

test("pmap --resume runs again what failed", PATIENCE, async () => {
  using dir = folder();
  const log = dir.path("log");
  const input = lines(numbers(10));
  for (const _ of [1, 2]) {
    const { status, out, err } = await logged(log, "odd", input);
    assertEquals([status, out], [1, "1\n3\n5\n7\n9\n"]);
    assertMatch(err, /5 of 10 inputs failed/);
  }
  assertEquals(records(log).length, 15);
});

test(
  "pmap --resume names and logs failures by their place in the list",
  PATIENCE,
  async () => {
    using dir = folder();
    const log = dir.path("log");
    await logged(log, "odd", "1\n3\n");
    const { status, out, err } = await logged(log, "odd", "1\n3\n\noops\n4\n");
    assertEquals([status, out], [1, "1\n3\n"]);
    assertMatch(
      err,
      /^pmap: Cannot parse input 2 \(line 4\) as a line must be/m,
    );
    assertMatch(
      err,
      /^pmap: Cannot map input 3 \(line 5\) as odd threw Range/m,
    );
    const failed = records(log).slice(2).map(({ index, error }) =>
      `${index} ${String(error).split(" (")[0]}`
    );
    assertEquals(failed.sort(), [
      "2 Cannot parse input 2",
      "3 RangeError: 4 is even",
    ]);
  },
);

test(
  "pmap --resume cuts off a torn last line, and leaves out a damaged one",
  PATIENCE,
  async () => {
    using dir = folder();
    const log = dir.path("log");
    const input = lines(numbers(50));
    const { out } = await logged(log, "double", input);
    const whole = readFileSync(log);
    for (const cut of [1, 2, 20, 90, 200, whole.length - 10, whole.length]) {
      writeFileSync(log, whole);
      truncateSync(log, whole.length - cut);
      const again = await logged(log, "double", input);
      assertEquals([again.status, again.out], [0, out], `cut ${cut}`);
      assertEquals(records(log).length, 50);
    }
    appendFileSync(log, new Uint8Array(64)); // as a power cut may leave
    appendFileSync(log, '\n{"index":3}\n');
    const { status, out: same, err } = await logged(log, "double", input);
    assertEquals([status, same], [0, out]);
    assertMatch(err, /left out 2 damaged lines of the log/);
  },
);

test(
  "pmap --resume after kill -9 at any moment gives the same results",
  PATIENCE,
  async () => {
    using dir = folder();
    const [log, ran] = [dir.path("log"), dir.path("ran")];
    const input = lines(counted(200, ran, 10));
    const args = ["--workers", "2", "--joblog", log, "--resume"];
    let kills = 0;
    for (const ms of [0, 150, 400, 600, 700]) {
      using running = start([work("count"), ...args]);
      const { child, ended } = running;
      child.stdin!.end(input);
      await new Promise((resolve) => setTimeout(resolve, ms));
      if (child.kill("SIGKILL")) kills++;
      await ended;
    }
    assert(kills > 0);
    const { status, out, err } = await logged(log, "count", input);
    assertEquals([status, err], [0, ""]);
    const unbroken = await pmap(
      [work("count")],
      lines(counted(200, dir.path("x"))),
    );
    assertEquals(out, unbroken.out);
    const keys = records(log).map(({ input }) => input);
    assertEquals(new Set(keys).size, 200);
  },
);
