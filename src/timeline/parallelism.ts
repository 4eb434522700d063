/**
 * How many tasks were in progress at once: pure, without clock.
 *
 * @module
 */

/** How many tasks were in progress at once. */
export interface Parallelism {
  /** The most at any time. */
  peak: number;
  /** Milliseconds in which any task was in progress. */
  busy: number;
  /** Core-ms the tasks could use at most, with that many cores. */
  possible: number;
}

/**
 * Goes through the starts and ends of tasks.
 *
 * @param from When each began; sorted by this call.
 * @param to When each ended; sorted by this call.
 * @param cores How many can compute at once.
 * @returns How many were in progress.
 */
export function parallelism(
  from: Float64Array,
  to: Float64Array,
  cores: number,
): Parallelism {
  from.sort();
  to.sort();
  const sum: Parallelism = { peak: 0, busy: 0, possible: 0 };
  let running = 0;
  let at = from[0] ?? 0;
  for (let i = 0, j = 0; j < to.length;) {
    // An end before a start at the same time: one took over from the other.
    const starts = i < from.length && from[i] < to[j];
    const next = starts ? from[i++] : to[j++];
    if (running > 0) sum.busy += next - at;
    sum.possible += Math.min(running, cores) * (next - at);
    at = next;
    running += starts ? 1 : -1;
    sum.peak = Math.max(sum.peak, running);
  }
  return sum;
}
