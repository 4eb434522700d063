/**
 * Tells listeners what happened.
 *
 * @module
 */

/** What somebody else's code threw, if it did: undefined itself may be thrown. */
export type Thrown = { error: unknown } | undefined;

/**
 * Tells all of them, also when one throws.
 *
 * @param listeners Those there are.
 * @param event What happened: an event, or progress.
 * @returns What the first that threw threw.
 */
export function tellAll<E>(
  listeners: (((event: E) => void) | undefined)[],
  event: E,
): Thrown {
  let thrown: Thrown;
  for (const listener of listeners) {
    try {
      listener?.(event);
    } catch (error) {
      thrown ??= { error };
    }
  }
  return thrown;
}
