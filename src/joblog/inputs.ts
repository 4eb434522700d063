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

/** The inputs of kept outcomes, though their source may fill them again. */
export class Copies {
  readonly #isList: boolean;
  #left: number;
  /** The last object, which the source may fill again. */
  #last: unknown;
  #refills = false;
  readonly #originals = new WeakMap<object, object>();

  /** @param inputs All inputs. */
  constructor(inputs: unknown) {
    this.#isList = isList(inputs);
    this.#left = this.#isList ? 0 : FIRST;
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
    this.#refills ||= input === this.#last;
    this.#last = input;
    if (!this.#refills && this.#left === 0) return input;
    if (this.#left > 0) this.#left--;
    try {
      // A copy lacks what is private in a class.
      if (!this.#refills && !isPlain(input)) return input;
      const copy = structuredClone(input);
      Object.setPrototypeOf(copy, Object.getPrototypeOf(input));
      this.#originals.set(copy, input);
      return copy;
    } catch {
      return input; // with a function or itself in it, say
    }
  }

  /**
   * Says what the caller is to see of an input: the object that the source gave,
   * and its copy if that was, or may yet be, filled again.
   *
   * @param input What `of` gave.
   * @returns The input, or what it is a copy of.
   */
  seen<T>(input: T): T {
    if (this.#isList || typeof input !== "object" || input === null) {
      return input;
    }
    const original = this.#originals.get(input);
    return original === undefined || original === this.#last || this.#refills
      ? input
      : original as T;
  }
}

function isList(inputs: unknown): inputs is Iterable<unknown> {
  return Array.isArray(inputs) || inputs instanceof Set;
}

/** Whether copies of a value lack nothing, nor those of what is in it. */
function isPlain(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  const kind: unknown = Object.getPrototypeOf(value);
  return (kind === null || kind === Object.prototype ||
    kind === Array.prototype) && Object.values(value).every(isPlain);
}
