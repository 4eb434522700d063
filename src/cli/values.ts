/**
 * The values of flags: text becomes what it means. Pure, and loads nothing.
 *
 * @module
 */

/** Says which flag or argument is wrong, and what it must be. */
export class UsageError extends Error {
  /** The class as text, for logs. */
  override readonly name: string = "UsageError";
}

/**
 * Reads a whole number.
 *
 * @param text As it was given.
 * @param flag Its flag, for errors.
 * @param least The least that fits.
 * @returns The number.
 * @throws {UsageError} When it is none, or does not fit.
 */
export function readWhole(text: string, flag: string, least: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= 1e9) return number;
  throw new UsageError(
    `Cannot run as ${flag} must be a whole number from ${least}: received "${text}"`,
  );
}

/** Milliseconds of each unit. */
const UNITS: Record<string, number> = {
  "": 1,
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
};

/**
 * Reads a time.
 *
 * @param text A number with a unit (ms, s, m, min, h); milliseconds without.
 * @param flag Its flag, for errors.
 * @returns Milliseconds, above 0.
 * @throws {UsageError} When it is no time.
 */
export function readTime(text: string, flag: string): number {
  const [, count, unit = ""] = /^(\d+(?:\.\d+)?)([a-z]*)$/.exec(text) ?? [];
  const ms = Number(count) * (Object.hasOwn(UNITS, unit) ? UNITS[unit]! : NaN);
  if (ms > 0) return ms;
  throw new UsageError(
    `Cannot run as ${flag} must be a number of milliseconds above 0, or a time as in 5s, 2m or 1h: received "${text}"`,
  );
}
