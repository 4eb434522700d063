/**
 * What it costs to pack values in one thread, post them to itself, and unpack
 * them, beside structured clone of the same: by kind and by how many there are
 * in a chunk.
 *
 * @module
 */

import { bench, do_not_optimize, group, summary } from "mitata";
import { isDeepStrictEqual } from "node:util";
import { KINDS, ODD_KINDS } from "../records.ts";
import { readyWire } from "./wire.ts";

const list = <T>(make: (i: number) => T) => (count: number) =>
  Array.from({ length: count }, (_, i) => make(i));

const SMALL: Record<string, (count: number) => unknown[]> = {
  "short texts": list((i) => `line ${i} of it`),
  numbers: list((i) => i / 3),
  "objects of two numbers": list((id) => ({ id, v: id / 2 })),
  "lists of four numbers": list((i) => [i, i + 1, i + 2, i + 3]),
};

const { packing } = await readyWire();

function cross(values: unknown[]): ArrayLike<unknown> {
  const { packed, moved } = packing.pack(values, false);
  return packing.unpack(structuredClone(packed, { transfer: moved }));
}

function compare(title: string, values: unknown[]): void {
  if (!isDeepStrictEqual(Array.from(cross(values)), values)) {
    throw new Error(`${title} differ`);
  }
  const json = JSON.stringify(
    values,
    (_, part) => typeof part === "bigint" ? undefined : part,
  );
  const fits = isDeepStrictEqual(JSON.parse(json), values);
  group(title, () =>
    summary(() => {
      bench("structuredClone", () => do_not_optimize(structuredClone(values)))
        .baseline(true);
      bench("packed", () => do_not_optimize(cross(values)));
      if (!fits) return;
      // What it may be used for is not known before all was looked at.
      bench("JSON, unchecked", () =>
        do_not_optimize(JSON.parse(JSON.stringify(values))));
    }));
}

for (const [name, make] of Object.entries(SMALL)) {
  for (const count of [8, 32, 128, 1000]) {
    compare(`${count} ${name}`, make(count));
  }
}
for (const { title, make } of Object.values({ ...KINDS, ...ODD_KINDS })) {
  for (const count of [32, 500]) compare(`${count} ${title}`, make(count));
}
