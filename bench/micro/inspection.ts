/**
 * Looking at values before they cross, beside structured clone of the same: by
 * kind. What is packed as records is not looked at.
 *
 * @module
 */

import { bench, do_not_optimize, group, summary } from "mitata";
import { createInspector } from "../../src/core/wire/inspection.ts";
import { createKinds } from "../../src/core/wire/kinds.ts";
import { views } from "../../src/core/wire/views.ts";
import { KINDS } from "../records.ts";

const inspector = createInspector({ createKinds, views });
const range = (count: number) => Array.from({ length: count }, (_, i) => i);

const VALUES: Record<string, object> = {
  "an object of two numbers": { id: 1, v: 2 },
  "a list of 10 numbers": range(10),
  "a list of 1,000 numbers": range(1000),
  "a Map of 20 texts": new Map(range(20).map((i) => [i, `value ${i}`])),
  "a typed array of 1,000 numbers": new Float64Array(1000),
  "an Error": new RangeError("out of range"),
};
for (const { title, make } of Object.values(KINDS)) {
  VALUES[`a list of 20 ${title}`] = make(20);
}

for (const [title, value] of Object.entries(VALUES)) {
  if (inspector.inspect(value).refused) throw new Error(`${title} is refused`);
  group(title, () =>
    summary(() => {
      bench("structuredClone", () => do_not_optimize(structuredClone(value)))
        .baseline(true);
      bench("inspected", () => do_not_optimize(inspector.inspect(value)));
    }));
}
