/**
 * How much CPU time a worker had: less than the time that passed means that it
 * waited, or that others had its core.
 *
 * @module
 */

/**
 * Reads the CPU time of this thread since it was last read, in milliseconds.
 * Undefined the first time, within 10 ms of the last, and where the runtime
 * does not tell.
 */
export type CpuMeter = () => number | undefined;

/**
 * Makes a meter. Self-contained: workers get this function by its source.
 *
 * @returns The meter.
 */
export function createCpuMeter(): CpuMeter {
  type Usage = { user: number; system: number };
  const scope = globalThis as unknown as {
    process?: { threadCpuUsage?(): Usage };
  };
  let at = -Infinity;
  let last: number | undefined;
  return () => {
    const now = performance.now();
    if (now - at < 10) return undefined; // reading takes Deno 2.9.5 40 µs
    at = now;
    // Only here: to touch `process` costs Deno 2.9.5 14 ms, once.
    const usage = scope.process?.threadCpuUsage?.();
    const total = usage && (usage.user + usage.system) / 1000;
    const since = total && last && total - last;
    last = total;
    return since;
  };
}
