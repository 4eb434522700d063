/**
 * Draws a bar as a run goes on.
 *
 * @module
 */

import { clearInterval, setInterval } from "node:timers"; // can unref on Deno
import { checkOptions, type Rules } from "../words/check_options.ts";
import { barLine, type BarProgress, byNow, logLine } from "./line.ts";
import { isInteractive, onExit, stderr, type TextOutput } from "./terminal.ts";

/** How often a bar is drawn, in ms: less flickers, more looks stuck. No bench. */
const DRAW_MS = 100;

/**
 * How often a line goes to a log, in ms: less floods it, more looks like a hang.
 * No bench.
 */
const LOG_MS = 5000;

const RULES: Rules = {
  output: {
    rule: "must have a write method",
    holds: ({ write }: TextOutput) => typeof write === "function",
  },
};

/** How a bar is drawn. */
export interface ProgressBarOptions {
  /**
   * Where it is drawn.
   *
   * @default {process.stderr}
   */
  output?: TextOutput | undefined;
}

/**
 * Makes a listener for `onProgress` that draws a bar: tasks done of how many,
 * rate, time left, failures. Without a known total it shows a spinner and a
 * count. On a pipe, in a file or in CI it writes a line every five seconds and
 * one at the end, without control characters. One bar serves one run after
 * another, not two at once.
 *
 * After the run its last line stays, and says how the run ended. The cursor is
 * never hidden and no signal is listened to, so Ctrl-C works as without a bar.
 *
 * @param options Where it is drawn.
 * @returns The listener.
 * @throws {TypeError} When an option is unknown, or `output` cannot be written
 * to.
 *
 * @example Usage
 * ```ts
 * import { parallelMap } from "@parallel/map";
 * import { progressBar } from "@parallel/map/progress";
 * import { assertEquals } from "@std/assert";
 *
 * let log = "";
 * await parallelMap((n: number) => n + 1, [1, 2, 3], {
 *   onProgress: progressBar({ output: { write: (text) => log += text } }),
 * });
 * assertEquals(log.slice(0, 3), "3/3");
 * ```
 */
export function progressBar(
  options: ProgressBarOptions = {},
): (progress: BarProgress) => void {
  const { output = stderr() } = checkOptions("draw a bar", options, RULES);
  const interactive = isInteractive(output);
  let last: BarProgress | undefined; // of the run in progress
  let began = 0; // when that run began
  let tick = 0;
  let stop = () => {};

  function draw(): void {
    const elapsed = Math.max(last!.elapsed, performance.now() - began);
    const progress = byNow(last!, elapsed);
    if (!interactive) {
      output.write(`${logLine(progress)}\n`);
      return;
    }
    const line = barLine(progress, output.columns || 80, tick++);
    // The cursor goes back to the first column, so that whatever is written
    // next, also after the end of the process, begins a line. The "^C" of a
    // terminal then covers no more than the spinner and a blank.
    output.write(
      `\r${line}\x1b[K${progress.state === "running" ? "\r" : "\n"}`,
    );
  }

  /** Draws by the clock as well, so that a long task does not look like a hang. */
  function start(): void {
    const timer = setInterval(draw, interactive ? DRAW_MS : LOG_MS);
    timer.unref(); // or a stream that is left unread keeps the process alive
    const forget = interactive ? onExit(() => output.write("\n")) : undefined;
    stop = () => {
      clearInterval(timer);
      forget?.();
    };
    if (interactive) draw();
  }

  return (progress) => {
    const first = last === undefined;
    if (first) began = performance.now() - progress.elapsed;
    last = progress;
    if (progress.state === "running") {
      if (first) start();
      return;
    }
    stop();
    draw();
    last = undefined;
  };
}
