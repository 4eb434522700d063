/**
 * Writes values of any shape as codes. Structured clone writes and reads the
 * name of every key of every object, and takes two to four times as long.
 *
 * @module
 */

import type { Inspector } from "./inspection.ts";
import type { RecordKinds } from "./record_kinds.ts";
import type { RecordOutput, Records } from "./record_output.ts";
import type { Shape, Shapes, Spot } from "./shapes.ts";
import type { Sharing } from "./sharing.ts";

/** Values that were written, and what was not. */
export interface Written {
  records: Records;
  /** Values that are left to structured clone. */
  left: unknown[];
  /** Their offsets. */
  offsets: number[];
  /** Size in bytes, roughly, as if the values were cloned. */
  bytes: number;
}

/** Writes records. */
export interface RecordWriter {
  /**
   * Writes values.
   *
   * @param values A list.
   * @param without Offsets to leave out.
   * @returns Undefined when structured clone has to take all of the values.
   */
  write(
    values: ArrayLike<unknown>,
    without?: ReadonlyMap<number, unknown>,
  ): Written | undefined;
}

/** What the writer is made of. */
export interface WriterParts {
  createRecordOutput(
    writeObject: (part: object, spot: Spot) => number,
  ): RecordOutput;
  createShapes(
    output: RecordOutput,
    checkClass: (value: object, proto: object | null) => void,
  ): Shapes;
  createSharing(): Sharing;
  createRecordKinds(inspector: Inspector): RecordKinds;
}

/** What tells a Proxy: nothing in the language does. */
export interface Types {
  isProxy(value: unknown): boolean;
}

/**
 * Makes the writer. Self-contained: workers get this function by its source.
 *
 * What arrives is what structured clone gives. Written are primitives, dense
 * arrays, plain objects, instances of the user's classes, and dates; parts that
 * hold no object, as buffers and most maps do, are cloned beside these. A value
 * that holds anything else, is deep, or holds one object twice, is left to clone
 * alone. If that is every fourth value, or if keys never come again, then all of
 * them are left, and for a while nothing is tried.
 *
 * Two values that share a part do not share it on the other side; with clone,
 * that depends on which tasks happen to be in one chunk. A large part that is
 * shared is left to clone all the same, which writes it once. An object of
 * another kind that was given the prototype of a plain one arrives as that, if
 * it has keys.
 *
 * @param parts Makes what it writes with.
 * @param about Says what an object is; and loads what tells a Proxy. Nothing is
 * written before that is there, nor where it never is.
 * @returns The writer.
 */
export function createRecordWriter(
  parts: WriterParts,
  about: { inspector: Inspector; loadTypes(): Promise<Types> },
): RecordWriter {
  const [LIST, OBJECT, DICTIONARY] = [2, 3, 7];
  const UNDEFINED = 1 << 3;
  const LEFT = 3 << 3 | 6;
  // Elements of a list whose keys are looked at. To list the keys of an array
  // takes Bun 1.4.5 30 ns an element, as long as to clone it.
  const MOST_ELEMENTS = 16;
  // Longer arrays may be sparse: they are not read to the end.
  const LONGEST = 100_000;
  // Bytes of a part that nobody has looked at, roughly.
  const UNKNOWN = 8;
  // Levels of a value.
  const DEEPEST = 24;
  // Values that may be left at any rate, and the share of those that were read.
  const FEW_LEFT = 16;
  const MOST_LEFT = 1 / 4;
  // Keys of dictionaries until it is asked how many come again, and the share
  // of new ones.
  const MANY_KEYS = 512;
  const MOST_NEW = 3 / 4;
  // Values to leave to clone for each one that was read in vain: inputs that
  // are not for here then lose a hundredth of their time at most.
  const PENALTY = 64;
  // Kept here, as user code may change its globals.
  const { getPrototypeOf, keys: keysOf, prototype: plain } = Object;
  const { isArray } = Array;
  /** Thrown: the value that is read is for clone. */
  const NOT_HERE = new Error();

  const output = parts.createRecordOutput(writeObject);
  const kinds = parts.createRecordKinds(about.inspector);
  const shapes = parts.createShapes(output, kinds.checkClass);
  let message = 0;

  const sharing = parts.createSharing();
  let level = 0; // of the part at hand
  let written = false; // the last value
  // What the keys of the next value hold, if it was read; null if that failed.
  let ahead: unknown[] | null | undefined;

  let isProxy: Types["isProxy"] | undefined;
  let [asked, busy] = [false, false];
  let owed = 0;
  // Keys of dictionaries in this message and some before it, and how many of
  // those were new in theirs.
  let [keysRead, keysBefore] = [0, 0];

  /** Writes an object; what its keys hold may have been read already. */
  function writeObject(part: object, spot: Spot, read?: unknown[]): number {
    if (isProxy!(part)) throw NOT_HERE;
    const order = sharing.meet(part);
    if (order < 0) return output.leave(part, UNKNOWN);
    if (++level > DEEPEST) throw NOT_HERE;
    const first = output.at + output.numbersAt;
    const { shape } = spot;
    const code = read !== undefined
      ? writeFields(part, shape!, read)
      : isArray(part)
      ? writeList(part, spot)
      : shape !== undefined && fits(part, shape)
      ? writeFields(part, shape)
      : writeOther(part, spot);
    level--;
    sharing.note(part, order, output.at + output.numbersAt - first);
    return code;
  }

  function writeFields(part: object, shape: Shape, read?: unknown[]): number {
    let id = idOf(shape); // now: what is inside may change the shape
    const unwritten = read ?? shape.write(part as Record<string, unknown>);
    if (unwritten !== undefined) {
      shapes.widen(shape, unwritten);
      id = idOf(shape);
      shape.writeParts(unwritten);
    }
    return id << 3 | OBJECT;
  }

  /** The number of a shape in this message. */
  function idOf(shape: Shape): number {
    if (shape.message !== message) {
      shape.message = message;
      shape.id = output.addShape(shape.text);
    }
    return shape.id;
  }

  /** Writes what is of another shape than the last object that stood there. */
  function writeOther(part: object, spot: Spot): number {
    const proto = getPrototypeOf(part);
    const ms = kinds.timeOf(part, proto);
    if (ms !== undefined) return output.writeDate(ms);
    if (proto !== plain) {
      if (kinds.isWhole(part, level)) {
        // Never what the part itself says of its size: it may say anything.
        return output.leave(part, about.inspector.inspect(part).bytes);
      }
      kinds.checkClass(part, proto);
    }
    const shape = shapes.find(part, spot);
    return shape === undefined
      ? writeDictionary(part as Record<string, unknown>, spot)
      : writeFields(part, shape);
  }

  function fits(part: object, { keys }: Shape): boolean {
    let at = 0;
    // Both engines answer this from the layout of the object.
    for (const key in part) if (key !== keys[at++]) return false;
    return at === keys.length;
  }

  function writeDictionary(part: Record<string, unknown>, spot: Spot): number {
    const keys: string[] = [];
    const held: unknown[] = [];
    // Read here, where both engines know where in the object a key is.
    for (const key in part) {
      keys.push(key);
      held.push(part[key]);
    }
    const { length } = keys;
    // `arguments` have no keys, or indexes, which engines list first.
    if (length === 0) return output.leave(part, UNKNOWN);
    if (keys[0] === "0" && kinds.isArguments(part)) throw NOT_HERE;
    const inner = spot.inner ??= shapes.spot();
    keysRead += length;
    let at = output.reserve(2 * length);
    for (let i = 0; i < length; i++) {
      const id = output.keyId(keys[i]!);
      const code = output.writePart(held[i], inner);
      output.codes[at++] = id;
      output.codes[at++] = code;
    }
    return length << 3 | DICTIONARY;
  }

  function writeList(part: unknown[], spot: Spot): number {
    const { length } = part;
    if (length > LONGEST) throw NOT_HERE;
    if (length > MOST_ELEMENTS && kinds.isFlat(part)) {
      return output.leave(part, 8 * length);
    }
    // Engines list indexes first. Other keys, and holes, are for clone.
    const keys = keysOf(part);
    if (keys.length !== length) throw NOT_HERE;
    if (length > 0 && keys[length - 1] !== String(length - 1)) throw NOT_HERE;
    const inner = spot.inner ??= shapes.spot();
    const first = output.reserve(length);
    for (let i = 0; i < length; i++) {
      const code = output.writePart(part[i], inner);
      output.codes[first + i] = code; // only now: it may have grown
    }
    return length << 3 | LIST;
  }

  /**
   * Writes values from an offset on as long as they hold nothing but numbers,
   * under the keys of the last one: there is no object in them to watch.
   *
   * @returns The offset of the first other one.
   */
  function writeNumbers(values: ArrayLike<unknown>, from: number): number {
    const { shape } = shapes.top();
    if (shape === undefined || !shape.flat) return from;
    let to = from;
    try {
      for (; to < values.length; to++) {
        const value = values[to];
        if (typeof value !== "object" || value === null) break;
        if (isProxy!(value) || !fits(value, shape)) break;
        ahead = shape.write(value as Record<string, unknown>);
        if (ahead !== undefined) break;
      }
    } catch {
      ahead = null; // by a getter, which is not called again
    }
    if (to > from) {
      output.codes.fill(idOf(shape) << 3 | OBJECT, from, to);
      written = false; // the last one that was watched is not the one before
    }
    return to;
  }

  /** Writes a value; LEFT if that is for clone. */
  function writeValue(value: unknown): number {
    output.begin();
    sharing.begin(written);
    level = 0;
    const read = ahead;
    ahead = undefined;
    try {
      if (read === null) throw NOT_HERE;
      const top = shapes.top();
      const code = read === undefined
        ? output.writePart(value, top)
        : writeObject(value as object, top, read);
      written = true;
      return code;
    } catch {
      // Not for here, or a getter threw: clone tells which, and why.
      output.goBack();
      written = false;
      return LEFT;
    }
  }

  /** Writes the values, and says which are left; or that it is no use. */
  function writeAll(
    values: ArrayLike<unknown>,
    without: ReadonlyMap<number, unknown> | undefined,
  ): number[] | undefined {
    const { length } = values;
    output.reserve(length);
    const offsets: number[] = [];
    for (let offset = 0; offset < length; offset++) {
      if (!without?.size) offset = writeNumbers(values, offset);
      if (offset === length) break;
      const skipped = without !== undefined && without.has(offset);
      const code = skipped ? UNDEFINED : writeValue(values[offset]);
      output.codes[offset] = code;
      if (code === LEFT) offsets.push(offset);
      if (isInVain(offset, offsets.length)) {
        owed = PENALTY * offset;
        keysRead = keysBefore = 0;
        return undefined;
      }
    }
    const { shape } = shapes.top();
    if (shape?.flat && shape.message === message) {
      output.joinAlike(length, shape.id << 3 | OBJECT);
    }
    keysBefore += output.keyCount();
    if (keysRead > 16 * MANY_KEYS) keysRead = keysBefore = 0;
    return offsets;
  }

  function isInVain(read: number, left: number): boolean {
    if (left > FEW_LEFT && left > MOST_LEFT * read) return true;
    const newKeys = keysBefore + output.keyCount();
    return newKeys > MANY_KEYS && newKeys > MOST_NEW * keysRead;
  }

  function write(
    values: ArrayLike<unknown>,
    without?: ReadonlyMap<number, unknown>,
  ): Written | undefined {
    if (!asked) {
      asked = true;
      about.loadTypes().then((types) => isProxy = types.isProxy, () => {});
    }
    if (owed > 0) {
      owed -= values.length;
      return undefined;
    }
    // A getter may have called us.
    if (isProxy === undefined || busy) return undefined;
    // What all objects or arrays have would be read in each, and not be its own.
    for (const _ in []) return undefined;
    busy = true;
    message++;
    try {
      const offsets = writeAll(values, without);
      if (offsets === undefined) return undefined;
      const left = offsets.map((offset) => values[offset]);
      return { ...output.take(values.length), left, offsets };
    } finally {
      output.clear();
      sharing.clear();
      kinds.clear();
      busy = false;
    }
  }

  return { write };
}
