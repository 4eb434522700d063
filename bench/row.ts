/**
 * What a row of the report is.
 *
 * @module
 */

import { compare, type Effort, type Side, type Timing } from "./compare.ts";

/** What a row measured. */
export interface Finding {
  /** What was compared. */
  title: string;
  timings: Timing[];
  /** Name of the side the others are compared with. */
  base: string;
  /** Figures for the sides, instead of the ratio: `figure` names them. */
  figures?: Map<string, string>;
  /** What the issue aims at, in words. */
  aim?: string;
  /** What else was seen. */
  note?: string;
}

/** One kind of work to measure: `--only` picks by its name. */
export interface Row {
  name: string;
  measure(): AsyncIterable<Finding>;
}

/**
 * Compares sides with the first of them.
 *
 * @param title What is compared.
 * @param sides The programs, first the one the others are measured by.
 * @param more How long to measure, and what to say.
 * @returns The finding.
 */
export async function finding(
  title: string,
  sides: Side[],
  more: Effort & { aim?: string; note?: string } = {},
): Promise<Finding> {
  const timings = await compare(sides, more);
  const { aim, note } = more;
  return { title, timings, base: sides[0].name, aim, note };
}
