/**
 * How much of a core each task could have, when more tasks computed than there
 * are cores: pure, without clock.
 *
 * @module
 */

/** Tells the share of a core in a stretch of time. */
export type CoreShare = (from: number, to: number) => number;

/**
 * Works out how many tasks shared the cores at any time.
 *
 * @param from When each task began; sorted by this call.
 * @param to When each ended; sorted by this call.
 * @param cores How many can compute at once.
 * @returns The mean share, from 0 to 1, that each task had in a stretch.
 */
export function coreShare(
  from: Float64Array,
  to: Float64Array,
  cores: number,
): CoreShare {
  from.sort();
  to.sort();
  const at = new Float64Array(from.length + to.length); // when it changes
  const had = new Float64Array(at.length); // core-ms a task had until then
  const share = new Float64Array(at.length); // from then on
  let running = 0;
  for (let n = 0, i = 0, j = 0; n < at.length; n++) {
    const starts = i < from.length && from[i] < to[j];
    at[n] = starts ? from[i++] : to[j++];
    had[n] = n === 0 ? 0 : had[n - 1] + share[n - 1] * (at[n] - at[n - 1]);
    running += starts ? 1 : -1;
    share[n] = Math.min(1, cores / Math.max(1, running));
  }
  const upTo = (time: number) => {
    let low = 0;
    for (let high = at.length; low < high;) {
      const middle = (low + high) >> 1;
      if (at[middle] <= time) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 0 : had[low - 1] + share[low - 1] * (time - at[low - 1]);
  };
  return (from, to) => to > from ? (upTo(to) - upTo(from)) / (to - from) : 1;
}
