/**
 * What an input is known by in a log: its content, so that a list may change
 * between two runs.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { hash } from "node:crypto";

/** What an input is known by. */
export interface InputKey {
  /** First 128 bits of the SHA-256 of its text (or of its `key`), in hex. */
  digest: string;
  /** Which of the inputs with this text it is, from 1. */
  nth: number;
  /**
   * Both shortened to 52 bits, so that a million take little memory. Two keys
   * may have the same: `isOf` of log_record.ts then says whose a line is.
   */
  short: number;
}

/**
 * Makes the keys of inputs in the order in which they are read.
 *
 * @returns A function from what tells an input from others to its key.
 */
export function createKeys(): (text: string) => InputKey {
  // Two texts with the same short key are counted together here. If the list
  // is then re-ordered, one of them may run again.
  const counts = new NumberTable();
  return (text) => {
    const digest = digestOf(text);
    const first = shorten(digest);
    const nth = (counts.get(first) ?? 0) + 1;
    counts.set(first, nth);
    return keyOf(digest, nth, first);
  };
}

/**
 * Makes what tells a text from others.
 *
 * @param text The text of an input.
 * @returns First 128 bits of its SHA-256, in hex.
 */
export function digestOf(text: string): string {
  return hash("sha256", bytesOf(text), "hex").slice(0, 32);
}

/**
 * In UTF-8, which `hash` makes of a text, all halves of a surrogate pair are
 * the same. A text with one is hashed as UTF-16, after a byte that is in no
 * UTF-8.
 */
function bytesOf(text: string): string | Uint8Array {
  return text.isWellFormed()
    ? text
    : Buffer.concat([Uint8Array.of(0xff), Buffer.from(text, "utf16le")]);
}

/**
 * Makes a key of its parts.
 *
 * @param digest First 128 bits of a SHA-256, in hex.
 * @param nth Which of the inputs with this digest it is, from 1.
 * @param first The digest shortened, if that is known.
 * @returns The key.
 */
export function keyOf(
  digest: string,
  nth: number,
  first: number = shorten(digest),
): InputKey {
  const short = nth === 1 ? first : shorten(hash("sha256", `${digest} ${nth}`));
  return { digest, nth, short };
}

function shorten(hex: string): number {
  return Number.parseInt(hex.slice(0, 13), 16);
}

const EMPTY = -1;

/**
 * Maps whole numbers from 0 to 2^53, evenly spread, to numbers. A Map takes ten
 * times the 16 bytes of each, and is slower where each key is asked for once or
 * twice (bench/cli_lines.ts).
 */
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

  /** Finds the place of a key, or the empty place where it would be. */
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
      const place = this.#find(keys[i]!);
      this.#keys[place] = keys[i]!;
      this.#values[place] = values[i]!;
    }
  }
}
