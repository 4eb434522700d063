import { assertEquals } from "@std/assert";
import { duration, factor, percent, plural } from "../src/words/units.ts";
import { test } from "./harness.ts";

test("duration() has two or three figures", () => {
  const read = [0.00006, 0.0123, 0.99, 1.5, 12.3, 999, 1250, 59_949];
  assertEquals(read.map(duration), [
    "0.06 µs",
    "12 µs",
    "990 µs",
    "1.5 ms",
    "12 ms",
    "999 ms",
    "1.25 s",
    "59.9 s",
  ]);
  assertEquals([0, 61_000, 3_599_600, 7_500_000].map(duration), [
    "0 ms",
    "1 min 01 s",
    "1 h 00 min",
    "2 h 05 min",
  ]);
});

test("factor(), percent() and plural() read well", () => {
  assertEquals([4.94, 12].map(factor), ["4.9×", "12×"]);
  assertEquals([0, 0.504, 1].map(percent), ["0 %", "50 %", "100 %"]);
  assertEquals([plural(1, "task"), plural(1234567, "task")], [
    "1 task",
    "1,234,567 tasks",
  ]);
  assertEquals(plural(2, "try", "tries"), "2 tries");
});
