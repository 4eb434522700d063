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
