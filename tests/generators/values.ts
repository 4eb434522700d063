// Which values are tried: see tests/fixtures/recipes.ts for what each recipe
// makes, and arrival.ts for what must become of it.

import type { Arbitrary } from "fast-check";
import fc from "fast-check";
import type {
  BufferRecipe,
  Entry,
  ErrorRecipe,
  Recipe,
  ViewRecipe,
} from "../fixtures/recipes.ts";
import { ODD, PLATFORM } from "../fixtures/recipes.ts";

/** An object that holds nothing. */
const EMPTY: Recipe = { is: "object", proto: "plain", entries: [] };

/** Keys that mean something to a language, a runtime or this library. */
const KEYS = [
  "a",
  "b",
  "",
  "0",
  "7",
  "-1",
  "4294967295",
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "toJSON",
  "then",
  "length",
  "as",
  "rows",
  "list",
  "kind",
  "keys",
  "count",
  "fields",
  "values",
  "type",
  "class",
  "index",
  "error",
  "errors",
  "cause",
  "@parallel/map error",
  "\ud800",
];

const PRIMITIVES = ["undefined", "null", "true", "false", "0", "-0", "NaN"]
  .concat("Infinity", "-Infinity", "1", "0.1", "1e300", "4294967296", "5n")
  .concat("-123456789012345678901234567890n", '""');

const ERROR_CLASSES = ["Error", "TypeError", "RangeError", "SyntaxError"]
  .concat("ReferenceError", "EvalError", "URIError", "AggregateError")
  .concat("SuppressedError", "DOMException");

const VIEWS = ["Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array"]
  .concat("Uint16Array", "Int32Array", "Uint32Array", "Float16Array")
  .concat("Float32Array", "Float64Array", "BigInt64Array", "BigUint64Array")
  .concat("DataView", "Buffer", "Bytes");

/** What looks like the messages of this library, or names a function. */
const MARKERS: unknown[] = [
  {
    "@parallel/map error": {
      class: "fuzzCanary",
      name: "x",
      message: "m",
      stack: "",
      hidden: {},
      props: {},
    },
  },
  { "@parallel/map error": null },
  { "@parallel/map error": { class: "DOMException" } },
  { as: "array", kind: "fuzzCanary", buffer: {} },
  { as: "array", kind: "Float64Array", buffer: 3 },
  { as: "texts", text: "abc", lengths: 1 },
  { as: "records", records: { count: 1, codes: 1 }, left: {} },
  { as: "mixed", records: { count: 1, codes: 1 }, list: {}, order: 1 },
  { count: 1, codes: [12], numbers: [], text: "", shapes: ['["a"]'] },
  { as: "list", values: [1], encoded: [0] },
  { as: "primitives", values: [1] },
  { type: "done", serial: 1, values: [], failures: [] },
  { type: "failed", error: "x" },
  { ok: false, error: "x" },
  { status: "rejected", reason: "x" },
];

/** The recipe of what JSON may hold. */
function ofJson(json: unknown): Recipe {
  if (typeof json === "string") return { is: "string", text: json };
  if (typeof json !== "object" || json === null) {
    return { is: "primitive", text: String(json) };
  }
  if (Array.isArray(json)) {
    return {
      is: "array",
      subclass: false,
      items: json.map(ofJson),
      entries: [],
    };
  }
  const entries = Object.entries(json)
    .map(([key, value]) => ({ key, value: ofJson(value) }));
  return { is: "object", proto: "plain", entries };
}

const among = <T>(list: readonly T[]) => fc.constantFrom(...list);
const often = (chance: number) =>
  fc.integer({ min: 1, max: 100 }).map((n) => n <= chance);

const text: Arbitrary<Recipe> = fc.record({
  is: fc.constant("string" as const),
  text: fc.oneof(
    fc.string({ maxLength: 8, unit: "binary" }),
    among(["\ud800", "a\udc00b", "\u0000", "[object Error]"]),
  ),
  // Columns take texts of 100 characters on average, and not longer ones.
  times: fc.option(fc.integer({ min: 20, max: 300 }), {
    nil: undefined,
    freq: 5,
  }),
}, { requiredKeys: ["is", "text"] });

const primitive: Arbitrary<Recipe> = fc.record({
  is: fc.constant("primitive" as const),
  text: fc.oneof(
    among(PRIMITIVES),
    fc.double().map((n) => Object.is(n, -0) ? "-0" : String(n)),
    fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }).map((n) => `${n}n`),
  ),
});

const date: Arbitrary<Recipe> = fc.record({
  is: fc.constant("date" as const),
  ms: among([0, -1, 5, 8.64e15, null]),
});

const leaf: Arbitrary<Recipe> = fc.oneof(
  primitive,
  text,
  fc.record({
    is: fc.constant("boxed" as const),
    text: among(["0", "-0", "NaN", "true", "5n", '""']),
  }),
  date,
  fc.record({
    is: fc.constant("regexp" as const),
    source: among(["x", "(?:)", "\\/[a]", "\\u{1f600}"]),
    flags: among(["", "g", "gi", "dgimsuy", "v"]),
    lastIndex: fc.integer({ min: 0, max: 3 }),
  }),
);

const buffer: Arbitrary<BufferRecipe> = fc.record({
  is: fc.constant("buffer" as const),
  as: fc.oneof(
    { weight: 4, arbitrary: fc.constant("fixed" as const) },
    {
      weight: 3,
      arbitrary: among(
        ["resizable", "shared", "growable", "subclass"] as const,
      ),
    },
    { weight: 1, arbitrary: among(["detached", "wasm"] as const) },
  ),
  // From 32 KiB on, columns are moved.
  bytes: fc.oneof(fc.integer({ min: 0, max: 40 }), among([32_768, 40_000])),
});

/** A view of every kind, on a buffer of every kind. */
export const view: Arbitrary<ViewRecipe> = fc.record({
  is: fc.constant("view" as const),
  kind: among(VIEWS),
  buffer,
  offset: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 5 })),
  length: fc.option(fc.integer({ min: 0, max: 40 }), { nil: undefined }),
}, { requiredKeys: ["is", "kind", "buffer", "offset"] });

/** What clone refuses, or turns into `{}`. */
export const odd: Arbitrary<Recipe> = fc.record({
  is: fc.constant("odd" as const),
  what: among(Object.keys(ODD)),
});

/** Properties with different keys. */
function entries(
  value: Arbitrary<Recipe>,
  keys: Arbitrary<string> = among(KEYS),
): Arbitrary<Entry[]> {
  const as = fc.oneof(
    { weight: 20, arbitrary: fc.constant(undefined) },
    { weight: 2, arbitrary: fc.constant("getter" as const) },
    { weight: 1, arbitrary: fc.constant("throwing getter" as const) },
    { weight: 1, arbitrary: fc.constant("changing getter" as const) },
    { weight: 1, arbitrary: fc.constant("not enumerable" as const) },
  );
  return fc.uniqueArray(fc.record({ key: keys, value, as }), {
    selector: ({ key }) => key,
    maxLength: 4,
  });
}

/**
 * The same without very long arrays. As name, message or stack of an error,
 * runtimes write an array out, for ever, when the error is cloned or its stack
 * is read.
 */
function shorten(recipe: Recipe): Recipe {
  const text = JSON.stringify(recipe, (key, part) => {
    if (part?.is === "ref") return EMPTY; // it may mean one
    return key === "length" && part === "huge" ? 5 : part;
  });
  return JSON.parse(text);
}

/** Whether something is of another realm. */
const elsewhere = fc.option(fc.constant(true as const), {
  nil: undefined,
  freq: 8,
}) as Arbitrary<true>;

const locked = fc.option(among(["frozen", "sealed"] as const), {
  nil: undefined,
  freq: 8,
});

/** Keys an error's own properties may have, besides those it always has. */
const errorKeys = among(
  KEYS.filter((key) => !["cause", "errors", "error"].includes(key)),
);

const { value, error } = fc.letrec<{ value: Recipe; error: ErrorRecipe }>(
  (tie) => ({
    value: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      { weight: 6, arbitrary: leaf },
      { weight: 2, arbitrary: buffer },
      { weight: 2, arbitrary: view },
      { weight: 1, arbitrary: odd },
      {
        weight: 1,
        arbitrary: fc.record({
          is: fc.constant("platform" as const),
          what: among(Object.keys(PLATFORM)),
        }),
      },
      { weight: 1, arbitrary: among(MARKERS).map(ofJson) },
      {
        weight: 2,
        arbitrary: fc.record({
          is: fc.constant("ref" as const),
          to: fc.integer({ min: 0, max: 4 }),
        }),
      },
      { weight: 4, arbitrary: tie("error") },
      {
        weight: 6,
        arbitrary: fc.record({
          is: fc.constant("object" as const),
          elsewhere,
          proto: fc.oneof(
            { weight: 4, arbitrary: fc.constant("plain" as const) },
            {
              weight: 1,
              arbitrary: among(["null", "class", "heir of an array"] as const),
            },
          ),
          entries: entries(tie("value")),
          locked,
          tag: fc.option(among(["Error", "Map", "odd"]), {
            nil: undefined,
            freq: 20,
          }),
        }),
      },
      {
        weight: 4,
        arbitrary: fc.record({
          is: fc.constant("array" as const),
          elsewhere,
          subclass: often(10),
          items: fc.array(
            fc.oneof(
              { weight: 8, arbitrary: tie("value") },
              { weight: 1, arbitrary: fc.constant({ is: "hole" } as const) },
            ),
            { maxLength: 4 },
          ),
          length: fc.option(among([5, 5000, "huge"] as const), {
            nil: undefined,
            freq: 10,
          }),
          entries: fc.oneof(
            { weight: 5, arbitrary: fc.constant([]) },
            {
              weight: 1,
              arbitrary: entries(
                tie("value"),
                among(KEYS.filter((key) => !/^(\d+|length)$/.test(key))),
              ),
            },
          ),
          locked,
        }).map((recipe) =>
          // Errors under such keys are looked for in short arrays that hold
          // objects (README, "What arrives as what").
          recipe.entries.length === 0 ? recipe : {
            ...recipe,
            length: recipe.length === undefined ? undefined : 5,
            items: [EMPTY, ...recipe.items],
          }
        ),
      },
      {
        weight: 2,
        arbitrary: fc.record({
          is: fc.constant("map" as const),
          elsewhere,
          subclass: often(10),
          pairs: fc.array(fc.tuple(tie("value"), tie("value")), {
            maxLength: 3,
          }),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({
          is: fc.constant("set" as const),
          elsewhere,
          subclass: often(10),
          items: fc.array(tie("value"), { maxLength: 3 }),
        }),
      },
    ) as Arbitrary<Recipe>,
    error: fc.record({
      is: fc.constant("error" as const),
      elsewhere,
      class: among(ERROR_CLASSES),
      subclass: often(25),
      message: fc.string({ maxLength: 5 }),
      texts: fc.oneof(
        { weight: 3, arbitrary: fc.constant([]) },
        {
          weight: 2,
          arbitrary: entries(
            fc.oneof(text, text, tie("value").map(shorten)),
            among(["name", "message", "stack"]),
          ).map((texts) =>
            // Bun writes the stack, with the name, before it is defined anew.
            texts.toSorted((a, b) =>
              Number(b.key === "stack") - Number(a.key === "stack")
            )
          ),
        },
      ),
      cause: fc.option(tie("value"), { nil: undefined, freq: 2 }),
      errors: fc.option(
        fc.array(tie("value"), { maxLength: 2 }).map((items): Recipe => ({
          is: "array",
          subclass: false,
          items,
          entries: [],
        })),
        { nil: undefined, freq: 3 },
      ),
      entries: fc.oneof(fc.constant([]), entries(tie("value"), errorKeys)),
    }) as Arbitrary<ErrorRecipe>,
  }),
);

const deep: Arbitrary<Recipe> = fc.oneof(
  fc.record({
    is: fc.constant("deep" as const),
    of: among(["object", "array", "map"] as const),
    depth: among([10, 100, 1000, 2000, 3000, 5000, 10_000]),
  }),
  fc.record({
    is: fc.constant("deep" as const),
    of: fc.constant("cause" as const),
    // To write the stack of an error takes a thread of Deno 2.9.5 2 ms.
    depth: among([10, 100, 1000]),
  }),
);

/** Any value. */
export const anyValue: Arbitrary<Recipe> = fc.oneof(
  { weight: 30, arbitrary: value },
  { weight: 8, arbitrary: error as Arbitrary<Recipe> },
  { weight: 1, arbitrary: deep },
);

/** What stands in one place of many values: mostly the same kind of thing. */
const { part, record } = fc.letrec<
  { part: Arbitrary<Recipe>; record: Arbitrary<Recipe> }
>((tie) => ({
  part: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    { weight: 16, arbitrary: among([primitive, text, date]) },
    { weight: 1, arbitrary: among([leaf, value]) },
    {
      weight: 4,
      arbitrary: tie("part").map((one) =>
        fc.array(one, { maxLength: 4 }).map((items): Recipe => ({
          is: "array",
          subclass: false,
          items,
          entries: [],
        }))
      ),
    },
    {
      weight: 2,
      arbitrary: tie("part").map((one) =>
        entries(one).map((entries): Recipe => ({
          is: "object",
          proto: "plain",
          entries,
        }))
      ),
    },
    { weight: 4, arbitrary: tie("record") },
  ) as Arbitrary<Arbitrary<Recipe>>,
  record: fc.uniqueArray(
    fc.record({ key: among(KEYS), one: tie("part"), optional: often(25) }),
    { selector: ({ key }) => key, minLength: 1, maxLength: 5 },
  ).map((fields) =>
    fc.tuple(...fields.map(({ key, one, optional }) => {
      const entry = one.map((value): Entry[] => [{ key, value }]);
      return optional ? fc.oneof(entry, fc.constant([])) : entry;
    })).map((found): Recipe => ({
      is: "object",
      proto: "plain",
      entries: found.flat(),
    }))
  ) as Arbitrary<Arbitrary<Recipe>>,
}));

/** Values of one kind or a few shapes, which go compact if there are many. */
const alike: Arbitrary<Recipe[]> = fc.oneof(
  { weight: 1, arbitrary: fc.constant(primitive) },
  { weight: 1, arbitrary: fc.constant(text) },
  { weight: 1, arbitrary: part },
  { weight: 3, arbitrary: record },
).chain((one) => fc.array(one, { minLength: 1, maxLength: 90, size: "max" }));

/** The values of a chunk that is packed: many alike, or all but one. */
export const crowd: Arbitrary<Recipe[]> = fc.oneof(
  alike,
  fc.tuple(alike, anyValue, fc.nat()).map(([list, one, at]) =>
    list.with(at % list.length, one)
  ),
);

/** The values of a few chunks: a few of any kind, or many. */
export const manyValues: Arbitrary<Recipe[]> = fc.oneof(
  fc.array(anyValue, { minLength: 1, maxLength: 6 }),
  crowd,
);
