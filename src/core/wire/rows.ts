/**
 * Plain objects of one shape as columns, field by field: structured clone
 * writes and reads every key of every object, which takes 4 to 12 times longer.
 *
 * @module
 */

import type { Column, ColumnPacking, PackedPart } from "./columns.ts";

/** Objects of one shape. */
export interface Rows {
  as: "rows";
  /** Their keys, in order. */
  keys: string[];
  /** What the keys hold, in the same order. */
  fields: Field[];
  /** How many objects. */
  count: number;
}

/** One field of all objects: also objects of one shape, or any primitives. */
export type Field = Column | Rows | { as: "primitives"; values: unknown[] };

/** Packs and unpacks. */
export interface RowPacking {
  /**
   * Packs objects.
   *
   * @param values A list, at least one.
   * @returns Undefined when structured clone has to take the values.
   */
  pack(values: ArrayLike<unknown>): PackedPart<Rows> | undefined;
  /** Undoes `pack`. */
  unpack(rows: Rows): unknown[];
}

/**
 * Makes the packing. Self-contained: workers get this function by its source.
 *
 * What arrives is what structured clone gives. Packed are only objects whose
 * prototype is `Object.prototype`, that have the same keys in the same order,
 * and in them primitives, or one level down the same again. Left to clone are
 * arrays, instances, null prototypes, functions, symbols, one object in two
 * fields of a value, and `__proto__` and integer keys (`arguments` has those).
 *
 * Two values of a chunk that share a part do not share it on the other side;
 * with clone that depended on which tasks happened to be in one chunk. A Proxy
 * of a plain object, which clone refuses, is refused only when it is the first:
 * nothing in the language tells it from its target, and node:util takes 20 ns a
 * value, a third of all packing.
 *
 * @param columns For fields of one type.
 * @returns The packing.
 */
export function createRows(columns: ColumnPacking): RowPacking {
  // Objects with more keys are rather dictionaries, each with keys of its own.
  const MOST_KEYS = 32;
  // Compiled shapes to keep: more than any run should have.
  const MOST_SHAPES = 200;
  // Values to leave to clone for each one that was read in vain: inputs of many
  // shapes then lose less than a hundredth of their time.
  const PENALTY = 16;

  /** Turns objects into one list a field, and back. */
  type Shape = {
    split(values: ArrayLike<unknown>): unknown[][];
    join(lists: ArrayLike<unknown>[], count: number): unknown[];
  };

  const shapes = new Map<string, Shape>();
  const plain = Object.prototype;
  const { getPrototypeOf } = Object; // as user code may change its globals
  let reads = 0;
  let owed = 0;

  function isPlain(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null &&
      getPrototypeOf(value) === plain;
  }

  function isPrimitive(value: unknown): boolean {
    if (typeof value === "object") return value === null;
    return typeof value !== "function" && typeof value !== "symbol";
  }

  /** How many values, from the first on, have these keys in this order. */
  function countAlike(values: ArrayLike<unknown>, keys: string[]): number {
    for (let row = 0; row < values.length; row++) {
      const value = values[row];
      if (!isPlain(value)) return row;
      let at = 0;
      // Both engines answer this from the layout of the object.
      for (const key in value) if (key !== keys[at++]) return row;
      if (at !== keys.length) return row;
    }
    return values.length;
  }

  function packRows(
    values: ArrayLike<unknown>,
    nested: boolean,
  ): PackedPart<Rows> | undefined {
    const first = values[0];
    if (!isPlain(first)) return undefined;
    const keys = Object.keys(first);
    if (keys.length === 0 || keys.length > MOST_KEYS) return undefined;
    // In the literal that makes an object, the one would set the prototype.
    // The others come first whatever the order, and are those of a dictionary.
    if (keys.some((key) => key === "__proto__" || /^\d+$/.test(key))) {
      return undefined;
    }
    // Most lists that are not for here show it at once.
    for (const key of keys) {
      const field = first[key];
      if (!isPrimitive(field) && (nested || !isPlain(field))) return undefined;
    }
    const count = countAlike(values, keys);
    reads += count;
    if (count < values.length) return undefined;
    const lists = shape(keys).split(values);
    if (sharesParts(lists)) return undefined;
    const fields: Field[] = [];
    const buffers: ArrayBuffer[] = [];
    let bytes = 0;
    for (const list of lists) {
      const load = columns.pack(list) ?? packPrimitives(list) ??
        (nested ? undefined : packRows(list, true));
      if (load === undefined) return undefined;
      fields.push(load.packed);
      buffers.push(...load.buffers);
      bytes += load.bytes;
    }
    return { packed: { as: "rows", keys, fields, count }, buffers, bytes };
  }

  /** Whether a value holds one object twice, which has to stay one. */
  function sharesParts(lists: unknown[][]): boolean {
    const parts = lists.filter(([first]) => isPlain(first));
    return parts.some((list, i) =>
      parts.slice(i + 1).some((other) =>
        other.some((part, row) => part === list[row])
      )
    );
  }

  function packPrimitives(list: unknown[]): PackedPart<Field> | undefined {
    const values: unknown[] = []; // dense: see packing.ts
    let bytes = 0;
    for (const value of list) {
      if (!isPrimitive(value)) return undefined;
      values.push(value);
      bytes += typeof value === "string" ? value.length : 8;
    }
    return { packed: { as: "primitives", values }, buffers: [], bytes };
  }

  function pack(values: ArrayLike<unknown>): PackedPart<Rows> | undefined {
    if (owed > 0) {
      owed -= values.length;
      return undefined;
    }
    // What is there would be read in every object, and not be its own.
    if (Object.keys(plain).length > 0) return undefined;
    reads = 0;
    try {
      const load = packRows(values, false);
      if (load !== undefined) {
        structuredClone(values[0]); // throws for a Proxy, see above
        return load;
      }
    } catch {
      // A getter threw, or there was a Proxy: clone tells which, and why.
    }
    owed = PENALTY * reads;
    return undefined;
  }

  function shape(keys: string[]): Shape {
    const name = JSON.stringify(keys);
    let found = shapes.get(name);
    if (found === undefined) {
      if (shapes.size >= MOST_SHAPES) shapes.clear();
      found = compile(keys);
      shapes.set(name, found);
    }
    return found;
  }

  /** Spells out every key: engines are fastest at what is written so. */
  function compile(keys: string[]): Shape {
    const each = (write: (key: string, list: string) => string) =>
      keys.map((key, i) => write(JSON.stringify(key), `list${i}`)).join();
    const lists = each((_, list) => list);
    return new Function(`return {
      split(values) {
        const count = values.length;
        const lists = [${each(() => "new Array(count)")}];
        const [${lists}] = lists;
        for (let row = 0; row < count; row++) {
          const value = values[row];
          ${each((key, list) => `${list}[row] = value[${key}]`)};
        }
        return lists;
      },
      join([${lists}], count) {
        const values = new Array(count);
        for (let row = 0; row < count; row++) {
          values[row] = { ${each((key, list) => `${key}: ${list}[row]`)} };
        }
        return values;
      },
    };`)();
  }

  function unpack({ keys, fields, count }: Rows): unknown[] {
    return shape(keys).join(fields.map(unpackField), count);
  }

  function unpackField(field: Field): ArrayLike<unknown> {
    if (field.as === "primitives") return field.values;
    return field.as === "rows" ? unpack(field) : columns.unpack(field);
  }

  return { pack, unpack };
}
