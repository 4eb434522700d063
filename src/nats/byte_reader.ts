/**
 * Reads what was written as bytes. Whoever wrote them may mean harm: what can
 * be built of them stands in this table, and nothing of it runs code.
 *
 * @module
 */

import { CODES, VIEWS } from "./byte_writer.ts";

// Else it takes U+FEFF at the beginning of a text for a mark.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const DateClass = Date; // as it was: tests put another in its place

type View = new (buffer: ArrayBuffer) => ArrayBufferView;

/** Reads one message. */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  readonly #objects: object[] = [];

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    const { buffer, byteOffset, byteLength } = bytes;
    this.#view = new DataView(buffer, byteOffset, byteLength);
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  #code(): number {
    if (this.#at >= this.#bytes.length) throw new RangeError("no more bytes");
    return this.#bytes[this.#at++]!;
  }

  #count(): number {
    let count = 0;
    for (let unit = 1; unit <= 2 ** 49; unit *= 128) {
      const byte = this.#code();
      count += unit * (byte & 127);
      if (byte < 128) return count;
    }
    throw new RangeError("a count that is too long");
  }

  /** How many values follow, each at least a byte long. */
  #values(): number {
    const count = this.#count();
    if (count <= this.#bytes.length - this.#at) return count;
    throw new RangeError("more values than bytes");
  }

  #raw(): Uint8Array {
    const length = this.#values();
    return this.#bytes.subarray(this.#at, this.#at += length);
  }

  #double(): number {
    const at = this.#at;
    this.#at += 8;
    return this.#view.getFloat64(at, true); // beyond its end that throws
  }

  #text(): string {
    const value = this.value();
    if (typeof value === "string") return value;
    throw new TypeError("no text where one must be");
  }

  #units(): string {
    const raw = this.#raw();
    const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
    let text = "";
    for (let at = 0; at < raw.length; at += 2) {
      text += String.fromCharCode(view.getUint16(at, true));
    }
    return text;
  }

  value(): unknown {
    const code = this.#code();
    switch (code) {
      case CODES.undefined:
        return undefined;
      case CODES.null:
        return null;
      case CODES.false:
        return false;
      case CODES.true:
        return true;
      case CODES.small: {
        const count = this.#count();
        return count % 2 === 0 ? count / 2 : -(count + 1) / 2;
      }
      case CODES.double:
        return this.#double();
      case CODES.bigint:
        return BigInt(this.#text());
      case CODES.text:
        return decoder.decode(this.#raw());
      case CODES.units:
        return this.#units();
      case CODES.again: {
        const object = this.#objects[this.#count()];
        if (object === undefined) throw new RangeError("no such object");
        return object;
      }
      default:
        return this.#object(code);
    }
  }

  #object(code: number): object {
    switch (code) {
      case CODES.array:
        return this.#array();
      case CODES.object:
        return this.#fields(this.#note({}));
      case CODES.map: {
        const map = this.#note(new Map<unknown, unknown>());
        for (let left = this.#values(); left > 0; left--) {
          const key = this.value();
          map.set(key, this.value());
        }
        return map;
      }
      case CODES.set: {
        const set = this.#note(new Set<unknown>());
        for (let left = this.#values(); left > 0; left--) set.add(this.value());
        return set;
      }
      case CODES.date:
        return this.#note(new DateClass(this.#double()));
      case CODES.buffer:
        // Not by `slice`, which does not copy where it is a Buffer.
        return this.#note(new Uint8Array(this.#raw()).buffer);
      default:
        return this.#later(code);
    }
  }

  /** Objects that are made of what comes after them; their number is before. */
  #later(code: number): object {
    const number = this.#objects.length;
    this.#objects.length++;
    let object: object;
    if (code === CODES.regexp) {
      object = new RegExp(this.#text(), this.#text());
    } else if (code === CODES.view) {
      const scope = globalThis as unknown as Record<string, View | undefined>;
      const Kind = scope[VIEWS[this.#count()] ?? ""];
      const buffer = this.value();
      if (Kind === undefined || !(buffer instanceof ArrayBuffer)) {
        throw new TypeError("a view of a kind that is not known here");
      }
      object = new Kind(buffer);
    } else if (code === CODES.boxed) object = Object(this.value());
    else throw new TypeError(`a value of a kind that is not known: ${code}`);
    this.#objects[number] = object;
    return object;
  }

  #array(): unknown[] {
    const length = this.#values();
    const array = this.#note(new Array<unknown>());
    for (let i = 0; i < length; i++) {
      if (this.#bytes[this.#at] === CODES.hole) {
        this.#at++;
        array.length = i + 1;
      } else array.push(this.value());
    }
    this.#fields(array);
    if (array.length === length) return array;
    throw new TypeError("an array that is longer than its elements");
  }

  #fields<T extends object>(object: T): T {
    for (let left = this.#values(); left > 0; left--) {
      const key = this.#text();
      const value = this.value();
      if (key === "__proto__") { // a key as any other
        const flags = { writable: true, enumerable: true, configurable: true };
        Object.defineProperty(object, key, { value, ...flags });
      } else (object as Record<string, unknown>)[key] = value;
    }
    return object;
  }

  #note<T extends object>(object: T): T {
    this.#objects.push(object);
    return object;
  }
}

/**
 * Reads a value.
 *
 * @param bytes What was written.
 * @returns The value.
 * @throws When that is none.
 */
export function readBytes(bytes: Uint8Array): unknown {
  const reader = new Reader(bytes);
  const value = reader.value();
  if (!reader.done) throw new RangeError("more bytes than one value");
  return value;
}
