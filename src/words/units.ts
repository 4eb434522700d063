/**
 * Numbers as people read them, alike in the bar, the timeline and the command:
 * pure.
 *
 * @module
 */

/**
 * Writes a duration with two or three figures.
 *
 * @param ms Milliseconds.
 * @returns As in `0.06 µs`, `12 ms`, `1.25 s`, `2 min 05 s`, `3 h 20 min`.
 */
export function duration(ms: number): string {
  if (ms < 0.9995 && ms > 0) return `${figures(ms * 1000)} µs`;
  if (ms < 999.5) return `${figures(ms)} ms`;
  const s = ms / 1000;
  if (s < 59.95) return `${s.toFixed(s < 9.995 ? 2 : 1)} s`;
  const seconds = Math.round(s);
  const minutes = Math.floor(seconds / 60);
  const two = (count: number) => String(count).padStart(2, "0");
  return minutes < 60
    ? `${minutes} min ${two(seconds % 60)} s`
    : `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

/**
 * Writes a factor.
 *
 * @param times How many times.
 * @returns As in `4.9×`.
 */
export function factor(times: number): string {
  return `${times.toFixed(times < 9.95 ? 1 : 0)}×`;
}

/**
 * Writes a share.
 *
 * @param share From 0 to 1.
 * @returns As in `85 %`.
 */
export function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

/**
 * Writes a count with its noun.
 *
 * @param count How many.
 * @param noun The singular.
 * @param nouns The plural.
 * @returns As in `1 task`, `12,000 tasks`.
 */
export function plural(
  count: number,
  noun: string,
  nouns: string = `${noun}s`,
): string {
  const digits = String(count).replace(/\B(?=(\d{3})+$)/g, ",");
  return `${digits} ${count === 1 ? noun : nouns}`;
}

function figures(value: number): string {
  if (value >= 99.5 || value === 0) return value.toFixed(0);
  return value.toFixed(value >= 9.95 ? 0 : value >= 0.995 ? 1 : 2);
}
