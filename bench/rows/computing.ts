/**
 * Tasks that compute: even ones and skewed ones.
 *
 * @module
 */

import { Pool } from "../../mod.ts";
import { RawWorkers, split } from "../raw.ts";
import { type Finding, finding, type Row } from "../row.ts";
import { spin } from "../tasks.ts";

/** Steps of a task of the mean length: about 1.5 ms. */
const MEAN_STEPS = 1_500_000;

/**
 * The lengths of 200 tasks, one of which takes 50 times the mean of all.
 *
 * @param long Where it is.
 * @returns Steps.
 */
export function heavyTail(long: "early" | "late"): number[] {
  // The others differ too, by a fixed sequence that a few long ones dominate.
  const weights = Array.from(
    { length: 199 },
    (_, i) => 1 / (0.15 + (i * 0.6180339887) % 1),
  );
  const scale = 150 * MEAN_STEPS / weights.reduce((sum, w) => sum + w);
  const steps = weights.map((weight) => Math.round(weight * scale));
  steps.splice(long === "early" ? 3 : 196, 0, 50 * MEAN_STEPS);
  return steps;
}

/** The best split over two workers: the longest first, to whoever has less. */
export function bestSplit(steps: number[]): number[][] {
  const parts: number[][] = [[], []];
  const sums = [0, 0];
  for (const length of steps.toSorted((a, b) => b - a)) {
    const to = sums[0] <= sums[1] ? 0 : 1;
    parts[to].push(length);
    sums[to] += length;
  }
  return parts;
}

function efficiency(found: Finding): Finding {
  const loop = found.timings.find(({ name }) => name === "loop")!;
  const figures = new Map(
    found.timings.map(({ name, median }) => [
      name,
      name === "loop"
        ? ""
        : `efficiency ${(loop.median / 2 / median).toFixed(2)}`,
    ]),
  );
  return { ...found, figures };
}

/** 200 heavy-tailed tasks. Efficiency = ideal makespan / measured. */
export const skew: Row = {
  name: "skew",
  async *measure() {
    for (const long of ["early", "late"] as const) {
      const inputs = heavyTail(long);
      const parts = bestSplit(inputs);
      const total = (list: unknown) =>
        (list as number[]).reduce((sum, x) => (sum + x) | 0, 0);
      using raw = await RawWorkers.start(spin, 2);
      await using pool = new Pool({ workers: 2 });
      yield efficiency(
        await finding(`200 CPU tasks, one 50 times the mean, ${long}`, [
          // Split with the lengths known: nobody can be better.
          { name: "raw", run: async () => total(await raw.map(parts)) },
          { name: "loop", run: () => total(inputs.map(spin)) },
          {
            name: "ours",
            run: async () => total(await pool.map(spin, inputs)),
          },
          {
            name: "ours, weight",
            run: async () =>
              total(await pool.map(spin, inputs, { weight: (n) => n })),
          },
          {
            name: "ours, chunkSize 1",
            run: async () =>
              total(await pool.map(spin, inputs, { chunkSize: 1 })),
          },
        ], {
          aim: `efficiency ${long === "early" ? "0.97" : "0.79"}, weight 0.97`,
          warmups: 1,
          least: 9,
        }),
      );
    }
  },
};

/** Ten tasks of the lecture's length. */
export const ten: Row = {
  name: "ten",
  async *measure() {
    const inputs = new Array<number>(10).fill(3_000_000);
    const halves = split(inputs, 2);
    using raw = await RawWorkers.start(spin, 2);
    await using pool = new Pool({ workers: 2 });
    yield await finding("10 CPU tasks of 3 million steps, 2 workers", [
      { name: "raw", run: () => raw.map(halves) },
      { name: "loop", run: () => inputs.map(spin) },
      { name: "ours", run: () => pool.map(spin, inputs) },
    ], { aim: "1.05 ×" });
  },
};

/** Even tasks on more and more workers. */
export const scaling: Row = {
  name: "scaling",
  async *measure() {
    const inputs = new Array<number>(200).fill(MEAN_STEPS / 2);
    for (const workers of [1, 2, 4]) {
      const parts = split(inputs, workers);
      using raw = await RawWorkers.start(spin, workers);
      await using pool = new Pool({ workers });
      yield await finding(`200 even CPU tasks, workers: ${workers}`, [
        { name: "raw", run: () => raw.map(parts) },
        { name: "loop", run: () => inputs.map(spin) },
        { name: "ours", run: () => pool.map(spin, inputs) },
      ], { budget: 2500 });
    }
  },
};
