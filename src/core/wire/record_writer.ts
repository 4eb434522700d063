/**
 * Writes values of any shape as codes. Structured clone writes and reads the
 * name of every key of every object, and takes two to four times as long.
 *
 * @module
 */

import type { Compiler } from "./compiler.ts";
import type { KindParts, Types } from "./record_kinds.ts";
import type { Records } from "./record_output.ts";
import type { ValueParts, ValueWriter } from "./value_writer.ts";

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

/** A message that is written value by value. */
export interface OpenRecords {
  /** Size of what was written, in bytes, roughly. */
  readonly bytes: number;
  /**
   * Writes a value. What becomes of it after that does not matter: a part that
   * has no codes is copied.
   *
   * @param value The value.
   * @returns Whether it is written; if not, nothing of it is.
   */
  add(value: unknown): boolean;
  /** Ends the message, which has to be done, and gives what was written. */
  end(): { records: Records; bytes: number };
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
  /**
   * Begins a message that is written value by value.
   *
   * @param expected How many there will be, roughly.
   * @returns Undefined when structured clone has to take them.
   */
  open(expected: number): OpenRecords | undefined;
}

/** What the writer is made of. */
export interface WriterParts extends ValueParts {
  createValueWriter(
    parts: ValueParts,
    kindParts: KindParts & Compiler,
  ): ValueWriter;
}

/**
 * Makes the writer. Self-contained: workers get this function by its source.
 *
 * What arrives is what structured clone gives. Written are primitives, dense
 * arrays, plain objects, instances of the user's classes, dates, maps and sets;
 * parts that hold no object, as buffers do, are cloned beside these. A value that
 * holds anything else, is deep, or holds one object twice, is left to clone
 * alone. If that is every fourth value, or if keys never come again on Bun, then
 * all of them are left, and for a while nothing is tried.
 *
 * Two values that share a part do not share it on the other side; with clone,
 * that depends on which tasks happen to be in one chunk. A large part that is
 * shared is left to clone all the same, which writes it once. An object of
 * another kind that was given the prototype of a plain one arrives as that, if
 * it has keys and is no view.
 *
 * @param parts Makes what it writes with.
 * @param about What `createRecordKinds` is given, a compiler, and `loadTypes`, which
 * loads what tells a Proxy: nothing is written before it has, nor if it rejects.
 * @returns The writer.
 */
export function createRecordWriter(
  parts: WriterParts,
  about: KindParts & Compiler & { loadTypes(): Promise<Types> },
): RecordWriter {
  // Values to leave to clone for each one that was read in vain: inputs that
  // are not for here then lose a hundredth of their time at most.
  const PENALTY = 64;

  const bare = {};
  const writer = parts.createValueWriter(parts, about);
  let types: Types | undefined;
  let [asked, busy] = [false, false];
  let owed = 0;

  /** Whether what all objects have would be read as its own in each. */
  function isPolluted(): boolean {
    for (const _ in bare) return true; // a list takes Bun 1.4.5 300 ns
    return false;
  }

  /** Begins a message, if one can be written. */
  function begin(count: number, own: boolean): boolean {
    if (!asked) {
      asked = true;
      about.loadTypes().then((loaded) => types = loaded, () => {});
    }
    if (owed > 0) {
      owed -= count;
      return false;
    }
    // A getter may have called us, or another message is not at its end.
    if (types === undefined || busy || isPolluted()) return false;
    busy = true;
    writer.begin(types, own);
    return true;
  }

  function end(): void {
    if (writer.inVain) owed = PENALTY * writer.read();
    writer.end();
    busy = false;
  }

  function write(
    values: ArrayLike<unknown>,
    without?: ReadonlyMap<number, unknown>,
  ): Written | undefined {
    if (!begin(values.length, false)) return undefined;
    const left: unknown[] = [];
    const offsets: number[] = [];
    try {
      for (let offset = 0; offset < values.length; offset++) {
        if (!without?.size) offset = writer.writeNumbers(values, offset);
        if (offset === values.length) break;
        const skipped = without !== undefined && without.has(offset);
        const value = values[offset];
        if (skipped) writer.skip(false);
        else if (!writer.write(value)) {
          writer.skip(true);
          left.push(value);
          offsets.push(offset);
        }
        if (writer.inVain) return undefined;
      }
      return { ...writer.take(), left, offsets };
    } finally {
      end();
    }
  }

  function open(expected: number): OpenRecords | undefined {
    if (!begin(expected, true)) return undefined;
    return {
      get bytes() {
        return writer.bytes();
      },
      // The task before may have done that, or a package that it has loaded.
      add: (value) => !isPolluted() && writer.write(value),
      end() {
        try {
          return writer.take();
        } finally {
          end();
        }
      },
    };
  }

  return { write, open };
}
