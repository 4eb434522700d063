/**
 * Whether one more worker pays, and which can serve a run: pure policy, without
 * clock or worker.
 *
 * @module
 */

/**
 * What one more worker costs the caller's thread, in milliseconds, where
 * starting one blocks it. Less, and a worker is started before the first answer
 * of another can come; more, and tasks that sleep wait that long for workers.
 *
 * Source: Deno 2.9.5 takes 15 to 30 ms for a start, and the first answer of
 * code that was never run comes 11 ms after it (bench rows "cold", "ten").
 */
const COST_MS = 15;

/** What is known when a worker might be started. */
export interface Staff {
  /** How many workers are up. */
  up: number;
  /**
   * Whether starting one blocks the caller's thread. If not, none is put off: on
   * Bun 1.4.5 and two cores, to wait 8 ms with the second made cold calls of ten
   * trivial tasks take 0.8 times as long, and those that compute 1.05 to 1.2.
   */
  blocks: boolean;
  /** For how many ms the workers at work have not answered. */
  quiet: number;
  /** How much work is left, in ms of one worker; undefined if not known. */
  left: number | undefined;
}

/**
 * Says how long to wait with the start of one more worker. It pays if what is
 * left keeps those at hand for longer than a start takes, or if they have been
 * at their tasks for as long as that.
 *
 * @param staff What is known.
 * @returns ms until it may be started, if nothing changes; 0 for now, Infinity
 * if there is nothing to do for it.
 */
export function waitToStart({ up, blocks, quiet, left }: Staff): number {
  if (up === 0 || !blocks) return 0;
  if (left === 0) return Infinity;
  if (left !== undefined && left / up > COST_MS) return 0;
  return Math.max(0, COST_MS - quiet);
}

/**
 * Decides whether workers can do what a run needs of them.
 *
 * @param workers What they can.
 * @param run The run.
 * @returns Whether they can.
 */
export function canServe(
  { stopsLoops, imports = true }: { stopsLoops: boolean; imports?: boolean },
  run: { options: { timeout?: number | undefined }; imports: boolean },
): boolean {
  return (stopsLoops || run.options.timeout === undefined) &&
    (imports || !run.imports);
}
