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

/** Objects of a source that are copied to be sure of the first ones. */
const FIRST = 3;

/** Takes what one source gives. */
export class RefillWatch {
  readonly #transfer: boolean;
  #left = FIRST;
  #refills = false;
  #last: { value: object; copy: unknown } | undefined;

  /**
   * @param transfer Whether the source gives its buffers away: those, and what
   * holds some, are as they are then.
   */
  constructor(transfer: boolean) {
    this.#transfer = transfer;
  }

  /**
   * Adds a value to a list, before the source is asked for the next.
   *
   * @param list What the source gave, as far as it was not taken yet.
   * @param value What it has given now.
   */
  add(list: unknown[], value: unknown): void {
    list.push(this.#kept(list, value));
  }

  #kept(list: unknown[], value: unknown): unknown {
    if (typeof value !== "object" || value === null) return value;
    // Of a buffer nobody can tell who writes to it, and to copy it is cheap.
    if (isBuffer(value) || this.#refills) return this.#copyOf(value);
    const last = this.#last;
    if (last?.value === value) {
      this.#refills = true;
      this.#last = undefined;
      const at = list.length - 1;
      if (list[at] === value) list[at] = last.copy;
      return this.#copyOf(value);
    }
    const first = this.#left > 0;
    if (first) this.#left--;
    this.#last = { value, copy: first ? this.#copyOf(value) : value };
    return value;
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
