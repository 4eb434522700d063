/**
 * The tasks of a run that came back and are to be sent again.
 *
 * @module
 */

import { type Chunk, part, weightOf } from "./chunk.ts";
import { fitting } from "./weighing.ts";

/** Tasks to be sent again, in the order in which they came back. */
export class Returned {
  #chunks: Chunk[] = [];

  /** What they weigh. */
  get weight(): number {
    let weight = 0;
    for (const chunk of this.#chunks) weight += weightOf(chunk);
    return weight;
  }

  /** Takes tasks back. */
  add(chunk: Chunk): void {
    this.#chunks.push(chunk);
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
    const at = this.#chunks.findIndex((chunk) => idle || !chunk.alone);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return undefined;
    const { weights, values: { length } } = chunk;
    const fits = weights === undefined ? weight : fitting(weights, weight);
    const size = Math.min(most, fits);
    if (length <= size) return this.#chunks.splice(at, 1)[0];
    this.#chunks[at] = part(chunk, size, length);
    return part(chunk, 0, size);
  }

  /** Drops those from an index on. */
  drop(limit: number): void {
    this.#chunks = this.#chunks.filter(({ first }) => first < limit);
  }
}
