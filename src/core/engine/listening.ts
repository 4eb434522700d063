/**
 * Tells listeners what happened.
 *
 * @module
 */

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
): { error: unknown } | undefined {
  let thrown: { error: unknown } | undefined;
  for (const listener of listeners) {
    try {
      listener?.(event);
    } catch (error) {
      thrown ??= { error };
    }
  }
  return thrown;
}
