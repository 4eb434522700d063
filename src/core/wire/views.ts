/**
 * Typed arrays by the name of their kind, from a fixed table: a subclass is
 * sent as what it is built on, and a message can name nothing else.
 *
 * @module
 */

import type { TypedArray } from "../api/options.ts";

/** Names the kinds of typed arrays, and makes them. */
export interface Views {
  /**
   * Names the kind of a typed array.
   *
   * @param view Any value.
   * @returns Such as `Uint8Array` for a `Buffer`; undefined for what is no
   * typed array.
   */
  kindOf(view: unknown): string | undefined;
  /**
   * Makes a typed array.
   *
   * @param kind What `kindOf` gave.
   * @param from A buffer to view, or a typed array to copy.
   * @returns The array.
   */
  make(kind: string, from: ArrayBuffer | TypedArray): TypedArray;
  /**
   * Cuts what a view of a part of a buffer would drag along: the whole buffer.
   *
   * @param value Any object.
   * @returns A copy of that part, or the object itself.
   */
  cut(value: object): object;
}

/**
 * Makes the table. Self-contained: workers get this function by its source.
 *
 * @returns The table.
 */
export function createViews(): Views {
  type Class = new (from: ArrayBuffer | TypedArray) => TypedArray;
  const scope = globalThis as unknown as Record<string, Class | undefined>;
  const classes = new Map<string | undefined, Class>();
  for (
    const name of ["Int8Array", "Uint8Array", "Uint8ClampedArray"]
      .concat("Int16Array", "Uint16Array", "Int32Array", "Uint32Array")
      .concat("Float16Array", "Float32Array", "Float64Array")
      .concat("BigInt64Array", "BigUint64Array")
  ) {
    const found = scope[name];
    if (found !== undefined) classes.set(name, found);
  }
  // The language's own getter, which neither a subclass nor a tag can deceive.
  const { get } = Object.getOwnPropertyDescriptor(
    Object.getPrototypeOf(Uint8Array.prototype),
    Symbol.toStringTag,
  )!;

  const kindOf: Views["kindOf"] = (view) => get!.call(view);

  function make(kind: string, from: ArrayBuffer | TypedArray): TypedArray {
    const Kind = classes.get(kind);
    if (Kind === undefined) throw new TypeError(`There is no ${kind}`);
    return new Kind(from);
  }

  function cut(value: object): object {
    if (!ArrayBuffer.isView(value)) return value;
    const { buffer, byteOffset, byteLength } = value;
    if (!(buffer instanceof ArrayBuffer) || byteLength === buffer.byteLength) {
      return value;
    }
    const kind = kindOf(value);
    return kind === undefined
      ? new DataView(buffer.slice(byteOffset, byteOffset + byteLength))
      : make(kind, value as Float64Array);
  }

  return { kindOf, make, cut };
}
