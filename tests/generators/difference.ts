// A deep equality that sees what matters when a value crosses: class, own keys
// and their order, holes, -0, which parts are one, and what errors carry.

import { ANY_TEXT, ANYTHING } from "./arrival.ts";

/** Own properties of errors that are not enumerable, yet carry content. */
const HIDDEN = ["cause", "errors", "error", "suppressed"];
/** Properties of errors that are compared whether they are own or not. */
const ALWAYS = ["name", "message"];

interface Pair {
  wanted: unknown;
  got: unknown;
  path: Path | undefined;
}

/** Where a pair stands: a list, as a text for each would cost too much. */
interface Path {
  key: unknown;
  up: Path | undefined;
}

/**
 * Compares what arrived with what should have. Without recursion, as values may
 * be thousands deep.
 *
 * @param wanted What should have arrived.
 * @param got What has arrived.
 * @param cut Whether views may be cut out of their buffers wherever they are.
 * @returns The first difference in words, or undefined.
 */
export function difference(
  wanted: unknown,
  got: unknown,
  cut = false,
): string | undefined {
  const pairs: Pair[] = [{ wanted, got, path: undefined }];
  // Which object stands for which: shared parts must be shared on both sides.
  const twins = new Map<object, object>();
  const back = new Map<object, object>();

  for (let pair; (pair = pairs.pop()) !== undefined;) {
    const { wanted, got, path } = pair;
    const say = (what: string) => `${what} at ${show(path)}`;
    if (wanted === ANYTHING) continue;
    if (wanted === ANY_TEXT) {
      if (typeof got !== "string") return say(`${tag(got)} instead of a text`);
      continue;
    }
    if (!isObject(wanted) || !isObject(got)) {
      if (Object.is(wanted, got)) continue;
      return say(`${print(got)} instead of ${print(wanted)}`);
    }
    if (twins.has(wanted) || back.has(got)) {
      if (twins.get(wanted) === got && back.get(got) === wanted) continue;
      return say("a part is shared on one side only");
    }
    twins.set(wanted, got);
    back.set(got, wanted);
    const follow = (key: unknown, wanted: unknown, got: unknown) =>
      pairs.push({ wanted, got, path: { key, up: path } });
    const root = path === undefined;
    const found = compareObjects(wanted, got, follow, root || cut);
    if (found !== undefined) return say(found);
  }
}

type Follow = (key: unknown, wanted: unknown, got: unknown) => void;

function compareObjects(
  wanted: object,
  got: object,
  follow: Follow,
  root: boolean,
): string | undefined {
  if (Object.getPrototypeOf(wanted) !== Object.getPrototypeOf(got)) {
    return `class ${classOf(got)} instead of ${classOf(wanted)}`;
  }
  if (tag(wanted) !== tag(got)) return `${tag(got)} instead of ${tag(wanted)}`;
  if (wanted instanceof Error) {
    return compareErrors(wanted, got as Error, follow);
  }
  if (ArrayBuffer.isView(wanted)) {
    return compareViews(wanted, got as ArrayBufferView, follow, root);
  }
  const part = compareContent(wanted, got, follow);
  return part ?? compareKeys(keysOf(wanted), keysOf(got), wanted, got, follow);
}

function compareContent(
  wanted: object,
  got: object,
  follow: Follow,
): string | undefined {
  if (wanted instanceof Map || wanted instanceof Set) {
    // Two that are described by texts stand here as one.
    if (wanted.has(ANY_TEXT)) return undefined;
    // Entries of a Set are each value twice.
    const lists = [wanted, got as typeof wanted].map((of) => [...of.entries()]);
    if (lists[0].length !== lists[1].length) return "another size";
    for (const [i, [key, value]] of lists[0].entries()) {
      follow(`key ${i}`, key, lists[1][i][0]);
      follow(`value ${i}`, value, lists[1][i][1]);
    }
  } else if (wanted instanceof Date || isBoxed(wanted)) {
    follow("valueOf", wanted.valueOf(), got.valueOf());
  } else if (wanted instanceof RegExp) {
    const { source, flags, lastIndex } = got as RegExp;
    follow("source", wanted.source, source);
    follow("flags", wanted.flags, flags);
    follow("lastIndex", wanted.lastIndex, lastIndex);
  } else if (wanted instanceof Blob) {
    follow("size", wanted.size, (got as Blob).size);
    follow("type", wanted.type, (got as Blob).type);
  } else if (isBuffer(wanted)) {
    return compareBuffers(wanted, got as typeof wanted);
  } else if (Array.isArray(wanted)) {
    follow("length", wanted.length, (got as unknown[]).length);
  }
}

/** A name, a class and so on that arrive whether they are own or inherited. */
function compareErrors(
  wanted: Error,
  got: Error,
  follow: Follow,
): string | undefined {
  for (const key of ALWAYS as ("name" | "message")[]) {
    follow(key, wanted[key], got[key]);
  }
  // What was thrown has frames of the caller after its own.
  const { stack } = wanted;
  const planned = typeof stack === "string" &&
    got.stack?.startsWith(stack.trimEnd());
  follow("stack", planned ? got.stack : stack, got.stack);
  for (const key of HIDDEN) {
    const own = Object.hasOwn(wanted, key);
    if (own !== Object.hasOwn(got, key)) {
      return `"${key}" ${own ? "is missing" : "has come from nowhere"}`;
    }
  }
  const keys = (error: Error) => {
    const shown = keysOf(error).filter((key) =>
      ![...ALWAYS, ...HIDDEN, "stack"].includes(key)
    );
    const hidden = HIDDEN.filter((key) => Object.hasOwn(error, key));
    return [...hidden, ...shown];
  };
  return compareKeys(keys(wanted), keys(got), wanted, got, follow);
}

/** As an input or result itself, a view is cut out of its buffer. */
function compareViews(
  wanted: ArrayBufferView,
  got: ArrayBufferView,
  follow: Follow,
  root: boolean,
): string | undefined {
  if (!root) {
    follow("buffer", wanted.buffer, got.buffer);
    follow("byteOffset", wanted.byteOffset, got.byteOffset);
  }
  follow("byteLength", wanted.byteLength, got.byteLength);
  return differentBytes(bytesOf(wanted), bytesOf(got));
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function compareBuffers(
  wanted: ArrayBufferLike,
  got: ArrayBufferLike,
): string | undefined {
  const limits = [wanted, got].map((buffer) => {
    const { resizable, growable, maxByteLength } = buffer as unknown as Record<
      string,
      unknown
    >;
    return `${resizable ?? growable} ${maxByteLength}`;
  });
  if (limits[0] !== limits[1]) return `${limits[1]} instead of ${limits[0]}`;
  return differentBytes(new Uint8Array(wanted), new Uint8Array(got));
}

function differentBytes(
  wanted: Uint8Array,
  got: Uint8Array,
): string | undefined {
  if (wanted.length !== got.length) {
    return `${got.length} bytes instead of ${wanted.length}`;
  }
  return wanted.every((byte, i) => byte === got[i]) ? undefined : "other bytes";
}

function compareKeys(
  wantedKeys: string[],
  gotKeys: string[],
  wanted: object,
  got: object,
  follow: Follow,
): string | undefined {
  const [a, b] = [wantedKeys, gotKeys].map((keys) => JSON.stringify(keys));
  if (a !== b) return `keys ${b} instead of ${a}`;
  const read = (object: object, key: string) =>
    Object.getOwnPropertyDescriptor(object, key);
  for (const key of wantedKeys) {
    const descriptor = read(got, key)!;
    if (!("value" in descriptor)) return `an accessor for "${key}"`;
    follow(key, read(wanted, key)!.value, descriptor.value);
  }
}

/** Own enumerable keys with a text for a name; of buffers and boxes, none. */
function keysOf(object: object): string[] {
  return isBoxed(object) || object instanceof Blob ? [] : Object.keys(object);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function isBuffer(value: object): value is ArrayBufferLike {
  return value instanceof ArrayBuffer || value instanceof SharedArrayBuffer;
}

function isBoxed(value: object): boolean {
  return [Number, String, Boolean, BigInt].some((Class) =>
    value instanceof Class
  );
}

function tag(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

function classOf(value: object): string {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null ? "null" : prototype.constructor?.name;
}

function print(value: unknown): string {
  if (isObject(value)) return `a ${classOf(value)}`;
  if (typeof value === "function") return `function ${value.name}`;
  return typeof value === "string"
    ? JSON.stringify(value)
    : Object.is(value, -0)
    ? "-0"
    : String(value);
}

function show(path: Path | undefined): string {
  const keys: string[] = [];
  for (let at = path; at !== undefined; at = at.up) {
    keys.unshift(
      `[${typeof at.key === "string" ? JSON.stringify(at.key) : at.key}]`,
    );
  }
  const whole = keys.join("");
  return `value${whole.length > 200 ? `…${whole.slice(-200)}` : whole}`;
}
