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
 * Takes one task out of a chunk, to be sent again.
 *
 * @param chunk The chunk it came in.
 * @param index Its index.
 * @param attempt Which try this is.
 * @param alone Whether it must be the only one in its worker.
 * @returns A chunk of that task.
 */
export function single(
  { run, first, values }: Chunk,
  index: number,
  attempt: number,
  alone: boolean,
): Chunk {
  const at = index - first;
  // Of a typed array, a part that owns its buffer.
  const value = ArrayBuffer.isView(values)
    ? (values as unknown as Float64Array).slice(at, at + 1)
    : [values[at]];
  return { run, first: index, attempt, values: value, reading: 0, alone };
}
