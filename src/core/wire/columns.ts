/**
 * Lists of numbers, and lists of short strings, as one thing each: structured
 * clone takes 3 to 10 times longer for a list than for what is in it.
 *
 * @module
 */

import type { Views } from "./views.ts";

/** Values of one type. */
export type Column =
  /** A typed array of that class. The bare buffer is sent: see packing.ts. */
  | { as: "array"; kind: string; buffer: ArrayBuffer }
  /** Strings with nothing between them, and their UTF-16 lengths as 32 bits. */
  | { as: "texts"; text: string; lengths: ArrayBuffer };

/** A column, and what was seen on the way. */
export interface PackedColumn {
  packed: Column;
  /** The buffer in it: made here, so it may be moved. */
  buffer: ArrayBuffer;
  /** Size in bytes, roughly, as if the values were cloned. */
  bytes: number;
}

/** Packs and unpacks. */
export interface ColumnPacking {
  /**
   * Packs values.
   *
   * @param values A list, at least one.
   * @returns Undefined when structured clone has to take the values, or is
   * faster.
   */
  pack(values: ArrayLike<unknown>): PackedColumn | undefined;
  /** Undoes `pack`. */
  unpack(column: Column): ArrayLike<unknown>;
}

/**
 * Makes the packing. Self-contained: workers get this function by its source.
 *
 * What arrives is exact: -0, NaN and lone surrogates too. Both engines keep the
 * joined text alive as long as one of its strings of 13 characters or more is.
 *
 * @param views Makes typed arrays.
 * @returns The packing.
 */
export function createColumns(views: Views): ColumnPacking {
  // Mean length in characters: on Deno longer ones arrive sooner when cloned
  // (bench/micro/columns.ts).
  const MOST_MEAN = 100;
  // Characters of the joined text: V8 has no text of 2 ** 29, and throws.
  const MOST = 2 ** 28;

  function pack(values: ArrayLike<unknown>): PackedColumn | undefined {
    const first = values[0];
    if (typeof first === "number") return packNumbers(values);
    return typeof first === "string" ? packTexts(values) : undefined;
  }

  function packNumbers(values: ArrayLike<unknown>): PackedColumn | undefined {
    const numbers = new Float64Array(values.length);
    // Not Float64Array.from, which takes 3 to 7 times longer.
    for (let i = 0; i < numbers.length; i++) {
      const value = values[i];
      if (typeof value !== "number") return undefined;
      numbers[i] = value;
    }
    const { buffer, byteLength: bytes } = numbers;
    const packed = { as: "array", kind: "Float64Array", buffer } as const;
    return { packed, buffer, bytes };
  }

  function packTexts(values: ArrayLike<unknown>): PackedColumn | undefined {
    const sizes = new Uint32Array(values.length);
    const most = Math.min(MOST, MOST_MEAN * sizes.length);
    let text = "";
    for (let i = 0; i < sizes.length; i++) {
      const value = values[i];
      if (typeof value !== "string") return undefined;
      const { length } = value;
      if (text.length + length > most) return undefined;
      sizes[i] = length;
      text += value; // both engines join it at the end, at once
    }
    const { length: bytes } = text;
    const { buffer } = sizes;
    const packed = { as: "texts", text, lengths: buffer } as const;
    return { packed, buffer, bytes };
  }

  function unpack(column: Column): ArrayLike<unknown> {
    if (column.as === "array") return views.make(column.kind, column.buffer);
    const { text, lengths } = column;
    const sizes = new Uint32Array(lengths);
    const list: string[] = new Array(sizes.length);
    let at = 0;
    for (let i = 0; i < list.length; i++) {
      list[i] = text.substring(at, at += sizes[i]!);
    }
    return list;
  }

  return { pack, unpack };
}
