/**
 * Consecutive tasks of one run, on their way to one worker.
 *
 * @module
 */

import type { Run } from "./run.ts";

/** Consecutive tasks of one run, on their way to one worker. */
export interface Chunk {
  readonly run: Run;
  /** Index of the first task. */
  readonly first: number;
  /** Which try this is. */
  readonly attempt: number;
  readonly values: ArrayLike<unknown>;
  /** How long reading its values from the inputs took, in ms. */
  readonly reading: number;
  /** Whether it must be the only one in its worker, as one task is suspect. */
  readonly alone: boolean;
}

/**
 * Takes a part out of a chunk, to be sent again.
 *
 * @param chunk The chunk it came in.
 * @param from Offset of its first task.
 * @param to Offset after its last.
 * @param more Which try it will be, and whether it must be alone, if that is
 * not as before.
 * @returns A chunk of these tasks.
 */
export function part(
  chunk: Chunk,
  from: number,
  to: number,
  more: { attempt?: number; alone?: boolean } = {},
): Chunk {
  // Of a typed array, a part that owns its buffer.
  const values = (chunk.values as unknown[]).slice(from, to);
  return { ...chunk, first: chunk.first + from, values, reading: 0, ...more };
}
