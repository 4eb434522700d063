/**
 * The tasks of a run that came back and are to be sent again, and those that
 * were read before they could be sent.
 *
 * @module
 */

import { type Chunk, joined, part, weightOf } from "./chunk.ts";
import type { RunSetup } from "./run_setup.ts";
import { fitting } from "./weighing.ts";

/**
 * Tasks to be sent again: in the order of their indexes, so that a worker that is
 * alone begins them in it however often it lost some; those with weights in the
 * order in which they came back.
 */
export class Returned {
  /** What was read to be sent, and was not: it goes first, and whole. */
  #held: Chunk | undefined;
  #chunks: Chunk[] = [];
  #weight = 0;
  #tasks = 0;

  /** What they weigh. */
  get weight(): number {
    return this.#weight;
  }

  /** How many they are. */
  get tasks(): number {
    return this.#tasks;
  }

  /**
   * Says whether tasks that were read, and not sent, may go. If more were read than
   * a stream may hold, they wait until its reader has read on. They go all the same
   * while it has nothing to read, as it may wait for one of them.
   *
   * @param run The reader, and the inputs, some of which were read and passed over.
   * @param size How many are sent at a time.
   * @returns Whether they may; also if there are none.
   */
  mayGo(
    { sink, inputs }: Pick<RunSetup, "sink" | "inputs">,
    size: number,
  ): boolean {
    const tasks = this.#tasks + (inputs.waiting ?? 0);
    return tasks === 0 || !sink.ready || sink.room(size) + tasks > 0;
  }

  #count(chunk: Chunk, by: 1 | -1): void {
    this.#weight += by * weightOf(chunk);
    this.#tasks += by * chunk.values.length;
  }

  /** Takes tasks back. */
  add(chunk: Chunk): void {
    this.#insert(chunk);
    this.#count(chunk, 1);
  }

  #insert(chunk: Chunk): void {
    // From the end: mostly it belongs there.
    const before = this.#chunks.findLastIndex(({ first }) =>
      chunk.weights !== undefined || first < chunk.first
    );
    this.#chunks.splice(before + 1, 0, chunk);
  }

  /** Takes a chunk that was read to be sent, where nothing else waits. */
  hold(chunk: Chunk): void {
    this.#held = chunk;
    this.#count(chunk, 1);
  }

  /** Lets it be one of the others. */
  #letGo(): void {
    if (this.#held !== undefined) this.#insert(this.#held);
    this.#held = undefined;
  }

  /**
   * Gives the next chunk.
   *
   * @param weight What it may weigh, apart from its first task.
   * @param most How many tasks at most.
   * @param idle Whether it is for a worker that has nothing to do.
   * @returns The chunk; undefined if there is none for such a worker.
   */
  take(weight: number, most: number, idle: boolean): Chunk | undefined {
    const held = this.#held;
    if (held !== undefined && held.values.length <= most) {
      this.#held = undefined;
      this.#count(held, -1);
      return held;
    }
    this.#letGo();
    const at = this.#chunks.findIndex((chunk) => idle || !chunk.alone);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return undefined;
    const { weights, values: { length } } = chunk;
    const fits = weights === undefined ? weight : fitting(weights, weight);
    const size = Math.min(most, fits);
    const { reading } = chunk; // told of the first part
    const taken = length > size
      ? part(chunk, 0, size, { reading })
      : this.#join(at, size);
    if (length > size) this.#chunks[at] = part(chunk, size, length);
    this.#count(taken, -1);
    return taken;
  }

  /**
   * Takes a chunk out, with those after it that go on where it ends: tasks that
   * failed come back one by one.
   */
  #join(at: number, size: number): Chunk {
    const chunk = this.#chunks[at]!;
    const { attempt, alone, weights } = chunk;
    let end = chunk.first + chunk.values.length;
    let to = at + 1;
    for (; !alone && weights === undefined; to++) {
      const next = this.#chunks[to];
      if (next === undefined || next.first !== end || next.alone) break;
      if (next.attempt !== attempt) break;
      end += next.values.length;
      if (end - chunk.first > size) break;
    }
    return joined(this.#chunks.splice(at, to - at));
  }

  /** Drops those from an index on. */
  drop(limit: number): void {
    this.#letGo();
    this.#chunks = this.#chunks.filter(({ first }) => first < limit);
    this.#weight = this.#tasks = 0; // anew: weights taken away leave a rest
    for (const chunk of this.#chunks) this.#count(chunk, 1);
  }
}
