/**
 * Arithmetic on stretches of time: pure, without clock.
 *
 * @module
 */

/** A stretch of time, in ms. */
export interface Span {
  from: number;
  to: number;
}

/**
 * Joins spans that touch or overlap.
 *
 * @param spans Spans in any order.
 * @returns The same time as spans in order, none touching another.
 */
export function union(spans: readonly Span[]): Span[] {
  const joined: Span[] = [];
  for (const { from, to } of spans.toSorted((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last.to) {
      last.to = Math.max(last.to, to);
    } else if (to > from) joined.push({ from, to });
  }
  return joined;
}

/**
 * Takes spans away from others.
 *
 * @param spans From `union`.
 * @param holes From `union`.
 * @returns What is left of `spans`.
 */
export function subtract(
  spans: readonly Span[],
  holes: readonly Span[],
): Span[] {
  const left: Span[] = [];
  let at = 0; // the first hole that may still matter
  for (const span of spans) {
    let { from } = span;
    while (at < holes.length && holes[at].to <= from) at++;
    for (let i = at; i < holes.length && holes[i].from < span.to; i++) {
      if (holes[i].from > from) left.push({ from, to: holes[i].from });
      from = Math.max(from, holes[i].to);
    }
    if (from < span.to) left.push({ from, to: span.to });
  }
  return left;
}

/**
 * Keeps what two lists have in common.
 *
 * @param spans From `union`.
 * @param others From `union`.
 * @returns The time that lies in both.
 */
export function intersect(
  spans: readonly Span[],
  others: readonly Span[],
): Span[] {
  return subtract(spans, subtract(spans, others));
}

/**
 * Adds up spans.
 *
 * @param spans Spans that do not overlap.
 * @returns Their length in ms.
 */
export function lengthOf(spans: readonly Span[]): number {
  return spans.reduce((sum, { from, to }) => sum + to - from, 0);
}

/**
 * Looks a time up.
 *
 * @param times Times in order.
 * @param time Any time.
 * @returns Position of the first that is later.
 */
export function firstAfter(times: Float64Array, time: number): number {
  let low = 0;
  for (let high = times.length; low < high;) {
    const middle = (low + high) >> 1;
    if (times[middle] <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}
