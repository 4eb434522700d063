import { assertEquals } from "@std/assert";
import {
  anyOpen,
  integral,
  lanesOf,
  mostOpen,
  overlaps,
} from "../src/timeline/overlaps.ts";
import { intersect, subtract, union } from "../src/timeline/spans.ts";
import { test } from "./harness.ts";

test("spans add up and take away", () => {
  const span = (from: number, to: number) => ({ from, to });
  const joined = union([span(4, 5), span(0, 2), span(1, 3), span(3, 3.5)]);
  assertEquals(joined, [span(0, 3.5), span(4, 5)]);
  assertEquals(subtract(joined, [span(1, 2), span(3, 4.5)]), [
    span(0, 1),
    span(2, 3),
    span(4.5, 5),
  ]);
  assertEquals(intersect(joined, [span(3, 4.5)]), [span(3, 3.5), span(4, 4.5)]);
  assertEquals(union([]), []);
});

test("overlaps() counts what is in progress at once", () => {
  const tasks = {
    from: new Float64Array([0, 0, 5, 10, 30, 40]),
    to: new Float64Array([10, 10, 15, 20, 35, 40]),
  };
  const open = overlaps([tasks]);
  assertEquals(mostOpen(open), 3);
  const { from, to } = anyOpen(open);
  assertEquals([...from, ...to], [0, 30, 20, 35]);
  const cores = integral(open, (tasks) => Math.min(tasks, 2));
  assertEquals([cores(-Infinity, Infinity), cores(8, 12)], [40, 8]);
  assertEquals([cores(20, 30), cores(33, 99), cores(9, 9)], [0, 2, 0]);
  assertEquals([...lanesOf(tasks).of], [0, 1, 2, 0, 0, 0]);
});

test("overlaps() of nothing is nothing", () => {
  const open = overlaps([]);
  assertEquals([mostOpen(open), anyOpen(open).from.length], [0, 0]);
  assertEquals(integral(open, (tasks) => tasks)(0, 9), 0);
});
