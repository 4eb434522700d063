/**
 * Posts a chunk, without the values that cannot be sent.
 *
 * @module
 */

import type { Clock } from "../runtime/clock.ts";
import type { Packing, Parcel } from "../wire/packing.ts";
import { nameThrown } from "./failures.ts";
import type { Chunk } from "./chunk.ts";
import type { Slot } from "./slot.ts";

/**
 * Packs the values of a chunk; there is nothing to pack of shared inputs.
 *
 * @param chunk The chunk.
 * @param packing What packs values.
 * @returns The parcel.
 */
export function packChunk(chunk: Chunk, packing: Packing): Parcel {
  const { run, first, values } = chunk;
  if (run.shared.inputs === undefined) {
    return packing.pack(values, run.options.transfer ?? false);
  }
  return {
    packed: { as: "shared", part: [first, first + values.length] },
    moved: [],
    gone: new Set(),
    bytes: 0,
    refused: new Map(),
  };
}

/**
 * Posts a chunk to a worker that is up, and tells those who listen.
 *
 * @param slot The slot of the worker.
 * @param chunk The chunk.
 * @param parcel Its values, packed, at least one of them to be sent.
 * @param number Number of the chunk in its pool.
 * @param tools What packs values, and the clock.
 * @returns What was posted in the end: structured clone may refuse more of it.
 */
export function postChunk(
  slot: Slot,
  chunk: Chunk,
  parcel: Parcel,
  number: number,
  { packing, clock }: { packing: Packing; clock: Clock },
): Parcel {
  const { run, first, attempt, values, reading } = chunk;
  const from = run.timed ? clock.now() : 0;
  let sent = parcel;
  try {
    slot.post(chunk, sent, number);
  } catch (cause) {
    sent = packing.repack(values, parcel, cause);
    if (sent.refused.size === values.length) return sent;
    try {
      slot.post(chunk, sent, number);
    } catch (cause) { // nobody knows why: then it is all of them
      const all = {
        reason: `what cannot be sent: ${nameThrown(cause)}`,
        cause,
      };
      const refused = new Map(Array.from(values, (_, offset) => [offset, all]));
      return { ...sent, refused };
    }
  }
  if (run.timed) {
    run.emit({
      type: "chunk-send",
      run: run.number,
      chunk: number,
      worker: slot.number,
      first,
      tasks: values.length,
      attempt,
      reading,
      from,
      to: clock.now(),
    });
  }
  return sent;
}
