/**
 * The time and the timers of the program, as they were when this was loaded.
 * Tests put others on the globals, which stand still until they are told to go
 * on: with those, nothing that waits here would ever end.
 *
 * @module
 */

/**
 * Calls back once, after that many ms; until then the program stays up.
 *
 * @returns Calls it off.
 */
export type After = (ms: number, callback: () => void) => () => void;

function byTimers(): After {
  const { setTimeout, clearTimeout } = globalThis;
  return (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  };
}

/**
 * Deno 2.9.5 makes `setTimeout` when it is first looked at: 7 ms of a program
 * that maps eight numbers in 80. A listener for the end of a signal keeps the
 * program up there as a timer does, in Deno 2.8 too (tests/clock_test.ts).
 */
function bySignals(): After {
  const signals = AbortSignal as unknown as {
    timeout(ms: number): AbortSignal;
  };
  const timeout = signals.timeout.bind(signals);
  return (ms, callback) => {
    const signal = timeout(Math.ceil(ms));
    signal.addEventListener("abort", callback, { once: true });
    return () => signal.removeEventListener("abort", callback);
  };
}

export const after: After = "Deno" in globalThis ? bySignals() : byTimers();

/** The time in ms since the program began; no step of a clock changes it. */
export const now: () => number = performance.now.bind(performance);

/** The time in ms since 1970, as the clock of the machine says. */
export const wallNow: () => number = Date.now;
