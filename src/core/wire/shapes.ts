/**
 * Learns which keys objects have, and in which order: those of one program have
 * few such shapes, and what has a known one is written without its keys, by
 * code made for it.
 *
 * @module
 */

import type { RecordOutput } from "./record_output.ts";

/** The keys of objects, in their order. */
export interface Shape {
  keys: string[];
  /** The keys as JSON. */
  text: string;
  /**
   * Writes what the keys of an object hold, whose shape this is.
   *
   * @throws If the object is not one to be written.
   */
  write(fields: Record<string, unknown>): void;
  /** Number of the message that it was last in, and its number there. */
  message: number;
  id: number;
}

/** A place in records, and what stood there: mostly the same again. */
export interface Spot {
  /** The last shape. */
  shape: Shape | undefined;
  /** What is in the lists and the dictionaries that stand here. */
  inner: Spot | undefined;
  /** The keys of the objects here, as a tree. */
  root: Key;
  /** How many keys are in it. */
  keys: number;
  /** For how many objects nothing is learned. */
  rest: number;
}

/** A key after those above it. */
interface Key {
  key: string;
  /** The first of the keys that came after it. */
  child: Key | undefined;
  /** Another key that came after the same. */
  sibling: Key | undefined;
  /** How many objects ended here. */
  seen: number;
  shape: Shape | undefined;
}

/** Learns shapes. */
export interface Shapes {
  /** The spot of whole values. */
  top(): Spot;
  /** A spot of which nothing is known. */
  spot(): Spot;
  /**
   * Finds the shape of an object.
   *
   * @param value A plain object.
   * @param spot Where it stands.
   * @returns Undefined for a dictionary, and while it is too early to say.
   */
  find(value: object, spot: Spot): Shape | undefined;
}

/**
 * Makes what learns. Self-contained: workers get this function by its source.
 *
 * @param output What records are written to.
 * @param checkClass Throws for an object that is not plain, nor like one.
 * @returns What learns.
 */
export function createShapes(
  output: RecordOutput,
  checkClass: (value: object, proto: object | null) => void,
): Shapes {
  // Objects of a shape until code is made for it, which takes as long as to
  // write some fifty objects (bench/packing.ts).
  const WARM = 4;
  // An object with more keys is rather a dictionary, …
  const MOST_KEYS = 64;
  // … and so is what stands where so many keys came after the same one, or so
  // many in all.
  const MOST_SIBLINGS = 32;
  const MOST_NODES = 500;
  // Dictionaries until their spot is looked at again.
  const REST = 10_000;
  // Shapes to keep: more than any program should have.
  const MOST_SHAPES = 500;

  // As user code may change its globals.
  const { getPrototypeOf, keys: keysOf, prototype: plain } = Object;
  const { writePart } = output;
  const shapes = new Map<string, Shape>();
  let top = spot();

  function spot(): Spot {
    return {
      shape: undefined,
      inner: undefined,
      root: keyAfter("", undefined),
      keys: 0,
      rest: 0,
    };
  }

  function keyAfter(key: string, sibling: Key | undefined): Key {
    return { key, child: undefined, sibling, seen: 0, shape: undefined };
  }

  function find(value: object, spot: Spot): Shape | undefined {
    if (spot.rest > 0) {
      spot.rest--;
      return undefined;
    }
    let at = spot.root;
    let count = 0;
    for (const key in value) {
      let next = at.child;
      let siblings = 0;
      while (next !== undefined && next.key !== key) {
        next = next.sibling;
        siblings++;
      }
      if (next === undefined) {
        const index = key.charCodeAt(0) >= 48 && key.charCodeAt(0) <= 57;
        const most = siblings === MOST_SIBLINGS || spot.keys === MOST_NODES;
        if (index || most || count === MOST_KEYS) {
          spot.shape = undefined;
          spot.root = keyAfter("", undefined);
          spot.keys = 0;
          spot.rest = REST;
          return undefined;
        }
        next = at.child = keyAfter(key, at.child);
        spot.keys++;
      }
      at = next;
      count++;
    }
    if (at.shape !== undefined) return spot.shape = at.shape;
    if (count === 0 || ++at.seen < WARM) return undefined;
    return spot.shape = at.shape = shapeOf(keysOf(value));
  }

  function shapeOf(keys: string[]): Shape {
    const text = JSON.stringify(keys);
    let shape = shapes.get(text);
    if (shape === undefined) {
      shape = { keys, text, write: compile(keys), message: 0, id: 0 };
      if (shapes.size === MOST_SHAPES) {
        shapes.clear();
        top = spot();
      }
      shapes.set(text, shape);
    }
    return shape;
  }

  /** Spells out every key: engines are fastest at what is written so. */
  function compile(keys: string[]): Shape["write"] {
    const spots = keys.map(spot);
    const count = keys.length;
    const each = (write: (i: number) => string) =>
      keys.map((_, i) => write(i)).join("\n");
    const read = (i: number) => `fields[${JSON.stringify(keys[i])}]`;
    const scope = { output, spots, checkClass, getPrototypeOf, plain };
    try {
      return new Function(
        "{ output, spots, checkClass, getPrototypeOf, plain }",
        `const { writePart, writeText } = output;
        const [${each((i) => `spot${i},`)}] = spots;
        return (fields) => {
          const first = output.at;
          output.at = first + ${count};
          if (output.at > output.codes.length) output.grow();
          let part;
          ${
          each((i) =>
            `part = ${read(i)};
            const code${i} = typeof part === "string"
              ? writeText(part)
              : typeof part === "number" && part << 3 >> 3 === part && part !== 0
              ? part << 3 | 4
              : writePart(part, spot${i});`
          )
        }
          const proto = getPrototypeOf(fields);
          if (proto !== plain) checkClass(fields, proto);
          const { codes } = output;
          ${each((i) => `codes[first + ${i}] = code${i};`)}
        };`,
      )(scope);
    } catch {
      // No code may be made of texts here (Content Security Policy).
      return (fields) => {
        const first = output.at;
        output.at = first + count;
        if (output.at > output.codes.length) output.grow();
        const proto = getPrototypeOf(fields);
        if (proto !== plain) checkClass(fields, proto);
        for (let i = 0; i < count; i++) {
          const code = writePart(fields[keys[i]!], spots[i]!);
          output.codes[first + i] = code; // only now: it may have grown
        }
      };
    }
  }

  return { top: () => top, spot, find };
}
