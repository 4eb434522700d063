/**
 * What turns values into messages and back, put together from self-contained
 * parts: here for the caller's thread, and as source text for a worker.
 *
 * @module
 */

import type { Codec } from "./codec.ts";
import { createCodec } from "./codec.ts";
import { createColumns } from "./columns.ts";
import type { Explainer } from "./explanation.ts";
import { createExplainer } from "./explanation.ts";
import type { Inspector } from "./inspection.ts";
import { createInspector } from "./inspection.ts";
import type { Packing } from "./packing.ts";
import { createPacking } from "./packing.ts";
import type { RowPacking } from "./rows.ts";
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
  const codecParts = { codec, inspector, explainer };
  return { codec, packing: parts.createPacking(codecParts, compact) };
}

/**
 * Makes one.
 *
 * @returns The codec, and the packing that uses it.
 */
export function createWire(): Wire {
  return join(PARTS);
}

/** All methods of a part: the compiler sees to it that none is left out. */
type MethodsOf<P> = Record<keyof P, true>;

const INSPECTOR: MethodsOf<Inspector> = {
  kindOf: true,
  refusalOf: true,
  inspect: true,
};
const EXPLAINER: MethodsOf<Explainer> = { explain: true, describe: true };
const CODEC: MethodsOf<Codec> = { encode: true, decode: true };
const ROWS: MethodsOf<RowPacking> = { pack: true, unpack: true };

/** Parts that numbers and texts never need, with their methods. */
const RARE: Record<string, object | undefined> = {
  createInspector: INSPECTOR,
  createExplainer: EXPLAINER,
  createCodec: CODEC,
  createRows: ROWS,
};

/**
 * Puts off a part until one of its methods is called. Self-contained: workers
 * get it by its source.
 */
function putOff(
  make: () => (...args: unknown[]) => object,
  methods: string[],
): (...args: unknown[]) => object {
  return (...args) => {
    type Methods = Record<string, (...values: unknown[]) => unknown>;
    const part: Methods = {};
    let made: Methods | undefined;
    for (const method of methods) {
      part[method] = (...values) => {
        made ??= make()(...args) as Methods;
        Object.assign(part, made); // from here on without this detour
        return made[method]!(...values);
      };
    }
    return part;
  };
}

/**
 * Writes what makes one.
 *
 * @param whole Whether all of it is code. Else the rare parts are texts, which
 * cost a worker less to read: half of what it starts with.
 * @returns JavaScript, an expression.
 */
export function wireSource(whole = false): string {
  const parts = Object.entries(PARTS).map(([name, make]) => {
    const methods = RARE[name];
    if (methods === undefined || whole) return `${name}: ${make}`;
    // Not an indirect eval: a bundler may put names beside this that it needs.
    const text = JSON.stringify(`(${make})`);
    const list = JSON.stringify(Object.keys(methods));
    return `${name}: (${putOff})(() => eval(${text}), ${list})`;
  });
  return `(${join})({ ${parts.join(", ")} })`;
}
