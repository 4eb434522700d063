/**
 * A chunk that was sent to a worker, and which of its tasks are where.
 *
 * @module
 */

import type { Chunk } from "./chunk.ts";

/** A chunk that was sent. */
export interface Sent {
  /** Its tasks, apart from those that were taken back. */
  readonly chunk: Chunk;
  /** Whether none was taken back. */
  readonly whole: boolean;
  /** Number of the chunk in its pool, for events. */
  readonly number: number;
  /** Serial number of its first task. */
  readonly serial: number;
  /** Size of its values in bytes, roughly. */
  readonly bytes: number;
  /** Offsets of tasks that failed: they could not be sent, or are abandoned. */
  readonly failed: Set<number>;
  /** Offsets of tasks that cannot be sent again: their buffers were moved. */
  readonly gone: ReadonlySet<number>;
  /** If it brought its run along, the numbers of those that the worker was told to forget. */
  readonly forgets: readonly number[] | undefined;
}

/** What a chunk loses: its tasks from an offset on. */
export interface Back {
  /** The chunk as it was. */
  readonly sent: Sent;
  readonly from: number;
}

/** A task that its worker goes on without. */
export interface Abandoned {
  /** Its chunk, as it was. */
  readonly sent: Sent;
  readonly offset: number;
}

/**
 * Whether a task is one of a chunk, and has not failed.
 *
 * @param sent The chunk.
 * @param serial Serial number of the task.
 * @returns Whether it is.
 */
function hasSerial(sent: Sent, serial: number): boolean {
  const offset = serial - sent.serial;
  return offset >= 0 && offset < sent.chunk.values.length &&
    !sent.failed.has(offset);
}

/**
 * Finds the chunk that a task came in, by halves: there may be as many as lanes.
 *
 * @param sent Chunks, in the order in which they were sent.
 * @param serial Serial number of the task.
 * @returns Its place among them; -1 if none has it, or it has failed.
 */
export function findSent(sent: readonly Sent[], serial: number): number {
  let [low, high] = [0, sent.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sent[middle]!.serial <= serial) low = middle + 1;
    else high = middle;
  }
  return low > 0 && hasSerial(sent[low - 1]!, serial) ? low - 1 : -1;
}

/**
 * The tasks of a chunk, without those that failed.
 *
 * @param sent The chunk.
 * @returns Their serial numbers.
 */
export function serialsOf({ serial, chunk, failed }: Sent): number[] {
  return Array.from(chunk.values, (_, offset) => offset)
    .filter((offset) => !failed.has(offset))
    .map((offset) => serial + offset);
}

/**
 * The tasks of chunks that are done: what a worker that is at no task is about to
 * answer. Not of a part of a chunk: the rest may have been taken back between
 * two tasks, and then nobody is at fault.
 *
 * @param sent The chunks.
 * @param next Serial number of the task that is the next to begin.
 * @param at Those of the tasks that the worker is at.
 * @returns Their serial numbers.
 */
export function doneSerials(
  sent: readonly Sent[],
  next: number,
  at: readonly number[],
): number[] {
  const busy = new Set(at);
  const isDone = (serial: number) => serial < next && !busy.has(serial);
  return sent.filter(({ whole }) => whole).map(serialsOf)
    .filter((serials) => serials.every(isDone)).flat();
}
