// Lists of one kind cross as columns. Whatever crosses so must arrive as
// structured clone would bring it; this is the proof, without a thread.
import { assert, assertEquals, assertLess } from "@std/assert";
import type { Packing, Parcel } from "../src/core/wire/packing.ts";
import { createWire } from "../src/core/wire/wire.ts";
import { test } from "./harness.ts";
import { seeded } from "./seeded.ts";

type Fields = Record<PropertyKey, unknown>;

const COUNT = 40;
const list = <T>(make: (i: number) => T, count = COUNT) =>
  Array.from({ length: count }, (_, i) => make(i));
const pack = (values: ArrayLike<unknown>, transfer = false): Parcel =>
  createWire().packing.pack(values, transfer);

/** How values travel: as rows, texts, a typed array or a list. */
const way = (values: ArrayLike<unknown>, transfer = false) =>
  pack(values, transfer).packed.as;

/** There and back, as if through a worker. */
function cross(values: unknown[], { packing }: { packing: Packing }) {
  const { packed, moved, refused } = packing.pack(values, false);
  const { as } = packed;
  const back = packing.unpack(structuredClone(packed, { transfer: moved }));
  return { as, back: Array.from(back), refused };
}

/** A value as text: keys in order, what shares a part, and -0 show. */
function trace(root: unknown): string {
  const seen = new Map<object, number>();
  const walk = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null) {
      return [typeof value, Object.is(value, -0) ? "-0" : String(value)];
    }
    if (seen.has(value)) return ["seen", seen.get(value)];
    seen.set(value, seen.size);
    const { name } = Object.getPrototypeOf(value)?.constructor ?? {};
    if (value instanceof Date || value instanceof Error) {
      return [name, `${value}`];
    }
    const fields = Reflect.ownKeys(value).map((key) => {
      const { writable, enumerable, configurable, value: field } = Object
        .getOwnPropertyDescriptor(value, key)!;
      return [String(key), writable, enumerable, configurable, walk(field)];
    });
    return [name, fields];
  };
  return JSON.stringify(walk(root));
}

test("lists of one kind, however odd, arrive as structured clone brings them", () => {
  const random = seeded(7);
  const chance = (part: number) => random() < part;
  const of = <T>(some: readonly T[]): T =>
    some[Math.floor(random() * some.length)];
  const KEYS = ["id", "a", "", "é", "a b", '"', "\\", "`${0}`", "\u2028"]
    .concat("\ud800", "then", "constructor", "toString", "hasOwnProperty")
    .concat(
      "list0",
      "values",
      "row",
      "count",
      "-1",
      "1.5",
      "get a",
      "async *b",
    );
  const ODD_KEYS = ["__proto__", "0", "10", "4294967295"];
  const NUMBERS = [0, -0, NaN, Infinity, -Infinity, 1, 2 ** 53, 5e-324, 0.1];
  const TEXTS = [
    "",
    "a",
    "\0",
    "\ud800",
    "\udc00",
    "💚",
    "日本",
    "\u2028",
    "x"
      .repeat(90),
  ];
  const OTHERS = [null, undefined, true, false, 1n, -(2n ** 70n)];
  const kinds = [
    () => of(NUMBERS),
    () => random() * 100,
    () => of(TEXTS),
    () => of(OTHERS),
    () => of<unknown>([...NUMBERS, ...TEXTS, ...OTHERS]),
  ];
  type Make = () => unknown;
  const maker = (depth: number): Make => {
    const keys = [
      ...new Set(list(() => of(KEYS), 1 + Math.floor(random() * 5))),
    ];
    if (chance(0.05)) keys.push(of(ODD_KEYS));
    const fields = keys.map((key): [string, Make] => [
      key,
      depth > 0 && chance(0.3) ? maker(depth - 1) : of(kinds),
    ]);
    return () => {
      const value = {};
      for (const [key, make] of fields) {
        Object.defineProperty(value, key, {
          value: make(),
          enumerable: true,
          configurable: true,
          writable: true,
        });
      }
      return value;
    };
  };
  const shared = { part: 1 };
  const spoil: ((value: Fields) => unknown)[] = [
    (value) => ({ ...value, extra: 1 }),
    (value) => Object.fromEntries(Object.entries(value).reverse()),
    (value) => Object.fromEntries(Object.entries(value).slice(1)),
    (value) => ({ ...value, [Symbol("s")]: 1 }),
    (value) => Object.defineProperty({ ...value }, "hidden", { value: 1 }),
    (value) => Object.assign(Object.create(null), value),
    (value) => Object.assign(new (class Own {})(), value),
    (value) => Object.freeze({ ...value }),
    (value) => ({ ...value, [Object.keys(value)[0]]: [1, { a: 2 }] }),
    (value) => ({ ...value, [Object.keys(value)[0]]: new Date(5) }),
    (value) => ({ ...value, [Object.keys(value)[0]]: shared }),
    (value) => {
      for (const key of Object.keys(value)) value[key] = shared;
      return value;
    },
    (value) => {
      value[Object.keys(value)[0]] = value;
      return value;
    },
    (value) => {
      const [key] = Object.keys(value);
      const field = value[key];
      return Object.defineProperty({ ...value }, key, { get: () => field });
    },
    () => null,
    () => "a",
    () => [1],
  ];

  const ways: Record<string, number> = {};
  const until = performance.now() + 2000; // on a busy machine it tries fewer
  for (let round = 0; round < 2000 && performance.now() < until; round++) {
    const make = chance(0.2) ? of(kinds) : maker(chance(0.2) ? 2 : 1);
    const values = list(make, 32 + Math.floor(random() * 8));
    while (chance(0.3)) {
      const at = Math.floor(random() * values.length);
      const value = values[at];
      if (typeof value === "object" && value !== null) {
        values[at] = of(spoil)({ ...value });
      }
    }
    const { as, back } = cross(values, createWire());
    ways[as] = (ways[as] ?? 0) + 1;
    assertEquals(
      back.map(trace),
      values.map((value) => trace(structuredClone(value))),
    );
  }
  for (const as of ["rows", "texts", "array", "list"]) {
    assert(ways[as] > 10, `${as}: ${ways[as]}`);
  }
});

test("numbers, short strings and plain objects of one shape are packed", () => {
  const row = (i: number) => ({ id: i, name: `n${i}`, at: { x: i, on: null } });
  assertEquals(way(list((i) => i)), "array");
  assertEquals(way(list(String)), "texts");
  assertEquals(way(list(row)), "rows");
  assertEquals(way(list(row), true), "list"); // may hold what is to be moved
  assertEquals(way(list((i) => i), true), "array");
  assertEquals(way(list(() => "x".repeat(101))), "list");
  for (const make of [row, String, Number]) {
    assertEquals(way(list((i): unknown => make(i), 31)), "list");
  }
  const skipped = new Map([[3, { reason: "known" }]]);
  const { packing } = createWire();
  assertEquals(packing.pack(list(row), false, skipped).packed.as, "list");
});

const row = (i: number): Fields => ({ a: i, b: i });
const part = { part: 1 };
const LEFT: Record<string, (i: number) => unknown> = {
  "of mixed shapes": (i) => i % 2 ? { a: i } : { b: i },
  "with keys in another order": (i) => i === 9 ? { b: 1, a: 1 } : row(i),
  "one with an extra key": (i) => i === 39 ? { ...row(i), c: 1 } : row(i),
  "one with a key less": (i) => i === 39 ? { a: 1 } : row(i),
  "without keys": () => ({}),
  "with a null prototype": (i) => Object.assign(Object.create(null), row(i)),
  "that are instances": () =>
    new (class Own {
      a = 1;
    })(),
  "that are arrays": (i) => [i],
  "with an array inside": (i) => ({ a: [i] }),
  "with a Date inside": () => ({ a: new Date(0) }),
  "with an error inside": () => ({ a: new Error("e") }),
  "with a buffer inside": () => ({ a: new Uint8Array(1) }),
  "with an object inside one only": (i) => ({ a: i === 5 ? part : null }),
  "two levels deep": (i) => ({ a: { b: { c: i } } }),
  "that hold one object twice": () => ({ a: part, b: part }),
  "that hold themselves": (i) => {
    const value = row(i);
    return Object.assign(value, { a: value });
  },
  "with a key called __proto__": () => JSON.parse('{"__proto__": 1, "a": 2}'),
  "with integer keys": (i) => ({ a: i, 7: i }),
  "that are arguments": function () {
    return arguments;
  },
  "with more than 32 keys": () =>
    Object.fromEntries(list((i) => [`k${i}`, i], 33)),
  "some of which are missing": (i) => i === 20 ? undefined : row(i),
};

for (const [name, make] of Object.entries(LEFT)) {
  test(`objects ${name} are left to structured clone`, () => {
    const values = list(make);
    assertEquals(way(values), "list");
    if (name === "that are arguments") return; // Bun refuses to clone them
    assertEquals(
      cross(values, createWire()).back.map(trace),
      values.map((value) => trace(structuredClone(value))),
    );
  });
}

test("a function, a symbol and a throwing getter name their offset", () => {
  const cause = new Error("no");
  const bad: [Fields, string][] = [
    [{ a: 1, b: () => 1 }, 'the function b at "b"'],
    [{ a: 1, b: Symbol("s") }, 'a symbol at "b"'],
    [{
      a: 1,
      get b() {
        throw cause;
      },
    }, "a value that threw Error: no"],
  ];
  for (const [value, reason] of bad) {
    const { packed, refused } = pack(list((i) => i === 21 ? value : row(i)));
    assertEquals(packed.as, "list");
    assertEquals([...refused].map(([at, { reason }]) => [at, reason]), [
      [21, reason],
    ]);
  }
});

test("getters are read in order, only those of the first value twice more", () => {
  let reads = 0;
  const values = list(() => ({
    get a() {
      return ++reads;
    },
  }));
  const { back } = cross(values, createWire());
  assertEquals(back, list((i) => ({ a: i + 2 })));
  assertEquals(reads, COUNT + 2);
});

test("proxies of plain objects are left to clone, which refuses them", () => {
  const { packed } = pack(list((i) => new Proxy(row(i), {})));
  assertEquals(packed.as, "list");
  assertEquals(way(list((i) => ({ a: new Proxy(row(i), {}) }))), "list");
});

test("nothing is read from a polluted Object.prototype", () => {
  const polluted = Object.prototype as unknown as Fields;
  try {
    polluted.evil = 1;
    const { as, back } = cross(list(row), createWire());
    assertEquals(as, "list");
    assertEquals(Object.keys(back[0] as object), ["a", "b"]);
  } finally {
    delete polluted.evil;
  }
  try {
    const setter = { set: () => assert(false), configurable: true };
    Object.defineProperty(polluted, "a", setter);
    const { as, back } = cross(list((i) => ({ z: i })), createWire());
    assertEquals([as, (back[3] as Fields).z], ["rows", 3]);
    const literal = list((i) => JSON.parse(`{"a": ${i}}`));
    assertEquals((cross(literal, createWire()).back[3] as Fields).a, 3);
  } finally {
    delete polluted.a;
  }
});

test("only large buffers are moved, and never those of the caller", () => {
  assertEquals(pack(list((i) => i, 4095)).moved.length, 0);
  assertEquals(pack(list((i) => i, 4096)).moved.length, 1);
  assertEquals(pack(new Uint8Array(1 << 14)).moved.length, 0);
  const mine = new Uint8Array(1 << 15);
  const { moved } = pack(mine);
  assertEquals([moved.length, moved.includes(mine.buffer)], [1, false]);
});

test("the size is that of the values, however they are packed", () => {
  const { bytes } = pack(list((i) => ({ id: i, name: "12345678", on: null })));
  assertEquals(bytes, COUNT * 24);
  assertEquals(pack(list(() => "123")).bytes, COUNT * 3);
  assertEquals(pack(list((i) => i)).bytes, COUNT * 8);
});

test("inputs of many shapes are soon left alone, and tried again later", () => {
  const { packing } = createWire();
  let reads = 0;
  const odd = list((i) =>
    i < COUNT - 1
      ? new Proxy(row(i), { ownKeys: (row) => (reads++, Reflect.ownKeys(row)) })
      : { c: 1 }
  );
  const tries: boolean[] = [];
  for (let chunk = 0; chunk < 30; chunk++) {
    const before = reads;
    packing.pack(odd, false);
    tries.push(reads - before > COUNT); // the inspection reads each once
  }
  assertEquals(tries[0], true);
  assertLess(tries.filter(Boolean).length, 5);
  const later = list(() => packing.pack(list(row), false).packed.as, 20);
  assert(later.includes("rows"));
});
