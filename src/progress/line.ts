/**
 * What a bar says, as one line of text: pure, without clock or terminal.
 *
 * @module
 */

import type { Progress } from "../../mod.ts";
import { duration } from "../words/units.ts";

/** How far a run is, as a bar shows it. */
export interface BarProgress extends Progress {
  /**
   * Whether `total` is an estimate: then the bar writes `~` before it.
   *
   * @default {false}
   */
  estimated?: boolean | undefined;
}

/** The widest bar, in characters: a wider one is no easier to read. No bench. */
const MOST_BAR = 40;

/**
 * The narrowest bar, in characters: a percentage is easier to read than less. No
 * bench.
 */
const LEAST_BAR = 8;

const SPINNER = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/**
 * Tells how far a run is by now, if no task has settled since: the longer the
 * last ones take, the fewer it was per second, and the longer the others may.
 *
 * @param progress How far the run was when it was last told.
 * @param elapsed Milliseconds since the run began, by now.
 * @returns The same by now.
 */
export function byNow(progress: BarProgress, elapsed: number): BarProgress {
  const { done, eta, elapsed: then } = progress;
  return {
    ...progress,
    elapsed,
    rate: elapsed > 0 ? 1000 * done / elapsed : 0,
    eta: eta !== undefined && then > 0 ? eta * elapsed / then : eta,
  };
}

/**
 * Writes a line for a terminal, never longer than one less than its width: in
 * the last column some terminals begin a new line.
 *
 * @param progress How far the run is.
 * @param columns Width of the terminal in characters.
 * @param tick Counts the lines drawn; turns the spinner.
 * @returns The line, without control characters.
 */
export function barLine(
  progress: BarProgress,
  columns: number,
  tick: number,
): string {
  const room = columns - 1;
  const { percent, time, rate, failed } = parts(progress);
  const head = `${mark(progress, tick)} ${count(progress)}`;
  const tails = [
    [percent, rate, time, failed],
    [percent, time, failed],
    [time, failed],
    [failed],
  ].map((tail) => tail.filter((part) => part !== ""));
  for (const tail of tails) {
    const text = [head, ...tail].join("  ");
    if (progress.total === undefined) {
      if (text.length <= room) return text;
      continue;
    }
    const left = room - text.length - 1;
    if (left < LEAST_BAR) continue;
    const share = progress.total > 0 ? progress.done / progress.total : 1;
    const drawn = bar(share, Math.min(left, MOST_BAR));
    return [`${head} ${drawn}`, ...tail].join("  ");
  }
  return [head, ...tails[3]!].join(" ").slice(0, Math.max(0, room));
}

/**
 * Writes a line for a file or a log: no bar, no control character.
 *
 * @param progress How far the run is.
 * @returns The line, without its end.
 */
export function logLine(progress: BarProgress): string {
  const { percent, rate, time, failed } = parts(progress);
  return [count(progress), percent, rate, time, failed]
    .filter((part) => part !== "").join("  ");
}

function parts(progress: BarProgress): Record<string, string> {
  const { state, done, total, failed, elapsed, rate, eta, estimated } =
    progress;
  const took = spent(elapsed);
  return {
    percent: total === undefined || total === 0
      ? ""
      : `${estimated ? "~" : ""}${Math.floor(100 * done / total)} %`,
    rate: done === 0 ? "" : `${perSecond(rate)}/s`,
    time: state === "done"
      ? `in ${took}`
      : state === "stopped"
      ? `stopped after ${took}`
      : eta === undefined
      ? took
      : `ETA ${spent(eta)}`,
    failed: failed === 0 ? "" : `${failed} failed`,
  };
}

function count({ state, done, total, estimated }: BarProgress): string {
  if (total === undefined) return `${done} done`;
  if (state === "done" && done === total) return `${done}/${total}`;
  const about = estimated ? "~" : "";
  return `${String(done).padStart(String(total).length)}/${about}${total}`;
}

function mark({ state, failed }: Progress, tick: number): string {
  if (state === "running") return SPINNER[tick % SPINNER.length]!;
  return state === "done" && failed === 0 ? "✓" : "✗";
}

function bar(share: number, width: number): string {
  const full = Math.floor(Math.min(1, share) * width);
  return "█".repeat(full) + "░".repeat(width - full);
}

function perSecond(rate: number): string {
  if (rate >= 1e6) return `${(rate / 1e6).toPrecision(3)}M`;
  if (rate >= 1e4) return `${(rate / 1e3).toFixed(0)}k`;
  return rate >= 99.5 ? rate.toFixed(0) : rate.toPrecision(2);
}

/** A duration in tenths of a second, as hundredths would flicker in a bar. */
function spent(ms: number): string {
  if (ms < 99.5) return `${Math.round(ms)} ms`;
  return ms < 59_950 ? `${(ms / 1000).toFixed(1)} s` : duration(ms);
}
