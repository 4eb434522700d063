/**
 * Tells which objects can be written as records, and which parts of them can be
 * cloned by themselves.
 *
 * @module
 */

import type { TypedArray } from "../api/options.ts";
import type { Inspector } from "./inspection.ts";
import type { Moving } from "./moving.ts";
import type { Sharing } from "./sharing.ts";
import type { Views } from "./views.ts";

/** What tells objects apart that have the same class; nothing in the language does. */
export interface Types {
  isProxy(value: unknown): boolean;
  isMap(value: unknown): boolean;
  isSet(value: unknown): boolean;
  isAnyArrayBuffer(value: unknown): boolean;
  isPromise(value: unknown): boolean;
}

/** What `createRecordKinds` is given. */
export interface KindParts {
  inspector: Inspector;
  views: Views;
  moving: Moving;
}

/** What a Set holds, or a Map: its keys, each before its value. */
export interface MapParts {
  isMap: boolean;
  parts: unknown[];
}

/** Memory that is nothing but its bytes, and few of them. */
export interface FewBytes {
  /** 0 for an ArrayBuffer; of a typed array the index of its kind, from 1. */
  kind: number;
  bytes: Uint8Array;
  /** How many these are. */
  size: number;
}

/** Tells objects apart. */
export interface RecordKinds {
  /** Begins a message. */
  begin(types: Types): void;
  /**
   * Throws unless all that structured clone sees of an object is its own keys:
   * it is one of a class of the user's, or of none.
   */
  checkClass(value: object, proto: object | null): void;
  /**
   * Lists what a Map or a Set holds.
   *
   * @param value The object.
   * @returns Undefined for any other, and where clone takes more than that.
   */
  mapPartsOf(value: object): MapParts | undefined;
  /**
   * Gives the bytes of an ArrayBuffer, or of a typed array, whose buffer it meets.
   *
   * @param value The object.
   * @param proto What it inherits from.
   * @param level How deep it is in its value, from 1: a value itself may view a
   * part of a buffer.
   * @returns Undefined for any other, and for many bytes or none.
   */
  bytesOf(
    value: object,
    proto: object | null,
    level: number,
  ): FewBytes | undefined;
  /**
   * Whether an object may go to clone as it is: a buffer inside a value, or a view,
   * whose buffer it meets.
   *
   * @param value The object.
   * @param level How deep it is in its value, from 1.
   */
  isWhole(value: object, level: number): boolean;
  /**
   * The same in a message of copies: no large one, as those are moved (lists.ts).
   */
  isCopied(value: object): boolean;
  /** Copies one of those, a list that holds no object, or what has no keys. */
  copyOf(whole: object): object;
  /**
   * The time of a Date in ms since 1970; undefined for an object that is none.
   *
   * @throws For what only has its prototype.
   */
  timeOf(value: object, proto: object | null): number | undefined;
  /** Whether an object is `arguments`, or says so. */
  isArguments(value: object): boolean;
  /**
   * Whether an array holds no object.
   *
   * @param list The array.
   * @param unchanged Whether one that was looked at before is as it was.
   */
  isFlat(list: unknown[], unchanged: boolean): boolean;
  /** Forgets all classes. */
  forgetClasses(): void;
  /** Forgets all objects and classes. */
  clear(): void;
}

/**
 * Makes one. Self-contained: workers get this function by its source.
 *
 * @param parts Say what an object is, copy typed arrays, and know which buffers
 * are moved.
 * @param sharing Meets the buffers of views.
 * @returns What tells them.
 */
export function createRecordKinds(
  { inspector, views, moving }: KindParts,
  { meetBuffer }: Sharing,
): RecordKinds {
  // To list 200 keys takes V8 3 µs, and JSC 11; to clone as many numbers takes
  // Bun 1.4.5 0.3 µs, Node.js 24 6, and Deno 2.9.5 13.
  const clonesFast = "Bun" in globalThis;
  const { isView } = ArrayBuffer;
  const Bytes = Uint8Array;
  const { isArray, prototype: array } = Array;
  const { getPrototypeOf, is, keys: keysOf, prototype: plain } = Object;
  const { toString } = plain;
  const { prototype: date } = Date;
  const { getTime } = date;
  // Bytes that are written beside the numbers: of more, clone is as fast
  // (bench/micro/packing.ts).
  const MOST_BYTES = 4096;
  const { prototype: memory } = ArrayBuffer;
  // Not everywhere.
  const resizes = Object.getOwnPropertyDescriptor(memory, "resizable")?.get;
  const { sizeOf, ofTyped: { bufferIn, offsetIn, sizeIn } } = views;
  const notOwn = new Error("an object of another class");
  const classes = new Map<object, boolean>();
  let lastList: unknown[] | undefined;
  let copied: unknown[] = []; // the last list
  let itsCopy: unknown[] = [];
  let types: Types;

  /** Or anything else that is more than its value. */
  function isObject(part: unknown): boolean {
    const held = typeof part;
    return held === "object"
      ? part !== null
      : held === "function" || held === "symbol";
  }

  function isLikePlain(value: object, proto: object): boolean {
    let known = classes.get(proto);
    if (known === undefined) {
      known = inspector.kindOf(value) === "object";
      // What it has would be listed with its own.
      if (known) { for (const _ in proto) known = false; }
      classes.set(proto, known);
    }
    return known;
  }

  function forgetClasses(): void {
    if (classes.size > 0) classes.clear();
  }

  /** Whether an object without keys is not one of another kind all the same. */
  function isBare(value: object): boolean {
    return toString.call(value) === "[object Object]" && !isView(value) &&
      !types.isMap(value) && !types.isSet(value) &&
      !types.isAnyArrayBuffer(value) && !types.isPromise(value);
  }

  /** The buffer of a view, or the one that it is, if that may be copied. */
  function bufferOf(value: object): ArrayBuffer | undefined {
    const { refused, buffers: [buffer] } = inspector.inspect(value);
    if (refused || buffer === undefined || buffer.resizable) return undefined;
    const { byteLength } = value as ArrayBuffer | ArrayBufferView;
    // A view of a part of it would bring all of it along.
    if (byteLength === 0 || byteLength !== buffer.byteLength) return undefined;
    if (moving.toMove([buffer]).length > 0) return undefined;
    const known = value === buffer || views.kindOf(value) !== undefined;
    return known ? buffer : undefined;
  }

  /** Whether a list has nothing but elements, as most have, and no hole. */
  function isBareList(list: unknown[]): boolean {
    if (getPrototypeOf(list) !== array) return false;
    const { length } = list;
    const keys = keysOf(list); // engines list indexes first
    return keys.length === length &&
      (length === 0 || keys[length - 1] === String(length - 1));
  }

  /** Copies a list that holds no object: the same copy, if it is as before. */
  function copyOfList(list: unknown[]): unknown[] {
    const { length } = list;
    const again = list === copied;
    const bare = (again || !clonesFast) && isBareList(list);
    if (again && bare && itsCopy.length === length) {
      let at = 0;
      while (at < length && is(list[at], itsCopy[at])) at++;
      if (at === length) return itsCopy;
    }
    [copied, itsCopy] = [list, []];
    // Nor is it known then whether its copy has more than elements.
    if (!bare) return inspector.clone(list) as unknown[];
    for (let at = 0; at < length; at++) {
      const item = list[at]; // by a getter, it may be another than before
      if (isObject(item)) throw notOwn;
      itsCopy.push(item);
    }
    return itsCopy;
  }

  return {
    begin(given) {
      types = given;
    },
    checkClass(value, proto) {
      const isOwn = proto === null
        ? toString.call(value) === "[object Object]" // not a module
        : isLikePlain(value, proto);
      if (!isOwn) throw notOwn;
    },
    mapPartsOf(value) {
      const kind = inspector.kindOf(value);
      const isMap = kind === "map";
      if (!isMap && kind !== "set") return undefined;
      // Bun 1.4.5 clones those as well, other runtimes do not.
      if (keysOf(value).length > 0) return undefined;
      const parts: unknown[] = [];
      if (isMap) {
        for (const [key, item] of inspector.entriesOf(value)) {
          parts.push(key, item);
        }
      } else {
        for (const item of inspector.itemsOf(value)) parts.push(item);
      }
      return { isMap, parts };
    },
    bytesOf(value, proto, level) {
      const kind = views.kindOf(value);
      const own = kind === undefined ? memory : views.protoOf(kind);
      if (proto !== own) return undefined;
      const isView = kind !== undefined;
      const size = isView ? sizeIn.call(value) as number : sizeOf(value);
      if (size === 0 || size > MOST_BYTES) return undefined;
      const buffer = isView ? bufferIn.call(value) as ArrayBuffer : value;
      if (getPrototypeOf(buffer) !== memory) return undefined; // it is shared
      if (resizes?.call(buffer)) return undefined;
      // A view of a part of it would bring all of it along.
      if (level > 1 && sizeOf(buffer) !== size) return undefined;
      if (isView) meetBuffer(buffer);
      const offset = isView ? offsetIn.call(value) as number : 0;
      const bytes = kind === "Uint8Array"
        ? value as Uint8Array
        : new Bytes(buffer as ArrayBuffer, offset, size);
      return { kind: views.kinds.indexOf(kind!) + 1, bytes, size };
    },
    isWhole(value, level) {
      // A view that is the value itself is cut out of its buffer.
      if (level === 1) return false;
      const kind = inspector.kindOf(value);
      if (kind === "view") meetBuffer(views.bufferOf(value));
      return kind === "view" || kind === "buffer";
    },
    isCopied(value) {
      const kind = inspector.kindOf(value);
      if (kind !== "view" && kind !== "buffer") return false;
      if (inspector.isPooled(value)) return true;
      const buffer = bufferOf(value);
      if (buffer !== undefined && buffer !== value) meetBuffer(buffer);
      return buffer !== undefined;
    },
    copyOf(whole) {
      if (isArray(whole)) return copyOfList(whole);
      const proto = getPrototypeOf(whole);
      if (views.kindOf(whole) !== undefined) {
        return views.copy(whole as TypedArray);
      }
      if (inspector.kindOf(whole) === "buffer") {
        return new Bytes(new Bytes(whole as ArrayBuffer)).buffer;
      }
      if (proto === plain && isBare(whole)) return {};
      return inspector.clone(whole) as object;
    },
    timeOf: (value, proto) =>
      proto === date ? getTime.call(value as Date) : undefined,
    isArguments: (value) => toString.call(value) !== "[object Object]",
    isFlat(list, unchanged) {
      if (unchanged && list === lastList) return true;
      for (let i = 0; i < list.length; i++) {
        if (isObject(list[i])) return false;
      }
      lastList = list;
      return true;
    },
    forgetClasses,
    clear() {
      forgetClasses();
      lastList = undefined;
      copied = itsCopy = [];
    },
  };
}
