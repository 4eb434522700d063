/**
 * A map from numbers to numbers, in 16 bytes each: a Map takes ten times that,
 * and is slower where each key is asked for once or twice (bench/cli_lines.ts).
 *
 * @module
 */

const EMPTY = -1;

/** Maps whole numbers from 0 to 2^53, evenly spread, to numbers. */
export class NumberTable {
  #keys = new Float64Array(1024).fill(EMPTY);
  #values = new Float64Array(1024);
  #size = 0;

  /** How many keys it has. */
  get size(): number {
    return this.#size;
  }

  /**
   * Finds a value.
   *
   * @param key A key.
   * @returns Its value; undefined when there is none.
   */
  get(key: number): number | undefined {
    const place = this.#find(key);
    return this.#keys[place] === EMPTY ? undefined : this.#values[place];
  }

  /**
   * Sets a value.
   *
   * @param key Its key.
   * @param value The value.
   */
  set(key: number, value: number): void {
    const place = this.#find(key);
    this.#values[place] = value;
    if (this.#keys[place] === key) return;
    this.#keys[place] = key;
    // Half full at most: then a key is found in the first places looked at.
    if (2 * ++this.#size > this.#keys.length) this.#grow();
  }

  /** The place of a key, or the empty one where it would be. */
  #find(key: number): number {
    const last = this.#keys.length - 1;
    let place = (key >>> 0) & last; // its low bits, which are evenly spread
    while (this.#keys[place] !== key && this.#keys[place] !== EMPTY) {
      place = (place + 1) & last;
    }
    return place;
  }

  #grow(): void {
    const [keys, values] = [this.#keys, this.#values];
    this.#keys = new Float64Array(2 * keys.length).fill(EMPTY);
    this.#values = new Float64Array(2 * keys.length);
    for (let i = 0; i < keys.length; i++) {
      if (keys[i] === EMPTY) continue;
      const place = this.#find(keys[i]);
      this.#keys[place] = keys[i];
      this.#values[place] = values[i];
    }
  }
}
