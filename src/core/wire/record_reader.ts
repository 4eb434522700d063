/**
 * Reads what `record_writer.ts` wrote: see `record_output.ts`.
 *
 * @module
 */

import type { Records } from "./record_output.ts";

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
 * @returns The reader.
 */
export function createRecordReader(): RecordReader {
  // Shapes to keep: more than any program should have.
  const MOST_SHAPES = 500;

  type Fields = Record<string, unknown>;
  type Make = () => Fields;
  // As user code may change its globals.
  const { defineProperty, entries, prototype: plain } = Object;
  const { getOwnPropertyDescriptors: descriptorsOf } = Object;
  const { isArray } = Array;
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
  /** Whether to set a key could do anything but that. */
  let strange = false;

  function readPart(code: number): unknown {
    const n = code >> 3;
    switch (code & 7) {
      case 1:
        return text.substring(textAt, textAt += n);
      case 2:
        return readList(n);
      case 3:
        return makes[n]!();
      case 4:
        return n;
      case 5:
        return input.numbers[input.numbersAt++];
      case 6:
        if (n === 0) return bigints[input.numbersAt++];
        if (n === 1) return new Date(input.numbers[input.numbersAt++]!);
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
    if (input.at > input.codes.length) {
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

  function readDictionary(length: number): Fields {
    const { codes } = input;
    const fields: Fields = {};
    let at = skip(2 * length);
    for (let i = 0; i < length; i++) {
      const id = codes[at++]!;
      const value = readPart(codes[at++]!);
      const key = keys[id]!;
      if (strange || key === "__proto__") define(fields, key, value);
      else fields[key] = value;
    }
    return fields;
  }

  function define(fields: Fields, key: string, value: unknown): void {
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
      const [keys, numbers]: unknown[] = JSON.parse(shape);
      if (!isArray(keys) || !isArray(numbers)) {
        throw new TypeError("A shape is no list");
      }
      make = compile(keys.map(String), new Set(numbers));
      if (makers.size === MOST_SHAPES) makers.clear();
      makers.set(shape, make);
    }
    return make;
  }

  /** Spells out every key: engines are fastest at what is written so. */
  function compile(keys: string[], numbers: Set<unknown>): Make {
    const count = keys.filter((_, i) => numbers.has(i)).length;
    let [at, numbersAt] = [0, 0];
    const fields = keys.map((key, i) => {
      // As a plain name in a literal, this one would set the prototype.
      const name = key === "__proto__" ? `["${key}"]` : JSON.stringify(key);
      return numbers.has(i)
        ? `${name}: numbers[firstNumber + ${numbersAt++}]`
        : `${name}: readPart(codes[first + ${at++}])`;
    });
    try {
      return new Function(
        "input",
        "skip",
        "readPart",
        `return () => {
          const first = ${at ? `skip(${at})` : 0};
          const { codes, numbers, numbersAt: firstNumber } = input;
          input.numbersAt = firstNumber + ${count};
          return { ${fields.join()} };
        };`,
      )(input, skip, readPart);
    } catch {
      // No code may be made of texts here (Content Security Policy).
      return () => {
        let next = skip(keys.length - count);
        let nextNumber = input.numbersAt;
        input.numbersAt += count;
        const made: Fields = {};
        for (let i = 0; i < keys.length; i++) {
          const value = numbers.has(i)
            ? input.numbers[nextNumber++]
            : readPart(input.codes[next++]!);
          define(made, keys[i]!, value);
        }
        return made;
      };
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
      strange = keys.length > 0 && isStrange();
      try {
        return readList(records.count);
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
