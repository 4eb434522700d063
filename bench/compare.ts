/**
 * Compares programs that do the same work: first that they give the same
 * answer, then how long they take, a run of each in turn (A B C, B C A, …), so
 * that whatever else the machine does meets all of them alike.
 *
 * @module
 */

import { do_not_optimize } from "mitata";
import { isDeepStrictEqual } from "node:util";

/** One program. */
export interface Side {
  name: string;
  /** Makes what a run uses up, outside the measured time. */
  before?(): unknown;
  /** Does the work; gets what `before` made. */
  run(made: never): unknown;
}

/** How long one side took. */
export interface Timing {
  name: string;
  /** Median of the runs, in ms. */
  median: number;
  /** Lower and upper quartile, in ms. */
  low: number;
  high: number;
  /** How many runs. */
  runs: number;
}

/** How long to compare. */
export interface Effort {
  /** ms for all runs together, roughly. */
  budget?: number;
  /** Runs of each side that do not count. */
  warmups?: number;
  /** Runs of each side at least and at most. */
  least?: number;
  most?: number;
  /** Whether the sides give different answers by nature. */
  unchecked?: boolean;
}

/**
 * Compares sides.
 *
 * @param sides The programs.
 * @param effort How long to measure.
 * @returns One timing a side, in the same order.
 * @throws {Error} When two sides give different answers.
 */
export async function compare(
  sides: readonly Side[],
  effort: Effort = {},
): Promise<Timing[]> {
  const { budget = 4000, warmups = 2, least = 5, most = 41 } = effort;
  const times = sides.map(() => [] as number[]);
  let first: { answer: unknown } | undefined;
  let round = 0;
  let spent = 0;
  while (
    round < warmups + least || (round < warmups + most && spent < budget)
  ) {
    for (let i = 0; i < sides.length; i++) {
      const at = (round + i) % sides.length;
      const side = sides[at];
      const made = await side.before?.();
      const began = performance.now();
      const answer = await side.run(made as never);
      const took = performance.now() - began;
      do_not_optimize(answer);
      spent += took;
      if (round >= warmups) times[at].push(took);
      else if (!effort.unchecked) {
        first ??= { answer };
        if (!isDeepStrictEqual(plain(answer), plain(first.answer))) {
          throw new Error(`${side.name} gives another answer`);
        }
      }
    }
    round++;
  }
  return sides.map(({ name }, i) => ({ name, ...spread(times[i]) }));
}

/** Typed arrays and lists of the same numbers count as the same answer. */
function plain(answer: unknown): unknown {
  return ArrayBuffer.isView(answer)
    ? Array.from(answer as unknown as Float64Array)
    : answer;
}

/**
 * Sums up times.
 *
 * @param times Some, in ms.
 * @returns Their median and quartiles.
 */
export function spread(times: number[]): Omit<Timing, "name"> {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))];
  return {
    median: at(0.5),
    low: at(0.25),
    high: at(0.75),
    runs: sorted.length,
  };
}
