/**
 * What a pool sees to in inputs, for those that do not get to it: promises, and
 * sources that fill one object again.
 *
 * @module
 */

/**
 * How many first objects are copied, as their source may fill them again before
 * it is known that it does. As many as in a pool.
 */
const FIRST = 3;

/**
 * Sees to it that no promise in a list is one that nobody handles.
 *
 * @param inputs All inputs; what makes its values as it is read has none yet.
 */
export function handlePromises(inputs: unknown): void {
  if (!isList(inputs)) return;
  for (const input of inputs) {
    if (typeof input !== "object" || input === null) continue;
    try {
      // Of whatever realm, and not by its own `then`: there are promises that
      // begin when that is called.
      if ("then" in input) then.call(input as never, undefined, () => {});
    } catch {
      // It is none.
    }
  }
}

const { then } = Promise.prototype;

/** Inputs as they were, though their source may fill them again. */
export class Copies {
  readonly #isList: boolean;
  #left = FIRST;
  /** Whether the source is known to fill its object again. */
  #refills = false;
  /** The last object, which the source may fill again. */
  #last: unknown;
  #isWhole = true; // whether a copy of that lacks nothing
  /** Of each first object, by its copy. */
  readonly #originals = new WeakMap<object, object>();

  /** @param inputs All inputs. */
  constructor(inputs: unknown) {
    this.#isList = isList(inputs);
  }

  /**
   * Takes an input, before the source is asked for the next.
   *
   * @param input What the source gave.
   * @returns The input, or a copy.
   */
  of<T>(input: T): T {
    if (this.#isList || typeof input !== "object" || input === null) {
      return input;
    }
    if (isBuffer(input)) return input; // see `ofKept`
    this.#refills ||= input === this.#last;
    if (this.#refills) return copyOf(input);
    this.#last = input;
    if (this.#left === 0) return input;
    this.#left--;
    this.#isWhole = isWhole(input);
    const copy = copyOf(input);
    if (copy !== input) this.#originals.set(copy, input);
    return copy;
  }

  /**
   * Takes one that does not run. A pool copies the buffers among the others, as
   * nobody can tell who writes to them.
   *
   * @param input What `of` gave.
   * @returns The input, or a copy.
   */
  ofKept<T>(input: T): T {
    return !this.#isList && isBuffer(input)
      ? copyOf(input as T & object)
      : input;
  }

  /**
   * Says what the caller is to see of an input: the object that the source gave,
   * and its copy if that was, or may yet be, filled again.
   *
   * @param input What `of` gave.
   * @returns The input, or what it is a copy of.
   */
  seen<T>(input: T): T {
    const original = this.#originals.get(input as object);
    return original !== undefined &&
        (original !== this.#last || this.isOpen(input))
      ? original as T
      : input;
  }

  /**
   * Tells whether the next input may show that the caller must see a copy.
   *
   * @param input What `of` gave.
   * @returns Whether its copy may lack something, and the original be filled again.
   */
  isOpen(input: unknown): boolean {
    return !this.#isWhole && !this.#refills &&
      this.#originals.get(input as object) === this.#last;
  }
}

function isList(inputs: unknown): inputs is Iterable<unknown> {
  return Array.isArray(inputs) || inputs instanceof Set;
}

/** Whether copies of a value lack nothing, nor those of what is in it. */
function isWhole(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  try {
    if (isBuffer(value)) return true;
    if (!WHOLE.includes(Object.getPrototypeOf(value))) return false;
    const isKeyed = value instanceof Map || value instanceof Set;
    return (isKeyed ? [...value] : Object.values(value)).every(isWhole);
  } catch {
    return false; // it holds itself
  }
}

const WHOLE: unknown[] = [Object, Array, Map, Set, Date]
  .map(({ prototype }): unknown => prototype).concat(null);

function isBuffer(value: unknown): boolean {
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer;
}

function copyOf<T extends object>(input: T): T {
  try {
    const copy = partOf(input) ?? structuredClone(input);
    return Object.setPrototypeOf(copy, Object.getPrototypeOf(input));
  } catch {
    return input; // with a function in it, say
  }
}

/** A view of a copy of its part: clone would copy the whole buffer. */
function partOf(view: object): object | undefined {
  if (!ArrayBuffer.isView(view)) return undefined;
  const { buffer, byteOffset, byteLength } = view;
  if (!(buffer instanceof ArrayBuffer)) return undefined; // it is shared
  const kind = (view as Uint8Array)[Symbol.toStringTag];
  const Kind = globalThis[kind];
  return new Kind(buffer.slice(byteOffset, byteOffset + byteLength));
}
