// A list that counts how often something of it is read.

/**
 * Counts what is read of a list.
 *
 * @param list The list.
 * @returns One as that, and how often one of its elements was read.
 */
export function counted<T>(list: T[]): { list: T[]; reads(): number } {
  let reads = 0;
  const proxy = new Proxy(list, {
    get(target, key) {
      if (typeof key === "string" && key !== "length") reads++;
      return Reflect.get(target, key);
    },
  });
  return { list: proxy, reads: () => reads };
}
