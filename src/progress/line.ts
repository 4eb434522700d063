/**
 * What a bar says, as one line of text: pure, without clock or terminal.
 *
 * @module
 */

import type { Progress } from "../../mod.ts";

/** The widest bar in characters: beyond this, more says no more. */
const MOST_BAR = 40;

/** The narrowest bar: below this, the percentage alone says it better. */
const LEAST_BAR = 8;

const SPINNER = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

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
  progress: Progress,
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
  return [head, ...tails[3]].join(" ").slice(0, Math.max(0, room));
}

/**
 * Writes a line for a file or a log: no bar, no control character.
 *
 * @param progress How far the run is.
 * @returns The line, without its end.
 */
export function logLine(progress: Progress): string {
  const { percent, rate, time, failed } = parts(progress);
  return [count(progress), percent, rate, time, failed]
    .filter((part) => part !== "").join("  ");
}

function parts(progress: Progress): Record<string, string> {
  const { state, done, total, failed, elapsed, rate, eta } = progress;
  const spent = duration(elapsed);
  return {
    percent: total === undefined || total === 0
      ? ""
      : `${Math.floor(100 * done / total)} %`,
    rate: done === 0 ? "" : `${perSecond(rate)}/s`,
    time: state === "done"
      ? `in ${spent}`
      : state === "stopped"
      ? `stopped after ${spent}`
      : total === undefined
      ? spent
      : eta === undefined
      ? ""
      : `ETA ${duration(eta)}`,
    failed: failed === 0 ? "" : `${failed} failed`,
  };
}

function count({ state, done, total }: Progress): string {
  if (total === undefined) return `${done} done`;
  if (state === "done" && done === total) return `${done}/${total}`;
  return `${String(done).padStart(String(total).length)}/${total}`;
}

function mark({ state, failed }: Progress, tick: number): string {
  if (state === "running") return SPINNER[tick % SPINNER.length];
  return state === "done" && failed === 0 ? "✓" : "✗";
}

function bar(share: number, width: number): string {
  const full = Math.floor(Math.min(1, share) * width);
  return "█".repeat(full) + "░".repeat(width - full);
}

function perSecond(rate: number): string {
  if (rate >= 1e6) return `${(rate / 1e6).toPrecision(3)}M`;
  if (rate >= 1e4) return `${(rate / 1e3).toFixed(0)}k`;
  return rate >= 100 ? rate.toFixed(0) : rate.toPrecision(2);
}

function duration(ms: number): string {
  const s = ms / 1000;
  if (s < 0.0995) return `${Math.round(ms)} ms`;
  if (s < 59.95) return `${s.toFixed(1)} s`;
  const seconds = Math.round(s);
  const minutes = Math.floor(seconds / 60);
  const two = (n: number) => String(n).padStart(2, "0");
  if (minutes < 60) return `${minutes} min ${two(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}
