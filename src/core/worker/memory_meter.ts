/**
 * How much memory a worker has that shares a process with others.
 *
 * @module
 */

/**
 * Reads how many bytes this worker has: its heap, with garbage that was not
 * collected yet, and the buffers in it; 0 where the runtime does not tell.
 */
export type MemoryMeter = () => number;

/**
 * Makes a meter. Self-contained: workers get this function by its source.
 *
 * @returns The meter; it takes some 10 µs.
 */
export function createMemoryMeter(): MemoryMeter {
  type Usage = { heapUsed: number; external: number };
  const scope = globalThis as unknown as {
    process?: { memoryUsage?(): Usage; versions: { bun?: string } };
  };
  return () => {
    const { process } = scope; // only now, as that is dear on Deno
    const usage = process?.memoryUsage?.();
    if (usage === undefined) return 0;
    // Of V8's buffers the heap knows nothing, of JavaScriptCore's it does.
    const isInHeap = process?.versions.bun !== undefined;
    return usage.heapUsed + (isInHeap ? 0 : usage.external);
  };
}
