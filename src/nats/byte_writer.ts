/**
 * Writes values as bytes that Deno, Bun and Node.js read alike: all that
 * structured clone takes, apart from errors, which are plain data by then, and
 * what only one process can have. Nothing is dropped without a word.
 *
 * @module
 */

import { types } from "node:util";

/** What stands before each value, as one byte. */
export const CODES = {
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  /** A whole number of 32 bits with its sign in the last. */
  small: 4,
  double: 5,
  bigint: 6,
  text: 7,
  /** A text that is no UTF-8, as 16 bits a unit. */
  units: 8,
  array: 9,
  /** An element of an array that is not there. */
  hole: 10,
  object: 11,
  map: 12,
  set: 13,
  date: 14,
  regexp: 15,
  buffer: 16,
  view: 17,
  /** An object that was written before, by its number. */
  again: 18,
  /** A primitive in an object, as `Object(1n)`. */
  boxed: 19,
} as const;

/** The kinds of views, in the order of their numbers. */
export const VIEWS: readonly string[] = [
  "DataView",
  "Int8Array",
  "Uint8Array",
  "Uint8ClampedArray",
  "Int16Array",
  "Uint16Array",
  "Int32Array",
  "Uint32Array",
  "Float16Array",
  "Float32Array",
  "Float64Array",
  "BigInt64Array",
  "BigUint64Array",
];

/** Elements of an array at most: one that is sparse may claim any number. */
const MOST_ELEMENTS = 1 << 24;

const encoder = new TextEncoder();

// The language's own getters: what clone reads, whatever a class of the user's
// says.
const getter = (prototype: object, name: PropertyKey) =>
  Object.getOwnPropertyDescriptor(prototype, name)!.get!;
const typed = Object.getPrototypeOf(Uint8Array.prototype);
const nameOfView = getter(typed, Symbol.toStringTag);
const [ofTyped, ofData] = [typed, DataView.prototype].map((prototype) => ({
  bufferIn: getter(prototype, "buffer"),
  offsetIn: getter(prototype, "byteOffset"),
  sizeIn: getter(prototype, "byteLength"),
}));
const sizeOfBuffer = getter(ArrayBuffer.prototype, "byteLength");
const isDetached = getter(ArrayBuffer.prototype, "detached");

function refuse(what: string): never {
  throw new DOMException(`${what} could not be cloned`, "DataCloneError");
}

/** Writes one message. */
class Writer {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  readonly #numbers = new Map<object, number>();

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Makes room for so many bytes more; says where they begin. */
  #room(bytes: number): number {
    const at = this.#length;
    this.#length += bytes;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#length);
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }

  code(code: number): void {
    const at = this.#room(1);
    this.#bytes[at] = code;
  }

  /** A whole number from 0, seven bits a byte. */
  count(count: number): void {
    let rest = count;
    while (rest > 127) {
      this.code(128 + rest % 128);
      rest = Math.floor(rest / 128);
    }
    this.code(rest);
  }

  double(value: number): void {
    const at = this.#room(8);
    this.#view.setFloat64(at, value, true);
  }

  #raw(bytes: Uint8Array): void {
    this.count(bytes.length);
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
  }

  text(text: string): void {
    if (text.isWellFormed()) {
      this.code(CODES.text);
      return this.#raw(encoder.encode(text));
    }
    const units = new Uint8Array(2 * text.length);
    const view = new DataView(units.buffer);
    for (let i = 0; i < text.length; i++) {
      view.setUint16(2 * i, text.charCodeAt(i), true);
    }
    this.code(CODES.units);
    this.#raw(units);
  }

  number(value: number): void {
    if ((value | 0) === value && !Object.is(value, -0)) {
      this.code(CODES.small);
      this.count(value < 0 ? -2 * value - 1 : 2 * value);
    } else {
      this.code(CODES.double);
      this.double(value);
    }
  }

  value(value: unknown): void {
    switch (typeof value) {
      case "undefined":
        return this.code(CODES.undefined);
      case "boolean":
        return this.code(value ? CODES.true : CODES.false);
      case "number":
        return this.number(value);
      case "string":
        return this.text(value);
      case "bigint":
        this.code(CODES.bigint);
        return this.text(value.toString());
      case "object":
        return value === null ? this.code(CODES.null) : this.object(value);
      default:
        refuse(`a ${typeof value}`);
    }
  }

  object(object: object): void {
    const number = this.#numbers.get(object);
    if (number !== undefined) {
      this.code(CODES.again);
      return this.count(number);
    }
    this.#numbers.set(object, this.#numbers.size);
    if (Array.isArray(object) && !types.isProxy(object)) this.#array(object);
    else if (ArrayBuffer.isView(object)) this.#typedArray(object);
    // What most are need not be asked for by the slower tests, of any realm.
    else if (Object.getPrototypeOf(object) === Object.prototype) {
      this.#object(object);
    } else if (types.isArrayBuffer(object)) {
      if (isDetached.call(object)) refuse("a detached ArrayBuffer");
      this.code(CODES.buffer);
      this.#raw(new Uint8Array(object));
    } else if (types.isMap(object)) this.#map(object);
    else if (types.isSet(object)) this.#set(object);
    else if (types.isDate(object)) {
      this.code(CODES.date);
      this.double(Date.prototype.getTime.call(object));
    } else if (types.isRegExp(object)) {
      this.code(CODES.regexp);
      const { source, flags } = structuredClone(object); // of no other class
      this.text(source);
      this.text(flags);
    } else this.#object(object);
  }

  #object(object: object): void {
    if (types.isBoxedPrimitive(object)) {
      this.code(CODES.boxed);
      this.value(structuredClone(object).valueOf()); // of no other class
    } else if (isOnlyHere(object) || isOpaque(object)) {
      refuse(Object.prototype.toString.call(object));
    } else {
      this.code(CODES.object);
      this.#fields(object, Object.keys(object));
    }
  }

  #fields(object: object, keys: string[]): void {
    this.count(keys.length);
    for (const key of keys) {
      this.text(key);
      this.value((object as Record<string, unknown>)[key]);
    }
  }

  #array(array: unknown[]): void {
    const { length } = array;
    if (length > MOST_ELEMENTS) refuse(`an array of ${length} elements`);
    this.code(CODES.array);
    this.count(length);
    let there = 0;
    for (let i = 0; i < length; i++) {
      const value = array[i];
      if (value === undefined && !Object.hasOwn(array, i)) {
        this.code(CODES.hole);
        continue;
      }
      there++;
      this.value(value);
    }
    const keys = Object.keys(array);
    this.#fields(array, keys.length > there ? keys.slice(there) : []);
  }

  // What clone reads: a subclass may iterate over something else, without end.
  #map(map: Map<unknown, unknown>): void {
    const pairs = [...Map.prototype.entries.call(map)];
    this.code(CODES.map);
    this.count(pairs.length);
    for (const [key, value] of pairs) {
      this.value(key);
      this.value(value);
    }
  }

  #set(set: Set<unknown>): void {
    const values = [...Set.prototype.values.call(set)];
    this.code(CODES.set);
    this.count(values.length);
    for (const value of values) this.value(value);
  }

  /** Of a part of a buffer only that: what is beside it is nobody's business. */
  #typedArray(view: ArrayBufferView): void {
    const kind = nameOfView.call(view) ?? "DataView";
    const { bufferIn, offsetIn, sizeIn } = kind === "DataView"
      ? ofData!
      : ofTyped!;
    const buffer = bufferIn.call(view);
    const size = sizeIn.call(view);
    if (!types.isArrayBuffer(buffer)) refuse("a SharedArrayBuffer");
    this.code(CODES.view);
    this.count(VIEWS.indexOf(kind));
    if (size === sizeOfBuffer.call(buffer)) return this.value(buffer);
    const part = new Uint8Array(buffer, offsetIn.call(view), size);
    this.value(new Uint8Array(part).buffer);
  }
}

/** Whether an object is more than its keys, and nothing of it would arrive. */
function isOnlyHere(object: object): boolean {
  return types.isProxy(object) || types.isPromise(object) ||
    types.isWeakMap(object) || types.isWeakSet(object) ||
    types.isSharedArrayBuffer(object) || object instanceof WeakRef ||
    types.isNativeError(object) || object instanceof Error ||
    object instanceof Blob;
}

/**
 * Whether one that shows no keys is more than that to structured clone, as a
 * generator or an `Intl.Locale` is: most classes of such have no name.
 */
function isOpaque(object: object): boolean {
  const { getPrototypeOf, prototype, keys } = Object;
  if (getPrototypeOf(object) === prototype || keys(object).length > 0) {
    return false;
  }
  try {
    // A plain object inherits from one that inherits nothing, in whatever realm.
    const plain = getPrototypeOf(structuredClone(object));
    return getPrototypeOf(plain) !== null;
  } catch {
    return true; // it does not arrive
  }
}

/**
 * Writes a value.
 *
 * @param value The value.
 * @returns Its bytes.
 * @throws {DOMException} When a part of it can only be here.
 */
export function writeBytes(value: unknown): Uint8Array {
  const writer = new Writer();
  writer.value(value);
  return writer.bytes;
}
