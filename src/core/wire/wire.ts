/**
 * What turns values into messages and back, put together from self-contained
 * parts: here for the caller's thread, and as source text for a worker.
 *
 * @module
 */

import type { Codec } from "./codec.ts";
import { createCodec } from "./codec.ts";
import { createColumns } from "./columns.ts";
import { createCompiler } from "./compiler.ts";
import { createErrorClasses } from "./error_classes.ts";
import { createExplainer } from "./explanation.ts";
import { createInspector } from "./inspection.ts";
import { createKinds } from "./kinds.ts";
import { createLists } from "./lists.ts";
import { createMoving } from "./moving.ts";
import type { Packing } from "./packing.ts";
import { createPacking } from "./packing.ts";
import type { Crossing } from "./frames.ts";
import type { Types } from "./record_kinds.ts";
import { createRecordKinds } from "./record_kinds.ts";
import { createRecordReader } from "./record_reader.ts";
import { createRecordWriter } from "./record_writer.ts";
import { createRecordOutput } from "./record_output.ts";
import { createShapes } from "./shapes.ts";
import { createSharing } from "./sharing.ts";
import { createLayouts } from "./layouts.ts";
import { createValueWriter } from "./value_writer.ts";
import type { Views } from "./views.ts";
import { createViews, views } from "./views.ts";

/** What turns values into messages and back. */
export interface Wire {
  codec: Codec;
  packing: Packing;
  views: Views;
}

/** Parts that numbers and texts never need. */
const RARE = {
  createInspector,
  createExplainer,
  createCodec,
  createRecordWriter,
  createRecordReader,
};

/** Their methods: the compiler sees to it that none is left out. */
const METHODS: {
  [Name in keyof typeof RARE]: Record<
    keyof ReturnType<(typeof RARE)[Name]>,
    true
  >;
} = {
  createInspector: {
    kindOf: true,
    onlyInherits: true,
    refusalOf: true,
    inspect: true,
    isFlat: true,
    isPooled: true,
    entriesOf: true,
    itemsOf: true,
    clone: true,
  },
  createExplainer: { describe: true, refuse: true, messageOf: true },
  createCodec: { encode: true, encodeThrown: true, decode: true },
  createRecordWriter: { write: true, open: true },
  createRecordReader: { read: true },
};

/** What only those are made of. */
const INNER = {
  createKinds,
  createValueWriter,
  createRecordOutput,
  createRecordKinds,
  createShapes,
  createLayouts,
  createSharing,
};

const PARTS = {
  createErrorClasses,
  createCompiler,
  createViews,
  createMoving,
  createLists,
  createColumns,
  createPacking,
  ...RARE,
  ...INNER,
};

/** Imports a module: here an argument, as compilers rewrite what is shipped. */
type Load = (url: string) => Promise<unknown>;

/** Puts the parts together. Self-contained: workers get it by its source. */
function join(
  parts: typeof PARTS,
  load: Load,
  crossing: Crossing | undefined,
): Wire {
  const views = parts.createViews();
  const inspector = parts.createInspector({ ...parts, views }, crossing);
  const explainer = parts.createExplainer(inspector);
  const classes = parts.createErrorClasses();
  const codec = parts.createCodec({ inspector, explainer }, classes);
  const moving = parts.createMoving(inspector, views);
  const columns = parts.createColumns(views);

  /** All runtimes but browsers have it, and load it in half a millisecond. */
  async function loadTypes(): Promise<Types> {
    const scope = globalThis as { process?: { versions?: object } };
    const isBrowser = !("Deno" in scope || "Bun" in scope) &&
      !("node" in (scope.process?.versions ?? {}));
    if (isBrowser) throw new Error("There is no node:util/types");
    return await load("node:util/types") as Types;
  }

  const compiler = parts.createCompiler();
  const about = { inspector, views, moving, loadTypes, ...compiler };
  const writer = parts.createRecordWriter(parts, about);
  const reader = parts.createRecordReader(views, compiler);
  const codecParts = { codec, inspector, explainer };
  const lists = parts.createLists(codecParts, views, moving);
  const compact = { views, moving, lists, columns, writer, reader };
  return { codec, packing: parts.createPacking(codecParts, compact), views };
}

/**
 * Makes one.
 *
 * @param load Imports a module.
 * @param crossing How values cross, if not as structured clone takes them.
 * @returns The codec, the packing that uses it, and what makes typed arrays.
 */
export function createWire(
  load: Load = (url) => import(url),
  crossing?: Crossing,
): Wire {
  const parts: Record<string, unknown> = {
    ...PARTS,
    createErrorClasses: () => CLASSES,
    createViews: () => views,
    createCompiler: () => COMPILER,
  };
  for (const [name, methods] of Object.entries(METHODS)) {
    const make = parts[name] as (...args: unknown[]) => object;
    parts[name] = putOff(() => make, Object.keys(methods));
  }
  return join(parts as typeof PARTS, load, crossing);
}

/** Of the classes that were there when this library was loaded. */
const CLASSES = createErrorClasses();
/** Of this thread: whatever was made for one stays. */
const COMPILER = createCompiler();

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
 * @param shrink Makes such a text shorter.
 * @returns JavaScript, an expression; `load`, which imports a module by its
 * URL, and `crossing` have to be declared before it.
 */
export function wireSource(
  whole = false,
  shrink: (source: string) => string = (source) => source,
): string {
  const parts = Object.entries(PARTS).map(([name, make]) => {
    if (whole || !(name in RARE || name in INNER)) return `${name}: ${make}`;
    // Not an indirect eval: a bundler may put names beside this that it needs.
    const text = JSON.stringify(shrink(`(${make})`));
    if (!(name in RARE)) {
      return `${name}: (...args) => eval(${text})(...args)`;
    }
    // One by one: a list would be asked for a `toJSON` of the user's.
    const methods = Object.keys(METHODS[name as keyof typeof RARE]);
    const list = methods.map((method) => JSON.stringify(method));
    return `${name}: (${putOff})(() => eval(${text}), [${list}])`;
  });
  return `(${join})({ ${parts.join(", ")} }, load, crossing)`;
}
