/**
 * Strings as one string: measured by `../packing.ts`.
 *
 * @module
 */

/** Strings, joined. */
export interface Texts {
  /** All of them. */
  text: string;
  /** Length of each, as 32 bits. */
  lengths: ArrayBuffer;
}

/** Packs and unpacks. */
export interface TextPacking {
  /** Undefined when a value is not a string. */
  pack(values: ArrayLike<unknown>): Texts | undefined;
  /** Undoes `pack`. */
  unpack(texts: Texts): string[];
}

/**
 * Makes the packing. Self-contained.
 *
 * @returns The packing.
 */
export function createTexts(): TextPacking {
  return {
    pack(values) {
      const lengths = new Uint32Array(values.length);
      for (let i = 0; i < values.length; i++) {
        const value = values[i];
        if (typeof value !== "string") return undefined;
        lengths[i] = value.length;
      }
      const text = (values as string[]).join("");
      return { text, lengths: lengths.buffer };
    },
    unpack({ text, lengths }) {
      const ends = new Uint32Array(lengths);
      const list: string[] = new Array(ends.length);
      let at = 0;
      for (let i = 0; i < list.length; i++) {
        list[i] = text.substring(at, at += ends[i]);
      }
      return list;
    },
  };
}
