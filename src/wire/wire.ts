/**
 * What turns values into messages and back, put together for the caller's
 * thread; worker/boot.ts does the same for a worker.
 *
 * @module
 */

import type { Codec } from "./codec.ts";
import { createCodec } from "./codec.ts";
import { createColumns } from "./columns.ts";
import { createInspect } from "./inspection.ts";
import type { Packing } from "./packing.ts";
import { createPacking } from "./packing.ts";
import { createRows } from "./rows.ts";

/** What turns values into messages and back. */
export interface Wire {
  codec: Codec;
  packing: Packing;
}

/**
 * Makes one.
 *
 * @returns The codec, and the packing that uses it.
 */
export function createWire(): Wire {
  const codec = createCodec();
  const columns = createColumns();
  const rows = createRows(columns);
  const packing = createPacking(codec, createInspect(), { columns, rows });
  return { codec, packing };
}
