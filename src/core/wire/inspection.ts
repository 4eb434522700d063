/**
 * Looks at a value before it crosses the thread boundary.
 *
 * @module
 */

import type { Crossing } from "./frames.ts";

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
}

/** What an object is to structured clone. */
export type Kind =
  | "object"
  | "array"
  | "map"
  | "set"
  | "buffer"
  | "view"
  | "error"
  /** A Date, a Blob, …: it arrives whole, and holds nothing else. */
  | "leaf"
  /** It does not arrive, or only as `{}`, or what it holds does not. */
  | "refused";

/** Looks at values of type object. */
export interface Inspector {
  /** Says what one is, not what it holds. */
  kindOf(value: object): Kind;
  /** Names one whose class does not arrive, such as "an instance of URL". */
  refusalOf(value: object): string | undefined;
  /** Looks at one. */
  inspect(value: object): Inspection;
  /** Copies any value as it would arrive; throws if it would not. */
  clone(value: unknown): unknown;
}

/**
 * Makes the inspector. Self-contained: workers get this function by its source.
 *
 * Refuses what Deno would turn into `{}` without an error (`URL`, `Headers`,
 * `Response`, …: denoland/deno 2.9.5, tests/wire_test.ts), and what no runtime
 * clones, by one rule: an instance of a built-in class that is not among those
 * structured clone knows.
 *
 * @param crossing How values cross, if not as structured clone takes them.
 * @returns The inspector.
 */
export function createInspector(crossing?: Crossing): Inspector {
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

  const clone = (value: unknown) =>
    crossing === undefined ? structuredClone(value) : crossing.clone(value);
  // There is some in every page: that of a WebAssembly.Memory.
  const isolated = typeof SharedArrayBuffer !== "undefined";
  const shared = crossing !== undefined
    ? 'a SharedArrayBuffer (which no other process can share: send a copy of it, or set another "backend")'
    : isolated
    ? undefined
    : "a SharedArrayBuffer (which only a page that is cross-origin isolated can share: send a copy of it)";
  const NATIVE = /\{\s*\[native code\]\s*\}$/;

  type Verdict = Exclude<Kind, "refused"> | { refused: string };
  const none: ReadonlySet<ArrayBuffer> = new Set<ArrayBuffer>();
  const { getPrototypeOf, keys } = Object; // as user code may change its globals
  // What clone reads: a subclass may iterate over something else, without end.
  const { entries } = Map.prototype;
  const { values } = Set.prototype;
  const entriesOf = (map: object) => entries.call(map as Map<unknown, unknown>);
  const itemsOf = (set: object) => values.call(set as Set<unknown>);
  const plain = Object.prototype;
  const list = Array.prototype;
  /** Whether all objects have keys that would be listed with their own. */
  let polluted = false;
  const kinds = new Map<object | null, Verdict>([
    [null, "object"],
    [plain, "object"],
    [list, "array"],
    [Map.prototype, "map"],
    [Set.prototype, "set"],
    [ArrayBuffer.prototype, "buffer"],
    [DataView.prototype, "view"],
    [getPrototypeOf(Uint8Array.prototype), "view"],
    [Error.prototype, "error"],
  ]);

  /** The kind of the nearest known prototype. */
  function verdictOn(proto: object | null): Verdict {
    const known = kinds.get(proto);
    if (known !== undefined || proto === null) return known ?? "object";
    const own = Object.getOwnPropertyDescriptor(proto, "constructor")?.value;
    // What a user puts on globalThis is enumerable, and no native code as that
    // is which the platform puts there so on Bun.
    const scope = globalThis as unknown as Record<string, unknown>;
    const platform = typeof own === "function" &&
      typeof own.name === "string" &&
      (scope[own.name] === own ||
        (!isolated && own.name === "SharedArrayBuffer")) &&
      (!Object.prototype.propertyIsEnumerable.call(scope, own.name) ||
        NATIVE.test(Function.prototype.toString.call(own)));
    return platform
      ? builtIn(own.name, proto)
      : verdictOn(getPrototypeOf(proto));
  }

  function builtIn(name: string, proto: object): Verdict {
    if (shared !== undefined && name === "SharedArrayBuffer") {
      return { refused: shared };
    }
    const inherited = verdictOn(getPrototypeOf(proto));
    return inherited === "view" || inherited === "error"
      ? inherited
      : { refused: `an instance of ${name}` };
  }

  function clones(value: unknown): boolean {
    try {
      clone(value);
      return true;
    } catch {
      return false; // whatever it threw: it does not cross
    }
  }

  /** Whether clone gives another of its kind: a Date, a Blob, a CryptoKey, … */
  function arrivesWhole(value: object): boolean {
    try {
      return getPrototypeOf(clone(value)) !== plain;
    } catch {
      return false;
    }
  }

  /**
   * The kind of a value whose prototype was not met before. A host object
   * without a known name may look like an instance of any class, so the first
   * of each class is tried, unless it shows what it holds.
   */
  function meet(value: object, found: Inspection): Verdict {
    const proto = getPrototypeOf(value);
    let kind = verdictOn(proto);
    const unknown = kind === "object" || typeof kind === "object";
    const bare = unknown && keys(value).length === 0;
    // Of what is built in, also with keys: on Bun, a File has one.
    const tried = (bare || typeof kind === "object") && !isShared(kind);
    if (tried && arrivesWhole(value)) kind = "leaf";
    if (bare && kind === "object" && !clones(value)) found.doubtful = true;
    else kinds.set(proto, kind);
    return kind;
  }

  /** Whether it is memory that would have to be shared, and cannot be. */
  function isShared(kind: Verdict): boolean {
    return typeof kind === "object" && kind.refused === shared;
  }

  /** The same of a view. */
  function showsShared(view: ArrayBufferView): boolean {
    return shared !== undefined && !(view.buffer instanceof ArrayBuffer);
  }

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
      stack: [root],
      levels,
      level: 0,
    };
  }

  function kindOf(value: object): Kind {
    const proto = getPrototypeOf(value);
    if (!kinds.has(proto)) meet(value, startSearch(value, undefined));
    const kind = kinds.get(proto); // of one in doubt it is not known
    if (kind === "view" && showsShared(value as ArrayBufferView)) {
      return "refused";
    }
    return typeof kind === "string" ? kind : "refused";
  }

  function inspect(root: object): Inspection {
    polluted = false;
    for (const _ in plain) polluted = true;
    const search = startSearch(root, undefined);
    for (let steps = 0; search.stack.length > 0 && !search.refused; steps++) {
      if (steps === UNWATCHED) return inspectWatched(root);
      look(search, search.stack.pop()!, root);
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
    const kind = proto === plain
      ? "object"
      : proto === list
      ? "array"
      : kinds.get(proto) ?? meet(value, search);
    if (kind === "object") {
      if (proto === plain && !polluted) addFields(search, value as never);
      else addAll(search, value as never, keys(value));
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
      addBuffer(
        search,
        kind === "view"
          ? (value as ArrayBufferView).buffer
          : value as ArrayBuffer,
      );
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
    if (!(buffer instanceof ArrayBuffer)) {
      if (shared !== undefined) search.refused = true;
      return;
    }
    if (search.buffers.has(buffer)) return;
    if (buffer.detached) search.refused = true;
    if (search.buffers === none) search.buffers = new Set();
    (search.buffers as Set<ArrayBuffer>).add(buffer);
    search.bytes += buffer.byteLength;
  }

  /** The keys of an array that are no indexes. */
  function otherKeys(own: string[]): string[] {
    let from = own.length;
    while (from > 0 && String(Number(own[from - 1]) >>> 0) !== own[from - 1]) {
      from--;
    }
    return own.slice(from);
  }

  function refusalOf(value: object): string | undefined {
    const proto = getPrototypeOf(value);
    const kind = kinds.get(proto) ?? verdictOn(proto);
    if (kind === "view" && showsShared(value as ArrayBufferView)) return shared;
    return typeof kind === "object" ? kind.refused : undefined;
  }

  return { kindOf, refusalOf, inspect, clone };
}
