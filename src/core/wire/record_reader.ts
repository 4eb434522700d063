/**
 * Reads what `record_writer.ts` wrote: see `record_output.ts`.
 *
 * @module
 */

import type { Compiler } from "./compiler.ts";
import type { Records } from "./record_output.ts";
import type { Views } from "./views.ts";

/** Reads records. */
export interface RecordReader {
  /**
   * Reads values.
   *
   * @param records What was written.
   * @param left What structured clone took.
   * @returns The values.
   */
  read(records: Records, left: ArrayLike<unknown>): unknown[];
}

/**
 * Makes the reader. Self-contained: workers get this function by its source.
 *
 * Whatever the codes say, nothing but data is made of them: of a shape only
 * its keys get into code, each as a string literal.
 *
 * @param views Makes dates and typed arrays.
 * @param compiler Makes code.
 * @returns The reader.
 */
export function createRecordReader(
  views: Pick<Views, "dateOf" | "kinds" | "part">,
  { compile, isV8 }: Compiler,
): RecordReader {
  // Shapes to keep: more than any program should have.
  const MOST_SHAPES = 500;

  type Fields = Record<string, unknown>;
  interface Make {
    /** Makes the next object. */
    one(): Fields;
    /** Makes all values, if its keys hold numbers alone. */
    all: ((count: number) => Fields[]) | undefined;
  }
  // As user code may change its globals.
  const { defineProperty, entries, prototype: plain } = Object;
  const { getOwnPropertyDescriptors: descriptorsOf } = Object;
  const { isArray } = Array;
  const [MapClass, SetClass] = [Map, Set];
  const { slice } = ArrayBuffer.prototype;
  const { set: put } = Map.prototype;
  const { add } = Set.prototype;
  const makers = new Map<string, Make>();
  const input = {
    codes: new Int32Array(0),
    at: 0,
    numbers: new Float64Array(0),
    numbersAt: 0,
  };
  let bigints = new BigInt64Array(0);
  let text = "";
  let textAt = 0;
  let parts: unknown[] = [];
  let partAt = 0;
  let left: ArrayLike<unknown> = [];
  let leftAt = 0;
  let makes: Make[] = [];
  let keys: string[] = [];
  /** Whether to set a key could do anything but that; undefined if not asked. */
  let strange: boolean | undefined;

  function readPart(code: number): unknown {
    const n = code >> 3;
    switch (code & 7) {
      case 1:
        return text.substring(textAt, textAt += n);
      case 2:
        return readList(n);
      case 3:
        return makes[n]!.one();
      case 4:
        return n;
      case 5:
        return input.numbers[input.numbersAt++];
      case 6:
        if (n === 0) return bigints[input.numbersAt++];
        if (n === 1) return views.dateOf(input.numbers[input.numbersAt++]!);
        if (n === 7) return readBytes();
        if (n > 3) return n === 4 ? readMap() : n === 5 ? readSet() : again();
        return n === 2 ? parts[partAt++] : left[leftAt++];
      case 7:
        return readDictionary(n);
      default:
        if (n === 0) return null;
        return n === 1 ? undefined : n === 2;
    }
  }

  function skip(count: number): number {
    const first = input.at;
    input.at = first + count;
    if (count < 0 || input.at > input.codes.length) {
      throw new RangeError("Codes are missing");
    }
    return first;
  }

  function readList(length: number): unknown[] {
    const first = skip(length);
    const { codes } = input;
    const list: unknown[] = []; // dense: see packing.ts
    for (let i = 0; i < length; i++) list.push(readPart(codes[first + i]!));
    return list;
  }

  function readMap(): Map<unknown, unknown> {
    const items = readList(input.codes[skip(1)]!);
    const map = new MapClass<unknown, unknown>();
    for (let i = 0; i < items.length; i += 2) {
      put.call(map, items[i], items[i + 1]);
    }
    return map;
  }

  function readSet(): Set<unknown> {
    const items = readList(input.codes[skip(1)]!);
    const set = new SetClass<unknown>();
    for (let i = 0; i < items.length; i++) add.call(set, items[i]);
    return set;
  }

  function readBytes(): object {
    const { codes, numbers, numbersAt } = input;
    const at = skip(2);
    const [kind, bytes] = [codes[at]!, codes[at + 1]!];
    input.numbersAt = numbersAt + Math.ceil(bytes / 8);
    if (bytes < 0 || input.numbersAt > numbers.length) {
      throw new RangeError("Numbers are missing");
    }
    const { buffer } = numbers;
    const from = 8 * numbersAt;
    return kind === 0
      ? slice.call(buffer, from, from + bytes)
      : views.part(views.kinds[kind - 1]!, buffer, from, bytes);
  }

  /** Copies a list that came before, as no value may have it in common. */
  function again(): unknown[] {
    const list = parts[input.codes[skip(1)]!];
    if (!isArray(list)) throw new TypeError("A part is no list");
    const copy: unknown[] = [];
    for (let i = 0; i < list.length; i++) copy.push(list[i]);
    return copy;
  }

  /** Reads values that have one code, and nothing but numbers, each. */
  function readAlike(count: number): unknown[] {
    const { all } = makes[input.codes[skip(1)]! >> 3]!;
    if (all === undefined) throw new RangeError("Codes are missing");
    return all(count);
  }

  /**
   * An object without keys that hashes those it gets: V8 does so once one is
   * deleted that was not the last. If its keys are new each time, to learn a
   * layout with each takes 4 times as long (bench/micro/records.ts).
   */
  function hashing(): Fields {
    const fields: Fields = { first: 0, last: 0 };
    delete fields.first;
    delete fields.last;
    return fields;
  }

  function readDictionary(lengthAndBit: number): Fields {
    const { codes } = input;
    const length = lengthAndBit >> 1;
    const fields = isV8 && lengthAndBit & 1 ? hashing() : {};
    let at = skip(2 * length);
    for (let i = 0; i < length; i++) {
      const id = codes[at++]!;
      const value = readPart(codes[at++]!);
      set(fields, keys[id]!, value);
    }
    return fields;
  }

  function set(fields: Fields, key: string, value: unknown): void {
    if (!strange && key !== "__proto__") return void (fields[key] = value);
    const how = { value, enumerable: true, writable: true, configurable: true };
    defineProperty(fields, key, how);
  }

  /** Whether all objects have a setter, or a constant, beside `__proto__`. */
  function isStrange(): boolean {
    return entries(descriptorsOf(plain)).some(([key, { writable }]) =>
      !writable && key !== "__proto__"
    );
  }

  function makerOf(shape: string): Make {
    let make = makers.get(shape);
    if (make === undefined) {
      const [keys, wholes, numbers]: unknown[] = JSON.parse(shape);
      if (!isArray(keys) || !isArray(wholes) || !isArray(numbers)) {
        throw new TypeError("A shape is no list");
      }
      make = makeOf(keys.map(String), new Set(wholes), new Set(numbers));
      if (makers.size === MOST_SHAPES) makers.clear();
      makers.set(shape, make);
    }
    return make;
  }

  /** Spells out every key: engines are fastest at what is written so. */
  function makeOf(
    keys: string[],
    wholes: Set<unknown>,
    numbers: Set<unknown>,
  ): Make {
    // Where what a key holds is: `number`, `whole` or `code`, and at which place.
    const counts = { number: 0, whole: 0, code: 0 };
    const places = keys.map((_, i) => {
      const from = numbers.has(i) ? "number" : wholes.has(i) ? "whole" : "code";
      return { from, at: counts[from]++ } as const;
    });
    const codes = counts.whole + counts.code;
    const isFlat = counts.code === 0 && keys.length > 0;

    /** Makes room for the numbers of as many objects, and skips them. */
    function skipNumbers(objects: number): number {
      const first = input.numbersAt;
      input.numbersAt = first + objects * counts.number;
      if (input.numbersAt > input.numbers.length) {
        throw new RangeError("Numbers are missing");
      }
      return first;
    }

    const fields = keys.map((key, i) => {
      // As a plain name in a literal, this one would set the prototype.
      const name = key === "__proto__" ? `["${key}"]` : JSON.stringify(key);
      const { from, at } = places[i]!;
      if (from === "number") return `${name}: numbers[firstNumber + ${at}]`;
      return from === "whole"
        ? `${name}: codes[first + ${at}]`
        : `${name}: readPart(codes[first + ${counts.whole + at}])`;
    }).join();
    const text = `return [() => {
        const first = ${codes ? `skip(${codes})` : 0};
        const firstNumber = ${counts.number ? "skipNumbers(1)" : 0};
        const { codes, numbers } = input;
        return { ${fields} };
      }, (count) => {
        let first = skip(count * ${codes});
        let firstNumber = skipNumbers(count);
        const { codes, numbers } = input;
        const list = new Array(count);
        for (let i = 0; i < count; i++) {
          list[i] = { ${isFlat ? fields : ""} };
          first += ${codes};
          firstNumber += ${counts.number};
        }
        return list;
      }];`;
    const scope = { input, skip, skipNumbers, readPart };
    type Made = [Make["one"], Make["all"]];
    const [one, all] = compile(text, scope) as Made | undefined ??
      [oneByKeys, (count) => Array.from({ length: count }, oneByKeys)];
    return { one, all: isFlat ? all : undefined };

    function oneByKeys(): Fields {
      const first = skip(codes);
      const firstNumber = skipNumbers(1);
      const made: Fields = {};
      strange ??= isStrange();
      for (let i = 0; i < keys.length; i++) {
        const { from, at } = places[i]!;
        const value = from === "number"
          ? input.numbers[firstNumber + at]
          : from === "whole"
          ? input.codes[first + at]
          : readPart(input.codes[first + counts.whole + at]!);
        set(made, keys[i]!, value);
      }
      return made;
    }
  }

  return {
    read(records, others) {
      input.codes = new Int32Array(records.codes);
      input.numbers = new Float64Array(records.numbers);
      input.at = input.numbersAt = 0;
      textAt = partAt = leftAt = 0;
      bigints = new BigInt64Array(records.numbers);
      ({ text, parts } = records);
      left = others;
      makes = records.shapes.map(makerOf);
      keys = records.keys.map(String);
      strange = keys.length > 0 ? isStrange() : undefined;
      try {
        const { alike, count } = records;
        return alike ? readAlike(count) : readList(count);
      } finally {
        text = "";
        parts = keys = [];
        left = [];
        makes = [];
        input.codes = new Int32Array(0);
        input.numbers = new Float64Array(0);
        bigints = new BigInt64Array(0);
      }
    },
  };
}
