/**
 * What answers of chunks say of the time of their tasks, on the caller's clock.
 *
 * @module
 */

import type { ChunkRecord, WorkerRecord } from "./recording.ts";
import type { Span } from "./spans.ts";

/** A chunk that was answered, from when it was sent to when the answer came. */
export interface Answer extends Span {
  /** Position of its run in the recording. */
  run: number;
  /** How many of its tasks ran. */
  tasks: number;
  /** When the first of them began. */
  began: number;
  /** When the last of them ended. */
  ended: number;
  /** CPU time that the worker reported with it, in ms. */
  cpu: number | undefined;
}

/** A chunk with its answer, and by how many ms its times are too early. */
export interface Answered {
  chunk: ChunkRecord;
  answer: Answer;
  late: number;
}

/** By how many ms times may be too early, at least and at most. */
interface Bounds {
  least: number;
  most: number;
}

/**
 * Reads the answers of chunks of which any task ran, and finds by how many ms
 * their times are too early. Each thread counts from the wall time at its own
 * start: if somebody set the machine's clock after the caller started, a
 * worker's times are wrong by as much, in all of its life. So all of them are moved
 * alike, until its tasks lie between sending and answer. A chunk by itself could
 * be moved by less, if it waited in the worker: its tasks would then seem to run
 * beside those before them.
 *
 * @param chunks Chunks of one worker, whichever life of it.
 * @returns The answers, in the order of the chunks.
 */
export function answersOf(chunks: readonly ChunkRecord[]): Answered[] {
  const lives = new Map<WorkerRecord, Bounds>();
  const read = chunks.flatMap((chunk) => readAnswer(chunk) ?? []);
  for (const { chunk: { life }, least, most } of read) {
    const bounds = lives.get(life) ?? { least, most };
    bounds.least = Math.max(bounds.least, least);
    bounds.most = Math.min(bounds.most, most);
    lives.set(life, bounds);
  }
  return read.map(({ chunk, answer, ...own }) => {
    const bounds = lives.get(chunk.life)!;
    // It was set meanwhile, or is the clock of another machine, and slower.
    const late = lateBy(bounds.least > bounds.most ? own : bounds);
    answer.began = Math.min(answer.began + late, answer.to);
    answer.ended = Math.min(answer.ended + late, answer.to);
    return { chunk, answer, late };
  });
}

/** The least that will do. */
function lateBy({ least, most }: Bounds): number {
  return Math.max(least, Math.min(0, most));
}

/** The times of the answer are still those of the worker. */
function readAnswer(
  chunk: ChunkRecord,
): { chunk: ChunkRecord; answer: Answer } & Bounds | undefined {
  const { run, from, to, cpu } = chunk;
  let [began, ended, tasks] = [Infinity, -Infinity, 0];
  for (let i = 0; i < chunk.ended.length; i++) {
    if (!(chunk.ended[i]! >= chunk.began[i]!)) continue;
    began = Math.min(began, chunk.began[i]!);
    ended = Math.max(ended, chunk.ended[i]!);
    tasks++;
  }
  if (to === undefined || tasks === 0) return undefined;
  const answer = { run, tasks, from, to, began, ended, cpu };
  return { chunk, answer, least: from - began, most: to - ended };
}
