import { assertEquals } from "@std/assert";
import { lanesOf } from "../src/timeline/lanes.ts";
import {
  integral,
  intersect,
  mostOpen,
  overlaps,
  spansWith,
  subtract,
  union,
} from "../src/timeline/spans.ts";
import { test } from "./harness.ts";

const span = (from: number, to: number) => ({ from, to });

test("spans add up and take away", () => {
  const joined = union([
    span(4, 5),
    span(0, 2),
    span(1, 3),
    span(3, 3.5),
    span(2.5, 2.5), // without length
    span(5, 0), // backwards
  ]);
  assertEquals(joined, [span(0, 3.5), span(4, 5)]);
  assertEquals(subtract(joined, [span(1, 2), span(3, 4.5)]), [
    span(0, 1),
    span(2, 3),
    span(4.5, 5),
  ]);
  const holes = [span(1, 2), span(0.5, 1.5), span(3, 3)]; // in any order
  assertEquals(subtract(joined, holes, [span(4, 5)]), [
    span(0, 0.5),
    span(2, 3.5),
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
  assertEquals(spansWith(open, (tasks) => tasks > 0), [
    span(0, 20),
    span(30, 35),
  ]);
  assertEquals(spansWith(open, (tasks) => tasks > 1), [span(0, 15)]);
  const cores = integral(open, (tasks) => Math.min(tasks, 2));
  assertEquals([cores(-Infinity, Infinity), cores(8, 12)], [40, 8]);
  assertEquals([cores(20, 30), cores(33, 99), cores(9, 9)], [0, 2, 0]);
  assertEquals([...lanesOf(tasks).of], [0, 1, 2, 0, 0, 0]);
});

test("overlaps() of nothing is nothing", () => {
  const open = overlaps([]);
  assertEquals([mostOpen(open), spansWith(open, () => true)], [0, []]);
  assertEquals(integral(open, (tasks) => tasks)(0, 9), 0);
});
