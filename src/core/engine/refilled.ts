/**
 * Sources that fill one object again and again, as one that reads a file into
 * one buffer does: what such a source gives is copied when it is read.
 *
 * @module
 */

/** Objects of a source that are copied to be sure of the first ones. */
const FIRST = 3;

/** Takes what one source gives. */
export class RefillWatch {
  #left = FIRST;
  #refills = false;
  #last: { value: object; copy: unknown } | undefined;

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
    if (isBuffer(value) || this.#refills) return copyOf(value);
    const last = this.#last;
    if (last?.value === value) {
      this.#refills = true;
      this.#last = undefined;
      const at = list.length - 1;
      if (list[at] === value) list[at] = last.copy;
      return copyOf(value);
    }
    const first = this.#left > 0;
    if (first) this.#left--;
    this.#last = { value, copy: first ? copyOf(value) : value };
    return value;
  }
}

function isBuffer(value: object): boolean {
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer;
}

/** Copies a value; what is shared, or cannot be copied, is as it was. */
function copyOf(value: object): unknown {
  if (value instanceof Error) return value; // clone would damage it
  try {
    // Of its own class, which a Buffer has: the caller gets it in outcomes.
    return value instanceof TypedArray && value.buffer instanceof ArrayBuffer
      ? TypedArray.prototype.slice.call(value)
      : structuredClone(value);
  } catch {
    return value; // if need be, it is refused when it is sent
  }
}

/** What all typed arrays inherit from. */
const TypedArray = Object.getPrototypeOf(Uint8Array) as Uint8ArrayConstructor;
