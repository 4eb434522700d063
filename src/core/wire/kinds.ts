/**
 * What an object is to structured clone, by its class.
 *
 * @module
 */

import type { Crossing } from "./frames.ts";
import type { Views } from "./views.ts";

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

/** The kind of all objects of a class; or why they are refused. */
export type KindOrRefusal = Exclude<Kind, "refused"> | Refused;

interface Refused {
  refused: string;
}

/** Tells the kinds of objects. */
export interface Kinds {
  /**
   * By prototype, as far as they were met. Not kept alive by this: a program
   * may make a prototype for each of its values.
   */
  known: WeakMap<object, KindOrRefusal>;
  /**
   * The kind of a value whose prototype was not met before.
   *
   * @param value The value: it inherits something.
   * @param found Where to note that only structured clone itself can tell.
   */
  meet(value: object, found: { doubtful: boolean }): KindOrRefusal;
  /** Says what one is, not what it holds. */
  kindOf(value: object): Kind;
  /** Whether a value of that kind only inherits from its class. */
  onlyInherits(value: object, kind: Kind): boolean;
  /** Names one whose class does not arrive, such as "an instance of URL". */
  refusalOf(value: object): string | undefined;
  /** Copies any value as it would arrive; throws if it would not. */
  clone(value: unknown): unknown;
  /** Whether memory that is shared cannot cross. */
  refusesShared: boolean;
}

/**
 * Makes what tells them. Self-contained: workers get this function by its
 * source.
 *
 * Refuses what Deno would turn into `{}` without an error (`URL`, `Headers`,
 * `Response`, …: denoland/deno 2.9.5, tests/wire_test.ts), and what no runtime
 * clones, by one rule: an instance of a built-in class that is not among those
 * structured clone knows.
 *
 * @param views Knows buffers.
 * @param crossing How values cross, if not as structured clone takes them.
 * @returns What tells them.
 */
export function createKinds(
  { isBuffer, sizeOf }: Views,
  crossing?: Crossing,
): Kinds {
  const clone = (value: unknown) =>
    crossing === undefined ? structuredClone(value) : crossing.clone(value);
  // Every page has shared memory, that of a WebAssembly.Memory; but its class is
  // a global only where the page is isolated.
  const isolated = typeof SharedArrayBuffer !== "undefined";
  const shared = crossing !== undefined
    ? "a SharedArrayBuffer (which no other process can share: send a copy of it)"
    : isolated
    ? undefined
    : "a SharedArrayBuffer (which only a page that is cross-origin isolated can share: send a copy of it)";
  // No runtime clones one, and Node.js 24 ends when it tries, if it is closed.
  const port = "an instance of MessagePort";
  const NATIVE = /\{\s*\[native code\]\s*\}$/;

  const { getPrototypeOf, keys } = Object; // as user code may change its globals
  const { isArray } = Array;
  const { isView } = ArrayBuffer;
  const { toString } = Object.prototype;
  // The language's own getters, which throw for what is of another kind.
  const sizeIn = (prototype: object, name: string) =>
    Object.getOwnPropertyDescriptor(prototype, name)!.get!;
  const sizeOfMap = sizeIn(Map.prototype, "size");
  const sizeOfSet = sizeIn(Set.prototype, "size");
  const sharedBytesOf = isolated
    ? sizeIn(SharedArrayBuffer.prototype, "byteLength")
    : undefined;
  // What it has there is no native code, and Deno 2.9.5 clones it to {}.
  const { Deno: deno = {} } = globalThis as {
    Deno?: Record<string, unknown>;
  };
  const roots = new Map<object, KindOrRefusal>([
    [Object.prototype, "object"],
    [Array.prototype, "array"],
    [Map.prototype, "map"],
    [Set.prototype, "set"],
    [ArrayBuffer.prototype, "buffer"],
    [DataView.prototype, "view"],
    [getPrototypeOf(Uint8Array.prototype), "view"],
    [Error.prototype, "error"],
  ]);
  const known = new WeakMap(roots);
  // Those of all iterators, and of all that are async.
  const iterators: unknown[] = [
    getPrototypeOf(getPrototypeOf([].values())),
    getPrototypeOf(getPrototypeOf((async function* () {}).prototype)),
  ];

  /**
   * The kind of the nearest root; undefined if there is none. Never of what was
   * only met: all that another realm has inherits from one prototype there.
   */
  function verdictOn(proto: object | null): KindOrRefusal | undefined {
    if (proto === null) return undefined;
    const root = roots.get(proto);
    if (root !== undefined) return root;
    const own = Object.getOwnPropertyDescriptor(proto, "constructor")?.value;
    if (isOfPlatform(own)) return builtIn(own.name, proto);
    const next = getPrototypeOf(proto);
    // What a class of the user's makes of one has more than that.
    return iterators.includes(next) && typeof own !== "function"
      ? { refused: `an iterator (${toString.call(proto)})` }
      : verdictOn(next);
  }

  /** Whether it is a class of the platform's, and not of the user's. */
  function isOfPlatform(own: unknown): own is { name: string } {
    if (typeof own !== "function" || typeof own.name !== "string") return false;
    const { name } = own;
    if (deno[name] === own) return true;
    const scope = globalThis as unknown as Record<string, unknown>;
    if (scope[name] !== own && (isolated || name !== "SharedArrayBuffer")) {
      return false;
    }
    // What a user puts on globalThis is enumerable, and no native code as that
    // is which the platform puts there so on Bun.
    return !Object.prototype.propertyIsEnumerable.call(scope, name) ||
      NATIVE.test(Function.prototype.toString.call(own));
  }

  function builtIn(name: string, proto: object): KindOrRefusal {
    if (shared !== undefined && name === "SharedArrayBuffer") {
      return { refused: shared };
    }
    const inherited = verdictOn(getPrototypeOf(proto));
    if (inherited === "view" || inherited === "error") return inherited;
    const crosses = name === "Date" || name === "RegExp"; // if it is one
    return { refused: crosses ? lessThan(name) : `an instance of ${name}` };
  }

  const lessThan = (name: unknown) =>
    `an object that inherits from ${name}, but is none`;

  function onlyInherits(value: object, kind: Kind): boolean {
    if (kind === "view") return !isView(value);
    if (kind === "map") return !isMap(value);
    if (kind === "set") return !isSet(value);
    return kind === "buffer" && !succeeds(() => sizeOf(value));
  }

  const isMap = (value: object) => succeeds(() => sizeOfMap.call(value));
  const isSet = (value: object) => succeeds(() => sizeOfSet.call(value));

  /**
   * The kind of a value of another realm, as `node:vm` and test runners make
   * them, or of one that inherits from nothing: of no class that is known here.
   */
  function kindElsewhere(value: object): KindOrRefusal {
    if (isArray(value)) return "array";
    // Nothing with a tag: it may say anything, of one object of its class.
    const tagged = Symbol.toStringTag in value;
    if (!tagged && toString.call(value) === "[object Error]") return "error";
    if (isMap(value)) return "map";
    if (isSet(value)) return "set";
    if (isView(value)) return "view";
    if (isBuffer(value)) return "buffer";
    if (shared !== undefined && succeeds(() => sharedBytesOf!.call(value))) {
      return { refused: shared };
    }
    return arrivesWhole(value) ? "leaf" : "object";
  }

  function succeeds(attempt: () => unknown): boolean {
    try {
      attempt();
      return true;
    } catch {
      return false; // whatever it threw: it is of another kind, or cannot cross
    }
  }

  /** Whether clone gives another of its kind: a Date, a Blob, a CryptoKey, … */
  function arrivesWhole(value: object, by = clone): boolean {
    try {
      // In a test runner, what clone makes may be of another realm than this.
      return getPrototypeOf(by(value)) !== getPrototypeOf(by({}));
    } catch {
      return false;
    }
  }

  /**
   * A host object whose class has no known name may look like an instance of any,
   * so of each class the first is tried, unless its keys show what it holds; of a
   * built-in class each is tried, until one crosses.
   */
  function meet(value: object, found: { doubtful: boolean }): KindOrRefusal {
    const proto = getPrototypeOf(value);
    let kind = verdictOn(proto) ?? kindElsewhere(value);
    if (kind === "array" && !isArray(value)) kind = "object"; // it inherits one
    const bare = (kind === "object" || isRefusal(kind)) &&
      keys(value).length === 0;
    // Of what is built in, also with keys: on Bun, a File has one.
    const tried = (bare || isRefusal(kind)) && !isHopeless(kind);
    if (tried && arrivesWhole(value)) kind = "leaf";
    // Of a class of Node.js that crosses to threads alone, as a BlockList is.
    else if (tried && crossing && arrivesWhole(value, structuredClone)) {
      kind = { refused: `an instance of ${proto.constructor?.name}` };
    }
    if (bare && kind === "object" && !succeeds(() => clone(value))) {
      found.doubtful = true;
    } else if (!isRefusal(kind) || !tried) known.set(proto, kind);
    // Else others of its class may cross: it may have no more than the prototype.
    return kind;
  }

  function isRefusal(kind: KindOrRefusal): kind is Refused {
    return typeof kind !== "string";
  }

  /** Whether it is a port, or memory that cannot be shared. */
  function isHopeless(kind: KindOrRefusal): boolean {
    return isRefusal(kind) &&
      (kind.refused === shared || kind.refused === port);
  }

  /** The same of a view. */
  function showsShared(view: ArrayBufferView): boolean {
    return shared !== undefined && isView(view) && !isBuffer(view.buffer);
  }

  function kindOf(value: object): Kind {
    const proto = getPrototypeOf(value);
    if (proto === null) return "object";
    if (!known.has(proto)) meet(value, { doubtful: false });
    const kind = known.get(proto); // of one in doubt it is not known
    if (kind === "view" && showsShared(value as ArrayBufferView)) {
      return "refused";
    }
    return typeof kind === "string" ? kind : "refused";
  }

  function refusalOf(value: object): string | undefined {
    const proto = getPrototypeOf(value);
    if (proto === null) return undefined;
    const kind = known.get(proto) ?? meet(value, { doubtful: false });
    if (onlyInherits(value, kindOf(value))) {
      return succeeds(() => clone(value)) // no Proxy
        ? lessThan(proto.constructor?.name)
        : undefined;
    }
    if (kind === "view" && showsShared(value as ArrayBufferView)) return shared;
    return isRefusal(kind) ? kind.refused : undefined;
  }

  const refusesShared = shared !== undefined;
  return {
    known,
    meet,
    kindOf,
    onlyInherits,
    refusalOf,
    clone,
    refusesShared,
  };
}
