/**
 * Flags of the program that its processes need as well.
 *
 * @module
 */

/** Those that say what is warned of, and how. */
const WARNS =
  /^--(no-|disable-|trace-|pending-|throw-)?(warnings?|deprecation)$/;

/**
 * Picks flags, with their values, and those that say what is warned of.
 *
 * @param execArgv All flags of the program, as they were typed.
 * @param picks Whether one of that name is wanted.
 * @returns Those.
 */
export function pickFlags(
  execArgv: readonly string[],
  picks: (name: string) => boolean,
): string[] {
  const found: string[] = [];
  for (const [i, flag] of execArgv.entries()) {
    const [name = "", value] = flag.split("=", 2);
    if (!picks(name) && !WARNS.test(name)) continue;
    const next = execArgv[i + 1];
    found.push(flag);
    // The program comes after all of them: what is no flag is a value.
    if (value === undefined && next?.startsWith("-") === false) {
      found.push(next);
    }
  }
  return found;
}
