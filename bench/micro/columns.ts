/**
 * Texts as one column, beside structured clone of the list: by their mean
 * length. The caller's end and the worker's end each by itself.
 *
 * @module
 */

import { bench, do_not_optimize, group, summary } from "mitata";
import { isDeepStrictEqual } from "node:util";
import { createColumns } from "../../src/core/wire/columns.ts";
import { createViews } from "../../src/core/wire/views.ts";

const COUNT = 1000;

const columns = createColumns(createViews());

for (const length of [10, 30, 90]) {
  const values = Array.from(
    { length: COUNT },
    (_, i) => `${i} `.padEnd(length, "text "),
  );
  const { packed } = columns.pack(values)!;
  if (!isDeepStrictEqual(columns.unpack(packed), values)) {
    throw new Error(`texts of ${length} differ`);
  }
  group(`${COUNT} texts of ${length} characters`, () =>
    summary(() => {
      bench("structuredClone of the list", () =>
        do_not_optimize(structuredClone(values))).baseline(true);
      bench("pack, clone and unpack", () =>
        do_not_optimize(
          columns.unpack(structuredClone(columns.pack(values)!.packed)),
        ));
      bench("pack", () =>
        do_not_optimize(columns.pack(values)));
      bench("unpack", () => do_not_optimize(columns.unpack(packed)));
    }));
}

const numbers = Array.from({ length: COUNT }, (_, i) => i / 3);
const { packed } = columns.pack(numbers)!;
group(`${COUNT} numbers`, () =>
  summary(() => {
    bench("structuredClone of the list", () =>
      do_not_optimize(structuredClone(numbers))).baseline(true);
    bench("pack, clone and unpack", () =>
      do_not_optimize(
        columns.unpack(structuredClone(columns.pack(numbers)!.packed)),
      ));
    bench("pack", () =>
      do_not_optimize(columns.pack(numbers)));
    bench("unpack", () => do_not_optimize(columns.unpack(packed)));
  }));
