/**
 * A chunk that was sent to a worker, and which of its tasks are where.
 *
 * @module
 */

import { isCount } from "../../words/plain_data.ts";
import { type Chunk, part } from "./chunk.ts";

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
  /**
   * Offsets of tasks that are settled before the chunk is: they could not be sent,
   * are abandoned, or were answered while others waited.
   */
  readonly settled: Set<number>;
  /** How many of those were answered. */
  readonly told: number;
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
 * Takes tasks out of chunks that their worker will not begin.
 *
 * @param all The chunks: those that lose any are replaced.
 * @param first Serial number of the first of these tasks.
 * @param end Serial number after the last.
 * @returns What each chunk loses.
 */
export function cutSent(all: Sent[], first: number, end: number): Back[] {
  const back: Back[] = [];
  for (const [at, sent] of all.entries()) {
    const { chunk, serial } = sent;
    const from = Math.max(0, first - serial);
    if (from >= chunk.values.length || serial >= end) continue;
    back.push({ sent, from });
    all[at] = { ...sent, chunk: part(chunk, 0, from), whole: false };
  }
  return back;
}

/**
 * Divides a chunk into what is answered of it and what is left.
 *
 * @param sent The chunk.
 * @param tasks How many of its tasks have begun.
 * @param waits Offsets of those that are not answered.
 * @returns Both; undefined if the chunk has not so many tasks.
 */
export function splitDone(
  sent: Sent,
  tasks: number | undefined,
  waits: readonly number[],
): { done: Sent; left: Sent } | undefined {
  const { chunk, settled: before, told } = sent;
  if (!isCount(tasks, 0, chunk.values.length)) return undefined;
  const open = new Set(waits);
  const settled = new Set(before);
  for (let offset = 0; offset < tasks; offset++) {
    if (!open.has(offset)) settled.add(offset);
  }
  const begun = { chunk: part(chunk, 0, tasks), whole: false };
  return {
    done: { ...sent, ...begun, settled: new Set([...before, ...open]) },
    left: {
      ...sent,
      settled,
      told: told + settled.size - before.size,
    },
  };
}

/**
 * Whether a task is one of a chunk, and is not settled.
 *
 * @param sent The chunk.
 * @param serial Serial number of the task.
 * @returns Whether it is.
 */
function hasSerial(sent: Sent, serial: number): boolean {
  const offset = serial - sent.serial;
  return offset >= 0 && offset < sent.chunk.values.length &&
    !sent.settled.has(offset);
}

/**
 * Finds the chunk that a task came in, by halves: there may be as many as lanes.
 *
 * @param sent Chunks, in the order in which they were sent.
 * @param serial Serial number of the task.
 * @returns Its place among them; -1 if none has it, or it is settled.
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
 * The tasks of a chunk, without those that are settled.
 *
 * @param sent The chunk.
 * @returns Their serial numbers.
 */
export function serialsOf({ serial, chunk, settled }: Sent): number[] {
  return Array.from(chunk.values, (_, offset) => offset)
    .filter((offset) => !settled.has(offset))
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
