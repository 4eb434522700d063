/**
 * The tasks of a run that came back and are to be sent again.
 *
 * @module
 */

import { type Chunk, part } from "./chunk.ts";

/** Tasks to be sent again, in the order in which they came back. */
export class Returned {
  #chunks: Chunk[] = [];

  /** How many tasks. */
  get tasks(): number {
    let tasks = 0;
    for (const { values } of this.#chunks) tasks += values.length;
    return tasks;
  }

  /** Takes tasks back. */
  add(chunk: Chunk): void {
    this.#chunks.push(chunk);
  }

  /**
   * Gives the next chunk.
   *
   * @param most How many tasks at most.
   * @param idle Whether it is for a worker that has nothing to do.
   * @returns The chunk; undefined if there is none for such a worker.
   */
  take(most: number, idle: boolean): Chunk | undefined {
    const at = this.#chunks.findIndex((chunk) => idle || !chunk.alone);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return undefined;
    const { length } = chunk.values;
    if (length <= most) return this.#chunks.splice(at, 1)[0];
    this.#chunks[at] = part(chunk, most, length);
    return part(chunk, 0, most);
  }

  /** Drops those from an index on. */
  drop(limit: number): void {
    this.#chunks = this.#chunks.filter(({ first }) => first < limit);
  }
}
