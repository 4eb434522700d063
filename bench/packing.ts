/**
 * What it costs to pack values in one thread, post them to itself, and unpack
 * them, beside structured clone of the same: by kind and by how many there are
 * in a chunk. Run: `deno run -A bench/packing.ts`, or with Bun; and the name of
 * a kind to see only that.
 *
 * @module
 */

import { bench, do_not_optimize, group, run, summary } from "mitata";
import { isDeepStrictEqual } from "node:util";
import process from "node:process";
import type { Packing } from "../src/core/wire/packing.ts";
import { createWire } from "../src/core/wire/wire.ts";
import { KINDS, ODD_KINDS } from "./records.ts";

const list = <T>(make: (i: number) => T) => (count: number) =>
  Array.from({ length: count }, (_, i) => make(i));

const MAKERS: Record<string, (count: number) => unknown[]> = {
  "short texts": list((i) => `line ${i} of it`),
  "texts of 100 characters": list((i) => `${i} `.padEnd(100, "text ")),
  "texts of 300 characters": list((i) => `${i} `.padEnd(300, "text ")),
  numbers: list((i) => i / 3),
  "objects of two numbers": list((id) => ({ id, v: id / 2 })),
  "lists of four numbers": list((i) => [i, i + 1, i + 2, i + 3]),
};
for (const { title, make } of Object.values({ ...KINDS, ...ODD_KINDS })) {
  MAKERS[title] = make;
}

/** A packing that has loaded what it needs for records. */
async function readyPacking(): Promise<Packing> {
  const { packing } = createWire();
  packing.pack(list(() => ({}))(32), false);
  await new Promise((resolve) => setTimeout(resolve, 50));
  return packing;
}

const packing = await readyPacking();

function cross(values: unknown[]): ArrayLike<unknown> {
  const { packed, moved } = packing.pack(values, false);
  return packing.unpack(structuredClone(packed, { transfer: moved }));
}

const only = process.argv[2] ?? "";
for (const [name, make] of Object.entries(MAKERS)) {
  if (!name.includes(only)) continue;
  for (const count of [8, 32, 128, 1000]) {
    const values = make(count);
    const back = Array.from(cross(values));
    if (!isDeepStrictEqual(back, values)) throw new Error(`${name} differ`);
    const json = JSON.stringify(
      values,
      (_, part) => typeof part === "bigint" ? undefined : part,
    );
    const fits = isDeepStrictEqual(JSON.parse(json), values);
    group(`${count} ${name}`, () =>
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
}
await run();
