// Values as the bytes that cross between machines: all that structured clone
// takes comes back, and what nobody wrote is refused.
import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { runInNewContext } from "node:vm";
import { readBytes } from "../src/nats/byte_reader.ts";
import { writeBytes } from "../src/nats/byte_writer.ts";
import { test } from "./harness.ts";
import { seeded } from "./seeded.ts";

const cross = (value: unknown) => readBytes(writeBytes(value));

function samples(): unknown[] {
  const named = Object.assign([1, , 3], { name: "list" });
  const odd = Object.create(null);
  Object.defineProperty(odd, "__proto__", { value: 1, enumerable: true });
  return [
    undefined,
    null,
    true,
    0,
    -0,
    -1,
    2 ** 31,
    -(2 ** 31),
    2 ** 53 + 2,
    NaN,
    -Infinity,
    0.1,
    -(2n ** 70n),
    "",
    "\ufeffü💚",
    "\ud800",
    [undefined, null, , []],
    named,
    { a: { b: [{}] }, "": 1 },
    new Map<unknown, unknown>([[{ k: 1 }, new Set([1, "x"])], [NaN, -0]]),
    new Date(NaN),
    new Date(8e15),
    /a\/b[\]]/giu,
    new Uint8Array([1, 2, 3]).subarray(1, 2),
    new DataView(new ArrayBuffer(9)),
    new BigInt64Array([-1n]),
    new Float32Array(),
    new ArrayBuffer(3),
    Object("text"),
    Object(1n),
    Object(false),
  ];
}

test("values come back from bytes as they were", () => {
  for (const value of samples()) assertEquals(cross(value), value);
  const elsewhere = runInNewContext(`[
    new Map([[1, new Set([2])]]), new Date(5), /x/g, new ArrayBuffer(3),
    new Uint16Array([1, 2]).subarray(1),
  ]`);
  assertEquals(cross(elsewhere), [
    new Map([[1, new Set([2])]]),
    new Date(5),
    /x/g,
    new ArrayBuffer(3),
    new Uint16Array([2]),
  ]);
  assert(Object.is(cross(-0), -0));
  assert(!(1 in (cross([0, , 2]) as object)));
  class Secret {
    readonly #code = 7;
    get [Symbol.toStringTag]() {
      return `Secret ${this.#code}`;
    }
  }
  assertEquals(cross([new Secret(), Object.create(null)]), [{}, {}]);
  const keys = cross(JSON.parse('{"__proto__":{"bad":1}}')) as object;
  assertEquals(Object.keys(keys), ["__proto__"]);
  assertStrictEquals(Object.getPrototypeOf(keys), Object.prototype);
});

test("shared parts and cycles come back from bytes as such", () => {
  const part = { n: 1 };
  const bytes = new Uint8Array(4);
  const value: Record<string, unknown> = { one: part, two: [part], bytes };
  value.self = value;
  value.words = new Uint16Array(bytes.buffer);
  const back = cross(value) as typeof value;
  assertStrictEquals(back.self, back);
  assertStrictEquals(back.one, (back.two as unknown[])[0]);
  const { buffer } = back.words as Uint16Array;
  assertStrictEquals((back.bytes as Uint8Array).buffer, buffer);
});

test("what a class of the user's says of a value does not matter to its bytes", () => {
  /** Says with all it inherits that it is something else. */
  const odd = <T extends object>(object: T): T => {
    for (let at: object = object; at !== Object.prototype;) {
      at = Object.getPrototypeOf(at);
      for (const key of Reflect.ownKeys(at)) {
        if (key === "constructor" || key === Symbol.toStringTag) continue;
        const value = () => ({ bad: 1 });
        const get = () => key === "detached" ? true : value;
        Object.defineProperty(object, key, { get, configurable: true });
      }
    }
    return object;
  };
  const values = [
    () => Object(1),
    () => Object(2n),
    () => Object(true),
    () => new Date(5),
    () => /x/gi,
    () => /[v]/dmsvy,
    () => new Map([[1, 2]]),
    () => new Set([1]),
    () => new ArrayBuffer(3),
    () => new Uint8Array([1, 2, 3]),
    () => new Uint16Array([1, 2, 3]).subarray(1, 2),
    () => new DataView(new ArrayBuffer(9), 1, 2),
    () => new Uint8Array(odd(new Uint8Array([1, 2, 3]).buffer), 1, 1),
  ];
  for (const make of values) {
    const plain = make();
    const back = cross(odd(make()));
    assertEquals(back, cross(plain));
    assertEquals(Object.getPrototypeOf(back), Object.getPrototypeOf(plain));
  }
  class Twice extends Number {
    override valueOf() {
      return 2 * super.valueOf();
    }
  }
  class Loud extends String {
    override valueOf() {
      return "loud";
    }
  }
  assertEquals(cross([new Twice(3), new Loud("x")]), [Object(3), Object("x")]);
});

test("what can only be here is not written", () => {
  const values = [
    () => 1,
    Symbol("s"),
    Object(Symbol("s")),
    Promise.resolve(),
    new WeakMap(),
    new SharedArrayBuffer(1),
    new Uint8Array(new SharedArrayBuffer(1)),
    new Proxy({}, {}),
    new Proxy([1], {}),
    new Blob(["x"]),
    new Error("as plain data only"),
    (function* () {})(),
    [1].values(),
    new Intl.Locale("de"),
    new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)),
  ];
  for (const value of values) {
    assertThrows(() => writeBytes({ deep: [value] }), DOMException);
  }
});

test("of a view nothing beside it is written", () => {
  const secret = new Uint8Array(1000).fill(7);
  const { length } = writeBytes({ part: secret.subarray(3, 5) });
  assert(length < 50);
});

test("bytes that nobody wrote give an error or a value, and no harm", () => {
  const random = seeded(7);
  const whole = writeBytes(samples());
  for (let end = 0; end < whole.length; end++) {
    assertThrows(() => readBytes(whole.subarray(0, end)));
  }
  assertThrows(() => readBytes(new Uint8Array([...whole, 0])));
  for (let i = 0; i < 5000; i++) {
    const bytes = whole.slice();
    for (let n = 0; n < 3; n++) {
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    }
    try {
      readBytes(bytes);
    } catch (error) {
      assert(error instanceof Error); // and no crash, no end of memory
    }
  }
  // A list of four billion in six bytes.
  assertThrows(() => readBytes(Uint8Array.of(9, 255, 255, 255, 255, 15)));
  // And one that has few elements, and a key that makes it as long.
  for (const key of ["4294967294", "length"]) {
    const bytes = writeBytes({ [key]: 2 ** 32 - 1 }).subarray(1);
    assertThrows(() => readBytes(Uint8Array.of(9, 0, ...bytes)), TypeError);
  }
});
