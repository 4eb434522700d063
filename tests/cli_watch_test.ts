import { assertEquals, assertMatch } from "@std/assert";
import { existsSync, readFileSync } from "node:fs";
import { test } from "./harness.ts";
import { folder, lines, numbers, PATIENCE, pmap, work } from "./pmap.ts";

const SKIP = [
  {
    entry: "progress",
    reason: "./progress is built on a branch of its own",
  },
  {
    entry: "timeline",
    reason: "./timeline is built on a branch of its own",
  },
].filter(({ entry }) =>
  !existsSync(new URL(`../src/${entry}/mod.ts`, import.meta.url))
).map(({ entry }) => entry);

test("pmap --bar shows progress on standard error", {
  ...PATIENCE,
  ignore: SKIP.includes("progress"),
}, async () => {
  const input = lines(numbers(10));
  const { status, out, err } = await pmap([work("same"), "--bar"], input);
  assertEquals([status, out], [0, input]);
  assertMatch(err, /\b10\b/);
});

test("pmap --timeline writes a page", {
  ...PATIENCE,
  ignore: SKIP.includes("timeline"),
}, async () => {
  using dir = folder();
  const file = dir.path("timeline.html");
  const input = lines(numbers(10));
  const args = [work("same"), "--timeline", file];
  const { status, out } = await pmap(args, input);
  assertEquals([status, out], [0, input]);
  assertMatch(readFileSync(file, "utf8"), /^<!doctype html>[^]*<\/html>\s*$/i);
});
