/**
 * Sources that fill one object again and again, as one that reads a file into
 * one buffer does: what such a source gives is copied when it is read.
 *
 * @module
 */

import { createInspector, type Inspector } from "../wire/inspection.ts";
import { createKinds } from "../wire/kinds.ts";
import { createViews } from "../wire/views.ts";
import { createWire, type Wire } from "../wire/wire.ts";
import { isPromise } from "./awaited.ts";

/**
 * How many of a source's first objects are copied before it is known whether it
 * fills them again: when the second is the same object, only the copy is what the
 * first was.
 */
const FIRST = 3;

/** Takes what one source gives. */
export class RefillWatch {
  readonly #transfer: boolean;
  #left = FIRST;
  #refills = false;
  #last: { value: object; copy: unknown } | undefined;
  /** The first object of a source that fills it again. */
  #first: { value: object; copy: unknown } | undefined;

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
   * @returns The value, or a copy.
   */
  take(value: unknown): unknown {
    if (typeof value !== "object" || value === null) return value;
    // Of a buffer nobody can tell who writes to it, and to copy it is cheap.
    if (isBuffer(value) || this.#refills) return this.#copyOf(value);
    if (this.#last?.value === value) {
      this.#refills = true;
      this.#first = this.#last;
      this.#last = undefined;
      return this.#copyOf(value);
    }
    const first = this.#left > 0;
    if (first) this.#left--;
    this.#last = { value, copy: first ? this.#copyOf(value) : value };
    return value;
  }

  /**
   * Puts the copy of the first object in its place, where that was given before
   * it was filled again: its task may be sent once more, or told with its input.
   *
   * @param values What was taken.
   */
  restore(values: ArrayLike<unknown>): void {
    if (this.#first === undefined || !Array.isArray(values)) return;
    const at = values.lastIndexOf(this.#first.value);
    if (at >= 0) values[at] = this.#first.copy;
  }

  /** The same for what is told of one task. */
  restoreInput(outcome: { input: unknown }): void {
    if (this.#first === undefined) return;
    if (outcome.input === this.#first.value) outcome.input = this.#first.copy;
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

function isBuffer(value: object): boolean {
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer;
}

function copyOf(value: object, transfer: boolean): object {
  // Not when this file is loaded: few calls need it.
  const { inspect, isPooled } = inspector ??= createInspector({ createKinds });
  const { refused, errors, buffers, pooled } = inspect(value);
  // On Deno 2.9.5, clone makes {} of some that are refused.
  if (refused || (transfer && buffers.size > 0)) return value;
  const kind = views.kindOf(value);
  if (kind !== undefined && buffers.size > 0) { // not in shared memory
    return views.copy(value as Float64Array);
  }
  if (!errors && !pooled) return structuredClone(value);
  codec ??= createWire().codec; // clone would damage errors, and copy the pool
  const encoded = codec.encode(
    value,
    false,
    (whole) => isPooled(whole) ? views.copy(whole) : whole,
  );
  return codec.decode(structuredClone(encoded)) as object;
}

let inspector: Inspector | undefined;
const views = createViews();
let codec: Wire["codec"] | undefined;
