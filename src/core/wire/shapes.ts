/**
 * Learns which keys objects have, and in which order: those of one program have
 * few such shapes, and what has a known one is written without its keys, by
 * code made for it.
 *
 * @module
 */

import type { Compiler } from "./compiler.ts";
import type { Layouts } from "./layouts.ts";
import type { RecordKinds } from "./record_kinds.ts";
import type { RecordOutput } from "./record_output.ts";

/** The keys of objects, in their order. */
export interface Shape {
  keys: string[];
  /** Which of them have held nothing but whole numbers of 32 bits so far. */
  wholes: number[];
  /** Which of the others have held nothing but numbers: their offsets, too. */
  numbers: number[];
  /** Whether that is all of them. */
  flat: boolean;
  /** The first three as JSON. */
  text: string;
  /**
   * Writes what the keys of an object hold, whose shape this is.
   *
   * @returns Undefined if it was written. Else nothing was: a key that held
   * numbers so far, or whole ones, holds something else. Then it is what all keys
   * hold.
   * @throws If the object is not one to be written.
   */
  write(fields: Fields): unknown[] | undefined;
  /** The same for what was read of an object, and has its numbers. */
  writeParts(parts: unknown[]): void;
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
  /** The layouts of those, on V8. */
  layouts: Layouts | undefined;
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

type Fields = Record<string, unknown>;

/** What throws for an object that is not plain, nor like one; and makes code. */
export type ShapeParts =
  & Pick<RecordKinds, "checkClass">
  & { createLayouts(): Layouts }
  & Compiler;

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
  /**
   * Says of a dictionary whether it is best read into an object that hashes its
   * keys.
   *
   * @param keys Its keys.
   * @param spot Where it stands.
   * @returns 1 if so, else 0.
   */
  hashes(keys: string[], spot: Spot): 0 | 1;
  /**
   * Learns which keys of a shape do not always hold numbers, or whole ones.
   *
   * @param shape The shape: it is changed.
   * @param parts What they hold in one of its objects.
   */
  widen(shape: Shape, parts: unknown[]): void;
}

/**
 * Makes what learns. Self-contained: workers get this function by its source.
 *
 * @param output What records are written to.
 * @param parts What it needs beside that.
 * @returns What learns.
 */
export function createShapes(
  output: RecordOutput,
  { checkClass, createLayouts, compile, isV8 }: ShapeParts,
): Shapes {
  // Objects of a shape until code is made for it, which takes as long as to
  // write some fifty objects (bench/micro/records.ts).
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
  const { getOwnPropertyDescriptor: descriptorOf } = Object;
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
      layouts: undefined,
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
    return spot.shape = at.shape = shapeOf(value);
  }

  function shapeOf(fields: object): Shape {
    const keys = keysOf(fields);
    const name = textOf(keys);
    let shape = shapes.get(name);
    if (shape === undefined) {
      // Without a call of getters, which clone reads once.
      const held = keys.map((key) => descriptorOf(fields, key)?.value);
      const all = [...keys.keys()];
      shape = { keys, ...madeFor(keys, held, all), message: 0, id: 0 };
      if (shapes.size === MOST_SHAPES) {
        shapes.clear();
        top = spot();
      }
      shapes.set(name, shape);
    }
    return shape;
  }

  /**
   * As engines keep small ones in an object, and not -0. A key that arrived as a
   * double would have V8 move all objects that begin with the same keys, those
   * of the caller too, to another layout, and compile what reads them again and
   * again: maps on Deno 2.9.5 took twice the CPU.
   */
  function isWhole(part: unknown): boolean {
    return typeof part === "number" && (part | 0) === part &&
      (part !== 0 || 1 / part > 0);
  }

  /** As JSON, one by one: a list would be asked for a `toJSON` of the user's. */
  function textOf(keys: string[]): string {
    return `[${keys.map((key) => JSON.stringify(key))}]`;
  }

  /** Makes the code for keys, of which these may hold whole numbers. */
  function madeFor(
    keys: string[],
    held: unknown[],
    mayBeWhole: number[],
    mayBeNumber = mayBeWhole,
  ) {
    const wholes = mayBeWhole.filter((i) => isWhole(held[i]));
    const numbers = mayBeNumber.filter((i) =>
      typeof held[i] === "number" && !wholes.includes(i)
    );
    const text = `[${textOf(keys)},[${wholes}],[${numbers}]]`;
    const flat = wholes.length + numbers.length === keys.length;
    const made = writersFor(keys, wholes, numbers);
    return { wholes, numbers, flat, text, ...made };
  }

  function widen(shape: Shape, parts: unknown[]): void {
    const { keys, wholes } = shape;
    const numbers = [...wholes, ...shape.numbers].sort((a, b) => a - b);
    const made = madeFor(keys, parts, wholes, numbers);
    // In this message it is another one from here on.
    Object.assign(shape, made, { message: 0 });
  }

  function writersFor(keys: string[], wholes: number[], numbers: number[]) {
    const spots = keys.map(spot);
    const known = new Set([...wholes, ...numbers]);
    const others = [...keys.keys()].filter((i) => !known.has(i));

    function writeParts(parts: unknown[]): void {
      let at = output.numbersAt;
      output.numbersAt = at + numbers.length;
      if (output.numbersAt > output.numbers.length) output.growNumbers();
      for (const i of numbers) output.numbers[at++] = parts[i] as number;
      let next = output.reserve(wholes.length + others.length);
      for (const i of wholes) output.codes[next++] = parts[i] as number;
      for (const i of others) {
        const code = writePart(parts[i], spots[i]!);
        output.codes[next++] = code; // only now: it may have grown
      }
    }

    const unwritten = (...parts: unknown[]) => parts;
    const scope = {
      output,
      spots,
      unwritten,
      checkClass,
      getPrototypeOf,
      plain,
    };
    const code = writerCode(keys, wholes, numbers, others);
    const write = compile(code, scope) as Shape["write"] ?? ((fields) => {
      const proto = getPrototypeOf(fields);
      if (proto !== plain) checkClass(fields, proto);
      const parts = keys.map((key) => fields[key]);
      if (numbers.some((i) => typeof parts[i] !== "number")) return parts;
      if (!wholes.every((i) => isWhole(parts[i]))) return parts;
      return void writeParts(parts);
    });
    return { write, writeParts };
  }

  /** Spells out every key: engines are fastest at what is written so. */
  function writerCode(
    keys: string[],
    wholes: number[],
    numbers: number[],
    others: number[],
  ) {
    const each = (
      offsets: Iterable<number>,
      write: (i: number, at: number) => string,
    ) => Array.from(offsets, write).join("\n");
    return `const { writePart, writeText } = output;
      const [${each(keys.keys(), (i) => `spot${i},`)}] = spots;
      return (fields) => {
        ${
      each(keys.keys(), (i) =>
        `const part${i} = fields[${JSON.stringify(keys[i])}];`)
    }
        const proto = getPrototypeOf(fields); // V8 is faster when it is asked last
        if (proto !== plain) checkClass(fields, proto);
        if (${
      numbers.concat(wholes).map((i) => `typeof part${i} !== "number"`)
        .concat(wholes.map((i) =>
          `(part${i} | 0) !== part${i} || part${i} === 0 && 1 / part${i} < 0`
        )).join(" || ") || false
    }) {
          return unwritten(${keys.map((_, i) => `part${i}`)});
        }
        const firstNumber = output.numbersAt;
        output.numbersAt = firstNumber + ${numbers.length};
        if (output.numbersAt > output.numbers.length) output.growNumbers();
        const { numbers } = output;
        ${each(numbers, (i, at) => `numbers[firstNumber + ${at}] = part${i};`)}
        const first = output.at;
        output.at = first + ${wholes.length + others.length};
        if (output.at > output.codes.length) output.grow();
        ${
      each(others, (i) =>
        `const code${i} = typeof part${i} === "string"
          ? writeText(part${i})
          : writePart(part${i}, spot${i});`)
    }
        const { codes } = output;
        ${each(wholes, (i, at) => `codes[first + ${at}] = part${i};`)}
        ${
      each(
        others,
        (i, at) => `codes[first + ${wholes.length + at}] = code${i};`,
      )
    }
      };`;
  }

  function hashes(keys: string[], spot: Spot): 0 | 1 {
    if (!isV8 || spot.rest === 0) return 0;
    return (spot.layouts ??= createLayouts()).areNew(keys) ? 1 : 0;
  }

  return { top: () => top, spot, find, hashes, widen };
}
