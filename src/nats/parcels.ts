/**
 * Values, and the message that they stand in, as bytes.
 *
 * @module
 */

import type { Parcel } from "@parallel/map/seam";
import { writeBytes } from "./byte_writer.ts";
import { type Encode, encodeWritable } from "./failures.ts";
import { encodeThrown, wire } from "./messages.ts";

/**
 * Packs values, and writes the message that they stand in. What only then shows
 * that it cannot be written is left out of them, as what cannot be packed is.
 *
 * @param values The values.
 * @param messageOf Makes the message; told how errors are written in it.
 * @returns The values, packed, and the message, written.
 * @throws When what is left cannot be written either.
 */
export function writeParcel(
  values: ArrayLike<unknown>,
  messageOf: (parcel: Parcel, encode: Encode) => unknown,
): { parcel: Parcel; body: Uint8Array } {
  const parcel = wire.packing.pack(values, false);
  try {
    return { parcel, body: writeBytes(messageOf(parcel, encodeThrown)) };
  } catch (cause) {
    const repacked = wire.packing.repack(values, parcel, cause);
    const body = writeBytes(messageOf(repacked, encodeWritable));
    return { parcel: repacked, body };
  }
}
