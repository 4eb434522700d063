/**
 * The parts that turn values into messages, ready for records.
 *
 * @module
 */

import * as types from "node:util/types";
import { createWire, type Wire } from "../../src/core/wire/wire.ts";

/**
 * Makes them.
 *
 * @returns A wire that has loaded what it needs for records.
 */
export async function readyWire(): Promise<Wire> {
  const wire = createWire(() => Promise.resolve(types));
  wire.packing.pack(Array.from({ length: 32 }, () => ({})), false); // loads it
  await Promise.resolve();
  return wire;
}
