// What was measured so far, and the strip where all of it stands side by side.
/// <reference lib="dom" />

import { find } from "./dom.ts";

/** Ways to do the ten additions: asleep, and computing. */
export type Way =
  | "loop"
  | "five"
  | "ten"
  | "busy-1"
  | "busy-10"
  | "busy-cores";

const taken = new Map<Way, number>();

/** How long a way took, in ms, if it is known. */
export const msOf = (way: Way): number | undefined => taken.get(way);

const baseOf = (way: Way): Way => way.startsWith("busy") ? "busy-1" : "loop";

/**
 * How many times as fast a way is as one after the other.
 *
 * @returns NaN where either was not measured.
 */
export const speedUp = (way: Way): number =>
  (taken.get(baseOf(way)) ?? NaN) / (taken.get(way) ?? NaN);

/** Writes down how long a way took, and shows it. */
export function note(way: Way, ms: number): void {
  taken.set(way, ms);
  for (const one of taken.keys()) {
    const factor = speedUp(one);
    const row = find(`[data-way=${one}]`);
    if (Number.isNaN(factor)) continue;
    row.classList.add("own");
    find("i", row).style.setProperty("--times", factor.toFixed(2));
    find("b", row).textContent = factor.toFixed(1);
  }
}
