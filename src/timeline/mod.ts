/**
 * What the workers did, and why it was not faster: as a text, as a page with a
 * Gantt chart, or as a trace for Perfetto. Uses nothing of the library but what
 * `@parallel/map` exports.
 *
 * @example Usage
 * ```ts
 * import { parallelMap } from "@parallel/map";
 * import { Timeline } from "@parallel/map/timeline";
 * import { assertEquals } from "@std/assert";
 *
 * const timeline = new Timeline();
 * const nap = (ms: number) => new Promise((wake) => setTimeout(wake, ms));
 * const { record: onEvent } = timeline;
 * await parallelMap(nap, [200, 1, 1, 1], { workers: 2, onEvent });
 * // The report says: "Input 0 took 95 % of the time: no number of workers …"
 * assertEquals(timeline.summary().slowest[0]?.index, 0);
 * ```
 *
 * @module
 */

export { type Section, type Summary, Timeline, toPage } from "./timeline.ts";
export type { TimelineOptions } from "./timeline.ts";
export type { Facts, SlowTask } from "./facts.ts";
export type { Caption, PageOptions } from "./page.ts";
export type { Heard } from "./recording.ts";
export type { CpuTime, RowFacts, Spent, Starts, Waits } from "./shares.ts";
export type { Verdict, VerdictKind } from "./verdict.ts";
