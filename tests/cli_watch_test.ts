import { assertEquals, assertMatch } from "@std/assert";
import { readFileSync } from "node:fs";
import { test } from "./harness.ts";
import { folder, lines, numbers, PATIENCE, pmap, work } from "./pmap.ts";

test("pmap --bar shows progress on standard error", PATIENCE, async () => {
  const input = lines(numbers(10));
  const { status, out, err } = await pmap([work("same"), "--bar"], input);
  assertEquals([status, out], [0, input]);
  assertMatch(err, /\b10\b/);
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
