/**
 * Values there and back beside a loop by hand: whole, and with a short answer.
 *
 * @module
 */

import { Pool } from "../mod.ts";
import { RawWorkers, split } from "./raw.ts";
import { type Finding, finding } from "./row.ts";
import { same } from "./tasks.ts";

/** What differs from one kind of values to another. */
export interface About<T> {
  /** Answers in short, self-contained. */
  short: (value: T) => unknown;
  /** Values in a message of those who batch by hand. */
  batch: number;
  /** What the issue aims at, in words. */
  aim: string;
}

/**
 * Measures both.
 *
 * @param title What the values are.
 * @param inputs The values.
 * @param about How.
 */
export async function* thereAndBack<T>(
  title: string,
  inputs: T[],
  { short, batch, aim }: About<T>,
): AsyncIterable<Finding> {
  const halves = split(inputs, 2);
  for (const [how, fn] of [["brief", short], ["whole", same<T>]] as const) {
    using raw = await RawWorkers.start(fn, 2);
    await using pool = new Pool({ workers: 2 });
    yield await finding(`${title}, ${how}`, [
      { name: "raw", run: () => raw.map(halves) },
      { name: "raw, batched", run: () => raw.mapBatched(inputs, batch) },
      { name: "loop", run: () => inputs.map((value) => fn(value)) },
      { name: "ours", run: () => pool.map(fn, inputs) },
    ], { aim, warmups: 3 });
  }
}
