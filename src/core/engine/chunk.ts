/**
 * Consecutive tasks of one run, on their way to one worker.
 *
 * @module
 */

import type { ConsecutiveInputs } from "./next_inputs.ts";
import type { Run } from "./run.ts";
import { sumOf } from "./weighing.ts";

/** Consecutive tasks of one run, on their way to one worker. */
export interface Chunk extends ConsecutiveInputs {
  readonly run: Run;
  /** Which try this is. */
  readonly attempt: number;
  /** How long reading its values from the inputs took, in ms. */
  readonly reading: number;
  /** Whether it must be the only one in its worker, as its tasks are suspect. */
  readonly alone: boolean;
}

/**
 * Takes a part out of a chunk, to be sent for itself.
 *
 * @param chunk The chunk it came in.
 * @param from Offset of its first task.
 * @param to Offset after its last.
 * @param more Which try it will be, and whether it must be alone, if that is
 * not as before; and how long reading took, if that was not told of the chunk.
 * @returns A chunk of these tasks.
 */
export function part(
  chunk: Chunk,
  from: number,
  to: number,
  more: { attempt?: number; alone?: boolean; reading?: number } = {},
): Chunk {
  // Of a typed array, a part that owns its buffer.
  const values = (chunk.values as unknown[]).slice(from, to);
  const weights = chunk.weights?.subarray(from, to);
  const first = chunk.first + from;
  return { ...chunk, first, values, weights, reading: 0, ...more };
}

/**
 * Makes one chunk of several that follow each other.
 *
 * @param chunks One or more; of several, none has weights.
 * @returns A chunk of all their tasks, to be sent again.
 */
export function joined(chunks: readonly Chunk[]): Chunk {
  const [chunk] = chunks as [Chunk];
  if (chunks.length === 1) return chunk;
  const lists = chunks.map(({ values }) => values);
  if (Array.isArray(chunk.values)) {
    const values: unknown[] = [];
    // Not by `flat`, which leaves holes out, and with them tasks.
    for (const list of lists) {
      for (let at = 0; at < list.length; at++) values.push(list[at]);
    }
    return { ...chunk, values };
  }
  const length = lists.reduce((sum, list) => sum + list.length, 0);
  const arrays = lists as Float64Array[];
  const values = new (arrays[0]!.constructor as Float64ArrayConstructor)(
    length,
  );
  let at = 0;
  for (const array of arrays) {
    values.set(array, at);
    at += array.length;
  }
  return { ...chunk, values };
}

/**
 * Says what tasks of a chunk weigh.
 *
 * @param chunk The chunk.
 * @param from Offset of the first.
 * @param to Offset after the last.
 * @returns Their weight: how many they are, if none has another.
 */
export function weightOf(
  { weights, values }: Chunk,
  from: number = 0,
  to: number = values.length,
): number {
  return weights === undefined ? to - from : sumOf(weights, from, to);
}

/**
 * Says what tasks of a chunk were given, as the caller is to see it; without a
 * copy of the list if that can be.
 *
 * @param chunk The chunk.
 * @param from Offset of the first.
 * @param to Offset after the last.
 * @returns Their inputs.
 */
export function inputsOf(
  { run, first, values }: Chunk,
  from: number = 0,
  to: number = values.length,
): ArrayLike<unknown> {
  const inputs = sliceOf(values, from, to);
  return run.refills?.seenOf(inputs, first + from) ?? inputs;
}

/**
 * Says what one task of a chunk was given.
 *
 * @param chunk The chunk.
 * @param offset Offset of the task.
 * @returns Its input, as the caller is to see it.
 */
export function inputOf({ run, values }: Chunk, offset: number): unknown {
  const value = values[offset];
  return run.refills === undefined ? value : run.refills.seen(value);
}

/**
 * Looks at a part of a list, without a copy if that can be.
 *
 * @param values The list.
 * @param from Offset of the first.
 * @param to Offset after the last.
 * @returns That part.
 */
export function sliceOf(
  values: ArrayLike<unknown>,
  from: number,
  to: number,
): ArrayLike<unknown> {
  if (from === 0 && to === values.length) return values;
  return ArrayBuffer.isView(values)
    ? (values as Float64Array).subarray(from, to)
    : (values as unknown[]).slice(from, to);
}
