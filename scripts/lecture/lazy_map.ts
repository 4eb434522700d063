// The lecture's own map, written by hand: lazy, and one input after the other.

/** Maps each input when, and only when, somebody asks for the next result. */
export function* lazyMap<T, R>(
  fn: (value: T) => R,
  inputs: Iterable<T>,
): Generator<R> {
  for (const value of inputs) yield fn(value);
}
