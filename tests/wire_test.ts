// What crosses the thread boundary, without a thread.
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { BlockList } from "node:net";
import { isDeepStrictEqual } from "node:util";
import { Buffer } from "node:buffer";
import v8 from "node:v8";
import { runInNewContext } from "node:vm";
import { RefillWatch } from "../src/core/engine/refilled.ts";
import { encodeCallData } from "../src/core/wire/call_data.ts";
import { createCodec } from "../src/core/wire/codec.ts";
import { createErrorClasses } from "../src/core/wire/error_classes.ts";
import { createExplainer } from "../src/core/wire/explanation.ts";
import {
  createFrames,
  type Crossing,
  type V8,
} from "../src/core/wire/frames.ts";
import { createInspector } from "../src/core/wire/inspection.ts";
import { createKinds } from "../src/core/wire/kinds.ts";
import { createMoving } from "../src/core/wire/moving.ts";
import { createViews } from "../src/core/wire/views.ts";
import { createWire } from "../src/core/wire/wire.ts";
import { collectGarbage } from "./collect_garbage.ts";
import { test } from "./harness.ts";
import { pause } from "./until.ts";

const inspector = createInspector({ createKinds, views: createViews() });
const { inspect } = inspector;
const explainer = createExplainer(inspector);
const codec = createCodec({ inspector, explainer }, createErrorClasses());

/** Why a value cannot cross; undefined when it can. */
const refusal = (value: object) =>
  inspect(value).refused
    ? explainer.refuse(value, undefined).reason
    : undefined;

/** There and back, as if through a worker. */
const cross = (value: unknown, thrown = true) =>
  codec.decode(
    structuredClone(thrown ? codec.encodeThrown(value) : codec.encode(value)),
  );

// To clone one that is closed ends Node.js 24.
test("a port cannot cross, closed or not", async () => {
  const [open, closed] = [new MessageChannel(), new MessageChannel()];
  closed.port1.close();
  closed.port2.close();
  await pause(50); // the other end hears of it
  for (const port of [closed.port1, closed.port2, open.port1]) {
    assertEquals(
      refusal({ port }),
      'an instance of MessagePort at "port"',
    );
  }
  open.port1.close();
  open.port2.close();
});

test("an error keeps class, name, message, stack and properties", () => {
  class OwnError extends RangeError {
    override name = "OwnError";
    code = 7;
  }
  const error = new OwnError("m");
  const back = cross(error) as OwnError;
  assertInstanceOf(back, RangeError);
  assertEquals([back.name, back.message, back.code], ["OwnError", "m", 7]);
  const [head, frame] = error.stack!.split("\n");
  assertEquals(back.stack!.split("\n").slice(0, 2), [head, frame]);
  assertEquals(Object.keys(back), ["code"]);
});

test("the code of an error is kept, wherever the runtime has it", () => {
  class OwnError extends Error {
    get code() {
      return "E_OWN";
    }
  }
  const hidden = { value: "E_HIDDEN" };
  for (
    const [error, code] of [
      [assertThrows(() => Buffer.alloc("x" as never)), "ERR_INVALID_ARG_TYPE"],
      [new OwnError("m"), "E_OWN"],
      [Object.defineProperty(new Error("m"), "code", hidden), "E_HIDDEN"],
    ] as const
  ) {
    const back = cross(error) as { code?: string };
    assertEquals([back.code, Object.keys(back)], [code, ["code"]]);
  }
  class BrokenError extends Error {
    get code() {
      throw new Error("mine");
    }
  }
  assertEquals(Object.keys(cross(new BrokenError("m")) as object), []);
  // Of this one it is a number, which its class knows.
  const aborted = cross(new DOMException("m", "AbortError")) as DOMException;
  assertEquals([aborted.code, Object.keys(aborted)], [20, []]);
});

test("no text of an error takes long to read", () => {
  // What takes the square of these lengths would take minutes.
  const parts = ["@", ":1", "1", "@:1:1 ", " at ", " ", "node:", "ext:1:1@"];
  for (const part of parts) {
    for (const start of ["node:", "  ", "a@node:1:"]) {
      const text = `${start}${part.repeat(1e6)}.`;
      const error = Object.assign(new Error("m"), { stack: `E: m\n${text}` });
      const { stack } = cross(error) as Error;
      assert(stack === error.stack || stack === "E: m");
    }
  }
});

test("causes, groups and cycles of errors stay whole", () => {
  const inner: Error & { self?: Error } = new TypeError("inner");
  inner.self = inner;
  const error = new AggregateError([inner, 3, null], "many", {
    cause: new EvalError("why", { cause: undefined }),
  });
  const back = cross(error) as AggregateError;
  assertInstanceOf(back, AggregateError);
  assertInstanceOf(back.errors[0], TypeError);
  const first: typeof inner = back.errors[0];
  assertStrictEquals(first.self, first);
  assertEquals(back.errors.slice(1), [3, null]);
  assertInstanceOf(back.cause, EvalError);
  assert("cause" in back.cause);
  assertEquals(Object.keys(back), []);
});

test("errors of another realm keep class, message and parts", () => {
  const [thrown, group, own, plain] = runInNewContext(`
    class OwnError extends RangeError {}
    const cause = new TypeError("why");
    [
      Object.assign(new TypeError("boom", { cause }), { code: "E" }),
      new AggregateError([cause], "many"),
      Object.assign(new OwnError("mine"), { name: "OwnError" }),
      new Error("no more than that"),
    ]`) as [Error & { code: string }, AggregateError, Error, Error];
  // An object of that realm is met first: its errors inherit from the same.
  const first = Object.getPrototypeOf(Object.getPrototypeOf(
    Object.getPrototypeOf(thrown),
  ));
  inspect(Object.assign(Object.create(first), { i: 1 }));
  for (const describe of [true, false]) {
    const back = cross([thrown, new Set([group, own]), { plain }], describe);
    const [one, set, { plain: three }] = back as [
      typeof thrown,
      Set<Error>,
      { plain: Error },
    ];
    assertInstanceOf(one, TypeError);
    assertEquals([one.message, one.code], ["boom", "E"]);
    assertEquals(one.stack!.split("\n")[0], thrown.stack!.split("\n")[0]);
    assertInstanceOf(one.cause, TypeError);
    assertEquals(one.cause.message, "why");
    const [many, mine] = set;
    assertInstanceOf(many, AggregateError);
    assertStrictEquals(many.errors[0], one.cause);
    assertInstanceOf(mine, RangeError);
    assertEquals([mine.name, mine.message], ["OwnError", "mine"]);
    assertStrictEquals(Object.getPrototypeOf(three), Error.prototype);
    assertEquals(three.message, "no more than that");
  }
});

test("what is in arrays, maps and objects of another realm is found", () => {
  const make = runInNewContext(`(part) => [
    [part], new Map([["k", part]]), new Set([part]), { part },
    Object.assign(Object.create(null), { part }),
    new (class { constructor() { this.part = part } })(),
    [[new Map([[1, { part }]])]],
  ]`) as (part: unknown) => object[];
  for (const value of make(() => {})) assert(refusal(value) !== undefined);
  for (const value of make(new RangeError("inside"))) {
    assert(inspect(value).errors);
    const back = cross(value, false);
    const texts: string[] = [];
    (function find(part: unknown): void {
      if (part instanceof RangeError) texts.push(part.message);
      else if (part instanceof Map) [...part.values()].forEach(find);
      else if (part instanceof Set) [...part].forEach(find);
      else if (part instanceof Object) Object.values(part).forEach(find);
    })(back);
    assertEquals(texts, ["inside"]);
  }
  // As where structuredClone itself is of another realm.
  const { value, errors } = codec.encode([new RangeError("inside")]);
  const [place] = value as [object];
  for (const value of make(place)) {
    codec.decode({ value, errors });
    assert(!isDeepStrictEqual(value, make(place)));
  }
});

test("memory of another realm is what it is, and shared only if it is", () => {
  const [buffer, shared, view, gone] = runInNewContext(`[
    new ArrayBuffer(8), new SharedArrayBuffer(8), new Int8Array(8), new ArrayBuffer(8),
  ]`) as [ArrayBuffer, SharedArrayBuffer, Int8Array<ArrayBuffer>, ArrayBuffer];
  structuredClone(gone, { transfer: [gone] });
  const views = createViews();
  const apart = createInspector({ createKinds, views }, {
    clone: structuredClone,
  } as Crossing);
  for (const value of [buffer, new Uint8Array(buffer), view]) {
    const found = [inspect([value]), apart.inspect([value])];
    assertEquals(found.map(({ refused }) => refused), [false, false]);
    const own = value === view ? view.buffer : buffer;
    assertEquals(found.map(({ buffers }) => [...buffers][0] === own), [
      true,
      true,
    ]);
    assertEquals(views.share(value), undefined);
  }
  for (const part of [new Uint8Array(buffer, 2, 2), view.subarray(2, 4)]) {
    assertEquals((views.cut(part) as Uint8Array).buffer.byteLength, 2);
  }
  for (const value of [shared, new Uint8Array(shared)]) {
    assert(!inspect([value]).refused && apart.inspect([value]).refused);
    assertEquals(
      apart.refusalOf(value),
      "a SharedArrayBuffer (which no other process can share: send a copy of it)",
    );
  }
  assertEquals(views.share(new Uint8Array(shared))!.buffer, shared);
  assertEquals(refusal(gone), "a buffer that was moved away");
});

// Such a getter takes 5 µs to throw: 40,000 views of one buffer took 20 times as long.
test("for memory of this realm, no getter is asked that throws", () => {
  const { prototype } = ArrayBuffer;
  const own = Object.getOwnPropertyDescriptor(prototype, "byteLength")!;
  let thrown = 0;
  Object.defineProperty(prototype, "byteLength", {
    ...own,
    get() {
      try {
        return own.get!.call(this);
      } catch (error) {
        thrown++;
        throw error;
      }
    },
  });
  try {
    const views = createViews();
    const { inspect } = createInspector({ createKinds, views });
    const view = new Uint8Array(new SharedArrayBuffer(8));
    assert(views.share(view) !== undefined);
    for (const value of [view, view.subarray(2), { view }, [view.buffer]]) {
      views.cut(value);
      inspect(value);
    }
  } finally {
    Object.defineProperty(prototype, "byteLength", own);
  }
  assertEquals(thrown, 0);
});

test("a view is what it is, whatever its class says", () => {
  const { packing } = createWire();
  const getterOf = (key: string, proto: object): (this: object) => unknown =>
    Object.getOwnPropertyDescriptor(proto, key)?.get ??
      getterOf(key, Object.getPrototypeOf(proto));
  const bytesIn = (view: unknown) => {
    const { prototype } = view instanceof DataView ? DataView : Uint8Array;
    const [buffer, from, size] = ["buffer", "byteOffset", "byteLength"].map(
      (key) => getterOf(key, prototype).call(view as object),
    ) as [ArrayBuffer, number, number];
    return [...new Uint8Array(buffer, from, size)];
  };
  const says: (() => unknown)[] = [
    ...[1, 1000, NaN, "x", 4n, undefined].map((said) => () => said),
    () => {
      throw new Error("it does not say");
    },
  ];
  const records = Array.from({ length: 40 }, (_, id) => ({ id }));
  const views = [[0, 32], [8, 16]].flatMap(([from, size]) => {
    const { buffer } = Uint8Array.from({ length: 32 }, (_, i) => i);
    return [
      () => new DataView(buffer, from, size),
      () => new Uint8Array(buffer, from, size),
      () => new Float64Array(buffer, from, size! / 8),
    ];
  });
  /** Sends values in each of both ways, and gives the first as it arrives. */
  function* sent(values: object[]) {
    const open = packing.open(values.length, false);
    const kept = values.map((value, i) => open.add(i, value));
    for (const parcel of [packing.pack(values, false), open.end(kept)]) {
      assertEquals(parcel.refused.size, 0);
      assert(Number.isFinite(parcel.bytes), `${parcel.bytes}`);
      yield packing.unpack(structuredClone(parcel.packed))[0] as object;
    }
  }
  for (const key of ["buffer", "byteOffset", "byteLength", "length"]) {
    for (
      const [get, make] of says.flatMap((get) =>
        views.map((v) => [get, v] as const)
      )
    ) {
      const view = make();
      const proto = Object.getPrototypeOf(view);
      Object.setPrototypeOf(view, Object.create(proto, { [key]: { get } }));
      for (const beside of [[], records]) {
        for (const back of sent([view, ...beside])) {
          assertEquals(bytesIn(back), bytesIn(view));
        }
        for (const back of sent([{ view }, ...beside])) {
          assertEquals(bytesIn((back as { view: object }).view), bytesIn(view));
        }
      }
    }
  }
});

test("a buffer of another realm is copied, as its source may fill it again", () => {
  const watch = new RefillWatch(false);
  for (const value of [{}, {}, {}, {}]) watch.take(value);
  const buffer: ArrayBuffer = runInNewContext("new ArrayBuffer(1)");
  const taken = watch.take(buffer) as ArrayBuffer;
  new Uint8Array(buffer)[0] = 1;
  assertEquals(new Uint8Array(taken)[0], 0);
});

test("of a part of a buffer that its source may fill again, only that is copied", () => {
  for (const Kind of [DataView, Uint8Array, Buffer]) {
    for (const transfer of [false, true]) {
      for (const Memory of [ArrayBuffer, SharedArrayBuffer]) {
        const bytes = new Uint8Array(new Memory(64)).fill(7);
        const view = Kind === Buffer
          ? Buffer.from(bytes.buffer, 8, 16)
          : new (Kind as DataViewConstructor)(
            bytes.buffer as ArrayBuffer,
            8,
            16,
          );
        const taken = new RefillWatch(transfer).take(view) as DataView;
        bytes.fill(9);
        const copied = !transfer && Memory === ArrayBuffer;
        assertEquals(taken.byteLength, 16);
        assertEquals(taken.buffer.byteLength, copied ? 16 : 64);
        assertEquals(new Uint8Array(taken.buffer)[0], copied ? 7 : 9);
        assertEquals(Object.getPrototypeOf(taken), Kind.prototype);
      }
    }
  }
});

test("what only inherits from an array is no array", () => {
  const stack: unknown[] = Object.create(Object.create([]));
  stack.push(1, new RangeError("m"));
  stack.length = 0;
  assert(inspect(stack).errors);
  const back = cross(stack, false) as Record<string, unknown>;
  assert(!Array.isArray(back));
  assertEquals(Object.keys(back), Object.keys(stack));
  assertInstanceOf(back[1], RangeError);
});

test("errors come back where Error cannot be changed", () => {
  const limit = Object.getOwnPropertyDescriptor(Error, "stackTraceLimit")!;
  const locked = { value: 10, writable: false, configurable: true };
  Object.defineProperty(Error, "stackTraceLimit", locked);
  try {
    assertInstanceOf(cross(new RangeError("m")), RangeError);
  } finally {
    Object.defineProperty(Error, "stackTraceLimit", limit);
  }
});

test("a value that is too deep is refused for that, without a trial", () => {
  let chain: object = {};
  for (let i = 1; i < 3000; i++) chain = { next: chain };
  let trials = 0;
  const clone: typeof inspector.clone = (value) => {
    trials++;
    return inspector.clone(value);
  };
  const { refuse } = createExplainer({ ...inspector, clone });
  assertEquals(
    refuse({ list: [chain] }, new RangeError("Maximum call stack size")).reason,
    "objects within objects, 3002 deep: send a list of them",
  );
  assertEquals(trials, 0);
  refuse({ list: [{}] }, new Error("why"));
  assertEquals(trials, 2);
});

test("a prototype is forgotten with its values", async () => {
  const refs: WeakRef<object>[] = [];
  function look(): void {
    for (let i = 0; i < 100; i++) {
      const prototype = { i };
      refs.push(new WeakRef(prototype));
      inspect(Object.create(prototype, { a: { value: 1, enumerable: true } }));
    }
  }
  look();
  for (let i = 0; i < 20 && refs.every((ref) => ref.deref()); i++) {
    await new Promise((resolve) => setTimeout(resolve));
    collectGarbage();
  }
  assert(refs.some((ref) => ref.deref() === undefined));
});

test("what WebAssembly throws keeps its class", () => {
  const { CompileError, LinkError, Module, Instance } = WebAssembly;
  // What it exports runs into "unreachable".
  const traps = [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0]
    .concat(7, 5, 1, 1, 102, 0, 0, 10, 5, 1, 3, 0, 0, 11);
  const { f } = new Instance(new Module(Uint8Array.from(traps))).exports;
  const trap = assertThrows(f as () => void, WebAssembly.RuntimeError);
  class OwnError extends WebAssembly.RuntimeError {}
  for (
    const [error, Class] of [
      [trap, WebAssembly.RuntimeError],
      [Object.assign(new CompileError("m"), { cause: trap }), CompileError],
      [new LinkError("m"), LinkError],
      [new OwnError("m"), WebAssembly.RuntimeError],
    ] as const
  ) {
    const back = cross(error) as Error;
    assertStrictEquals(Object.getPrototypeOf(back), Class.prototype);
    assertEquals([back.name, back.message], [error.name, error.message]);
    if (error.cause) assertInstanceOf(back.cause, WebAssembly.RuntimeError);
  }
  // One of another realm that is only called so.
  const own = runInNewContext(`
    class RuntimeError extends Error {}
    new RuntimeError("m")`);
  assert(!(cross(own) instanceof WebAssembly.RuntimeError));
});

test("a class no runtime shares becomes its nearest common one", () => {
  const odd = Object.create(Error.prototype, {
    name: { value: "BuildMessage" },
    message: { value: "m" },
  });
  assertInstanceOf(cross(odd), Error);
});

test("what cannot be cloned in a thrown value is described", () => {
  const { run, at, deep, bad } = cross({
    run: function go() {},
    at: new URL("file:///x"),
    deep: [new Map([["k", Symbol("s")]])],
    get bad() {
      throw new Error("no");
    },
  }) as Record<string, unknown>;
  assertEquals([run, at], ["[Function: go]", "file:///x"]);
  assertEquals(deep, [new Map([["k", "Symbol(s)"]])]);
  assertEquals(bad, "[threw Error: no]");
});

test("a property called __proto__ stays a property", () => {
  const value = JSON.parse('{"__proto__": {"a": 1}}');
  const error = Object.assign(new Error("e"), { value });
  const back = cross(error) as typeof error;
  assertEquals(Object.keys(back.value), ["__proto__"]);
});

test("the inspection finds what cannot cross, wherever it is", () => {
  const bad: [unknown, string][] = [
    [{ a: [{ f: () => 1 }] }, 'the function f at "a[0].f"'],
    [new Map([["k", Symbol("s")]]), 'a symbol at "get("k")"'],
    [{ a: new URL("file:///x") }, 'an instance of URL at "a"'],
    [[new Headers()], 'an instance of Headers at "[0]"'],
    [{ p: Promise.resolve() }, 'an instance of Promise at "p"'],
    [new WeakRef({}), "an instance of WeakRef"],
    // What crosses and comes before it is not in the way.
    ...[
      new Date(),
      /x/,
      new Blob(["b"]),
      new Error("e"),
      new DataView(
        new ArrayBuffer(1),
      ),
    ].map((good): [unknown, string] => [
      { good, all: [good], bad: new URL("file:///x") },
      'an instance of URL at "bad"',
    ]),
    [new AbortController().signal, "an instance of AbortSignal"],
    [new (class extends URL {})("file:///x"), "an instance of URL"],
    [new FormData(), "an instance of FormData"],
    [new Event("e"), "an instance of Event"],
    [new ReadableStream(), "an instance of ReadableStream"],
    [
      { a: new URLSearchParams("b=c").entries() },
      'an iterator ([object URLSearchParams Iterator]) at "a"',
    ],
    [
      new Headers({ b: "c" }).keys(),
      "an iterator ([object Headers Iterator])",
    ],
    [new ReadableStream().values(), "an iterator ([object Object])"],
    [[1].values(), "an iterator ([object Array Iterator])"],
    [(function* () {})(), "an iterator ([object Generator])"],
  ];
  if ("Deno" in globalThis) {
    bad.push([[new Deno.Command("ls")], 'an instance of Command at "[0]"']);
  }
  for (const [value, reason] of bad) {
    assertEquals(refusal(value as object), reason);
  }
});

test("an object of one's own that iterates arrives as its keys", () => {
  class OwnIterator extends Iterator<number> {
    at = 1;
    next(): IteratorResult<number> {
      return { done: false, value: this.at++ };
    }
  }
  assert(!inspect(new OwnIterator()).refused);
});

test("what only threads get is refused on the way to a process", () => {
  const apart = createInspector(
    { createKinds, views: createViews() },
    createFrames(v8 as unknown as V8),
  );
  const list = new BlockList();
  // Deno has no way for one.
  const crosses = structuredClone(list) instanceof BlockList;
  const reason = crosses ? "an instance of BlockList" : undefined;
  for (let round = 0; round < 2; round++) {
    assertEquals(apart.inspect([list]).refused, crosses);
    assertEquals(apart.refusalOf(list), reason);
  }
  assert(!inspect(list).refused);
});

test("what cannot cross is found among thousands of parts", () => {
  const parts = Array.from({ length: 5000 }, (_, n) => ({ n }));
  const value = { parts: [...parts, function late() {}] };
  assertEquals(refusal(value), 'the function late at "parts[5000]"');
});

test("no array is written out, however long it is", () => {
  const long = new Array(2 ** 32 - 1);
  const { message } = cross(Object.assign(new Error(), { message: [long] })) as
    & Error
    & { message: string };
  assertEquals(message, "[object Array]");
  const { bad } = cross({
    get bad() {
      throw long;
    },
  }) as { bad: string };
  assertEquals(bad, "[threw [object Array]]");
  const error = new Error("e", { cause: long });
  assertEquals(refusal([error, () => 1]), 'the function (anonymous) at "[1]"');
});

test("what cannot be read is described, and its neighbours are kept", () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const { list } = cross(Object.assign(new Error(), { list: [proxy, 1] })) as
    & Error
    & { list: unknown[] };
  assertEquals(list, ["[object]", 1]);
});

test("the inspection lets pass what structured clone carries", () => {
  class Point {
    x = 1;
  }
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  const deep = Array.from({ length: 20_000 }).reduce<object>(
    (inner) => ({ inner }),
    {},
  );
  const sparse: number[] = [];
  sparse[4_000_000_000] = 1;
  const good = [
    {},
    [],
    Object.create(null),
    new Point(),
    new (class extends Map {})(),
    new Date(),
    /x/,
    new Set([1]),
    new Blob(["x"]),
    new File(["x"], "name"),
    Object.assign(new Blob(["x"]), { own: 1 }),
    new Boolean(true),
    new Uint8Array(2),
    new DataView(new ArrayBuffer(2)),
    new SharedArrayBuffer(2),
    new DOMException("m"),
    new Error("e"),
    cycle,
    deep,
    sparse,
  ];
  for (const value of good) assertEquals(refusal(value), undefined);
});

test("the inspection sees size, buffers and errors", () => {
  const buffer = new ArrayBuffer(1000);
  const found = inspect({ a: new Uint8Array(buffer), b: buffer, c: "12345" });
  assertEquals([...found.buffers], [buffer]);
  assert(found.bytes >= 1005 && found.bytes < 1100);
  assertEquals(found.errors, false);
  assertEquals(inspect({ deep: [new TypeError("t")] }).errors, true);
  structuredClone(buffer, { transfer: [buffer] });
  assertEquals(refusal([buffer]), 'a buffer that was moved away at "[0]"');
});

test("a value may hold more buffers than a call takes arguments", () => {
  // That the copy holds so many is made up: to move them takes Node.js minutes.
  const buffers = new Set(
    Array.from({ length: 200_000 }, () => new ArrayBuffer(0)),
  );
  const found = { ...inspect({}), buffers };
  const moving = createMoving(
    { ...inspector, inspect: () => found },
    createViews(),
  );
  const moved: ArrayBuffer[] = [];
  const value = { buffer: new ArrayBuffer(8) };
  moving.move(value, inspect(value), moved);
  assertEquals(moved.length, buffers.size);
});

test("what workers get by source stands on its own", () => {
  // A minifier may rename anything outside of these functions.
  const makers = [createCodec, createInspector, createExplainer, createViews]
    .concat(createErrorClasses as never, createKinds as never);
  for (const make of makers) {
    const alone = new Function(
      `return (${make})({
        createKinds: ${createKinds},
        views: (${createViews})(),
      })`,
    )();
    assert(typeof alone === "function" || typeof alone === "object");
  }
});

/** How often a built-in function is called, or for how many of its arguments. */
function countCalls(
  of: object,
  name: string,
  body: () => void,
  counts: (argument: unknown) => boolean = () => true,
): number {
  const holder = of as Record<string, (...args: unknown[]) => unknown>;
  const built = holder[name]!;
  let calls = 0;
  holder[name] = function (this: unknown, ...args) {
    if (counts(args[0])) calls++;
    return built.apply(this, args);
  };
  try {
    body();
  } finally {
    holder[name] = built;
  }
  return calls;
}

test("what stands beside an error is not defined key by key", () => {
  const records = Array.from({ length: 100 }, (_, i) => ({ i, name: "a" }));
  const value = { error: new Error("no"), records };
  const calls = countCalls(Reflect, "defineProperty", () => {
    const back = cross(value, false) as typeof value;
    assertEquals(back.records, records);
    assertInstanceOf(back.error, Error);
  });
  assert(calls < 10, `${calls} keys were defined`);
});

test("no key of a long list of numbers beside an error is listed", () => {
  const numbers = Array.from({ length: 1000 }, (_, i) => i / 2);
  const thrown = Object.assign(new Error("no"), { numbers });
  for (const value of [{ error: new Error("no"), numbers }, thrown]) {
    let back: typeof value | undefined;
    const listed = countCalls(Object, "keys", () => {
      back = cross(value, value === thrown) as typeof value;
    }, Array.isArray);
    assertEquals(back?.numbers, numbers);
    assertEquals(listed, 0);
  }
  const kept = codec.encodeThrown(thrown);
  numbers[0] = -1; // a later task may fill it again
  assertEquals((codec.decode(kept) as typeof thrown).numbers[0], 0);
});

test("long lists beside an error keep errors, holes and other keys", () => {
  const list: unknown[] = Array.from({ length: 30 }, (_, i) => i);
  delete list[7];
  const named = Object.assign(list.slice(), { note: "x" });
  const failed: unknown[] = [...list, new RangeError("inner")];
  const value = { error: new Error("no"), list, named, failed };
  const back = cross(value, false) as typeof value;
  assert(!(7 in back.list));
  assertEquals(back.named.note, "x");
  assertInstanceOf(back.failed[30], RangeError);
  const odd = Object.assign(new Error("no"), { list: [...list, () => {}] });
  const { list: told } = cross(odd) as { list: unknown[] };
  assertEquals(typeof told[30], "string");
});

test("a small cycle is soon seen to be one", () => {
  let reads = 0;
  const node = {
    get id() {
      reads++;
      return 1;
    },
    children: [] as unknown[],
  };
  node.children.push({ parent: node });
  for (const value of [node, { node }, [[node]]]) {
    reads = 0;
    assertEquals(inspect(value).refused, false);
    assert(reads < 10, `it was read ${reads} times`);
  }
});

test("data is copied once, and no key of a long list in it is listed", () => {
  const data = { names: Array.from({ length: 100 }, (_, i) => i) };
  const here = { entry: undefined, inline: false };
  const listed = countCalls(Object, "values", () => {
    const copies = countCalls(globalThis, "structuredClone", () => {
      assertEquals(encodeCallData(data, here)?.value.value, data);
    });
    assertEquals(copies, 1);
  }, Array.isArray);
  assertEquals(listed, 0);
});

test("a function is found wherever it is in a long list in data", () => {
  const here = { entry: undefined, inline: false };
  const list: unknown[] = Array.from({ length: 100 }, (_, i) => i);
  list[50] = () => 50;
  const named = Object.assign(list.slice(0, 20), { last: () => 20 });
  const paths = [list, { named }].map((data) =>
    encodeCallData(data, here)?.functions.map(({ path }) => path.join("."))
  );
  assertEquals(paths, [["50"], ["named.last"]]);
});
