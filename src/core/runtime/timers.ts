/**
 * The time and the timers of the program, and what is random, as they were when
 * this was loaded. Tests put others on the globals, which stand still until they
 * are told to go on, or give the same each time: with those, nothing that waits
 * here would ever end.
 *
 * @module
 */

/** The time in ms since the program began; no step of a clock changes it. */
export const now: () => number = performance.now.bind(performance);

/** ms since 1970 at which `now` was 0. */
export const timeOrigin: number = performance.timeOrigin;

const { random } = Math;
let count = 0;

/** A number that this program has given to nothing else. */
export function freshTag(): number {
  return ++count + random();
}

/** The time in ms since 1970, as the clock of the machine says. */
export const wallNow: () => number = Date.now;

/**
 * Calls back once, after that many ms, or at once if they are over; until then
 * the program stays up.
 *
 * @returns Calls it off.
 */
export type After = (ms: number, callback: () => void) => () => void;

function byTimers(): After {
  const { setTimeout, clearTimeout } = globalThis;
  return (ms, callback) => {
    const timer = setTimeout(callback, Math.max(0, ms));
    return () => clearTimeout(timer);
  };
}

/**
 * How long one signal is waited for, in ms; longer waits take several, one after
 * another. Nothing ends a signal early: of a wait that was called off, the last
 * stays for up to this long. Less, and long waits take more of them.
 */
const STEP_MS = 250;

/**
 * Deno 2.9.5 makes `setTimeout` when it is first looked at, in 7 ms
 * (tests/start_test.ts keeps watch). A signal that ends after a time costs nothing
 * of that, and who listens to it keeps the program up, as a timer does.
 */
function bySignals(): After {
  const signals = AbortSignal as unknown as {
    timeout(ms: number): AbortSignal;
  };
  const timeout = signals.timeout.bind(signals);
  return (ms, callback) => {
    const due = now() + ms;
    let callOff: () => void;
    function wait(left: number): void {
      const step = Math.max(0, Math.min(left, STEP_MS));
      const signal = timeout(Math.ceil(step));
      signal.addEventListener("abort", look, { once: true });
      callOff = () => signal.removeEventListener("abort", look);
    }
    function look(): void {
      const left = due - now();
      if (left < 1) callback();
      else wait(left);
    }
    wait(ms);
    return () => callOff();
  };
}

const { navigator, Deno } = globalThis as object as {
  navigator?: { userAgent: string };
  Deno?: { version?: object };
};

/**
 * The timers of the program; on Deno, signals in their place. Not where `Deno` is
 * a shim: those of Node.js do not keep a program up.
 */
export const after: After = Deno?.version !== undefined &&
    !/^(Node\.js|Bun)\//.test(navigator?.userAgent ?? "")
  ? bySignals()
  : byTimers();
