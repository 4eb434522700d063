/**
 * Values as structured clone takes them, one by one: what would not arrive is
 * refused, and errors are written beside.
 *
 * @module
 */

import type { Codec, ErrorParts } from "./codec.ts";
import type { Explainer, Refusal } from "./explanation.ts";
import type { Inspection, Inspector } from "./inspection.ts";
import type { Moving } from "./moving.ts";
import type { Parcel } from "./packing.ts";
import type { Views } from "./views.ts";

/** Values as they are. */
export interface List {
  as: "list";
  values: unknown[];
  /** At which offsets errors are written beside, if there are any. */
  encoded?: [number, ErrorParts[]][];
}

/** A list, packed. */
export type ListParcel = Parcel & { packed: List };

/** A list that grows, in any order. */
export interface OpenList {
  /** Size of what was packed, in bytes, roughly. */
  readonly bytes: number;
  /** Packs a value, and gives what stands for it; none that is refused. */
  pack(offset: number, value: unknown): unknown;
  /**
   * Ends the list.
   *
   * @param values What stands for the values, dense.
   */
  end(values: unknown[]): ListParcel;
}

/** Packs values as lists. */
export interface Lists {
  /**
   * Begins a list.
   *
   * @param transfer Whether the ArrayBuffers in the values are moved.
   * @param own Whether what stands for a value must be nothing of the user's.
   * @param refused What is refused already, by offset.
   */
  open(
    transfer: boolean,
    own: boolean,
    refused: Map<number, Refusal>,
  ): OpenList;
  /** Copies a value so that the copy crosses; throws if none would. */
  clone<V>(value: V): V;
}

/** What handles values of any kind. */
export interface CodecParts {
  codec: Codec;
  inspector: Inspector;
  explainer: Explainer;
}

/**
 * Makes what packs lists. Self-contained: workers get this function by its
 * source.
 *
 * @param parts What looks at each value that is an object.
 * @param views Makes typed arrays.
 * @param moving Moves buffers.
 * @returns What packs.
 */
export function createLists(
  { codec, inspector, explainer }: CodecParts,
  views: Views,
  moving: Moving,
): Lists {
  // Levels by which a value is made deeper to try it: more than a message adds.
  const MARGIN = 20;

  /** Clones inside `MARGIN` lists, so that the copy crosses in any message. */
  function cloneDeeper<V>(value: V): V {
    let deeper: unknown = value;
    for (let level = 0; level < MARGIN; level++) deeper = [deeper];
    let copy = inspector.clone(deeper);
    for (let level = 0; level < MARGIN; level++) copy = (copy as unknown[])[0];
    return copy as V;
  }

  /** And tries the copy: V8 needs more of the stack for one. */
  function cloneTwice<V>(value: V): V {
    const copy = cloneDeeper(value);
    cloneDeeper(copy);
    return copy;
  }

  /** Without those trials where the value is surely not deep. */
  function clone<V>(value: V): V {
    return isShallow(value) ? inspector.clone(value) as V : cloneTwice(value);
  }

  function isShallow(value: unknown): boolean {
    if (typeof value !== "object" || value === null) return true;
    try {
      const { refused, doubtful } = inspector.inspect(value);
      return !refused && !doubtful;
    } catch {
      return false; // a getter, or a Proxy, that throws
    }
  }

  function open(
    transfer: boolean,
    own: boolean,
    refused: Map<number, Refusal>,
  ): OpenList {
    const encoded: [number, ErrorParts[]][] = [];
    const moved: ArrayBuffer[] = [];
    const gone = new Set<number>();
    const unsure = new Map<number, unknown>(); // only clone itself can tell
    let bytes = 0;

    function refuse(offset: number, value: unknown, cause: unknown): void {
      const refusal = gone.has(offset)
        ? { reason: explainer.messageOf(cause), cause }
        : explainer.refuse(value, cause);
      refused.set(offset, refusal);
    }

    function packObject(offset: number, value: object): unknown {
      const found = inspector.inspect(value);
      if (found.refused) throw undefined;
      bytes += found.bytes;
      if (found.errors) return packErrors(offset, value, found);
      const part = views.cut(value);
      if (part !== value) {
        weighAgain(part, found);
        if (own) noteOwn(part);
        return part;
      }
      if (!transfer || found.buffers.size === 0) {
        if (own) return copyOf(value, found);
        if (found.doubtful) cloneDeeper(value);
        else if (transfer) unsure.set(offset, value);
        return value;
      }
      if (found.doubtful) cloneDeeper(value);
      // Moving costs the same at any size.
      for (const buffer of found.buffers) bytes -= views.sizeOf(buffer);
      gone.add(offset); // also if it is refused: Deno has taken them by then
      const copy = moving.move(value, found, moved);
      if (!moving.hasLost(found.buffers)) gone.delete(offset);
      return copy;
    }

    /** Packs a value with its errors beside it. */
    function packErrors(
      offset: number,
      value: object,
      found: Inspection,
    ): unknown {
      let copied = true;
      const { value: data, errors } = codec.encode(value, (whole) => {
        const part = withoutPool(whole);
        if (own && part === whole) copied = false;
        return part;
      });
      // What hangs on an error was read once, and described if it cannot cross;
      // anything else may be another thing now than when it was looked at.
      if (own && data !== errors[0]?.place) copied = false;
      const sure = copied && !found.doubtful && !transfer;
      if (own && found.pooled) weighAgain(data as object, found);
      const parts = [data, errors] as const;
      const [copy, beside] = sure
        ? parts
        : found.doubtful || transfer
        ? cloneTwice(parts)
        : inspector.clone(parts) as typeof parts; // it is not deep
      encoded.push([offset, beside]);
      return copy;
    }

    /** A copy of a value, whose buffers are moved, as nobody else has them. */
    function copyOf(value: object, found: Inspection): object {
      const { doubtful, pooled, buffers } = found;
      if (pooled && !transfer && !doubtful) {
        inspector.clone(value); // which refuses a Proxy; the codec would read it
        const { value: data } = codec.encode(value, withoutPool);
        const copy = inspector.clone(data) as object;
        weighAgain(copy, found);
        noteOwn(copy);
        return copy;
      }
      const [buffer] = buffers;
      const kind = views.kindOf(value);
      const copy = kind !== undefined && buffer?.resizable === false
        ? views.copy(value as Float64Array)
        : doubtful
        ? copyOfDeep(value)
        // It is not deep: to try that takes up to 100 times as long on Bun 1.4.5.
        : inspector.clone(value) as object;
      if (buffer !== undefined && copy !== value) noteOwn(copy);
      return copy;
    }

    /** V8 may write a value, and not its copy: then it goes as it is. */
    function copyOfDeep(value: object): object {
      const copy = cloneDeeper(value);
      try {
        cloneDeeper(copy);
        return copy;
      } catch {
        return value;
      }
    }

    /** A copy of what is pooled; anything else as it is. */
    function withoutPool(whole: object): object {
      return own && !transfer && inspector.isPooled(whole)
        ? views.copy(whole)
        : whole;
    }

    /** Its size is not that of the pool. */
    function weighAgain(copy: object, found: Inspection): void {
      bytes += inspector.inspect(copy).bytes - found.bytes;
    }

    function noteOwn(copy: object): void {
      const { buffers } = inspector.inspect(copy);
      moved.push(...moving.toMove([...buffers]));
    }

    return {
      get bytes() {
        return bytes;
      },
      pack(offset, value) {
        try {
          if (refused.has(offset)) return undefined;
          if (typeof value === "object" && value !== null) {
            return packObject(offset, value);
          }
          if (typeof value === "string") bytes += value.length;
          else if (typeof value === "function" || typeof value === "symbol") {
            throw undefined;
          } else bytes += 8;
          return value;
        } catch (cause) { // inspection or clone refused it, or a getter threw
          refuse(offset, value, cause);
          return undefined;
        }
      },
      end(values) {
        for (const [offset, value] of moved.length > 0 ? unsure : []) {
          try {
            // A copy: what changes when it is read again could be refused then.
            values[offset] = cloneDeeper(value);
          } catch (cause) { // it would take the buffers of its neighbours along
            values[offset] = undefined;
            refuse(offset, value, cause);
          }
        }
        const packed: List = { as: "list", values };
        if (encoded.length > 0) packed.encoded = encoded;
        return { packed, moved, gone, bytes, refused };
      },
    };
  }

  return { open, clone };
}
