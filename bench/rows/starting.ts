/**
 * What starting workers costs.
 *
 * @module
 */

import { join } from "@std/path";
import { parallelMap, Pool } from "../../mod.ts";
import { coldPrograms, type ColdWork, outputOf } from "../processes.ts";
import { rawOnce, split } from "../raw.ts";
import { finding, type Row } from "../row.ts";
import { trivial } from "../tasks.ts";

const TEN = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

/** A whole process that maps eight numbers and ends. */
export const cold: Row = {
  name: "cold",
  async *measure() {
    // As users load it: from what is built, and not from the sources.
    const root = join(import.meta.dirname!, "../..");
    const { raw, loop, ours } = await coldPrograms(root);
    yield await finding("8 numbers, whole process, cold", [
      { name: "raw", run: () => outputOf([raw]) },
      { name: "loop", run: () => outputOf([loop]) },
      { name: "ours", run: () => outputOf([ours]) },
      { name: "ours, sources", run: () => outputOf(["cold/ours.ts"]) },
    ], { aim: "1.25 ×", budget: 12_000, least: 11 });
  },
};

/** What scripts do once: none of their code was ever run before. */
const FIRST: Record<string, ColdWork> = {
  "1,000 numbers": {
    task: "(n) => n * 2 + 1",
    inputs: "Array.from({ length: 1000 }, (_, i) => i)",
  },
  "20,000 numbers": {
    task: "(n) => n * 2 + 1",
    inputs: "Array.from({ length: 20_000 }, (_, i) => i)",
  },
  "2,000 nested records": {
    task: "({ id, user, points }) => ({ id, user, last: points.at(-1) })",
    inputs: `Array.from({ length: 2000 }, (_, id) => ({
      id,
      user: { name: "user " + id, tags: ["a", "b"], seen: id % 2 === 0 },
      points: [id, id + 1, id + 2],
    }))`,
  },
  "2,000 texts": {
    task: "(text) => text.toUpperCase()",
    inputs: "Array.from({ length: 2000 }, (_, i) => `line ${i} of a file`)",
  },
  "200 computing tasks": {
    task:
      "(n) => { for (let i = 0; i < 5e5; i++) n = (n * 5 + i) | 0; return n; }",
    inputs: "Array.from({ length: 200 }, (_, i) => i)",
  },
};

/** A whole process that maps more than a few values, once. */
export const first: Row = {
  name: "first",
  async *measure() {
    const root = join(import.meta.dirname!, "../..");
    for (const [name, work] of Object.entries(FIRST)) {
      const { raw, loop, ours } = await coldPrograms(root, work);
      yield await finding(`${name}, whole process, cold`, [
        { name: "raw", run: () => outputOf([raw]) },
        { name: "loop", run: () => outputOf([loop]) },
        { name: "ours", run: () => outputOf([ours]) },
      ], { budget: 8000, least: 11 });
    }
  },
};

/** A cold call in a process that is up. */
export const start: Row = {
  name: "start",
  async *measure() {
    for (const workers of [1, 2, 4]) {
      yield await finding(`a cold call with 10 numbers, workers: ${workers}`, [
        { name: "raw", run: () => rawOnce(trivial, split(TEN, workers)) },
        { name: "ours", run: () => parallelMap(trivial, TEN, { workers }) },
      ], { budget: 3000, most: 15 });
    }
  },
};

/** Pools made and disposed of. */
export const cycles: Row = {
  name: "cycles",
  async *measure() {
    const timed = await finding(
      "create a pool, map 10, dispose, 50 times",
      [
        { name: "raw", run: () => rawOnce(trivial, split(TEN, 2)) },
        {
          name: "ours",
          run: async () => {
            await using pool = new Pool({ workers: 2 });
            return await pool.map(trivial, TEN);
          },
        },
      ],
      { aim: "1.1 ×, no growth", least: 50, most: 50 },
    );
    const grown = async (side: string) =>
      `${await outputOf(["cold/cycles.ts", side])} MB`;
    timed.note = `growth of RSS over 50 more: ours ${await grown(
      "ours",
    )}, raw ${await grown("raw")}`;
    yield timed;
  },
};
