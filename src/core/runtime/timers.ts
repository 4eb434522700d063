/**
 * The time and the timers of the program, as they were when this was loaded.
 * Tests put others on the globals, which stand still until they are told to go
 * on: with those, nothing that waits here would ever end.
 *
 * @module
 */

/** Calls back once, after that many ms. */
export const setTimeout: typeof globalThis.setTimeout = globalThis.setTimeout;

/** Calls that off. */
export const clearTimeout: typeof globalThis.clearTimeout =
  globalThis.clearTimeout;

/** The time in ms since the program began; no step of a clock changes it. */
export const now: () => number = performance.now.bind(performance);

/** The time in ms since 1970, as the clock of the machine says. */
export const wallNow: () => number = Date.now;
