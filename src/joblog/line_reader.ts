/**
 * Reads lines out of a file: mostly, but not always, one after another.
 *
 * @module
 */

/**
 * How many bytes are read for a line that is not near the one before. Fewer would
 * not be read any faster, more are read in vain in a list that was re-ordered. It
 * is a page of the memory of most systems; no bench.
 */
const FIRST_BYTES = 4096;

/** How many at most: fewer cost more calls, more cost memory. No bench. */
const MOST_BYTES = 1 << 20;

/** Keeps the block it read last: the next line is mostly asked for next. */
export class LineReader {
  readonly #fill: (buffer: Uint8Array, at: number) => number;
  #block = { from: 0, bytes: new Uint8Array(0) };

  /**
   * Makes a reader.
   *
   * @param fill Fills a buffer with what is at a place of the file, in bytes, and
   * returns how many there were: fewer only at its end.
   */
  constructor(fill: (buffer: Uint8Array, at: number) => number) {
    this.#fill = fill;
  }

  /**
   * Reads a line.
   *
   * @param from Its first byte.
   * @param to The first one that is not in it.
   * @returns Its bytes, until the next is read.
   */
  read(from: number, to: number): Uint8Array {
    const { from: start, bytes } = this.#block;
    const end = start + bytes.length;
    if (from < start || to > end) {
      // More and more while it goes on where it was, so that what is read in vain
      // is no more than what was of use before.
      const goesOn = from >= start && from <= end + FIRST_BYTES;
      const more = goesOn ? Math.min(2 * bytes.length, MOST_BYTES) : 0;
      const block = new Uint8Array(Math.max(FIRST_BYTES, more, to - from));
      const count = this.#fill(block, from);
      this.#block = { from, bytes: block.subarray(0, count) };
    }
    return this.#block.bytes.subarray(
      from - this.#block.from,
      to - this.#block.from,
    );
  }
}
