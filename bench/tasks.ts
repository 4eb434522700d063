/**
 * The functions that are mapped: each self-contained, so that every side can
 * ship it as it is.
 *
 * @module
 */

/** Next to nothing: all that is measured is the way there and back. */
export function trivial(n: number): number {
  return n * 2 + 1;
}

/** A small object. */
export interface Point {
  id: number;
  v: number;
}

/** One small object into another. */
export function object({ id, v }: Point): { id: number; r: number } {
  return { id, r: v * 2 };
}

/** Any value, as it is. */
export function same<T>(value: T): T {
  return value;
}

/** A record, told in short. */
export function brief(record: object): { fields: number; last?: string } {
  const keys = Object.keys(record);
  return { fields: keys.length, last: keys.at(-1) };
}

/** One string into another. */
export function text(line: string): string {
  return line + "!";
}

/** How long a text is. */
export function lengthOf(text: string): number {
  return text.length;
}

/** A line as 32 bytes, as a digest is, but for next to nothing. */
export function digest(line: string): Uint8Array {
  const bytes = new Uint8Array(32);
  for (let i = 0; i < line.length; i++) bytes[i % 32] = line.charCodeAt(i) ^ i;
  return bytes;
}

/** Reads a whole buffer, and answers with one number. */
export function sum(buffer: ArrayBuffer): number {
  const numbers = new Float64Array(buffer);
  let total = 0;
  for (let i = 0; i < numbers.length; i++) total += numbers[i];
  return total;
}

/** Computes for that many steps. */
export function spin(steps: number): number {
  let x = 1;
  for (let i = 0; i < steps; i++) x = (Math.imul(x, 1664525) + i) | 0;
  return x;
}

/** The lecture's slow add: blocks its worker for 0.1 s. */
export function slowAdd([a, b]: [number, number]): number {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  return a + b;
}

/** The lecture's ten pairs. */
export const PAIRS: [number, number][] = [
  [10, 1],
  [10, 2],
  [10, 3],
  [10, 4],
  [10, 5],
  [3, 3],
  [2, 2],
  [1, 1],
  [1, 3],
  [4, 3],
];
