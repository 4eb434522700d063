/**
 * What a call brings along for its function (`data`), both ends of it: cloned
 * once for each worker, with the functions in it shipped by their source.
 *
 * @module
 */

import { show } from "../../words/show.ts";
import type { Codec, Encoded } from "./codec.ts";
import type { Crossing } from "./frames.ts";
import type { FunctionRef, Place } from "./function_ref.ts";
import { functionRef } from "./function_ref.ts";
import { createWire } from "./wire.ts";

/** The same, as it is sent. */
export interface CallData {
  readonly value: Encoded;
  /** The functions, and the keys that lead to the place of each. */
  readonly functions: readonly { path: string[]; ref: FunctionRef }[];
}

/**
 * Makes a copy of a value that can be sent to any number of workers.
 *
 * @param action What cannot be done otherwise, such as `map`.
 * @param name Name of the option that holds it.
 * @param value The value.
 * @param crossing How it crosses, if not as structured clone takes it.
 * @returns The copy.
 * @throws {TypeError} When it cannot be cloned; says what is in the way.
 */
export function encodeOnce(
  action: string,
  name: string,
  value: unknown,
  crossing?: Crossing,
): Encoded {
  if (value === undefined) return { value: undefined, errors: [] };
  const { packing } = createWire(undefined, crossing);
  const parcel = packing.pack([value], false);
  const again = packing.repack([value], parcel, undefined);
  const refusal = again.refused.get(0);
  if (refusal === undefined && again.packed.as === "list") {
    const [value] = again.packed.values;
    const [[, errors] = [0, []]] = again.packed.encoded ?? [];
    return { value, errors };
  }
  throw new TypeError(
    `Cannot ${action} as "${name}" must be cloneable: received ${refusal?.reason}`,
  );
}

/**
 * Encodes what a call brings along. Functions are looked for in arrays and
 * plain objects, at any depth.
 *
 * @param data What the caller gave.
 * @param place Where the functions are to run.
 * @returns The data as it is sent; undefined if there is none.
 * @throws {TypeError} When a part of it can neither be cloned nor shipped.
 */
export function encodeCallData(
  data: unknown,
  place: Place,
): CallData | undefined {
  if (data === undefined) return undefined;
  const { leading, passed } = read(() => leadingToFunctions(data, false));
  try {
    return encodeWithout(leading, data, place);
  } catch (error) {
    if (!passed) throw error;
    // A function may be in what was passed over.
    const { leading: all } = read(() => leadingToFunctions(data, true));
    return encodeWithout(all, data, place);
  }
}

/** The same, of data in which these lead to functions. */
function encodeWithout(
  leading: Set<object>,
  data: unknown,
  place: Place,
): CallData {
  const functions: { path: string[]; ref: FunctionRef }[] = [];
  const copies = new Map<object, object>();
  const collections: [Collection, Collection][] = []; // and the copy of each
  const rest = without(data, []);
  // After all that a path leads to, as functions have to be noted there.
  for (const [collection, copy] of collections) fill(collection, copy);
  return { value: encodeOnce("map", "data", rest, place.crossing), functions };

  /**
   * The value without the functions, which are noted; on no path they are left,
   * and refused as what cannot be cloned. What leads to none stays what it is.
   */
  function without(value: unknown, path?: string[], level = 0): unknown {
    if (typeof value === "function" && path !== undefined) {
      functions.push({ path: [...path], ref: ship(value, path, place) });
      return undefined;
    }
    if (!leading.has(value as object)) return value;
    const holder = value as object; // a Proxy was read before
    const known = copies.get(holder);
    if (known !== undefined) return known;
    if (level === DEEPEST) {
      throw new TypeError(
        `Cannot map as "data" with functions in it must not be deeper than ${DEEPEST} levels: received one that is`,
      );
    }
    if (holder instanceof Map || holder instanceof Set) {
      const copy = holder instanceof Map ? new Map() : new Set();
      copies.set(holder, copy);
      collections.push([holder, copy]);
      return copy;
    }
    const copy: object = Array.isArray(holder)
      ? new Array(holder.length)
      : Object.create(Object.getPrototypeOf(holder));
    copies.set(holder, copy);
    for (const [key, part] of read(() => Object.entries(holder))) {
      path?.push(key);
      define(copy, key, without(part, path, level + 1));
      path?.pop();
    }
    return copy;
  }

  function fill(collection: Collection, copy: Collection): void {
    collection.forEach((value: unknown, key: unknown) => {
      if (copy instanceof Map) copy.set(without(key), without(value));
      else copy.add(without(value));
    });
  }
}

type Collection = Map<unknown, unknown> | Set<unknown>;

/** How deep functions are looked for; no bench: a stack holds some thousands. */
const DEEPEST = 500;

/** Looks at what the caller gave: its getters and Proxies may throw. */
function read<T>(look: () => T): T {
  try {
    return look();
  } catch (cause) {
    throw new TypeError(
      `Cannot map as "data" must be readable: received ${show(cause)}`,
      { cause },
    );
  }
}

/**
 * The arrays, plain objects, Maps and Sets that lead to a function in an array or
 * a plain object. Much data has none, and what leads to none is not copied.
 */
function leadingToFunctions(
  value: unknown,
  all: boolean,
): { leading: Set<object>; passed: boolean } {
  let passed = false; // keys of long arrays that are no indexes
  const leading = new Set<object>();
  const holders = new Map<object, object[]>(); // by what they hold
  const found: object[] = [];

  function note(part: unknown, holder?: object): void {
    if (typeof part === "function" && isContainer(holder)) leading.add(holder);
    if (!isContainer(part) && !isCollection(part)) return;
    let known = holders.get(part);
    if (known === undefined) {
      holders.set(part, known = []);
      found.push(part);
    }
    if (holder !== undefined) known.push(holder);
  }

  note(value);
  for (let next = found.pop(); next !== undefined; next = found.pop()) {
    const holder = next;
    if (!all && isLong(holder)) {
      passed = true;
      for (let i = 0; i < holder.length; i++) note(holder[i], holder);
      continue;
    }
    if (!isCollection(holder)) {
      for (const part of Object.values(holder)) note(part, holder);
      continue;
    }
    holder.forEach((part: unknown, key: unknown) => {
      note(part, holder);
      note(key, holder);
    });
  }
  // It grows on the way: a Set gives what is added to it, too.
  for (const part of leading) {
    for (const holder of holders.get(part)!) leading.add(holder);
  }
  return { leading, passed };
}

/**
 * Up to so many elements, the keys of an array are listed, as inspection.ts does:
 * to list a million takes Bun 1.4.5 a second.
 */
const MOST_ELEMENTS = 16;
/** A longer array may be sparse, and is read by its keys alone. */
const LONGEST = 10_000_000;

function isLong(holder: object): holder is unknown[] {
  if (!Array.isArray(holder)) return false;
  const { length } = holder;
  return length > MOST_ELEMENTS && length <= LONGEST;
}

/** Whether it is a Map or a Set, of no class of the user's. */
function isCollection(value: unknown): value is Collection {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Map.prototype && prototype !== Set.prototype) return false;
  try {
    prototype.has.call(value, undefined);
    return true;
  } catch { // a Proxy, or nothing but an object with that prototype
    return false;
  }
}

function define(object: object, key: string, value: unknown): void {
  const flags = { writable: true, enumerable: true, configurable: true };
  Object.defineProperty(object, key, { value, ...flags }); // also "__proto__"
}

/** Whether structured clone takes it for a plain object, or an array. */
function isContainer(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return true;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function ship(fn: unknown, path: string[], place: Place): FunctionRef {
  const steps = path.map((key) => /^\d+$/.test(key) ? `[${key}]` : `.${key}`);
  const where = `data${steps.join("")}`;
  try {
    return functionRef(fn, undefined, { ...place, role: "a function in data" });
  } catch (error) {
    throw new TypeError(`${(error as Error).message}, at "${where}"`);
  }
}

/**
 * Opens what a call brought along. Self-contained: workers get this function by
 * its source.
 *
 * @param data What was sent.
 * @param codec Decodes it.
 * @param load Gets a function from its source.
 * @returns What the caller gave, copied; held by an object, as a promise would
 * call a function in it that is named `then`.
 */
export async function openCallData(
  { value: encoded, functions }: CallData,
  codec: Codec,
  load: (ref: FunctionRef) => Promise<unknown>,
): Promise<{ data: unknown }> {
  let data = encoded.errors.length > 0 ? codec.decode(encoded) : encoded.value;
  for (const { path, ref } of functions) {
    const fn = await load(ref);
    const key = path.at(-1);
    if (key === undefined) {
      data = fn;
      continue;
    }
    let place = data as object;
    for (const step of path.slice(0, -1)) {
      // Not by place[step], as "__proto__" may be a key.
      place = Object.getOwnPropertyDescriptor(place, step)!.value;
    }
    const flags = { writable: true, enumerable: true, configurable: true };
    Object.defineProperty(place, key, { value: fn, ...flags });
  }
  return { data };
}
