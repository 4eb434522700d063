// Records as programs have them, and as they must not: many of a few shapes,
// and among them what only structured clone can take, or refuses.

type Fields = Record<string, unknown>;
type Make = () => unknown;

const KEYS = ["id", "a", "", "é", "a b", '"', "\\", "`${0}`", "\u2028"]
  .concat("\ud800", "then", "constructor", "toString", "hasOwnProperty")
  .concat("fields", "code0", "output", "readPart", "-1", "1.5", "get a")
  .concat("async *b", "__proto__", "0", "10", "4294967295", "length");
const NUMBERS = [0, -0, NaN, Infinity, -Infinity, 1, -1, 2 ** 28, -(2 ** 28)]
  .concat(2 ** 28 - 1, 2 ** 31, 2 ** 53, 5e-324, 0.1);
const TEXTS = ["", "a", "\0", "\ud800", "\udc00", "💚", "日本", "\u2028"]
  .concat("x".repeat(90), "y".repeat(256), "z".repeat(257));
const OTHERS = [null, undefined, true, false, 1n, -(2n ** 63n), 2n ** 63n];

const bare = (value: object) => Object.setPrototypeOf(value, null);

/** What makes a value of a good one that is for clone, or for nobody. */
const SPOIL: ((value: Fields, key: string) => unknown)[] = [
  (value) => ({ ...value, extra: 1 }),
  (value) => Object.fromEntries(Object.entries(value).reverse()),
  (value) => Object.fromEntries(Object.entries(value).slice(1)),
  (value) => ({ ...value, [Symbol("s")]: 1 }),
  (value) => Object.defineProperty({ ...value }, "hidden", { value: 1 }),
  (value) => Object.assign(Object.create(null), value),
  (value) => Object.assign(Object.create({ inherited: 1 }), value),
  (value) => Object.assign(new (class Own {})(), value),
  (value) => Object.freeze({ ...value }),
  (value, key) => ({ ...value, [key]: new Date(NaN) }),
  (value, key) => ({ ...value, [key]: Object.assign(new Date(5), { a: 1 }) }),
  (value, key) => ({ ...value, [key]: Object(-0) }),
  (value, key) => ({ ...value, [key]: Object("boxed") }),
  (value, key) => ({ ...value, [key]: /x/g }),
  (value, key) => ({ ...value, [key]: new Map([[{}, [value]]]) }),
  (value, key) => ({ ...value, [key]: new Set([value]) }),
  (value, key) => ({ ...value, [key]: new Uint8Array([1, 2]) }),
  (value) => Object.setPrototypeOf(new Int16Array([1, 2]), value),
  (value, key) => ({ ...value, [key]: bare(new Float32Array(2)) }),
  (value, key) => ({ ...value, [key]: new (class List extends Array {})() }),
  (value, key) => ({ ...value, [key]: /(a)(b)?/.exec("ab") }),
  (value, key) => ({ ...value, [key]: [1, , 3] }), // deno-lint-ignore no-sparse-arrays
  (value, key) => ({ ...value, [key]: new Array(3) }),
  (value, key) => ({ ...value, [key]: Object.assign([1], { own: value }) }),
  (value, key) => ({ ...value, [key]: [value, value] }),
  (value, key) => ({ ...value, [key]: () => 1 }),
  (value, key) => ({ ...value, [key]: [Symbol("s")] }),
  (value, key) => ({ ...value, [key]: new Proxy({}, {}) }),
  (value, key) => ({ ...value, [key]: [new Proxy([1], {})] }),
  (value) => new Proxy(value, {}),
  (value, key) => {
    value[key] = value;
    return value;
  },
  (value, key) => {
    const part = { part: [1] };
    return { ...value, [key]: part, other: { deep: [part.part] } };
  },
  (value, key) => {
    const field = value[key];
    return Object.defineProperty({ ...value }, key, {
      get: () => field,
      enumerable: true,
    });
  },
  (value, key) =>
    Object.defineProperty({ ...value }, key, {
      get() {
        throw new RangeError("getter");
      },
      enumerable: true,
    }),
  (value, key) => {
    let deep: unknown = value;
    for (let level = 0; level < 30; level++) {
      deep = level % 2 ? [deep] : { deep };
    }
    return { [key]: deep };
  },
  (value) => Array.from({ length: 60 }, (_, i) => ({ ...value, i })),
  (value) => new Array(60).fill(value),
  () => null,
  () => "a",
  () => [1],
  () => () => 1,
];

/**
 * Makes values, most of them of a few shapes.
 *
 * @param random Gives numbers from 0 to below 1.
 * @param count How many.
 * @returns The values.
 */
export function recordsOf(random: () => number, count: number): unknown[] {
  const chance = (part: number) => random() < part;
  const below = (most: number) => Math.floor(random() * most);
  const of = <T>(some: readonly T[]): T => some[below(some.length)];
  const many = <T>(count: number, make: () => T): T[] =>
    Array.from({ length: count }, make);
  const shared = { part: 1, list: [{ deep: true }], a: "a", b: "b" };

  const primitives: Make[] = [
    () => of(NUMBERS),
    () => random() * 100,
    () => below(1000),
    () => of(TEXTS),
    () => of(OTHERS),
    () => of<unknown>([...NUMBERS, ...TEXTS, ...OTHERS]),
  ];

  /** What stands in one place of all values. */
  function part(depth: number): Make {
    const kind = depth === 0 ? 0 : random();
    if (kind < 0.45) return of(primitives);
    if (kind < 0.5) return () => new Date(below(1e12));
    if (kind < 0.55) return () => shared;
    if (kind < 0.6) return () => ({});
    if (kind < 0.75) {
      const inner = part(depth - 1);
      const most = of([1, 3, 3, 20]);
      return () => many(below(most), inner);
    }
    if (kind < 0.8) {
      const inner = part(depth - 1);
      return () => object(many(below(5), () => [`k${below(30)}`, inner()]));
    }
    return record(depth - 1);
  }

  /** Objects whose keys are nearly the same. */
  function record(depth: number): Make {
    const keys = [...new Set(many(1 + below(5), () => of(KEYS)))];
    const fields = keys.map((key): [string, Make, number] => [
      key,
      part(depth),
      chance(0.3) ? random() : 1,
    ]);
    return () =>
      object(
        fields.filter(([, , share]) => chance(share))
          .map(([key, make]) => [key, make()]),
      );
  }

  const make = chance(0.1) ? of(primitives) : part(3);
  const values = many(count, make);
  const spoiled = new Set(many(below(4), () => below(count)));
  for (const at of spoiled) {
    const value = values[at];
    const isObject = typeof value === "object" && value !== null &&
      !Array.isArray(value);
    if (!isObject) values[at] = chance(0.5) ? [value] : of(OTHERS);
    else values[at] = of(SPOIL)({ ...value }, Object.keys(value)[0] ?? "key");
  }
  return values;
}

/** An object with these properties, whatever their names. */
function object(fields: [string, unknown][]): object {
  const made = {};
  for (const [key, value] of fields) {
    Object.defineProperty(made, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return made;
}
