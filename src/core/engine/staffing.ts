/**
 * Whether one more worker pays, and which can serve a run: pure policy, without
 * clock or worker.
 *
 * @module
 */

import type { Backend } from "../runtime/runtime.ts";
import type { RunSetup } from "./run_setup.ts";

/**
 * What one more worker costs the caller's thread, in milliseconds, where
 * starting one blocks it. Less, and a worker is started that does not pay; more,
 * and tasks that compute wait for workers.
 *
 * Source: Deno 2.9.5 takes 12 to 30 ms for a start (bench rows "first", "ten").
 */
const COST_MS = 15;

/**
 * For how many ms the workers at hand may be silent before another is started,
 * by what was heard of them last. Less, and one is started before the answer of
 * a short task can come; more, and tasks that sleep wait that long for workers.
 *
 * Source: a worker of Deno 2.9.5 is ready 9 to 20 ms after its start, as fast as
 * the machine is, and answers its first task 2 to 3 ms later (bench rows "first"
 * and "sleeping").
 */
const SILENT_MS = { start: 2 * COST_MS, ready: 5, answer: COST_MS };

/**
 * How much work may be left for each worker at hand, in ms, so that no other is
 * started for it where starts do not block. Less, and one is started that is not
 * ready in time; more, and tasks that compute wait for workers.
 *
 * Source: a worker of Bun 1.4.5 is ready 5 to 9 ms after its start, one of
 * Node.js 24 30 to 50 (bench row "cycles").
 */
const LITTLE_MS = 5;

/**
 * The same as `SILENT_MS` where little work is left, and starts do not block: a
 * worker that is slow to get ready is nothing to wonder at there. No bench.
 */
const PATIENT_MS = { ...SILENT_MS, start: 200 };

/**
 * How long the workers at hand have to have worked for earlier calls, in ms and
 * each, before the next call gets one more: a pool that is called again and again
 * has use for it, though each call is done in a moment. Less, and it costs short
 * programs; more, and calls share fewer workers for longer. No bench.
 */
const CALLED_AGAIN_MS = 5;

/** What is known when a worker might be started. */
export interface Staff {
  /** How many workers are up. */
  up: number;
  /**
   * Whether starting one blocks the caller's thread. If not, none is put off
   * unless little is left for sure: on Bun 1.4.5 and two cores, to wait 8 ms with
   * the second made cold calls of ten trivial tasks take 0.8 times as long, and
   * those that compute 1.05 to 1.2.
   */
  blocks: boolean;
  /** What was heard last of the workers at hand, if not only their start. */
  last: keyof typeof SILENT_MS;
  /** For how many ms nothing was heard since then. */
  quiet: number;
  /** How much work is left, in ms of one worker; undefined if not known. */
  msLeft: number | undefined;
  /** For how many ms workers were at earlier calls since the last start. */
  earlier: number;
}

/**
 * Says how long to wait with the start of one more worker. It pays if what is
 * left keeps those at hand for longer than a start takes, or if they are silent
 * for too long, or if calls come again and again.
 *
 * @param staff What is known.
 * @returns ms until it may be started, if nothing changes; 0 for now, Infinity
 * if there is nothing to do for it.
 */
export function waitToStart(
  { up, blocks, last, quiet, msLeft, earlier }: Staff,
): number {
  if (up === 0) return 0;
  if (!blocks && (msLeft === undefined || msLeft / up > LITTLE_MS)) return 0;
  if (msLeft === 0) return Infinity;
  if (msLeft !== undefined && msLeft / up > COST_MS) return 0;
  if (earlier / up > CALLED_AGAIN_MS) return 0;
  return Math.max(0, (blocks ? SILENT_MS : PATIENT_MS)[last] - quiet);
}

/** What a run needs of its workers. */
export interface Needs {
  /** That they can be stopped in any loop, as it has a `timeout`. */
  stopsLoops: boolean;
  /** That they load modules. */
  imports: boolean;
}

/**
 * Says what a run needs of its workers.
 *
 * @param run The run.
 * @returns Its needs.
 */
export function needsOf(
  { fn, combine, options }: Pick<RunSetup, "fn" | "combine" | "options">,
): Needs {
  return {
    stopsLoops: options.timeout !== undefined,
    imports: fn.from === "module" || combine?.from === "module",
  };
}

/**
 * Decides whether workers can do what a run needs of them.
 *
 * @param workers What they can.
 * @param needs What it needs.
 * @returns Whether they can.
 */
export function canServe(
  { stopsLoops, imports = true }: Pick<Backend, "stopsLoops" | "imports">,
  needs: Needs,
): boolean {
  return (stopsLoops || !needs.stopsLoops) && (imports || !needs.imports);
}
