/**
 * Notices which objects stand twice in a value, where they have to stay one,
 * and which stand in several.
 *
 * @module
 */

/** Watches the objects of values, in the order in which they are met. */
export interface Sharing {
  /** Begins a value; whether the last one was written. */
  begin(written: boolean): void;
  /**
   * Meets an object.
   *
   * @param part The object.
   * @returns Its number in this value, from 0; -1 if the value before held the
   * same at that place, so that both may have it from structured clone.
   * @throws If the value holds it twice, or it holds itself.
   */
  meet(part: object): number;
  /**
   * Meets the buffer of a view: other views of it in this value have to share it.
   *
   * @throws If the value holds it twice.
   */
  meetBuffer(buffer: object): void;
  /**
   * Notes that an object was written.
   *
   * @param part The object.
   * @param order The number it was met with.
   * @param size How many codes and numbers it took.
   * @throws If it is large, and another value held it.
   */
  note(part: object, order: number, size: number): void;
  /** Forgets all objects. */
  clear(): void;
}

/**
 * Makes one. Self-contained: workers get this function by its source.
 *
 * @returns What watches.
 */
export function createSharing(): Sharing {
  // Objects of a value that are compared one by one: a Set takes longer.
  const FEW = 48;
  // How many codes and numbers a part has at least that is looked for in the
  // value before, and left to clone if it is there: fewer are written as fast.
  const SHARED = 4;
  // The same of a part that is looked for in all other values.
  const LARGE = 64;

  const twice = new Error("an object stands twice");
  // Of the first objects of this value: each, how many it holds with itself, and
  // their codes and numbers. From `count` on, what the value before left there.
  const seen: unknown[] = [];
  const inside = new Int32Array(FEW);
  const sizes = new Int32Array(FEW);
  let count = 0;
  let before = 0;
  let more: Set<unknown> | undefined;
  let large: Set<object> | undefined;

  function meet(part: object): number {
    if (count === FEW) {
      more ??= new Set(seen);
      const { size } = more;
      if (more.add(part).size === size) throw twice;
      return FEW;
    }
    for (let i = 0; i < count; i++) if (seen[i] === part) throw twice;
    const order = count++;
    if (order < before && seen[order] === part && sizes[order]! >= SHARED) {
      count = order + inside[order]!; // what is in it was met then, and is now
      return -1;
    }
    seen[order] = part;
    return order;
  }

  function note(part: object, order: number, size: number): void {
    if (order < FEW) {
      inside[order] = count - order;
      // Of more objects it is not known which are inside.
      sizes[order] = more === undefined ? size : 0;
    }
    if (size <= LARGE) return;
    large ??= new Set();
    const { size: known } = large;
    if (large.add(part).size === known) throw twice;
  }

  return {
    begin(written) {
      before = written ? count : 0;
      count = 0;
      more = undefined;
    },
    meet,
    meetBuffer: (buffer) => note(buffer, meet(buffer), 0),
    note,
    clear() {
      seen.fill(undefined);
      count = before = 0;
      more = large = undefined;
    },
  };
}
