/**
 * Sources that fill one object again and again, as one that reads a file into
 * one buffer does: what such a source gives is copied when it is read.
 *
 * @module
 */

import { createInspector, type Inspector } from "../wire/inspection.ts";
import { createKinds } from "../wire/kinds.ts";
import { views } from "../wire/views.ts";
import { createWire, type Wire } from "../wire/wire.ts";
import { isPromise } from "./awaited.ts";

/**
 * How many of a source's first objects are sent as copies, as it may have filled
 * them again before it is known that it does: when the second is the same object,
 * only the copy is what the first was.
 */
const FIRST = 3;

/** Takes what one source gives. */
export class RefillWatch {
  readonly #transfer: boolean;
  #left = FIRST;
  /** Whether the source is known to fill its object again. */
  #refills = false;
  /** The last object, while the source may still fill it again. */
  #last: object | undefined;
  /** Of each first object, by its copy. */
  readonly #originals = new WeakMap<object, object>();
  #taken = 0;
  /** How many values were taken until the last of the first objects. */
  #until = 0;

  /**
   * @param transfer Whether the source gives its buffers away: those, and what
   * holds some, are as they are then.
   */
  constructor(transfer: boolean) {
    this.#transfer = transfer;
  }

  /**
   * Takes a value, before the source is asked for the next.
   *
   * @param value What the source gave.
   * @returns The value, or a copy: what is to be sent, also once more.
   */
  take(value: unknown): unknown {
    this.#taken++;
    if (typeof value !== "object" || value === null) return value;
    // Of a buffer nobody can tell who writes to it, and to copy it is cheap.
    if (isBuffer(value) || this.#refills) return this.#copyOf(value);
    if (this.#last === value) {
      this.#refills = true;
      return this.#copyOf(value);
    }
    this.#last = value;
    if (this.#left === 0) return value;
    this.#left--;
    const copy = this.#copyOf(value);
    if (copy !== value) this.#originals.set(copy as object, value);
    this.#until = this.#taken;
    return copy;
  }

  /** The source has no more, so that it fills nothing again. */
  end(): void {
    if (!this.#refills) this.#last = undefined;
  }

  /**
   * Says what the caller is to see of a value: the object that the source gave,
   * and its copy if that was, or may have been, filled again.
   *
   * @param value What was taken.
   * @returns The value, or what it is a copy of.
   */
  seen(value: unknown): unknown {
    const original = this.#originals.get(value as object);
    if (original === undefined) return value;
    if (original !== this.#last) return original;
    // A copy lacks what is private in a class.
    return this.#refills || isPlain(original) ? value : original;
  }

  /**
   * The same for inputs of a run.
   *
   * @param values What was taken.
   * @param first Index of the first.
   * @returns The values, or another list.
   */
  seenOf(values: ArrayLike<unknown>, first: number): ArrayLike<unknown> {
    if (first >= this.#until) return values;
    return Array.from(values, (value) => this.seen(value));
  }

  /** Copies a value; what is shared, or cannot be copied, is as it was. */
  #copyOf(value: object): unknown {
    try {
      if (isPromise(value)) return value; // its copy would not be one
      const copy = copyOf(value, this.#transfer);
      if (copy === value) return value;
      // Of its own class, as "weight" gets it, and the caller in outcomes.
      return Object.setPrototypeOf(copy, Object.getPrototypeOf(value));
    } catch {
      return value; // if need be, it is refused when it is sent
    }
  }
}

/** Whether an object is of a kind whose copies lack nothing. */
function isPlain(value: object): boolean {
  const kind: unknown = Object.getPrototypeOf(value);
  return kind === null || kind === Object.prototype || kind === Array.prototype;
}

function isBuffer(value: object): boolean {
  try { // of whatever realm
    return ArrayBuffer.isView(value) ||
      Object.prototype.toString.call(value) === "[object ArrayBuffer]";
  } catch {
    return false; // its tag is a getter that throws
  }
}

function copyOf(value: object, transfer: boolean): object {
  // Not when this file is loaded: few calls need it.
  inspector ??= createInspector({ createKinds, views });
  const { inspect, isPooled } = inspector;
  const { refused, errors, buffers, pooled } = inspect(value);
  // On Deno 2.9.5, clone makes {} of some that are refused.
  if (refused || (transfer && buffers.size > 0)) return value;
  const kind = views.kindOf(value);
  if (kind !== undefined && buffers.size > 0) { // not in shared memory
    return views.copy(value as Float64Array);
  }
  const part = views.cut(value); // of a DataView
  if (part !== value) return part;
  if (!errors && !pooled) return structuredClone(value);
  codec ??= createWire().codec; // clone would damage errors, and copy the pool
  const encoded = codec.encode(
    value,
    (whole) => isPooled(whole) ? views.copy(whole) : whole,
  );
  return codec.decode(structuredClone(encoded)) as object;
}

let inspector: Inspector | undefined;
let codec: Wire["codec"] | undefined;
