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
    if (!(input instanceof Promise)) continue;
    // Not by its own `then`: there are promises that begin when that is called.
    Promise.prototype.then.call(input, undefined, () => {});
  }
}

/**
 * Makes what an outcome is to have as its input, though its source may fill the
 * object again before the outcome is read.
 *
 * @param inputs All inputs.
 * @returns A function from an input to that: the input, or a copy.
 */
export function createCopies(inputs: unknown): <T>(input: T) => T {
  let left = isList(inputs) ? 0 : FIRST;
  let last: unknown = inputs; // which is none of them
  let refills = false;
  return (input) => {
    if (typeof input !== "object" || input === null) return input;
    refills ||= input === last && !isList(inputs);
    last = input;
    // A copy lacks what is private in a class.
    if (!refills && (left === 0 || !isPlain(input))) return input;
    if (left > 0) left--;
    try {
      const copy = structuredClone(input);
      return Object.setPrototypeOf(copy, Object.getPrototypeOf(input));
    } catch {
      return input; // with a function in it, say
    }
  };
}

function isList(inputs: unknown): inputs is Iterable<unknown> {
  return Array.isArray(inputs) || inputs instanceof Set;
}

/** Whether an object is of a kind whose copies lack nothing. */
function isPlain(value: object): boolean {
  const kind: unknown = Object.getPrototypeOf(value);
  return kind === null || kind === Object.prototype || kind === Array.prototype;
}
