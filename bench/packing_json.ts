/**
 * Values as JSON, where that loses nothing: measured by `../packing.ts`.
 *
 * @module
 */

/** Packs values. */
export interface JsonPacking {
  /** Undefined when JSON would change a value. */
  pack(values: ArrayLike<unknown>): string | undefined;
}

/**
 * Makes the packing. Self-contained.
 *
 * @returns The packing.
 */
export function createJson(): JsonPacking {
  const plain = Object.prototype;

  /** Whether JSON keeps it: a tree of plain objects, arrays and plain values. */
  function keeps(value: unknown, depth: number): boolean {
    switch (typeof value) {
      case "string":
      case "boolean":
        return true;
      case "number":
        return Number.isFinite(value) && !Object.is(value, -0);
      case "object": {
        if (value === null) return true;
        if (depth === 0) return false;
        let objects: object[] | undefined;
        if (Array.isArray(value)) {
          if (Object.keys(value).length !== value.length) return false;
        } else if (Object.getPrototypeOf(value) !== plain) return false;
        for (const key in value) {
          const item = (value as Record<string, unknown>)[key];
          if (!keeps(item, depth - 1)) return false;
          if (typeof item !== "object" || item === null) continue;
          if (objects?.includes(item)) return false; // shared
          (objects ??= []).push(item);
        }
        return true;
      }
      default:
        return false;
    }
  }

  return {
    pack(values) {
      for (const _ in plain) return undefined;
      for (let i = 0; i < values.length; i++) {
        if (!keeps(values[i], 2)) return undefined;
      }
      return JSON.stringify(values);
    },
  };
}
