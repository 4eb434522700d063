/**
 * Arithmetic on stretches of time: pure, without clock. All of it is one sweep
 * over starts and ends, which counts how many stretches are open.
 *
 * @module
 */

/** A stretch of time, in ms. */
export interface Span {
  from: number;
  to: number;
}

/** Spans as two lists, as a run may have a million tasks. */
export interface Stretches {
  /** When each began. */
  readonly from: Float64Array;
  /** When each ended. */
  readonly to: Float64Array;
}

/** Stretches in any order; none ends before it begins. */
export type Times = Stretches | readonly Span[];

/** How many stretches of time were open, from each moment to the next. */
export interface Overlaps {
  /** When the number changed, in order. */
  readonly at: Float64Array;
  /** How many were open from then on. */
  readonly open: Int32Array;
}

/**
 * Goes through starts and ends in the order of time.
 *
 * @param parts What to count; a part that is given twice counts twice.
 * @returns How many were open at any time.
 */
export function overlaps(parts: readonly Times[]): Overlaps {
  const starts = inOrder(parts, "from");
  const ends = inOrder(parts, "to");
  const at = new Float64Array(2 * starts.length);
  const open = new Int32Array(at.length);
  for (let n = 0, i = 0, j = 0; n < at.length; n++) {
    // At the same time, ends come first: one task took over from another.
    const starting = i < starts.length && !(ends[j]! <= starts[i]!);
    at[n] = starting ? starts[i++]! : ends[j++]!;
    open[n] = Math.max(0, i - j); // one without length ends first
  }
  return { at, open };
}

/** All starts, or all ends, in order. */
function inOrder(parts: readonly Times[], end: keyof Span): Float64Array {
  return parts.map((part) =>
    "from" in part
      ? part[end].toSorted()
      : Float64Array.from(part, (span) => span[end]).sort()
  ).reduce(merge, new Float64Array(0));
}

/** Merges two lists in order: sorting both as one takes ten times as long. */
function merge(some: Float64Array, others: Float64Array): Float64Array {
  const all = new Float64Array(some.length + others.length);
  for (let n = 0, i = 0, j = 0; n < all.length; n++) {
    const first = j === others.length || some[i]! <= others[j]!;
    all[n] = first ? some[i++]! : others[j++]!;
  }
  return all;
}

/**
 * Finds the time in which so many were open.
 *
 * @param overlaps From `overlaps`.
 * @param counts Whether a number of open stretches is meant.
 * @returns Spans in order, none touching another.
 */
export function spansWith(
  { at, open }: Overlaps,
  counts: (open: number) => boolean,
): Span[] {
  const spans: Span[] = [];
  let last: Span | undefined;
  for (let n = 0; n + 1 < at.length; n++) {
    const [from, to] = [at[n]!, at[n + 1]!];
    if (from === to || !counts(open[n]!)) continue;
    if (last?.to === from) last.to = to;
    else spans.push(last = { from, to });
  }
  return spans;
}

/**
 * Joins spans that touch or overlap.
 *
 * @param spans Spans in any order; one that ends before it begins is nothing.
 * @returns The same time as spans in order, none touching another.
 */
export function union(spans: readonly Span[]): Span[] {
  const real = spans.filter(({ from, to }) => to > from);
  return spansWith(overlaps([real]), (open) => open > 0);
}

/**
 * Takes time away from spans.
 *
 * @param spans From `union`.
 * @param holes What to take away.
 * @returns What is left of `spans`, in order.
 */
export function subtract(spans: readonly Span[], ...holes: Times[]): Span[] {
  // Where a hole is open, two or more are.
  const open = overlaps([spans, ...holes, ...holes]);
  return spansWith(open, (open) => open === 1);
}

/**
 * Keeps what two lists have in common.
 *
 * @param spans From `union`.
 * @param others From `union`.
 * @returns The time that lies in both, in order.
 */
export function intersect(
  spans: readonly Span[],
  others: readonly Span[],
): Span[] {
  return spansWith(overlaps([spans, others]), (open) => open === 2);
}

/**
 * Adds up spans.
 *
 * @param spans Spans that do not overlap.
 * @returns Their length in ms.
 */
export function lengthOf(spans: readonly Span[]): number {
  return sum(spans, ({ from, to }) => to - from);
}

/**
 * Adds up what each of a list has.
 *
 * @param list Any list.
 * @param value How much one of them has.
 * @returns The sum.
 */
export function sum<T>(
  list: readonly T[],
  value: (one: T) => number,
): number {
  return list.reduce((total, one) => total + value(one), 0);
}

/**
 * Finds the most that were open at once.
 *
 * @param overlaps From `overlaps`.
 * @returns How many.
 */
export function mostOpen({ open }: Overlaps): number {
  return open.reduce((most, count) => Math.max(most, count), 0);
}

/** What the time between two moments is worth, in ms. */
export type Integral = (from: number, to: number) => number;

/**
 * Gives time a worth by how many were open in it, and adds it up.
 *
 * @param overlaps From `overlaps`.
 * @param worth What a millisecond is worth while so many are open. Before the
 * first and after the last it is worth nothing.
 * @returns Looks up any stretch of time.
 */
export function integral(
  { at, open }: Overlaps,
  worth: (open: number) => number,
): Integral {
  const until = new Float64Array(at.length); // the worth of all time before
  for (let n = 1; n < at.length; n++) {
    until[n] = until[n - 1]! + worth(open[n - 1]!) * (at[n]! - at[n - 1]!);
  }
  const upTo = (time: number) => {
    const next = firstAfter(at, time);
    if (next === 0) return 0;
    if (next === at.length) return until[next - 1]!;
    return until[next - 1]! + worth(open[next - 1]!) * (time - at[next - 1]!);
  };
  return (from, to) => to > from ? upTo(to) - upTo(from) : 0;
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
    if (times[middle]! <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}
