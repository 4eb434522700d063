/**
 * Which buffers are moved out of the sender's hands, and how.
 *
 * @module
 */

import type { Inspection, Inspector } from "./inspection.ts";
import type { Views } from "./views.ts";

/** What was found in a value. */
type Found = Pick<Inspection, "buffers" | "pooled">;

/** Moves buffers. */
export interface Moving {
  /** Those that are large enough. */
  toMove(buffers: ArrayBuffer[]): ArrayBuffer[];
  /**
   * Moves the buffers of one value into a copy of it, and notes where they are
   * now. One by one: Deno 2.9.5 takes all buffers of a message before it finds a
   * value it cannot clone, so in the message itself there must be none.
   */
  move(value: object, found: Found, moved: ArrayBuffer[]): object;
  /** Whether any of them is in the sender's hands no more. */
  hasLost(buffers: ReadonlySet<ArrayBuffer>): boolean;
}

/**
 * Makes what moves. Self-contained: workers get this function by its source.
 *
 * @param inspector Finds the buffers in a copy.
 * @param views Makes typed arrays.
 * @returns What moves.
 */
export function createMoving(inspector: Inspector, views: Views): Moving {
  // Bytes of a buffer: to move one costs 10 µs on Deno, in which as much as
  // this is cloned (bench/micro/moving.ts).
  const LEAST_MOVED = 1 << 15;

  // Of several, Deno 2.9.5 takes all before it finds one that cannot be moved, as
  // the memory that small Buffers share, which is small unless a program says
  // so: small ones, and those of such Buffers, are left out.
  const LOSES = "Deno" in globalThis;

  const toMove = (buffers: ArrayBuffer[]) =>
    buffers.filter(({ byteLength }) => byteLength >= LEAST_MOVED);

  function move(
    value: object,
    { buffers, pooled }: Found,
    moved: ArrayBuffer[],
  ): object {
    const [buffer] = buffers;
    const kind = views.kindOf(value);
    try {
      if ((value === buffer || kind !== undefined) && !buffer!.resizable) {
        // Ten times faster than structuredClone, for what is sent most.
        const own = buffer!.transfer();
        moved.push(own);
        return kind === undefined ? own : views.make(kind, own);
      }
      const all = [...buffers];
      const transfer = LOSES && all.length > 1
        ? toMove(all).filter((one) => !pooled?.has(one))
        : all;
      const copy = structuredClone(value, { transfer });
      // Not as arguments, of which V8 takes some 120,000.
      for (const own of inspector.inspect(copy).buffers) moved.push(own);
      return copy;
    } catch (error) {
      if (hasLost(buffers)) throw error;
      // One of them cannot be moved, as that of a WebAssembly.Memory.
      return structuredClone(value);
    }
  }

  function hasLost(buffers: ReadonlySet<ArrayBuffer>): boolean {
    return [...buffers].some(({ detached }) => detached);
  }

  return { toMove, move, hasLost };
}
