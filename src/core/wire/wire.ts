/**
 * What turns values into messages and back, put together from self-contained
 * parts: here for the caller's thread, and as source text for a worker.
 *
 * @module
 */

import type { Codec } from "./codec.ts";
import { createCodec } from "./codec.ts";
import { createColumns } from "./columns.ts";
import { createExplainer } from "./explanation.ts";
import { createInspector } from "./inspection.ts";
import type { Packing } from "./packing.ts";
import { createPacking } from "./packing.ts";
import { createRows } from "./rows.ts";
import { createViews } from "./views.ts";

/** What turns values into messages and back. */
export interface Wire {
  codec: Codec;
  packing: Packing;
}

const PARTS = {
  createCodec,
  createViews,
  createColumns,
  createRows,
  createInspector,
  createExplainer,
  createPacking,
};

/** Puts the parts together. Self-contained: workers get it by its source. */
function join(parts: typeof PARTS): Wire {
  const inspector = parts.createInspector();
  const explainer = parts.createExplainer(inspector);
  const codec = parts.createCodec(inspector, explainer);
  const views = parts.createViews();
  const columns = parts.createColumns(views);
  const rows = parts.createRows(columns);
  const compact = { views, columns, rows };
  const general = { codec, inspector, explainer };
  return { codec, packing: parts.createPacking(general, compact) };
}

/**
 * Makes one.
 *
 * @returns The codec, and the packing that uses it.
 */
export function createWire(): Wire {
  return join(PARTS);
}

/**
 * Writes what makes one.
 *
 * @returns JavaScript, an expression.
 */
export function wireSource(): string {
  const parts = Object.entries(PARTS).map(([name, make]) => `${name}: ${make}`);
  return `(${join})({ ${parts.join(", ")} })`;
}
