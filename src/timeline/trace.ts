/**
 * The recording in Chrome's trace event format, which Perfetto, Chromium's
 * DevTools and chrome://tracing open.
 *
 * Format: "Trace Event Format", Google 2016, phases M, X and i.
 *
 * @module
 */

import { lanesOf } from "./lanes.ts";
import type { Recording } from "./recording.ts";
import { type Span, subtract } from "./spans.ts";
import { firstTime, type Track } from "./tracks.ts";

/** One trace event; times in µs. */
interface TraceEvent {
  ph: "M" | "X" | "i";
  name: string;
  cat: string;
  pid: number;
  tid: number;
  ts: number;
  dur?: number;
  /** Scope of an instant: its thread. */
  s?: "t";
  args?: Record<string, unknown>;
}

/** One process holds all: its number means nothing. */
const PID = 1;

/** Row of what the caller's thread does for the workers. */
const CALLER = 1;

/**
 * Writes the trace.
 *
 * @param recording What was recorded.
 * @param tracks Its tracks.
 * @returns JSON.
 */
export function writeTrace(recording: Recording, tracks: Track[]): string {
  const trace = new Trace(firstTime(recording));
  const { runs, workers, chunks } = recording;
  trace.name("process_name", 0, "@parallel/map");
  trace.name("thread_name", CALLER, "caller");
  for (const { name, from, to, total } of runs) {
    const run = name || "run";
    trace.point(CALLER, "run", `${run} begins`, from, { total });
    if (to !== undefined) trace.point(CALLER, "run", `${run} ends`, to);
  }
  for (const { worker, from, to } of workers) {
    if (to === from) continue; // it was there before
    trace.bar(CALLER, "start-up", `start worker ${worker}`, { from, to });
  }
  for (const { worker, first, tasks, attempt, from, sent } of chunks) {
    const args = { worker, first, tasks, attempt };
    trace.bar(CALLER, "transport", "send", { from, to: sent }, args);
  }
  let tid = CALLER + 1;
  for (const track of tracks) tid = writeTrack(trace, track, tid);
  return JSON.stringify({
    displayTimeUnit: "ms",
    traceEvents: trace.events,
  });
}

/** Writes what happened in one place; returns the next free row. */
function writeTrack(trace: Trace, track: Track, tid: number): number {
  const { name, index, from, to, failed, run, attempt, lost, deaths } = track;
  const lanes = lanesOf(track, track.lost);
  for (let lane = 0; lane < lanes.count; lane++) {
    const title = lane > 0 ? `${name} (${lane + 1})` : name;
    trace.name("thread_name", tid + lane, title);
  }
  for (const span of track.startUp) {
    trace.bar(tid, "start-up", "start-up", span);
  }
  for (let i = 0; i < from.length; i++) {
    trace.bar(
      tid + lanes.of[i]!,
      failed[i] ? "failed" : "task",
      `input ${index[i]}`,
      { from: from[i]!, to: to[i]! },
      { index: index[i], run: run[i]! + 1, attempt: attempt[i] },
    );
  }
  lost.forEach(({ index, why, run, from, to }, n) => {
    const args = { index, run: run + 1, why };
    const row = tid + lanes.ofLost[n]!;
    trace.bar(row, "failed", `input ${index} ${why}`, { from, to }, args);
  });
  for (const span of subtract(track.inFlight, track, lost)) {
    trace.bar(tid, "transport", "transport", span);
  }
  for (const at of deaths) trace.point(tid, "failed", "worker lost", at);
  return tid + lanes.count;
}

/** Collects events, on a clock that starts at 0. */
class Trace {
  readonly events: TraceEvent[] = [];
  readonly #zero: number;

  constructor(zero: number) {
    this.#zero = zero;
  }

  /** Whole ns, so that bars which touch in ms do not overlap in µs. */
  #ns(ms: number): number {
    return Math.round((ms - this.#zero) * 1e6);
  }

  name(kind: string, tid: number, name: string): void {
    const named = { ph: "M", name: kind, cat: "__metadata" } as const;
    this.events.push({ ...named, pid: PID, tid, ts: 0, args: { name } });
  }

  bar(tid: number, cat: string, name: string, span: Span, args = {}): void {
    const from = this.#ns(span.from);
    const dur = Math.max(0, this.#ns(span.to) - from) / 1000;
    const ts = from / 1000;
    this.events.push({ ph: "X", name, cat, pid: PID, tid, ts, dur, args });
  }

  point(tid: number, cat: string, name: string, at: number, args = {}): void {
    const ts = this.#ns(at) / 1000;
    this.events.push({ ph: "i", s: "t", name, cat, pid: PID, tid, ts, args });
  }
}
