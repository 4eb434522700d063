/**
 * Records what the workers did, and shows it.
 *
 * @module
 */

import type { RunEvent } from "../../mod.ts";
import { callback, checkOptions, type Rules } from "../words/check_options.ts";
import { show } from "../words/show.ts";
import { type Facts, factsOf } from "./facts.ts";
import {
  type Caption,
  CAPTION_RULES,
  PAGE_RULES,
  type PageOptions,
  writeFrame,
  writePage,
} from "./page.ts";
import { Recording } from "./recording.ts";
import { writeReport } from "./report.ts";
import { writeTrace } from "./trace.ts";
import { tracksOf } from "./tracks.ts";
import { judge, type Verdict } from "./verdict.ts";

/** The numbers behind a report, and what they come to. */
export interface Summary extends Facts {
  /** Why it was not faster, or that it could not be. */
  verdict: Verdict;
}

/** Options of a {@linkcode Timeline}. */
export interface TimelineOptions {
  /**
   * Index of the input that a task is of, from the index of the task: where some
   * inputs are mapped again, or not all of them. By default they are the same.
   */
  inputOf?: ((index: number) => number) | undefined;
}

/** The checks of {@linkcode TimelineOptions}. */
const TIMELINE_RULES: Rules = { inputOf: callback };

/** One timeline on a page, with what is said about it. */
export interface Section extends Caption {
  /** What happened. */
  timeline: Timeline;
}

/** What a timeline has recorded: for toPage(), which is not in its class. */
let recordingOf: (timeline: Timeline) => Recording;

let isTimeline: (value: object) => boolean;

/** The checks of {@linkcode Section}. */
const SECTION_RULES: Rules = {
  timeline: {
    rule: "must be a Timeline",
    kind: "object",
    holds: (value: object) => isTimeline(value),
  },
  ...CAPTION_RULES,
};

/**
 * Records what the workers did: start-up, chunks, tasks, waiting, failures, on
 * one clock. Recording takes 16 bytes a task and about 300 a message, and so
 * little time that it can be left on. One timeline records one pool, or calls
 * one after another. Record all runs of a pool rather than some: what its
 * workers do for the others looks like waiting.
 *
 * @example Usage
 * ```ts
 * import { parallelMap } from "@parallel/map";
 * import { Timeline } from "@parallel/map/timeline";
 * import { assertEquals } from "@std/assert";
 *
 * const timeline = new Timeline();
 * await parallelMap((n: number) => n * n, [1, 2, 3], {
 *   workers: 2,
 *   onEvent: timeline.record,
 * });
 * assertEquals(timeline.summary().tasks, 3);
 * ```
 */
export class Timeline {
  readonly #recording: Recording;

  static {
    recordingOf = (timeline) => timeline.#recording;
    isTimeline = (value) => #recording in value;
  }

  /**
   * Makes a timeline of nothing.
   *
   * @param options What its tasks are of.
   * @throws {TypeError} When an option is unknown, or no function.
   *
   * @example Only what has no result yet
   * ```ts
   * import { parallelMap } from "@parallel/map";
   * import { Timeline } from "@parallel/map/timeline";
   * import { assertEquals } from "@std/assert";
   *
   * const words = ["a", "bb", "ccc"];
   * const left = [2]; // the others have one
   * const timeline = new Timeline({ inputOf: (index) => left[index]! });
   * const { record: onEvent } = timeline;
   * const length = (word: string) => word.length;
   * await parallelMap(length, left.map((at) => words[at]!), { onEvent });
   * assertEquals(timeline.summary().slowest[0]?.index, 2);
   * ```
   */
  constructor(options: TimelineOptions = {}) {
    const action = "make a timeline";
    const { inputOf } = checkOptions(action, options, TIMELINE_RULES);
    // A number, whatever it gives: the page shows it.
    this.#recording = new Recording(
      inputOf && ((index) => Number(inputOf(index))),
    );
  }

  /**
   * Records one event: hand it over as `onEvent`, of a call or of a pool.
   *
   * @param event What happened.
   *
   * @example All that a pool does
   * ```ts
   * import { Pool } from "@parallel/map";
   * import { Timeline } from "@parallel/map/timeline";
   * import { assertEquals } from "@std/assert";
   *
   * const timeline = new Timeline();
   * await using pool = new Pool({ workers: 1, onEvent: timeline.record });
   * await pool.map((n: number) => -n, [1, 2]);
   * await pool.map((n: number) => -n, [3]);
   * assertEquals(timeline.summary().runs, 2);
   * ```
   */
  readonly record: (event: RunEvent) => void = (event) =>
    this.#recording.hear(event);

  /**
   * Calls a function in this thread and records the call, so that a plain loop
   * can be seen beside the workers. Calls are numbered from 0.
   *
   * @param fn What to call; when it returns a promise, the call lasts until
   * that settles.
   * @returns What `fn` returned; of a promise that is no more than one, another
   * that settles as it does.
   * @throws What `fn` throws.
   *
   * @example A plain loop
   * ```ts
   * import { Timeline } from "@parallel/map/timeline";
   * import { assertEquals } from "@std/assert";
   *
   * const timeline = new Timeline();
   * const squares: number[] = [];
   * for (const n of [1, 2, 3]) squares.push(timeline.measure(() => n * n));
   * assertEquals(squares, [1, 4, 9]);
   * assertEquals(timeline.summary().calls, 3);
   * ```
   */
  measure<R>(fn: () => R): R {
    const from = performance.now();
    const end = (failed: boolean) =>
      this.#recording.addCall({ from, to: performance.now(), failed });
    let result: R;
    try {
      result = fn();
    } catch (error) {
      end(true);
      throw error;
    }
    if (!(result instanceof Promise)) {
      end(false);
      return result;
    }
    const settled = result.then((value) => {
      end(false);
      return value;
    }, (error) => {
      end(true);
      throw error;
    });
    const isPlain = Object.getPrototypeOf(result) === Promise.prototype &&
      Object.keys(result).length === 0;
    // Whoever does not await this one is told of a rejection, as without it.
    if (isPlain) return settled as R;
    settled.catch(() => {});
    return result; // with what its class, or its maker, has given it
  }

  /**
   * Works out the numbers behind the report.
   *
   * @returns Times in ms, shares from 0 to 1, and the verdict.
   *
   * @example The slowest input
   * ```ts
   * import { parallelMap } from "@parallel/map";
   * import { Timeline } from "@parallel/map/timeline";
   * import { assertEquals } from "@std/assert";
   *
   * const timeline = new Timeline();
   * const nap = (ms: number) => new Promise((wake) => setTimeout(wake, ms));
   * const { record: onEvent } = timeline;
   * await parallelMap(nap, [1, 99, 1], { workers: 2, onEvent });
   * assertEquals(timeline.summary().slowest[0]?.index, 1);
   * ```
   */
  summary(): Summary {
    const facts = factsOf(this.#recording, tracksOf(this.#recording));
    return { ...facts, verdict: judge(facts) };
  }

  /**
   * Writes a short text: wall time, work, how busy the workers were, where the
   * time of each went, the slowest inputs, and why it was not faster. A speed-up
   * is given if the CPU time proves it: of tasks that waited, or had to share
   * their cores with other programs, nobody knows how long a loop would take.
   *
   * @returns Lines, without an end of the last.
   *
   * @example Usage
   * ```ts
   * import { parallelMap } from "@parallel/map";
   * import { Timeline } from "@parallel/map/timeline";
   * import { assertMatch } from "@std/assert";
   *
   * const timeline = new Timeline();
   * const { record: onEvent } = timeline;
   * await parallelMap((n: number) => n, [1, 2], { workers: 1, onEvent });
   * assertMatch(timeline.report(), /^2 tasks in .* 1 worker on /);
   * ```
   */
  report(): string {
    const { verdict, ...facts } = this.summary();
    return writeReport(facts, verdict);
  }

  /**
   * Writes what was recorded in Chrome's trace event format, for Perfetto,
   * Chromium's DevTools or `chrome://tracing`.
   *
   * @returns JSON.
   *
   * @example Usage
   * ```ts
   * import { parallelMap } from "@parallel/map";
   * import { Timeline } from "@parallel/map/timeline";
   * import { assertEquals } from "@std/assert";
   *
   * const timeline = new Timeline();
   * const { record: onEvent } = timeline;
   * await parallelMap((n: number) => n, [1, 2], { workers: 1, onEvent });
   * const { traceEvents } = JSON.parse(timeline.toTrace());
   * const tasks = traceEvents.filter(({ cat }: { cat: string }) => cat === "task");
   * assertEquals(tasks.length, 2);
   * ```
   */
  toTrace(): string {
    return writeTrace(this.#recording, tracksOf(this.#recording));
  }

  /**
   * Writes one self-contained page with a Gantt chart and the report.
   *
   * @param options What stands above the chart.
   * @returns A whole HTML document that fetches nothing.
   * @throws {TypeError} When an option is unknown, or no text.
   *
   * @example Usage
   * ```ts
   * import { parallelMap } from "@parallel/map";
   * import { Timeline } from "@parallel/map/timeline";
   * import { assertMatch } from "@std/assert";
   *
   * const timeline = new Timeline();
   * const { record: onEvent } = timeline;
   * await parallelMap((n: number) => n, [1, 2], { workers: 1, onEvent });
   * assertMatch(timeline.toHtml({ title: "Two" }), /<title>Two<\/title>/);
   * ```
   */
  toHtml(options: PageOptions = {}): string {
    const checked = checkOptions("write a page", options, PAGE_RULES);
    return writePage([{ recording: this.#recording }], checked);
  }

  /**
   * Shows the page in a Jupyter notebook, where a Timeline is the value of a
   * cell: in a frame of its own, as its style and script are for a whole page.
   *
   * @returns The page as `text/html`, and the report as `text/plain`.
   *
   * @example The value of a cell
   * ```ts
   * import { Timeline } from "@parallel/map/timeline";
   * import { assertEquals } from "@std/assert";
   *
   * const timeline = new Timeline();
   * timeline.measure(() => 0);
   * assertEquals(Symbol.for("Jupyter.display") in timeline, true);
   * ```
   */
  [Symbol.for("Jupyter.display")](): Record<string, string> {
    return {
      "text/html": writeFrame({ recording: this.#recording }),
      "text/plain": this.report(),
    };
  }
}

/**
 * Writes one self-contained page with several timelines and text between them.
 *
 * @param sections What it shows, in order.
 * @param options What stands above.
 * @returns A whole HTML document that fetches nothing.
 * @throws {TypeError} When the sections are no array, an option or a part of one
 * is unknown or of the wrong kind, or one has no timeline.
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
  const action = "write a page";
  if (!Array.isArray(sections)) {
    throw new TypeError(
      `Cannot ${action} as its sections must be an array: received ${
        show(sections)
      }`,
    );
  }
  const parts = sections.map((section) => {
    const { timeline, ...caption } = checkOptions(
      action,
      section,
      SECTION_RULES,
    );
    if (timeline !== undefined) {
      return { ...caption, recording: recordingOf(timeline) };
    }
    throw new TypeError(
      `Cannot ${action} as "timeline" of a section must be a Timeline: received undefined`,
    );
  });
  return writePage(parts, checkOptions(action, options, PAGE_RULES));
}
