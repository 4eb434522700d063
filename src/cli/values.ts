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
 * @param most The most that fits.
 * @returns The number.
 * @throws {UsageError} When it is none, or does not fit.
 */
export function readWhole(
  text: string,
  flag: string,
  least: number,
  most: number = 1e9,
): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  const to = number > most ? ` to ${most}` : "";
  throw new UsageError(
    `Cannot run as ${flag} must be a whole number from ${least}${to}: received "${text}"`,
  );
}

/**
 * Reads the path of a file that is written.
 *
 * @param text As it was given.
 * @param flag Its flag, for errors.
 * @returns The path.
 * @throws {UsageError} When it stands for standard output, which has the results.
 */
export function readPath(text: string, flag: string): string {
  if (text === "-") {
    throw new UsageError(
      `Cannot run as ${flag} must be a file, as standard output has the results: received "-" (./- if that is its name)`,
    );
  }
  return readOutput(text, flag);
}

/**
 * Reads the path of a file that is written, or `-`.
 *
 * @param text As it was given.
 * @param flag Its flag, for errors.
 * @returns The path.
 * @throws {UsageError} When it was meant to be something else.
 */
export function readOutput(text: string, flag: string): string {
  if (text === "-") return text;
  // A flag that is short, and what stands behind a long one.
  const cure = /^[-=]/.test(text) ? ` (./${text} if that is its name)` : "";
  if (cure === "" && !text.endsWith("/")) return text;
  throw new UsageError(
    `Cannot run as ${flag} must be a file: received "${text}"${cure}`,
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

/** The longest time of a timer, in ms: a longer one is over at once. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Makes a time fit for a timer.
 *
 * @param ms Milliseconds.
 * @returns The same; 25 days if that is longer.
 */
export function timerTime(ms: number): number {
  return Math.min(ms, LONGEST_MS);
}

/** Each has up to 1 MB for its results; no machine runs so many at once. */
const MOST_WORKERS = 1000;

/**
 * Reads how many workers.
 *
 * @param text A whole number; a share of the cores, as in 50%; or how many more
 * or fewer than there are cores, as in +1 and -1.
 * @param flag Its flag, for errors.
 * @param cores How many cores there are.
 * @returns How many: from 0 where a number is given, else from 1.
 * @throws {UsageError} When it is none of these.
 */
export function readWorkers(
  text: string,
  flag: string,
  cores: number = navigator.hardwareConcurrency,
): number {
  const [, sign, digits, percent] = /^([+-]?)(\d{1,9})(%?)$/.exec(text) ?? [];
  if (digits !== undefined && (sign === "" || percent === "")) {
    const number = Number(digits);
    const workers = percent !== ""
      ? Math.max(1, Math.round(cores * number / 100))
      : sign === ""
      ? number
      : Math.max(1, sign === "+" ? cores + number : cores - number);
    if (workers <= MOST_WORKERS) return workers;
    throw new UsageError(
      `Cannot run as ${flag} must be at most ${MOST_WORKERS}: received "${text}" (for tasks that wait, --concurrency)`,
    );
  }
  throw new UsageError(
    `Cannot run as ${flag} must be a whole number from 0, or as 50%, +1 or -1 of the cores: received "${text}"`,
  );
}
