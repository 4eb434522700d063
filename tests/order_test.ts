import { assertEquals } from "@std/assert";
import { Reorder } from "../src/core/engine/order.ts";
import { test } from "./harness.ts";

/** Every order of the items. */
function* permutations<T>(items: T[]): Generator<T[]> {
  if (items.length <= 1) return yield items;
  for (const [i, item] of items.entries()) {
    for (const rest of permutations(items.toSpliced(i, 1))) {
      yield [item, ...rest];
    }
  }
}

test("stretches come out in order, whichever way they went in", () => {
  const stretches: [number, number[]][] = [
    [0, [0, 1]],
    [2, [2]],
    [3, [3, 4, 5]],
    [6, [6]],
    [7, [7, 8]],
  ];
  for (const order of permutations(stretches)) {
    const reorder = new Reorder<number[]>();
    const out: number[] = [];
    for (const [first, stretch] of order) {
      reorder.add(first, stretch);
      for (let next; (next = reorder.next()) !== undefined;) out.push(...next);
    }
    assertEquals(out, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  }
});
