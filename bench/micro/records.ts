/**
 * Records as codes, the caller's end and the worker's end each by itself, what
 * it costs to make code for a shape, and objects whose keys are data.
 *
 * @module
 */

import { bench, do_not_optimize, group, summary } from "mitata";
import { KINDS } from "../records.ts";
import { readyWire } from "./wire.ts";

const COUNT = 500;

const { packing } = await readyWire();

for (const { title, make } of Object.values(KINDS)) {
  const values = make(COUNT);
  packing.pack(values, false); // learns their shapes
  const { packed } = packing.pack(values, false);
  if (packed.as !== "records") throw new Error(`${title} are no records`);
  const sent = structuredClone(packed);
  group(`${COUNT} ${title}`, () =>
    summary(() => {
      bench("structuredClone of the list", () =>
        do_not_optimize(structuredClone(values))).baseline(true);
      bench("write", () =>
        do_not_optimize(packing.pack(values, false)));
      bench("clone what was written", () =>
        do_not_optimize(structuredClone(packed)));
      bench("read", () =>
        do_not_optimize(packing.unpack(sent)));
    }));
}

// The first 32 cost more than 32 of the next 50 do, by the code that is made for
// their shape.
group("objects of a shape that was not seen before", () =>
  summary(() => {
    bench("a new wire", async () => do_not_optimize(await readyWire()))
      .baseline(true);
    for (const count of [32, 82]) {
      const values = Array.from(
        { length: count },
        (_, id) => ({ id, x: id / 2, y: -id, name: `n${id}`, on: true }),
      );
      bench(`a new wire, and ${count} objects`, async () => {
        const { packing } = await readyWire();
        do_not_optimize(packing.pack(values, false));
      });
    }
  }));

// With new keys each time, as data have. JSC, which Bun runs, is no faster with
// the second way.
group("an object of eight keys of 50,000", () =>
  summary(() => {
    const KEYS = Array.from({ length: 50_000 }, (_, i) => `user${i}`);
    let at = 0;
    function fill(fields: Record<string, unknown>) {
      for (let i = 0; i < 8; i++) {
        at = (at + 7919) % KEYS.length;
        fields[KEYS[at]!] = i;
      }
      at++;
      return fields;
    }
    bench("known by its layout", () => do_not_optimize(fill({})))
      .baseline(true);
    bench("hashed", () => {
      const fields: Record<string, unknown> = { first: 0, last: 0 };
      delete fields.first;
      delete fields.last;
      do_not_optimize(fill(fields));
    });
  }));
