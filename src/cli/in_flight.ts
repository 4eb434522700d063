/**
 * The inputs that were sent and not answered.
 *
 * @module
 */

/** How many the ring holds, a power of two: more than are usually in flight. */
const RING = 1 << 16;

/** Holds values by index, where nearly all indexes are close together. */
export class InFlight<V extends { index: number }> {
  // A Map alone would cost more than a trivial function (bench/cli_lines.ts).
  readonly #ring: (V | undefined)[] = new Array(RING);
  readonly #late = new Map<number, V>();

  /**
   * Adds a value.
   *
   * @param value It knows its index.
   */
  add(value: V): void {
    const at = value.index & (RING - 1);
    const late = this.#ring[at];
    if (late !== undefined) this.#late.set(late.index, late);
    this.#ring[at] = value;
  }

  /**
   * Takes a value out.
   *
   * @param index Its index.
   * @returns The value, which must have been added.
   */
  take(index: number): V {
    const at = index & (RING - 1);
    const value = this.#ring[at];
    if (value?.index === index) {
      this.#ring[at] = undefined;
      return value;
    }
    const late = this.#late.get(index)!;
    this.#late.delete(index);
    return late;
  }
}
