// What a machine or a client looks at before it unpacks values.
import { assertEquals, assertThrows } from "@std/assert";
import { readBytes } from "../src/nats/byte_reader.ts";
import { writeBytes } from "../src/nats/byte_writer.ts";
import { checkCall, checkPacked } from "../src/nats/message_checks.ts";
import { wire } from "../src/nats/messages.ts";
import { test } from "./harness.ts";
import { until } from "./until.ts";

test("nats: values come as they are packed, and in no other way", async () => {
  const many = <T>(make: (i: number) => T) =>
    Array.from({ length: 40 }, (_, i) => make(i));
  const right = {
    list: [1, "a", { a: [1] }, undefined],
    errors: [1, new Error("no"), { cause: new RangeError("no") }],
    floats: new Float64Array([1, 2]),
    bytes: new Uint8Array([1, 2]),
    none: [],
    numbers: many((i) => i),
    texts: many(String),
    records: many((i) => ({ id: i, name: `n${i}`, tags: ["x"], half: i / 2 })),
    mixed: many((i) => i % 5 === 0 ? { at: new Error("no") } : { id: i }),
  };
  const asOf = (values: unknown[]) =>
    wire.packing.pack(values, false).packed.as;
  await until(() => asOf(right.records) === "records"); // what it loads for that
  const seen = new Set<string>();
  for (const [name, values] of Object.entries(right)) {
    const { packed } = wire.packing.pack(values, false);
    const read = readBytes(writeBytes(packed)) as typeof packed;
    checkPacked(read);
    const { length } = wire.packing.unpack(read);
    assertEquals(length, values.length, name);
    seen.add(packed.as);
  }
  assertEquals([...seen].sort(), ["array", "list", "records", "texts"]);

  const buffer = new ArrayBuffer(8);
  const records = { codes: buffer, numbers: buffer, text: "" };
  const more = { parts: [], shapes: [], keys: [], count: 1, alike: false };
  const list = { as: "list", values: [1] };
  const wrong = [
    undefined,
    7,
    {},
    { as: "shared", part: [0, 1] },
    { as: "array", kind: "Uint8Array", buffer: 2e9 },
    { as: "array", kind: "Uint8Array", buffer: [1] },
    { as: "mixed", records, list: { as: "list", values: [1] }, order: 2e9 },
    { as: "texts", text: "a", lengths: 2e9 },
    { as: "texts", text: ["a"], lengths: buffer },
    { as: "records", records: { ...records, ...more, codes: 2e8 } },
    { as: "records", records: { ...records, ...more, numbers: 2e8 } },
    {
      as: "records",
      records: { ...records, ...more },
      left: { as: "array", kind: "Uint8Array", buffer: 9 },
    },
    { as: "records" },
    { as: "list", values: { length: 3 } },
    { as: "list", values: "abc" },
    { ...list, encoded: 7 },
    { ...list, encoded: [[1, []]] },
    { ...list, encoded: [[2e9, []]] },
  ];
  for (const packed of wrong) {
    assertThrows(() => checkPacked(packed), TypeError, "as they are packed");
  }
});

test("nats: a limit of tasks is one that a timer can wait for", () => {
  const call = { type: "call", fn: { name: "double", source: "(n) => 2 * n" } };
  for (const timeout of [undefined, 0.5, 2 ** 31 - 1]) {
    assertEquals(checkCall({ ...call, timeout }).type, "call");
  }
  for (const timeout of [0, -1, NaN, 2 ** 31, Infinity, "1"]) {
    const check = () => checkCall({ ...call, timeout });
    assertThrows(check, TypeError, "must say what the run is");
  }
});
