/**
 * The values of one chunk as one message: numbers, short strings and plain
 * objects of one shape as columns, typed arrays as they are, anything else as
 * structured clone takes it.
 *
 * @module
 */

import type { Codec } from "./codec.ts";
import type { Column, ColumnPacking } from "./columns.ts";
import type { Inspect } from "./inspection.ts";
import type { RowPacking, Rows } from "./rows.ts";

/** The values of a chunk, ready to be posted. */
export type Packed =
  /** As they are; those at the offsets in `encoded` went through the codec. */
  | { as: "list"; values: unknown[]; encoded: number[] }
  | Column
  | Rows;

/** Why a value cannot cross. */
export interface Refusal {
  /** What it is or holds, in words. */
  reason: string;
  /** What it threw when it was read, if it did. */
  cause?: unknown;
}

/** A chunk's values packed, and what was seen on the way. */
export interface Cargo {
  packed: Packed;
  /** What to hand to `postMessage` as its transfer list. */
  moved: ArrayBuffer[];
  /** Size in bytes, roughly. */
  bytes: number;
  /** Values that cannot cross, by offset, with the reason in words. */
  refused: Map<number, Refusal>;
}

/** Packs and unpacks. */
export interface Packing {
  /**
   * Packs values.
   *
   * @param values A list, or a typed array.
   * @param transfer Whether the ArrayBuffers in the values are moved.
   * @param without Offsets known to be refused.
   */
  pack(
    values: ArrayLike<unknown>,
    transfer: boolean,
    without?: ReadonlyMap<number, Refusal>,
  ): Cargo;
  /** Undoes `pack`. */
  unpack(packed: Packed): ArrayLike<unknown>;
  /** Finds, by trying, the values that structured clone itself refuses. */
  findRefused(values: ArrayLike<unknown>): Map<number, Refusal>;
}

/**
 * Makes the packing. Self-contained: workers get this function by its source.
 *
 * @param codec For values that hold errors.
 * @param inspect Looks at each value that is an object.
 * @param compact What packs values of one kind.
 * @returns The packing.
 */
export function createPacking(
  codec: Codec,
  inspect: Inspect,
  { columns, rows }: { columns: ColumnPacking; rows: RowPacking },
): Packing {
  // Values in a list: with fewer, cloning it is as fast (bench/packing.ts).
  const LEAST_COMPACT = 32;
  // Bytes of a buffer: to move one costs 10 µs on Deno, in which as much as
  // this is cloned (bench/packing.ts).
  const LEAST_MOVED = 1 << 15;

  const toMove = (buffers: ArrayBuffer[]) =>
    buffers.filter(({ byteLength }) => byteLength >= LEAST_MOVED);

  /** A view of a part of a buffer would drag the whole buffer along. */
  function cut(value: object): object {
    if (!ArrayBuffer.isView(value)) return value;
    const { buffer, byteOffset, byteLength } = value;
    if (!(buffer instanceof ArrayBuffer) || byteLength === buffer.byteLength) {
      return value;
    }
    const part = buffer.slice(byteOffset, byteOffset + byteLength);
    const name = Object.prototype.toString.call(value).slice(8, -1);
    // deno-lint-ignore no-explicit-any -- the class of the view, by its name
    return new (globalThis as any)[name](part);
  }

  function pack(
    values: ArrayLike<unknown>,
    transfer: boolean,
    without?: ReadonlyMap<number, Refusal>,
  ): Cargo {
    const refused = new Map(without);
    if (ArrayBuffer.isView(values)) {
      // A copy: it may be moved, and the sender keeps its values to send them
      // again; nor must the whole buffer go with a part of it.
      const { buffer, constructor, byteLength: bytes } =
        (values as unknown as Float64Array<ArrayBuffer>).slice();
      return {
        // The bare buffer: a Float64Array of 8 MB costs node:worker_threads on
        // Deno 2.9.5 220 ms to send even when moved, its buffer 0.8 ms.
        packed: { as: "array", kind: constructor.name, buffer },
        moved: toMove([buffer]),
        bytes,
        refused,
      };
    }
    if (values.length >= LEAST_COMPACT && refused.size === 0) {
      // What `transfer` moves is in objects that rows would leave to clone.
      const load = columns.pack(values) ??
        (transfer ? undefined : rows.pack(values));
      if (load !== undefined) {
        const { packed, buffers, bytes } = load;
        return { packed, moved: toMove(buffers), bytes, refused };
      }
    }
    // A list that grows: Deno 2.9.5 clones one that was ever sparse, as
    // `new Array(9)` is, up to 3 times slower, because V8 writes each index too.
    const sent: unknown[] = [];
    const encoded: number[] = [];
    const moved = new Set<ArrayBuffer>();
    let bytes = 0;
    const refuse = (offset: number, refusal: Refusal) => {
      refused.set(offset, refusal);
      sent[offset] = undefined;
    };
    const packObject = (offset: number, value: object) => {
      const found = inspect(value);
      if (found.refused !== undefined) {
        return refuse(offset, { reason: found.refused });
      }
      const whole = cut(value);
      if (found.errors) {
        encoded.push(offset);
        sent[offset] = codec.encode(value, false);
      } else if (whole !== value) {
        sent[offset] = whole;
        found.bytes = (whole as ArrayBufferView).byteLength;
      } else if (transfer) {
        for (const buffer of found.buffers) {
          moved.add(buffer);
          found.bytes -= buffer.byteLength; // moving costs the same at any size
        }
      }
      bytes += found.bytes;
    };
    for (let offset = 0; offset < values.length; offset++) {
      const value = values[offset];
      sent.push(value);
      if (refused.has(offset)) sent[offset] = undefined;
      else if (typeof value === "object" && value !== null) {
        try {
          packObject(offset, value);
        } catch (cause) { // a getter of the value threw
          refuse(offset, { reason: `a value that threw ${cause}`, cause });
        }
      } else if (typeof value === "string") bytes += value.length;
      else if (typeof value === "function" || typeof value === "symbol") {
        const name = typeof value === "function" ? ` ${value.name}` : "";
        refuse(offset, { reason: `a ${typeof value}${name}`.trimEnd() });
      } else bytes += 8;
    }
    const packed: Packed = { as: "list", values: sent, encoded };
    return { packed, moved: [...moved], bytes, refused };
  }

  function unpack(packed: Packed): ArrayLike<unknown> {
    if (packed.as === "rows") return rows.unpack(packed);
    if (packed.as !== "list") return columns.unpack(packed);
    for (const offset of packed.encoded) {
      packed.values[offset] = codec.decode(packed.values[offset]);
    }
    return packed.values;
  }

  function findRefused(values: ArrayLike<unknown>): Map<number, Refusal> {
    const refused = new Map<number, Refusal>();
    for (let offset = 0; offset < values.length; offset++) {
      try {
        structuredClone(values[offset]);
      } catch (error) {
        refused.set(offset, {
          reason: String((error as Error)?.message ?? error),
        });
      }
    }
    return refused;
  }

  return { pack, unpack, findRefused };
}
