/**
 * The bars of a chart: what they stand for, and which of them are one.
 *
 * @module
 */

import type { Lanes } from "./lanes.ts";
import { type Integral, type Span, subtract } from "./spans.ts";
import type { Track } from "./tracks.ts";

/** One bar of a chart. */
export interface Bar extends Span {
  kind: "start-up" | "task" | "failed" | "transport" | "present";
  /** Of the lanes of its row, from 0. */
  lane: number;
  /** How many tasks it stands for; 0 for other kinds. */
  tasks: number;
  /** Lowest and highest index of them. */
  first: number;
  last: number;
  /** Position of the run of the first of them in the recording. */
  run: number;
  /** How long they took, added up. */
  work: number;
  /** Whether the task did not come back, and why. */
  why: string | undefined;
  /** Share of a core it had, from 0 to 1. */
  share: number;
}

/** How bars are drawn. */
export interface BarOptions {
  /** Tasks shorter than this are drawn together, in ms; 0 draws each. */
  least: number;
  /** Gaps shorter than this are not drawn, in ms. */
  leastGap: number;
  /** Core time a task could have; undefined if cores were free. */
  share: Integral | undefined;
}

/**
 * Turns a track into bars.
 *
 * @param track The track.
 * @param lanes The lane of each of its tasks.
 * @param options How they are drawn.
 * @returns The bars, in the order of their starts.
 */
export function barsOf(track: Track, lanes: Lanes, options: BarOptions): Bar[] {
  const { startUp, inFlight, lost } = track;
  const tasks = joined(taskBars(track, lanes.of), options.least);
  shareCores(tasks, options.share);
  const onTheWay = subtract(inFlight, tasks, lost) // in flight, and no task runs
    .filter(({ from, to }) => to - from >= options.leastGap);
  const others = [
    ...startUp.map((span) => bar("start-up", span)),
    ...onTheWay.map((span) => bar("transport", span)),
    ...lost.map(({ index, why, from, to, run }, n) => ({
      ...bar("failed", { from, to }, index),
      lane: lanes.ofLost[n]!,
      why,
      run,
    })),
  ].sort(byStart);
  return [...tasks, ...joined(others, options.least)].sort(byStart);
}

const byStart = (a: Bar, b: Bar) => a.from - b.from;

/**
 * Makes one bar of short neighbours that are of one lane and one kind.
 *
 * @param bars The bars, in the order of their starts.
 * @param least What is shorter is drawn together, in ms; 0 joins nothing.
 * @returns The bars that are left.
 */
export function joined(bars: Iterable<Bar>, least: number): Bar[] {
  const left: Bar[] = [];
  const open = new Map<string, Bar>();
  for (const bar of bars) {
    const isShort = bar.to - bar.from < least;
    const key = isShort ? `${bar.kind} ${bar.lane} ${bar.why}` : "";
    const into = isShort ? open.get(key) : undefined;
    if (into !== undefined && bar.to - into.from < least) join(into, bar);
    else {
      left.push(bar);
      if (isShort) open.set(key, bar);
    }
  }
  return left;
}

/** Lets a bar stand for another one, too. */
function join(into: Bar, { to, tasks, first, last, work }: Bar): void {
  into.to = Math.max(into.to, to);
  into.tasks += tasks;
  into.first = Math.min(into.first, first);
  into.last = Math.max(into.last, last);
  into.work += work;
}

/**
 * Makes a bar.
 *
 * @param kind Its kind.
 * @param span Its time.
 * @param index The index of its task, if it is of one.
 * @returns The bar.
 */
export function bar(
  kind: Bar["kind"],
  { from, to }: Span,
  index?: number,
): Bar {
  const tasks = index === undefined ? 0 : 1;
  const [first, last] = [index ?? 0, index ?? 0];
  const work = tasks * (to - from);
  const [lane, share, why, run] = [0, 1, undefined, 0];
  return { kind, from, to, lane, tasks, first, last, run, work, why, share };
}

/** Makes a bar for each task, one after another: there may be millions. */
function* taskBars(track: Track, lane: Uint16Array): Generator<Bar> {
  const { index, from, to, failed, run } = track;
  for (let i = 0; i < from.length; i++) {
    const kind = failed[i] ? "failed" : "task";
    const drawn = bar(kind, { from: from[i]!, to: to[i]! }, index[i]);
    drawn.lane = lane[i]!;
    drawn.run = run[i]!;
    if (failed[i]) drawn.why = "threw";
    yield drawn;
  }
}

function shareCores(bars: Bar[], share: Integral | undefined): void {
  for (const bar of bars) {
    const { from, to } = bar;
    if (share && to > from) {
      bar.share = Math.min(1, share(from, to) / (to - from));
    }
  }
}
