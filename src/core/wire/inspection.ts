/**
 * Looks at a value before it crosses the thread boundary.
 *
 * @module
 */

import type { Crossing } from "./frames.ts";
import type { Kinds } from "./kinds.ts";
import type { Views } from "./views.ts";

/** What a value is made of. */
export interface Inspection {
  /** Whether something in it cannot cross; what else is in it is not told then. */
  refused: boolean;
  /** Whether it holds errors, which structured clone would damage. */
  errors: boolean;
  /**
   * Whether only structured clone itself can tell: the value is very deep, or
   * an object of a class that refuses.
   */
  doubtful: boolean;
  /** Its size in bytes, roughly. */
  bytes: number;
  /** The ArrayBuffers in it. */
  buffers: ReadonlySet<ArrayBuffer>;
  /** Those of views that are pooled, if it holds some. */
  pooled: Set<ArrayBuffer> | undefined;
}

/** Looks at values of type object. */
export interface Inspector
  extends Pick<Kinds, "kindOf" | "onlyInherits" | "refusalOf" | "clone"> {
  /** Looks at one. */
  inspect(value: object): Inspection;
  /** Whether it is a long list of primitives, whose other keys nobody looks at. */
  isFlat(value: object): boolean;
  /**
   * Whether an object is a `Buffer` that is a part of the memory of many: nobody
   * looks for the others in its buffer.
   */
  isPooled(view: object): view is Uint8Array;
  /**
   * What clone reads of a Map: a subclass may iterate over something else, without
   * end.
   */
  entriesOf(map: object): Iterable<[unknown, unknown]>;
  /** The same of a Set. */
  itemsOf(set: object): Iterable<unknown>;
}

/** What the inspector is made of. */
export interface InspectorParts {
  createKinds(views: Views, crossing?: Crossing): Kinds;
  views: Views;
}

/**
 * Makes the inspector. Self-contained: workers get this function by its source.
 *
 * @param parts Makes what tells the kinds of objects, and knows buffers.
 * @param crossing How values cross, if not as structured clone takes them.
 * @returns The inspector.
 */
export function createInspector(
  parts: InspectorParts,
  crossing?: Crossing,
): Inspector {
  // Objects in a value before cycles, shared parts and depth are watched: most
  // values are small trees, and to watch costs more than all the rest.
  const UNWATCHED = 500;
  // Levels that surely cross. Deno 2.9.5 reads some 2,500.
  const SURE_LEVELS = 1000;
  // A longer array may be sparse, and is read by its keys alone.
  const LONGEST = 10_000_000;
  // Elements of an array whose other keys are looked at, if it holds objects or
  // is the value itself. To list the keys of an array takes Bun 1.4.5 up to 7
  // times as long as to clone it, so of what holds most elements in real data,
  // as coordinates are, it is not done.
  const MOST_ELEMENTS = 16;

  const none: ReadonlySet<ArrayBuffer> = new Set<ArrayBuffer>();
  const { getPrototypeOf, keys } = Object; // as user code may change its globals
  const { entries } = Map.prototype;
  const { values } = Set.prototype;
  const entriesOf = (map: object) => entries.call(map as Map<unknown, unknown>);
  const itemsOf = (set: object) => values.call(set as Set<unknown>);
  const plain = Object.prototype;
  const list = Array.prototype;
  const { prototype: bytes } = Uint8Array;
  const { isView } = ArrayBuffer;
  const { isBuffer, bufferOf, sizeOf, ofTyped: { sizeIn } } = parts.views;
  const kinds = parts.createKinds(parts.views, crossing);
  const { known, meet, refusesShared } = kinds;
  /** Whether all objects have keys that would be listed with their own. */
  let polluted = false;

  /** What was found so far, and what is still to be looked at. */
  type Search = Inspection & {
    stack: object[];
    /** How deep each of those on the stack is; undefined while unwatched. */
    levels: number[] | undefined;
    level: number;
  };

  function startSearch(root: object, levels: number[] | undefined): Search {
    return {
      refused: false,
      errors: false,
      doubtful: false,
      bytes: 0,
      buffers: none,
      pooled: undefined,
      stack: [root],
      levels,
      level: 0,
    };
  }

  function inspect(root: object): Inspection {
    polluted = false;
    for (const _ in plain) polluted = true;
    const search = startSearch(root, undefined);
    // Brent's search for a cycle: an object that was met, and the step, a power of
    // two, at which another takes its place. A small cycle shows long before
    // UNWATCHED.
    let met: object | undefined;
    let next = 1;
    for (let steps = 0; search.stack.length > 0 && !search.refused; steps++) {
      const value = search.stack.pop()!;
      if (steps === UNWATCHED || value === met) return inspectWatched(root);
      if (steps === next) {
        met = value;
        next *= 2;
      }
      look(search, value, root);
    }
    return search;
  }

  /** The same, for a value that is large, deep or a cycle. */
  function inspectWatched(root: object): Inspection {
    const levels = [0];
    const seen = new Set<object>();
    const search = startSearch(root, levels);
    while (search.stack.length > 0 && !search.refused) {
      const value = search.stack.pop()!;
      search.level = levels.pop()! + 1;
      const { size } = seen;
      if (seen.add(value).size === size) continue; // a cycle, or a shared part
      if (search.level > SURE_LEVELS) search.doubtful = true;
      look(search, value, root);
    }
    return search;
  }

  /** Looks at an object itself, and notes its parts. */
  function look(search: Search, value: object, root: object): void {
    const proto = getPrototypeOf(value);
    const kind = proto === plain || proto === null
      ? "object"
      : proto === list
      ? "array"
      : known.get(proto) ?? meet(value, search);
    if (kind === "object") {
      if (isView(value)) { // of a class that is none of theirs
        search.doubtful = true;
        addBuffer(search, bufferOf(value));
      } else if (proto === plain && !polluted) {
        addFields(search, value as never);
      } else addAll(search, value as never, keys(value));
    } else if (kind === "array") {
      addElements(search, value as unknown[], value === root);
    } else if (kind === "map") {
      for (const [key, item] of entriesOf(value)) {
        add(search, key);
        add(search, item);
      }
    } else if (kind === "set") {
      for (const item of itemsOf(value)) add(search, item);
    } else if (kind === "buffer" || kind === "view") {
      const buffer = kind === "view" ? bufferOf(value) : value as ArrayBuffer;
      if (kind === "view" && isPooled(value)) {
        (search.pooled ??= new Set()).add(buffer as ArrayBuffer);
      }
      addBuffer(search, buffer);
    } else if (kind === "error") search.errors = true;
    else if (kind !== "leaf") search.refused = true;
  }

  function add(search: Search, part: unknown): void {
    search.bytes += 8;
    if (typeof part === "object") {
      if (part === null) return;
      search.stack.push(part);
      search.levels?.push(search.level);
    } else if (typeof part === "string") search.bytes += part.length;
    else if (typeof part === "function" || typeof part === "symbol") {
      search.refused = true;
    }
  }

  /** The same for what inherits nothing, as engines are fastest at it. */
  function addFields(search: Search, record: Record<string, unknown>): void {
    for (const key in record) add(search, record[key]);
  }

  function addAll(
    search: Search,
    record: Record<string, unknown>,
    names: string[],
  ): void {
    for (let i = 0; i < names.length; i++) add(search, record[names[i]!]);
  }

  function addElements(search: Search, array: unknown[], whole: boolean): void {
    const { length } = array;
    if (length > LONGEST) return addAll(search, array as never, keys(array));
    const before = search.stack.length;
    for (let i = 0; i < length; i++) add(search, array[i]);
    if (length > MOST_ELEMENTS) return;
    if (!whole && search.stack.length === before) return;
    const own = keys(array);
    // Engines list indexes first. Most arrays have nothing else, nor holes.
    if (own.length !== length || own[length - 1] !== String(length - 1)) {
      addAll(search, array as never, otherKeys(own));
    }
  }

  function addBuffer(search: Search, buffer: ArrayBufferLike): void {
    if (!isBuffer(buffer)) {
      if (refusesShared) search.refused = true;
      return;
    }
    if (search.buffers.has(buffer)) return;
    if (buffer.detached) search.refused = true;
    if (search.buffers === none) search.buffers = new Set();
    (search.buffers as Set<ArrayBuffer>).add(buffer);
    search.bytes += sizeOf(buffer);
  }

  function isPooled(view: object): view is Uint8Array {
    if (!isView(view)) return false;
    if (getPrototypeOf(getPrototypeOf(view)) !== bytes) return false;
    const buffer = bufferOf(view);
    return isBuffer(buffer) && sizeIn.call(view) as number < sizeOf(buffer);
  }

  function isFlat(value: object): boolean {
    if (!Array.isArray(value)) return false;
    const { length } = value;
    if (length <= MOST_ELEMENTS || length > LONGEST) return false;
    try {
      for (let i = 0; i < length; i++) {
        const part: unknown = value[i];
        if (typeof part === "object" && part !== null) return false;
        if (typeof part === "function" || typeof part === "symbol") {
          return false;
        }
      }
      return true;
    } catch {
      return false; // a getter, or a Proxy, that throws
    }
  }

  /** The keys of an array that are no indexes. */
  function otherKeys(own: string[]): string[] {
    let from = own.length;
    while (from > 0 && String(Number(own[from - 1]) >>> 0) !== own[from - 1]) {
      from--;
    }
    return own.slice(from);
  }

  const { kindOf, onlyInherits, refusalOf, clone } = kinds;
  return {
    kindOf,
    onlyInherits,
    refusalOf,
    inspect,
    isFlat,
    isPooled,
    entriesOf,
    itemsOf,
    clone,
  };
}
