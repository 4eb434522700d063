/**
 * Tells listeners what happened.
 *
 * @module
 */

import type { RunEvent } from "../api/events.ts";

/**
 * Tells all of them, also when one throws.
 *
 * @param listeners Those there are.
 * @param event What happened.
 * @returns What the first that threw threw.
 */
export function tellAll(
  listeners: (((event: RunEvent) => void) | undefined)[],
  event: RunEvent,
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
