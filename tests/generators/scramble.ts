// What a program may do to an object that it has given away: change all of it.

/**
 * Changes whatever can be changed in a value, as deep as it goes.
 *
 * @param root The value.
 */
export function scramble(root: unknown): void {
  const seen = new Set<object>();
  const left = [root];
  while (left.length > 0) {
    const value = left.pop();
    if (typeof value !== "object" || value === null || seen.has(value)) {
      continue;
    }
    seen.add(value);
    try {
      left.push(...scrambleOne(value));
    } catch {
      // It was moved away, or is a Proxy that throws.
    }
  }
}

/** Changes an object itself, and gives what it held. */
function scrambleOne(value: object): unknown[] {
  if (value instanceof ArrayBuffer) new Uint8Array(value).fill(255);
  if (ArrayBuffer.isView(value)) return [value.buffer];
  const held: unknown[] = [];
  if (value instanceof Map) {
    held.push(...value.keys(), ...value.values());
    value.clear();
    value.set("scrambled", {});
  } else if (value instanceof Set) {
    held.push(...value);
    value.clear();
    value.add("scrambled");
  } else if (value instanceof Date) value.setTime(1e12);
  for (const key of Reflect.ownKeys(value)) {
    const { value: part, writable } =
      Reflect.getOwnPropertyDescriptor(value, key) ?? {};
    held.push(part);
    // As another kind than before, too.
    if (writable) Reflect.set(value, key, typeof part === "object" ? 1 : {});
  }
  if (Array.isArray(value)) value.length = 0;
  Reflect.set(value, "scrambled", true);
  return held;
}
