/**
 * Results that are only to be added up: folded in the workers, or sent and
 * folded here.
 *
 * @module
 */

import { Pool } from "../../mod.ts";
import { finding, type Row } from "../row.ts";

type Counts = Map<string, number>;

/** Lines of eight words of a thousand, drawn from a seed. */
function makeLines(count: number): string[] {
  let seed = 42;
  const next = () => seed = (seed * 1103515245 + 12345) & 0x7fffffff;
  const word = () => `w${next() % 1000}`;
  return Array.from(
    { length: count },
    () => Array.from({ length: 8 }, word).join(" "),
  );
}

/** Counts the words of a line. */
function count(line: string): Counts {
  const counts: Counts = new Map();
  for (const word of line.split(" ")) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}

/** Adds the counts of one map to another. */
function merge(all: Counts, more: Counts): Counts {
  for (const [word, n] of more) all.set(word, (all.get(word) ?? 0) + n);
  return all;
}

const square = (n: number) => n * n;
const add = (a: number, b: number) => a + b;

/** A reduction against a map whose results are reduced here, and a loop. */
export const reducing: Row = {
  name: "reduce",
  async *measure() {
    await using pool = new Pool({ workers: 2 });
    const lines = makeLines(20_000);
    const sorted = (counts: Counts) => [...counts].sort();
    yield await finding("words of 20,000 lines counted", [
      {
        name: "map, then reduce",
        run: async () => sorted((await pool.map(count, lines)).reduce(merge)),
      },
      { name: "loop", run: () => sorted(lines.map(count).reduce(merge)) },
      {
        name: "reduce",
        run: async () => sorted(await pool.reduce(count, merge, lines)),
      },
    ], { budget: 6000 });
    const numbers = Array.from({ length: 200_000 }, (_, i) => i % 1000);
    yield await finding("squares of 200,000 numbers added up", [
      {
        name: "map, then reduce",
        run: async () => (await pool.map(square, numbers)).reduce(add),
      },
      { name: "loop", run: () => numbers.map(square).reduce(add) },
      { name: "reduce", run: () => pool.reduce(square, add, numbers) },
    ], { budget: 4000 });
  },
};
