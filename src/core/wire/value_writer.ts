/**
 * Writes one value after another as codes: which part of it is what. The codes
 * of a message are in record_output.ts, whole messages in record_writer.ts.
 *
 * @module
 */

import type { Compiler } from "./compiler.ts";
import type { KindParts, RecordKinds, Types } from "./record_kinds.ts";
import type { RecordOutput, Records } from "./record_output.ts";
import type { Shape, ShapeParts, Shapes, Spot } from "./shapes.ts";
import type { Sharing } from "./sharing.ts";

/** Writes values. */
export interface ValueWriter {
  /**
   * Whether this message is no use: every fourth value is not written, or keys
   * never come again (on Bun). Then nothing more is written to it.
   */
  inVain: boolean;
  /**
   * Begins a message.
   *
   * @param types What tells a Proxy.
   * @param own Whether nothing in the message may be the user's: what has no
   * codes is copied then.
   */
  begin(types: Types, own: boolean): void;
  /**
   * Writes a value.
   *
   * @param value The value.
   * @returns Whether it is written; if not, nothing of it is.
   */
  write(value: unknown): boolean;
  /**
   * Writes values from an offset on as long as they hold nothing but numbers,
   * under the keys of the last one.
   *
   * @returns The offset of the first other one.
   */
  writeNumbers(values: ArrayLike<unknown>, from: number): number;
  /** Leaves the place of a value out, or to what structured clone takes. */
  skip(left: boolean): void;
  /** How many values were read. */
  read(): number;
  /** Size of what was written, in bytes, roughly, as if it were cloned. */
  bytes(): number;
  /** Gives what was written. */
  take(): { records: Records; bytes: number };
  /** Ends the message, and forgets all objects in it. */
  end(): void;
}

/** What it is made of. */
export interface ValueParts extends Pick<ShapeParts, "createLayouts"> {
  createRecordOutput(
    writeObject: (part: object, spot: Spot) => number,
  ): RecordOutput;
  createShapes(output: RecordOutput, parts: ShapeParts): Shapes;
  createSharing(): Sharing;
  createRecordKinds(parts: KindParts, sharing: Sharing): RecordKinds;
}

/**
 * Makes what writes values. Self-contained: workers get this function by its
 * source.
 *
 * @param parts Makes what it writes with.
 * @param kindParts What `createRecordKinds` is given, and a compiler.
 * @returns What writes.
 */
export function createValueWriter(
  parts: ValueParts,
  kindParts: KindParts & Compiler,
): ValueWriter {
  const { inspector, isV8 } = kindParts;
  const [LIST, OBJECT, DICTIONARY] = [2, 3, 7];
  const [UNDEFINED, LEFT] = [1 << 3, 3 << 3 | 6];
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
  // of new ones. Not on V8, whose clone takes longer however many there are
  // (bench/rows/records.ts).
  const MANY_KEYS = isV8 ? Infinity : 512;
  const MOST_NEW = 3 / 4;
  // Kept here, as user code may change its globals.
  const { getPrototypeOf, keys: keysOf, prototype: plain } = Object;
  const [{ isArray }, { isView }, Boxed] = [Array, ArrayBuffer, String];
  /** Thrown: the value that is read is for clone. */
  const NOT_HERE = new Error();

  const output = parts.createRecordOutput(writeObject);
  const sharing = parts.createSharing();
  const kinds = parts.createRecordKinds(kindParts, sharing);
  const about = { ...parts, ...kindParts, ...kinds };
  const shapes = parts.createShapes(output, about);
  let isProxy: Types["isProxy"];
  let own = false;
  let message = 0;
  let left = 0; // values of this message
  // Keys of dictionaries in this message and some before it, and how many of
  // those were new in theirs.
  let [keysRead, keysBefore] = [0, 0];
  let level = 0; // of the part at hand
  // Whether the last value was written, with its objects watched: then `sharing`
  // knows them.
  let written = false;
  // What the keys of the next value hold, if it was read.
  let ahead: unknown[] | "failed" | undefined;

  const innerOf = (spot: Spot) => spot.inner ??= shapes.spot();

  /** Writes an object; what its keys hold may have been read already. */
  function writeObject(part: object, spot: Spot, read?: unknown[]): number {
    if (isProxy(part)) throw NOT_HERE;
    const order = sharing.meet(part);
    // As a value itself, a view may have to be cut out of its buffer.
    if (order < 0 && level === 0 && isView(part)) throw NOT_HERE;
    if (order < 0) return output.leave(part, UNKNOWN);
    if (++level > DEEPEST) throw NOT_HERE;
    const first = output.at + output.numbersAt;
    const code = read !== undefined
      ? writeFields(part, spot.shape!, read)
      : isArray(part)
      ? writeList(part, spot)
      : spot.shape !== undefined && fits(part, spot.shape)
      ? writeFields(part, spot.shape)
      : writeOther(part, spot);
    level--;
    if (!own) sharing.note(part, order, output.at + output.numbersAt - first);
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
      const few = kinds.bytesOf(part, proto, level);
      if (few !== undefined) return output.writeBytes(few);
      const held = kinds.mapPartsOf(part);
      if (held !== undefined) return output.writeMap(held, innerOf(spot));
      const whole = own ? kinds.isCopied(part) : kinds.isWhole(part, level);
      if (whole) return leave(part);
      kinds.checkClass(part, proto);
    }
    if (isView(part)) throw NOT_HERE; // whatever it inherits from
    const shape = shapes.find(part, spot);
    return shape === undefined
      ? writeDictionary(part as Record<string, unknown>, spot)
      : writeFields(part, shape);
  }

  /** Leaves a part that holds no other to structured clone. */
  function leave(part: object, bytes?: number): number {
    const whole = own ? kinds.copyOf(part) : part;
    // Never what the part itself says of its size: it may say anything.
    bytes ??= inspector.inspect(whole).bytes;
    return own && isArray(whole)
      ? output.leaveList(whole, bytes)
      : output.leave(whole, bytes);
  }

  function fits(part: object, { keys }: Shape): boolean {
    // Engines would list each element before the first: on Bun 1.4.5 a second
    // for each megabyte.
    if (isView(part) || part instanceof Boxed) return false;
    let at = 0;
    // Both engines answer this from the layout of the object.
    for (const key in part) if (key !== keys[at++]) return false;
    return at === keys.length;
  }

  function writeDictionary(part: Record<string, unknown>, spot: Spot): number {
    const [keys, held]: [string[], unknown[]] = [[], []];
    // Read here, where both engines know where in the object a key is.
    for (const key in part) {
      keys.push(key);
      held.push(part[key]);
    }
    const { length } = keys;
    // `arguments` have no keys, or indexes, which engines list first.
    if (length === 0) return leave(part, UNKNOWN);
    if (keys[0] === "0" && kinds.isArguments(part)) throw NOT_HERE;
    const inner = innerOf(spot);
    keysRead += length;
    const newKeys = keysBefore + output.keyCount();
    if (!own && newKeys > MANY_KEYS && newKeys > MOST_NEW * keysRead) {
      writer.inVain = true;
    }
    let at = output.reserve(2 * length);
    for (let i = 0; i < length; i++) {
      const id = output.keyId(keys[i]!);
      const code = output.writePart(held[i], inner);
      output.codes[at++] = id;
      output.codes[at++] = code;
    }
    return (2 * length + shapes.hashes(keys, spot)) << 3 | DICTIONARY;
  }

  function writeList(part: unknown[], spot: Spot): number {
    const { length } = part;
    if (length > LONGEST) throw NOT_HERE;
    if (length > MOST_ELEMENTS && kinds.isFlat(part, !own)) {
      return leave(part, 8 * length);
    }
    // Engines list indexes first. Other keys, and holes, are for clone.
    const keys = keysOf(part);
    if (keys.length !== length) throw NOT_HERE;
    if (length > 0 && keys[length - 1] !== String(length - 1)) throw NOT_HERE;
    output.writeAll(part, innerOf(spot));
    return length << 3 | LIST;
  }

  /** The same for nothing but numbers: there is no object in it to watch. */
  function writeFlat(value: unknown, shape: Shape): boolean {
    if (typeof value !== "object" || value === null) return false;
    if (isArray(value)) return false; // to list its keys takes Bun 1.4.5 300 ns
    const { at, numbersAt } = output;
    try {
      if (isProxy(value) || !fits(value, shape)) return false;
      ahead = shape.write(value as Record<string, unknown>);
      return ahead === undefined;
    } catch {
      // By a getter, which is not called again, or for want of memory.
      ahead = "failed";
      [output.at, output.numbersAt] = [at, numbersAt];
      return false;
    }
  }

  /** Writes a value; LEFT if that is for clone. */
  function writeValue(value: unknown): number {
    output.begin();
    sharing.begin(written && !own);
    level = 0;
    const read = ahead;
    ahead = undefined;
    try {
      if (read === "failed") throw NOT_HERE;
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
      if (++left > FEW_LEFT && left > MOST_LEFT * readCount()) {
        writer.inVain = true;
      }
      return LEFT;
    }
  }

  /** In a message of copies, those that are left have no code. */
  function readCount(): number {
    return own ? output.count + left : output.count;
  }

  const writer: ValueWriter = {
    inVain: false,
    begin(types, copies) {
      ({ isProxy } = types);
      kinds.begin(types);
      own = copies;
      message++;
    },
    write(value) {
      if (writer.inVain) return false;
      output.growValues(1); // what throws here has written nothing
      const { shape } = shapes.top();
      let code: number;
      if (ahead === undefined && shape?.flat && writeFlat(value, shape)) {
        written = false;
        code = idOf(shape) << 3 | OBJECT;
      } else {
        if (own) kinds.forgetClasses(); // a task may change a class after another
        code = writeValue(value);
      }
      if (code !== LEFT) output.values[output.count++] = code;
      return code !== LEFT;
    },
    writeNumbers(values, from) {
      const { shape } = shapes.top();
      if (!shape?.flat) return from;
      let to = from;
      while (to < values.length && writeFlat(values[to], shape)) to++;
      if (to === from) return from;
      written = false;
      const { count } = output;
      output.growValues(to - from);
      output.count += to - from;
      output.values.fill(idOf(shape) << 3 | OBJECT, count, output.count);
      return to;
    },
    skip(left) {
      output.growValues(1);
      output.values[output.count++] = left ? LEFT : UNDEFINED;
    },
    read: readCount,
    bytes: output.bytes,
    take() {
      const { shape } = shapes.top();
      const isFlat = shape?.flat && shape.message === message;
      return output.take(isFlat ? shape.id << 3 | OBJECT : undefined);
    },
    end() {
      keysBefore += output.keyCount();
      const forget = writer.inVain || keysRead > 16 * MANY_KEYS;
      if (forget) keysRead = keysBefore = 0;
      output.clear();
      sharing.clear();
      kinds.clear();
      ahead = undefined;
      writer.inVain = false;
      left = 0;
    },
  };
  return writer;
}
