/**
 * The values of one chunk as one message: numbers and short strings as columns,
 * typed arrays as they are, anything else as records, and what cannot be one as
 * structured clone takes it.
 *
 * @module
 */

import type { TypedArray } from "../api/options.ts";
import type { ErrorParts } from "./codec.ts";
import type { Column, ColumnPacking } from "./columns.ts";
import type { Refusal } from "./explanation.ts";
import type { CodecParts, List, ListParcel, Lists, OpenList } from "./lists.ts";
import type { Moving } from "./moving.ts";
import type { RecordReader } from "./record_reader.ts";
import type { Records } from "./record_output.ts";
import type { RecordWriter, Written } from "./record_writer.ts";
import type { Views } from "./views.ts";

/** The values of a chunk, ready to be posted. */
export type Packed =
  | List
  | Column
  /** What codes cannot say is left in a list, in its order, if there is any. */
  | { as: "records"; records: Records; left?: List }
  /** A list with a place for each value: the records belong at these offsets. */
  | { as: "mixed"; records: Records; list: List; order: Int32Array }
  /** Nothing: they are a part of the inputs, which are in shared memory. */
  | { as: "shared"; part: [from: number, to: number] };

/** A chunk's values packed, and what was seen on the way. */
export interface Parcel {
  packed: Packed;
  /** What to hand to `postMessage` as its transfer list. */
  moved: ArrayBuffer[];
  /** Offsets of values whose buffers were moved out of the sender's hands. */
  gone: Set<number>;
  /** Size in bytes, roughly. */
  bytes: number;
  /** Values that cannot cross, by offset, with the reason in words. */
  refused: Map<number, Refusal>;
}

/** A message whose values come one by one. */
export interface OpenParcel {
  /** Size of what was copied so far, in bytes, roughly. */
  readonly bytes: number;
  /**
   * Adds a value that is an object.
   *
   * @param offset Where it belongs.
   * @param value The value.
   * @returns What is to stand for it in the list that `end` gets.
   */
  add(offset: number, value: object): unknown;
  /**
   * Ends the message.
   *
   * @param values All values, those that were added and those that were not.
   * @returns The parcel; `repack` can do nothing for it if it has records.
   */
  end(values: unknown[]): Parcel;
}

/** Packs and unpacks. */
export interface Packing {
  /**
   * Packs values. What cannot cross is refused, never thrown.
   *
   * @param values A list, or a typed array.
   * @param transfer Whether the ArrayBuffers in the values are moved.
   * @param without Offsets to leave out.
   */
  pack(
    values: ArrayLike<unknown>,
    transfer: boolean,
    without?: ReadonlyMap<number, Refusal>,
  ): Parcel;
  /**
   * Begins a message whose values come one by one: what becomes of one after it
   * was added does not matter.
   *
   * @param expected How many there will be at most.
   * @param transfer Whether the ArrayBuffers in the values are moved.
   */
  open(expected: number, transfer: boolean): OpenParcel;
  /**
   * Undoes `pack`.
   *
   * @param packed What arrived.
   * @param inputs The inputs of the run, if they are in shared memory.
   */
  unpack(packed: Packed, inputs?: TypedArray): ArrayLike<unknown>;
  /**
   * Packs values again whose message structured clone refused, though nothing
   * in them shows why, as a Proxy does not. Each is cloned by itself, so that
   * what comes out is sure to cross.
   *
   * @param values The same as before.
   * @param parcel What was packed of them.
   * @param cause What clone threw.
   */
  repack(values: ArrayLike<unknown>, parcel: Parcel, cause: unknown): Parcel;
}

/** What packs and unpacks values that structured clone is slow with. */
export interface Compact {
  views: Views;
  moving: Moving;
  lists: Lists;
  columns: ColumnPacking;
  writer: RecordWriter;
  reader: RecordReader;
}

/**
 * Makes the packing. Self-contained: workers get this function by its source.
 *
 * @param parts What looks at each value that is an object.
 * @param compact What packs values that structured clone is slow with.
 * @returns The packing.
 */
export function createPacking(
  { codec, explainer }: CodecParts,
  { views, moving, lists, columns, writer, reader }: Compact,
): Packing {
  // Values in a list: with fewer, cloning it is as fast
  // (bench/micro/packing.ts).
  const LEAST_COMPACT = 32;
  const { isArray } = Array; // as user code may change its globals

  function packTypedArray(kind: string, array: Float64Array): Parcel {
    // A copy: it may be moved, and the sender keeps its values to send them
    // again; nor must the whole buffer go with a part of it.
    const { buffer, byteLength: bytes } = views.make(kind, array);
    return {
      // The bare buffer: a Float64Array of 8 MB costs node:worker_threads on
      // Deno 2.9.5 220 ms to send even when moved, its buffer 0.8 ms.
      packed: { as: "array", kind, buffer: buffer as ArrayBuffer },
      moved: moving.toMove([buffer as ArrayBuffer]),
      gone: new Set(),
      bytes,
      refused: new Map(),
    };
  }

  function pack(
    values: ArrayLike<unknown>,
    transfer: boolean,
    without?: ReadonlyMap<number, Refusal>,
  ): Parcel {
    try {
      const compact = packCompact(values, transfer, without);
      if (compact !== undefined) return compact;
    } catch {
      // Too little memory for a copy of all, or a task has put something in the
      // place of what copies: in a list, each value fails for itself.
    }
    return packList(values, transfer, new Map(without));
  }

  /** Packs what is not for a list. */
  function packCompact(
    values: ArrayLike<unknown>,
    transfer: boolean,
    without: ReadonlyMap<number, Refusal> | undefined,
  ): Parcel | undefined {
    const kind = views.kindOf(values);
    if (kind !== undefined) return packTypedArray(kind, values as Float64Array);
    if (values.length >= LEAST_COMPACT) {
      const column = without?.size ? undefined : columns.pack(values);
      if (column !== undefined) {
        const { packed, buffer, bytes } = column;
        const moved = moving.toMove([buffer]);
        return { packed, moved, gone: new Set(), bytes, refused: new Map() };
      }
      // What is moved is in objects that would be left to clone; and a list of
      // primitives is cloned as fast.
      const written = transfer || !holdsObjects(values)
        ? undefined
        : writer.write(values, without);
      if (written !== undefined) return packWritten(written, without);
    }
    return undefined;
  }

  /** Whether the first value that is one is an object. */
  function holdsObjects(values: ArrayLike<unknown>): boolean {
    for (let i = 0; i < values.length; i++) {
      const value = values[i] ?? undefined;
      if (value !== undefined) return typeof value === "object";
    }
    return false;
  }

  function packWritten(
    { records, left, offsets, bytes }: Written,
    without: ReadonlyMap<number, Refusal> | undefined,
  ): Parcel {
    const refused = new Map(without);
    const moved = moving.toMove([records.codes, records.numbers]);
    const parcel = { moved, gone: new Set<number>(), refused };
    if (left.length === 0) {
      return { ...parcel, packed: { as: "records", records }, bytes };
    }
    const rest = packList(left, false, new Map());
    for (const [at, why] of rest.refused) refused.set(offsets[at]!, why);
    const packed: Packed = { as: "records", records, left: rest.packed };
    return { ...parcel, packed, bytes: bytes + rest.bytes };
  }

  function packList(
    values: ArrayLike<unknown>,
    transfer: boolean,
    refused: Map<number, Refusal>,
  ): ListParcel {
    return endList(lists.open(transfer, false, refused), values);
  }

  /** Packs values and ends their list; of some it has what stands for them. */
  function endList(
    list: OpenList,
    values: ArrayLike<unknown>,
    listed?: ReadonlySet<number>,
  ): ListParcel {
    const sent = denseList();
    for (let offset = 0; offset < values.length; offset++) {
      const value = values[offset];
      sent.push(listed?.has(offset) ? value : list.pack(offset, value));
    }
    return list.end(sent);
  }

  /**
   * A list that grows: Deno 2.9.5 clones one that was ever sparse, as
   * `new Array(9)` is, up to 4 times slower, because V8 writes each index too.
   * One whose first value is undefined counts as sparse, and so do all that are
   * made here after it, unless something else was in it before.
   */
  function denseList(): unknown[] {
    const list: unknown[] = [null];
    list.pop();
    return list;
  }

  function open(expected: number, transfer: boolean): OpenParcel {
    const writing = writer.open(expected); // from here on it has to be ended
    let count = 0; // of those written
    // Made when they are needed: mostly all values are written, in their order.
    let order: Int32Array | undefined;
    let list: OpenList | undefined;
    let listed: Set<number> | undefined;

    const openList = () => list ??= lists.open(transfer, true, new Map());
    const openOrder = () =>
      order ??= new Int32Array(expected).map((_, at) => at);

    return {
      get bytes() {
        return (list?.bytes ?? 0) + (writing?.bytes ?? 0);
      },
      add(offset, value) {
        if (writing?.add(value)) {
          if (offset !== count || order) openOrder()[count] = offset;
          count++;
          return undefined;
        }
        listed ??= new Set();
        listed.add(offset);
        return openList().pack(offset, value);
      },
      end(values) {
        const written = writing?.end();
        if (written === undefined || count === 0) {
          return endList(openList(), values, listed);
        }
        const { records, bytes } = written;
        const moved = moving.toMove([records.codes, records.numbers]);
        if (order === undefined && count === values.length) {
          const [gone, refused] = [new Set<number>(), new Map()];
          const packed: Packed = { as: "records", records };
          return { packed, moved, gone, bytes, refused };
        }
        const rest = endList(openList(), values, listed);
        const places = openOrder().slice(0, count);
        return {
          packed: { as: "mixed", records, list: rest.packed, order: places },
          moved: moved.concat(rest.moved),
          gone: rest.gone,
          bytes: bytes + rest.bytes,
          refused: rest.refused,
        };
      },
    };
  }

  /** Puts values at their offsets in a list, which may be of a hostile worker. */
  function inPlaces(
    all: ArrayLike<unknown>,
    values: unknown[],
    order: Int32Array,
  ): unknown[] {
    const known = isArray(all) && views.kindOf(order) === "Int32Array";
    if (!known || order.length !== values.length) {
      throw new TypeError("An order has an offset for each value");
    }
    for (let i = 0; i < values.length; i++) {
      const offset = order[i]!;
      if (offset < 0 || offset >= all.length) {
        throw new RangeError("A value has no place");
      }
      all[offset] = values[i];
    }
    return all;
  }

  function unpack(packed: Packed, inputs?: TypedArray): ArrayLike<unknown> {
    if (packed.as === "shared") return inputs!.subarray(...packed.part);
    if (packed.as === "records") {
      const { records, left } = packed;
      return reader.read(records, left === undefined ? [] : unpack(left));
    }
    if (packed.as === "mixed") {
      const { records, list, order } = packed;
      return inPlaces(unpack(list), reader.read(records, []), order);
    }
    if (packed.as !== "list") return columns.unpack(packed);
    const { values, encoded = [] } = packed;
    for (const [offset, errors] of encoded) {
      values[offset] = codec.decode({ value: values[offset], errors });
    }
    return values;
  }

  function repack(
    values: ArrayLike<unknown>,
    parcel: Parcel,
    cause: unknown,
  ): Parcel {
    const { as } = parcel.packed;
    const again = as === "records" || as === "mixed"
      ? packList(values, false, new Map(parcel.refused))
      : parcel;
    const { packed, gone, bytes } = again;
    // Also what is only refused now: as a record it had not to be looked at.
    const refused = new Map(again.refused);
    // What was sent: of a value that holds errors, not the value itself.
    const sent = packed.as === "list" ? packed.values : values;
    const errorsAt = new Map(packed.as === "list" ? packed.encoded : []);
    const copies: unknown[] = [];
    const encoded: [number, ErrorParts[]][] = [];
    for (let offset = 0; offset < sent.length; offset++) {
      copies.push(undefined);
      if (refused.has(offset)) continue;
      try {
        // Of moved buffers there is nothing left to clone.
        if (gone.has(offset)) throw cause;
        const beside = errorsAt.get(offset);
        const [copy, errors] = beside === undefined
          ? [lists.clone(sent[offset])] // Bun 1.4.5 is faster at a bare list
          : lists.clone([sent[offset], beside] as const);
        copies[offset] = copy;
        if (errors !== undefined) encoded.push([offset, errors]);
      } catch (error) {
        refused.set(offset, explainer.refuse(values[offset], error));
      }
    }
    const list: Packed = { as: "list", values: copies, encoded };
    return { packed: list, moved: [], gone, bytes, refused };
  }

  return { pack, open, unpack, repack };
}
