/**
 * The same numbers from 0 to 1 for the same seed (mulberry32), so that what
 * was drawn once can be drawn again.
 *
 * @module
 */

/**
 * Makes a generator of numbers.
 *
 * @param seed Any integer of 32 bits.
 * @returns Gives the next number, from 0 to below 1.
 */
export function seeded(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
