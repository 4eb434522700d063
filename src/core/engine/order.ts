/**
 * Holds early results until their turn.
 *
 * @module
 */

/** Puts stretches of consecutive things in the order of their indexes. */
export class Reorder<V extends { length: number }> {
  readonly #early = new Map<number, V>();
  #turn = 0;

  /**
   * Takes a stretch, from whichever place.
   *
   * @param first Index of its first thing.
   * @param stretch The things.
   */
  add(first: number, stretch: V): void {
    if (stretch.length > 0) this.#early.set(first, stretch);
  }

  /**
   * Gives the stretch whose turn it is.
   *
   * @returns The stretch, or undefined while it is missing.
   */
  next(): V | undefined {
    const stretch = this.#early.get(this.#turn);
    if (stretch === undefined) return undefined;
    this.#early.delete(this.#turn);
    this.#turn += stretch.length;
    return stretch;
  }
}
