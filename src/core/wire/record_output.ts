/**
 * What records are written to: a number for each part of a value, which says
 * what it is, and beside these the doubles and the texts.
 *
 * @module
 */

import type { FewBytes, MapParts } from "./record_kinds.ts";
import type { Spot } from "./shapes.ts";

/**
 * Values as codes. The low three bits of a code tell a kind, and those above a
 * number:
 *
 * | kind | what it is                                           | number        |
 * | ---- | ---------------------------------------------------- | ------------- |
 * | 0    | null, undefined, true, false                         | which, from 0 |
 * | 1    | a part of `text`                                     | length        |
 * | 2    | a list; what it holds has its codes together         | length        |
 * | 3    | an object; what its keys hold, too                   | of its shape  |
 * | 4    | a whole number                                       | itself        |
 * | 5    | one of `numbers`                                     | none          |
 * | 6    | a bigint or Date of `numbers`; one of `parts`; left; | which, from 0 |
 * |      | a Map or Set: a code says how many follow for it;    |               |
 * |      | a copy of a list of `parts`: a code says of which;   |               |
 * |      | a buffer or typed array: codes say its kind and its  |               |
 * |      | bytes, which are in as many of `numbers` as they need |              |
 * | 7    | a dictionary: for each key its index, and a code;    | of its keys,  |
 * |      | the last bit says whether it is best hashed          | and that bit  |
 *
 * First come the codes of the values. Those of what a part holds come where
 * that is written: after all codes beside it, and what is in those before it.
 *
 * The keys of a shape that always held numbers have no codes of this kind: when
 * the object is met, what they hold is next in `numbers`; or, of keys that always
 * held whole numbers of 32 bits, it stands before the codes of its other keys.
 */
export interface Records {
  /** How many values. */
  count: number;
  /** Whether they have one code together: all their keys always held numbers. */
  alike: boolean;
  /** Numbers of 32 bits. */
  codes: ArrayBuffer;
  /** Doubles and bigints, of 64 bits each. */
  numbers: ArrayBuffer;
  text: string;
  /** Long texts, long lists of primitives, …: as they are. */
  parts: unknown[];
  /** Of each shape the keys, and which hold whole and other numbers, as JSON. */
  shapes: string[];
  /** The keys of dictionaries. */
  keys: string[];
}

/** What records are written to. */
export interface RecordOutput {
  codes: Int32Array;
  /** How many codes there are, with those that are only reserved. */
  at: number;
  /** Makes room for as many. */
  grow(): void;
  numbers: Float64Array;
  /** How many doubles there are, with those that are only reserved. */
  numbersAt: number;
  /** Makes room for as many. */
  growNumbers(): void;
  /** Reserves codes, and returns the index of the first. */
  reserve(count: number): number;
  /** Writes a part of a value, and returns its code; throws if it is for clone. */
  writePart(part: unknown, spot: Spot): number;
  /** The same for a text. */
  writeText(text: string): number;
  /** The same for a Date, by its time. */
  writeDate(ms: number): number;
  /** The same for a buffer or a typed array. */
  writeBytes(few: FewBytes): number;
  /** Writes parts that belong together; the spot is that of each. */
  writeAll(parts: unknown[], spot: Spot): void;
  /** Writes a Map or a Set, and returns its code. */
  writeMap(held: MapParts, spot: Spot): number;
  /** The same for a part that structured clone takes as it is, and its size. */
  leave(part: unknown, bytes: number): number;
  /** The same for a list of primitives, which may be in this message already. */
  leaveList(list: unknown[], bytes: number): number;
  /** The index of a key of a dictionary. */
  keyId(key: string): number;
  /** How many keys of dictionaries there are. */
  keyCount(): number;
  /** The number of a shape that was not in this message. */
  addShape(text: string): number;
  /** The codes of the values, for as many as there is room. */
  values: Int32Array;
  /** How many there are. */
  count: number;
  /** Makes room for the codes of more values, if there is too little. */
  growValues(more: number): void;
  /** Begins a value. */
  begin(): void;
  /** Takes back what was written of it. */
  goBack(): void;
  /** Size of what was written, in bytes, as if it were cloned, roughly. */
  bytes(): number;
  /**
   * Gives what was written.
   *
   * @param flat The code of values that hold nothing but numbers, if there are
   * such: where all have it, it is written once.
   * @returns The records, and their size in bytes as if they were cloned.
   */
  take(flat: number | undefined): { records: Records; bytes: number };
  /** Begins the next message. */
  clear(): void;
}

/**
 * Makes one. Self-contained: workers get this function by its source.
 *
 * @param writeObject Writes a part that is an object, and returns its code.
 * @returns The output.
 */
export function createRecordOutput(
  writeObject: (part: object, spot: Spot) => number,
): RecordOutput {
  const [TEXT, WHOLE, DOUBLE] = [1, 4, 5];
  const [UNDEFINED, TRUE, FALSE] = [1 << 3, 2 << 3, 3 << 3];
  const [BIGINT, DATE, PART] = [0 << 3 | 6, 1 << 3 | 6, 2 << 3 | 6];
  const [MAP, SET, AGAIN] = [4 << 3 | 6, 5 << 3 | 6, 6 << 3 | 6];
  const BYTES = 7 << 3 | 6;
  // Characters of a text that goes with the others. Both engines keep all of
  // the joined text alive as long as a part of it of 13 characters or more is.
  const MOST_TEXT = 256;
  // Codes and doubles to keep room for, between two messages.
  const ROOM = 1 << 12;
  const MOST_ROOM = 1 << 18;
  // The same of doubles: to grow anew for a thousand typed arrays of 1 kB in each
  // message took Deno and Bun two to three times as long as all else.
  const MOST_DOUBLES = 1 << 19;

  const Bytes = Uint8Array; // as user code may change its globals
  const { set } = Bytes.prototype;
  let bigints: BigInt64Array | undefined;
  let bytesOfNumbers: Uint8Array | undefined;
  let text = "";
  let parts: unknown[] = [];
  let shapes: string[] = [];
  const keyIds = new Map<string, number>();
  let lastList = 0; // its index in the parts
  let left = 0; // bytes of the parts
  // What there was before the value at hand.
  let [start, startOfNumbers, partsBefore, leftBefore] = [0, 0, 0, 0];
  let textBefore = "";

  /** A copy with room for as many codes. */
  function grown(codes: Int32Array, most: number) {
    let { length } = codes;
    while (length < most) length *= 2;
    const copy = new Int32Array(length);
    copy.set(codes);
    return copy;
  }

  function isEach(code: number): boolean {
    const { values, count } = output;
    for (let i = 0; i < count; i++) if (values[i] !== code) return false;
    return true;
  }

  function writeDouble(value: number): void {
    const at = output.numbersAt++;
    if (at === output.numbers.length) output.growNumbers();
    output.numbers[at] = value;
  }

  function writeBigint(value: bigint): number {
    writeDouble(0);
    const { numbers, numbersAt } = output;
    if (bigints?.buffer !== numbers.buffer) {
      bigints = new BigInt64Array(numbers.buffer);
    }
    bigints[numbersAt - 1] = value;
    if (bigints[numbersAt - 1] === value) return BIGINT;
    throw new RangeError("a bigint of more than 64 bits");
  }

  function leave(part: unknown, bytes: number): number {
    parts.push(part);
    left += bytes;
    return PART;
  }

  function leaveList(list: unknown[], bytes: number): number {
    if (parts[lastList] !== list) {
      lastList = parts.length;
      return leave(list, bytes);
    }
    left += bytes;
    const at = output.reserve(1);
    output.codes[at] = lastList;
    return AGAIN;
  }

  function writeText(part: string): number {
    if (part.length > MOST_TEXT) return leave(part, part.length);
    text += part; // both engines join it at the end, at once
    return part.length << 3 | TEXT;
  }

  function writePart(part: unknown, spot: Spot): number {
    if (typeof part === "string") return writeText(part);
    if (typeof part === "number") {
      const shifted = part << 3;
      if (shifted >> 3 === part && (part !== 0 || 1 / part > 0)) {
        return shifted | WHOLE;
      }
      writeDouble(part);
      return DOUBLE;
    }
    if (typeof part === "object") return part ? writeObject(part, spot) : 0;
    if (typeof part === "boolean") return part ? TRUE : FALSE;
    if (part === undefined) return UNDEFINED;
    if (typeof part === "bigint") return writeBigint(part);
    throw new TypeError("a function or a symbol");
  }

  function writeAll(parts: unknown[], spot: Spot): void {
    const { length } = parts;
    const first = output.reserve(length);
    for (let i = 0; i < length; i++) {
      const code = writePart(parts[i], spot);
      output.codes[first + i] = code; // only now: it may have grown
    }
  }

  function clear(): void {
    output.at =
      output.numbersAt =
      output.count =
      left =
        0;
    text = textBefore = "";
    parts = [];
    shapes = [];
    keyIds.clear();
    if (output.codes.length > MOST_ROOM) output.codes = new Int32Array(ROOM);
    if (output.values.length > MOST_ROOM) output.values = new Int32Array(ROOM);
    if (output.numbers.length > MOST_DOUBLES) {
      bytesOfNumbers = bigints = undefined;
      output.numbers = new Float64Array(ROOM);
    }
  }

  const output: RecordOutput = {
    values: new Int32Array(ROOM),
    count: 0,
    growValues(more) {
      const most = output.count + more;
      if (most > output.values.length) {
        output.values = grown(output.values, most);
      }
    },
    codes: new Int32Array(ROOM),
    at: 0,
    grow() {
      output.codes = grown(output.codes, output.at);
    },
    numbers: new Float64Array(ROOM),
    numbersAt: 0,
    growNumbers() {
      let { length } = output.numbers;
      while (length < output.numbersAt) length *= 2;
      const numbers = new Float64Array(length);
      numbers.set(output.numbers);
      output.numbers = numbers;
    },
    reserve(count) {
      const first = output.at;
      output.at = first + count;
      if (output.at > output.codes.length) output.grow();
      return first;
    },
    writePart,
    writeText,
    writeAll,
    writeMap({ isMap, parts }, spot) {
      const at = output.reserve(1);
      output.codes[at] = parts.length;
      writeAll(parts, spot);
      return isMap ? MAP : SET;
    },
    writeDate(ms) {
      writeDouble(ms);
      return DATE;
    },
    writeBytes({ kind, bytes, size }) {
      const at = output.reserve(2);
      output.codes[at] = kind;
      output.codes[at + 1] = size;
      const first = output.numbersAt;
      output.numbersAt += (size + 7) >> 3;
      if (output.numbersAt > output.numbers.length) output.growNumbers();
      const { numbers } = output;
      numbers[output.numbersAt - 1] = 0; // nothing of an earlier message
      if (bytesOfNumbers?.buffer !== numbers.buffer) {
        bytesOfNumbers = new Bytes(numbers.buffer);
      }
      set.call(bytesOfNumbers, bytes, 8 * first);
      return BYTES;
    },
    leave,
    leaveList,
    keyId(key) {
      let id = keyIds.get(key);
      if (id === undefined) keyIds.set(key, id = keyIds.size);
      return id;
    },
    keyCount: () => keyIds.size,
    addShape: (text) => shapes.push(text) - 1,
    begin() {
      start = output.at;
      startOfNumbers = output.numbersAt;
      textBefore = text;
      partsBefore = parts.length;
      leftBefore = left;
    },
    goBack() {
      output.at = start;
      output.numbersAt = startOfNumbers;
      text = textBefore;
      parts.length = partsBefore;
      left = leftBefore;
    },
    bytes: () =>
      text.length + 8 * (output.count + output.at + output.numbersAt) + left,
    take(flat) {
      const { values, count } = output;
      const alike = flat !== undefined && isEach(flat);
      const all = values.subarray(0, alike ? 1 : count);
      const codes = new Int32Array(all.length + output.at);
      codes.set(all);
      codes.set(output.codes.subarray(0, output.at), all.length);
      const numbers = output.numbers.buffer.slice(
        0,
        8 * output.numbersAt,
      ) as ArrayBuffer;
      const keys = [...keyIds.keys()];
      const { buffer } = codes;
      const rest = { numbers, text, parts, shapes, keys };
      const records = { count, alike, codes: buffer, ...rest };
      const bytes = output.bytes() - 8 * (count - all.length);
      return { records, bytes };
    },
    clear,
  };
  return output;
}
