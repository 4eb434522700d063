/**
 * Tells what plain data is, where it may have come from anybody.
 *
 * @module
 */

/**
 * Says whether something has fields at all.
 *
 * @param value Anything.
 */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/**
 * Says whether something is a whole number within bounds.
 *
 * @param value Anything.
 * @param least The least that it may be.
 * @param most The most; any safe integer if left out.
 */
export function isCount(
  value: unknown,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): value is number {
  return Number.isSafeInteger(value) && value as number >= least &&
    value as number <= most;
}

/**
 * Says whether something is left out, or is what it is to be.
 *
 * @param value Anything.
 * @param holds Whether it is that.
 */
export function isOptional(
  value: unknown,
  holds: (value: unknown) => boolean,
): boolean {
  return value === undefined || holds(value);
}

/**
 * Says whether something is a text.
 *
 * @param value Anything.
 */
export function isText(value: unknown): value is string {
  return typeof value === "string";
}

/**
 * Says whether a text is JSON.
 *
 * @param text The text.
 */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false; // what is wrong with it is not asked for
  }
}
