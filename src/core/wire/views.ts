/**
 * Typed arrays by the name of their kind, from a fixed table: a subclass is
 * sent as what it is built on, and a message can name nothing else. One in
 * shared memory is named by where it is.
 *
 * @module
 */

import type { TypedArray } from "../api/options.ts";

/** A typed array in memory that threads share, as plain data. */
export interface SharedArray {
  kind: string;
  buffer: SharedArrayBuffer;
  /** Where it begins in the buffer, in bytes. */
  offset: number;
  /** How many elements it has. */
  length: number;
}

/** The language's own getters of views, whatever a class of theirs says. */
export type ViewParts = Record<
  "bufferIn" | "offsetIn" | "sizeIn",
  () => unknown
>;

/** Names the kinds of typed arrays, makes them, and knows buffers. */
export interface Views {
  /** All kinds, the same on both sides, also those that are not known here. */
  readonly kinds: readonly string[];
  /** Those of typed arrays. */
  readonly ofTyped: ViewParts;
  /** What a typed array of a kind inherits from, if it is of no subclass. */
  protoOf(kind: string): object;
  /**
   * Names the kind of a typed array.
   *
   * @param view Any value.
   * @returns Such as `Uint8Array` for a `Buffer`; undefined for what is no
   * typed array.
   */
  kindOf(view: unknown): string | undefined;
  /** Whether it is an ArrayBuffer, of whatever realm. */
  isBuffer(value: unknown): value is ArrayBuffer;
  /** The buffer of a view, whatever that inherits from. */
  bufferOf(view: object): ArrayBufferLike;
  /** How many bytes an ArrayBuffer has, whatever it says; throws if it is none. */
  sizeOf(buffer: object): number;
  /**
   * Makes a typed array.
   *
   * @param kind What `kindOf` gave.
   * @param from A buffer to view, or a typed array to copy.
   * @returns The array.
   */
  make(kind: string, from: ArrayBuffer | TypedArray): TypedArray;
  /**
   * Copies a part of a buffer.
   *
   * @param kind What `kindOf` gave.
   * @param buffer The buffer.
   * @param from Where the part begins, in bytes.
   * @param bytes How many it has.
   * @returns A typed array of its own.
   */
  part(
    kind: string,
    buffer: ArrayBuffer,
    from: number,
    bytes: number,
  ): TypedArray;
  /**
   * Copies a typed array.
   *
   * @param view The array.
   * @returns A copy of its own class, as processes of Bun keep that of a Buffer.
   */
  copy(view: TypedArray): TypedArray;
  /**
   * Describes a typed array in shared memory, which need not be sent.
   *
   * @param view Any value.
   * @returns Where it is; undefined for what is none.
   */
  share(view: unknown): SharedArray | undefined;
  /** Undoes `share`: the same memory. */
  open(shared: SharedArray): TypedArray;
  /**
   * Cuts what a view of a part of a buffer would drag along: the whole buffer.
   *
   * @param value Any object.
   * @returns A copy of that part, or the object itself.
   */
  cut(value: object): object;
  /** Makes a date, of the class that was there when this was made. */
  dateOf(ms: number): Date;
}

/**
 * Makes the table. Self-contained: workers get this function by its source.
 *
 * @returns The table.
 */
export function createViews(): Views {
  interface Class {
    new (
      from: ArrayBufferLike | TypedArray,
      offset?: number,
      length?: number,
    ): TypedArray;
    readonly BYTES_PER_ELEMENT: number;
    readonly prototype: object;
  }
  const { getPrototypeOf, setPrototypeOf } = Object;
  const DateClass = Date; // tests put another in its place
  const scope = globalThis as unknown as Record<string, Class | undefined>;
  const classes = new Map<string | undefined, Class>();
  const kinds = ["Int8Array", "Uint8Array", "Uint8ClampedArray"]
    .concat("Int16Array", "Uint16Array", "Int32Array", "Uint32Array")
    .concat("Float16Array", "Float32Array", "Float64Array")
    .concat("BigInt64Array", "BigUint64Array");
  for (const name of kinds) {
    const found = scope[name];
    if (found !== undefined) classes.set(name, found);
  }
  // The language's own getter, which neither a subclass nor a tag can deceive.
  const { get } = Object.getOwnPropertyDescriptor(
    Object.getPrototypeOf(Uint8Array.prototype),
    Symbol.toStringTag,
  )!;

  // And those of typed arrays, and of a DataView.
  const getter = (proto: object, name: string) =>
    Object.getOwnPropertyDescriptor(proto, name)!.get!;
  const [ofTyped, ofData] = [
    getPrototypeOf(Uint8Array.prototype),
    DataView.prototype,
  ].map((proto) => ({
    bufferIn: getter(proto, "buffer"),
    offsetIn: getter(proto, "byteOffset"),
    sizeIn: getter(proto, "byteLength"),
  })) as [ViewParts, ViewParts];
  const bytesIn = getter(ArrayBuffer.prototype, "byteLength");

  const { SharedArrayBuffer: Shared } = globalThis as Partial<
    typeof globalThis
  >;

  /** By the classes here first, as a getter that throws takes 5 µs. */
  function isBuffer(value: unknown): value is ArrayBuffer {
    if (value instanceof ArrayBuffer) return true;
    if (Shared !== undefined && value instanceof Shared) return false;
    try {
      bytesIn.call(value);
      return true;
    } catch {
      return false; // in a page that shares none, that has no class
    }
  }

  const kindOf: Views["kindOf"] = (view) => get!.call(view);
  const sizeOf: Views["sizeOf"] = (buffer) => bytesIn.call(buffer);

  function bufferOf(view: object): ArrayBufferLike {
    const { bufferIn } = kindOf(view) === undefined ? ofData : ofTyped;
    return bufferIn.call(view) as ArrayBufferLike;
  }

  function classOf(kind: string): Class {
    const Kind = classes.get(kind);
    if (Kind === undefined) throw new TypeError(`There is no ${kind}`);
    return Kind;
  }

  const protoOf: Views["protoOf"] = (kind) => classOf(kind).prototype;
  const make: Views["make"] = (kind, from) => new (classOf(kind))(from);

  const part: Views["part"] = (kind, buffer, from, bytes) => {
    const Kind = classOf(kind);
    // Not a part of the buffer, then a view: that takes Bun 1.4.5 three times as
    // long, and V8 makes no buffer at all for the shortest.
    return new Kind(new Kind(buffer, from, bytes / Kind.BYTES_PER_ELEMENT));
  };

  function copy(view: TypedArray): TypedArray {
    const made = make(kindOf(view)!, view);
    const own = getPrototypeOf(view);
    if (getPrototypeOf(made) !== own) setPrototypeOf(made, own);
    return made;
  }

  function share(view: unknown): SharedArray | undefined {
    const kind = kindOf(view);
    if (kind === undefined) return undefined;
    const { buffer, byteOffset: offset, length } = view as Float64Array;
    return isBuffer(buffer) ? undefined : { kind, buffer, offset, length };
  }

  const open: Views["open"] = ({ kind, buffer, offset, length }) =>
    new (classOf(kind))(buffer, offset, length);

  function cut(value: object): object {
    if (!ArrayBuffer.isView(value)) return value;
    const kind = kindOf(value);
    const { bufferIn, offsetIn, sizeIn } = kind === undefined
      ? ofData
      : ofTyped;
    const buffer = bufferIn.call(value) as ArrayBufferLike;
    const size = sizeIn.call(value) as number;
    if (!isBuffer(buffer) || size === sizeOf(buffer)) return value;
    if (kind !== undefined) return copy(value as Float64Array);
    const from = offsetIn.call(value) as number;
    return new DataView(buffer.slice(from, from + size));
  }

  const dateOf = (ms: number) => new DateClass(ms);
  return {
    kinds,
    ofTyped,
    kindOf,
    isBuffer,
    bufferOf,
    sizeOf,
    protoOf,
    make,
    part,
    copy,
    share,
    open,
    cut,
    dateOf,
  };
}

/** The table of the classes that were there when this library was loaded. */
export const views: Views = createViews();
