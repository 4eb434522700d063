/**
 * Several timelines on one page.
 *
 * @module
 */

import { type PageOptions, writePage } from "./page.ts";
import { recordingOf, type Timeline } from "./timeline.ts";

/** One timeline on a page, with what is said about it. */
export interface Section {
  /** What happened. */
  timeline: Timeline;
  /** Heading. */
  title?: string;
  /** Plain text below it; an empty line begins a new paragraph. */
  text?: string;
  /** Short texts beside the rows, by the worker's number. */
  notes?: Readonly<Record<number, string>>;
  /**
   * Sections that name the same scale are drawn on one time scale, so that the
   * shorter run is the shorter picture.
   *
   * @default a scale of its own, as wide as the page.
   */
  scale?: string;
}

/**
 * Writes one self-contained page with several timelines and text between them.
 *
 * @param sections What it shows, in order.
 * @param options What stands above.
 * @returns A whole HTML document that fetches nothing.
 *
 * @example A loop beside two workers
 * ```ts
 * import { parallelMap } from "@parallel/map";
 * import { Timeline, toPage } from "@parallel/map/timeline";
 * import { assertMatch } from "@std/assert";
 *
 * const square = (n: number) => n * n;
 * const loop = new Timeline();
 * for (const n of [1, 2]) loop.measure(() => square(n));
 * const two = new Timeline();
 * await parallelMap(square, [1, 2], { workers: 2, onEvent: two.record });
 * const page = toPage([
 *   { title: "A loop", timeline: loop },
 *   { title: "Two workers", timeline: two, notes: { 0: "the first" } },
 * ]);
 * assertMatch(page, /A loop[^]*Two workers[^]*the first/);
 * ```
 */
export function toPage(
  sections: readonly Section[],
  options: PageOptions = {},
): string {
  return writePage(
    sections.map(({ timeline, ...section }) => ({
      ...section,
      recording: recordingOf(timeline),
    })),
    options,
  );
}
