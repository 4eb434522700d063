// A page: what works whatever a page is, and what it cannot do, in one sentence.
// Also bundled, by all that bundles, and as a file without a server.
import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  parallelMap,
  parallelMapSettled,
  parallelMapStream,
  parallelReduce,
  Pool,
  TaskError,
  TaskTimeoutError,
  WorkerLostError,
  WorkerStartError,
} from "@parallel/map";
import { runTests, search } from "./report.ts";
import { waiting } from "./waiting.ts";

const kind = search.get("kind") ?? "plain";
/** Whether code may be made of texts there, and workers be made of them. */
const isFree = !["no-eval", "no-blob", "trusted-types"].includes(kind);
const isServed = kind !== "file";
/** Whether other pages show what takes long and is the same on each. */
const isBrief = search.has("brief");
const MODULE = "text/javascript";
const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const double = (n: number) => n * 2;
const reasons = (results: PromiseSettledResult<unknown>[]) =>
  results.map((one) => one.status === "fulfilled" ? one.value : one.reason);
/** Not of what is beside this script, which may be anywhere in a bundle. */
const module = new URL("../fixtures/tasks.ts", location.href);

function test(name: string, fn: () => Promise<void>, ignore = false): void {
  waiting.push({ name: `${kind}: ${name}`, fn, ignore });
}

/** The same where functions can be shipped. */
function testShipped(
  name: string,
  fn: () => Promise<void>,
  ignore = false,
): void {
  if (isFree) test(name, fn, ignore);
}

/** The same where modules can be imported. */
function testImported(name: string, fn: () => Promise<void>): void {
  if (isServed && kind !== "no-blob") test(name, fn);
}

test("the page is what it is said to be", async () => {
  await Promise.resolve();
  if (kind === "sandboxed") return assertEquals(origin, "null");
  assertEquals(isSecureContext, kind !== "insecure");
  assertEquals("locks" in navigator, kind !== "insecure");
  assertEquals(crossOriginIsolated, kind === "isolated");
  // Debian's build of WebKit has none anywhere.
  const isGtk = !/Chrome|Firefox/.test(navigator.userAgent);
  const shares = kind === "isolated" && !isGtk;
  assertEquals(typeof SharedArrayBuffer === "function", shares);
});

testShipped("values, errors and classes cross", async () => {
  assertEquals(await parallelMap(double, range(500)), range(500).map(double));
  const inputs = range(200).map((id) => ({ id, name: `n${id}` }));
  const turn = ({ id, name }: (typeof inputs)[0]) => ({ name, id });
  assertEquals(await parallelMap(turn, inputs), inputs.map(turn));
  const withClass = async (n: number) => {
    class Box {
      #inner = n;
      static more = 1;
      get all() {
        return this.#inner + Box.more;
      }
    }
    return await new Box().all;
  };
  assertEquals(await parallelMap(withClass, [1, 2]), [2, 3]);
  const fail = (n: number) => {
    if (n === 1) throw Object.assign(new RangeError("one"), { code: 7 });
    return n;
  };
  const [, error] = reasons(await parallelMapSettled(fail, range(3)));
  assertInstanceOf(error, TaskError);
  assertInstanceOf(error.cause, RangeError);
  assertEquals((error.cause as RangeError & { code: number }).code, 7);
});

testShipped("a pool, init, data, a stream and a reduction work", async () => {
  const pool = new Pool({ workers: 2, init: () => 10 });
  try {
    await pool.start();
    const add = (n: number, { state }: { state: number }) => n + state;
    assertEquals(await pool.map(add, [1, 2]), [11, 12]);
    const scale = (
      n: number,
      { data }: { data: { by: (n: number) => number } },
    ) => data.by(n);
    const data = { by: (n: number) => n * 3 };
    assertEquals(await pool.map(scale, [1, 2], { data }), [3, 6]);
  } finally {
    await pool.close();
  }
  const stream = parallelMapStream(double, range(50), { bufferSize: 5 });
  assertEquals(await Array.fromAsync(stream), range(50).map(double));
  const sum = (a: number, b: number) => a + b;
  assertEquals(await parallelReduce(double, sum, range(100)), 9900);
});

testShipped("transfer moves buffers, and output fills an array", async () => {
  const inputs = range(4).map((n) => new Uint8Array(1000).fill(n));
  const add = (bytes: Uint8Array) => bytes.map((byte) => byte + 1);
  const moved = await parallelMap(add, inputs, { transfer: true });
  assertEquals(moved.map((bytes) => bytes[9]), [1, 2, 3, 4]);
  assertEquals(inputs.map((bytes) => bytes.length), [0, 0, 0, 0]);
  const output = await parallelMap(double, range(300), {
    output: Float64Array,
  });
  assertEquals([...output], range(300).map(double));
});

testShipped("a worker that closes itself loses its task alone", async () => {
  const close = (n: number) => {
    if (n !== 3) return n;
    (globalThis as unknown as { close(): void }).close();
    return new Promise(() => {});
  };
  for (const chunkSize of [undefined, 10]) {
    const options = { workers: 1, chunkSize, concurrency: chunkSize };
    const results = reasons(
      await parallelMapSettled(close, range(10), options),
    );
    assertInstanceOf(results[3], WorkerLostError);
    assertEquals(results.toSpliced(3, 1), range(10).toSpliced(3, 1));
  }
});

testShipped("an error that nobody catches loses its task alone", async () => {
  const stray = (n: number) => {
    if (n !== 1) return n;
    void Promise.reject(new RangeError("stray"));
    return new Promise(() => {});
  };
  const results = reasons(
    await parallelMapSettled(stray, range(3), { workers: 1 }),
  );
  assertInstanceOf(results[1], WorkerLostError);
  assertInstanceOf(results[1].cause, RangeError);
  assertEquals([results[0], results[2]], [0, 2]);
});

testShipped("timeout ends a loop, and says nothing", async () => {
  const said: unknown[] = [];
  const { error } = console;
  console.error = (...all: unknown[]) => said.push(all);
  try {
    const spin = (n: number) => {
      while (n === 1);
      return n;
    };
    const results = reasons(
      await parallelMapSettled(spin, range(4), { timeout: 200 }),
    );
    assertInstanceOf(results[1], TaskTimeoutError);
    assertEquals(results.toSpliced(1, 1), [0, 2, 3]);
    assertEquals(said, []);
  } finally {
    console.error = error;
  }
}, isBrief);

testImported("an imported function works", async () => {
  const options = { module };
  assertEquals(await parallelMap("square", range(300), options), [
    ...range(300).map((n) => n * n),
  ]);
  const wrong = parallelMap("noName", [1], options);
  await assertRejects(() => wrong, WorkerStartError, "must export a function");
});

testImported("records cross where no code may be made of texts", async () => {
  const inputs = range(300).map((id) => ({ id, name: `n${id}`, at: { x: 1 } }));
  const results = await parallelMap("same", inputs, { module, chunkSize: 100 });
  assertEquals(results, inputs);
});

testImported("a task may map in its turn", async () => {
  const module = new URL("./nested.ts", location.href);
  assertEquals(await parallelMap("squares", [2, 3], { module }), [
    [0, 1],
    [0, 1, 4],
  ]);
});

testImported("tasks that map in their turn have an end", async () => {
  const module = new URL("./nested.ts", location.href);
  const options = { module, workers: 1 };
  assertEquals(await parallelMap("levels", [2], options), [2]);
  if (isBrief) return;
  await assertRejects(
    () => parallelMap("levels", [100], options),
    Error,
    "eight deep at most",
  );
});

const mapped = async () => {
  const text = `import "from-a-map"; export const f = () => 1;`;
  const url = URL.createObjectURL(new Blob([text], { type: MODULE }));
  const error = await assertRejects(
    () => parallelMap("f", [1], { module: url }),
    WorkerStartError,
    "an import map holds in its page alone",
  );
  assertStringIncludes(error.message, "from-a-map");
};
// Where no blob: may be imported, nothing says what it imports.
testShipped("a name from an import map is told of", mapped, !isServed);

testShipped("an element of the page is no runtime", async () => {
  const elements = ["Deno", "Bun", "process"].map((id) => {
    const element = document.createElement("h2");
    return Object.assign(element, { id });
  });
  document.body.append(...elements);
  try {
    assertEquals(await parallelMap((n: number) => n + 1, [1]), [2]);
  } finally {
    elements.forEach((element) => element.remove());
  }
});

testShipped("what a task says of an end is its own", async () => {
  const say = (n: number) => {
    postMessage({ type: "closing" });
    postMessage({ closes: "it" });
    return n;
  };
  assertEquals(await parallelMap(say, [1, 2], { workers: 1 }), [1, 2]);
});

testImported("a module that is not there is told of", async () => {
  const error = await assertRejects(
    () => parallelMap("f", [1], { module: new URL("./no.js", module) }),
    WorkerStartError,
  );
  assertStringIncludes(error.message, "no.js must load");
  assertStringIncludes(error.message, "in a bundle it must be an entry point");
  // In the words of a browser it is the same as if there were no such file.
  const says = "from another origin it needs Access-Control-Allow-Origin";
  assertStringIncludes(error.message, says);
});

test("what a browser cannot do is refused at the call", async () => {
  for (const backend of ["threads", "processes"]) {
    const says = '"backend" must be "web" in a browser';
    assertThrows(() => new Pool({ backend }), TypeError, says);
    await assertRejects(
      () => parallelMap("square", [1], { backend, module }),
      TypeError,
      says,
    );
  }
  for (
    const [module, says] of [
      ["./work.js", "must be an absolute URL such as import.meta.url"],
      ["/work.js", "must be an absolute URL such as import.meta.url"],
      ["data:video/mp2t;base64,AAAA", "must be JavaScript, and bundlers put"],
    ]
  ) {
    const call = () => parallelMap("f", [1], { module });
    await assertRejects(call, TypeError, says);
  }
  if (isServed) return;
  await assertRejects(
    () => parallelMap("square", [1], { module }),
    TypeError,
    "serve the page by HTTP, or ship fn by its source",
  );
});

test("memory that cannot be shared is refused, and says why", async () => {
  if (typeof SharedArrayBuffer === "function" || !isFree) return;
  // The one way to have such memory there.
  const limits = { initial: 1, maximum: 1, shared: true };
  const { buffer } = new WebAssembly.Memory(limits);
  const array = new Uint8Array(buffer, 0, 4);
  const output = array as Uint8Array<ArrayBufferLike> as Uint8Array<
    SharedArrayBuffer
  >;
  await assertRejects(
    () => parallelMap(double, [1], { output }),
    TypeError,
    "Cross-Origin-Embedder-Policy: require-corp",
  );
  assertEquals(await parallelMap(double, array), [0, 0, 0, 0]); // copied
  const same = (value: unknown) => value;
  for (const input of [buffer, { deep: buffer }]) {
    const error = await assertRejects(
      () => parallelMap(same, [input]),
      TaskError,
    );
    assertStringIncludes(error.message, "SharedArrayBuffer");
  }
});

test("workers: 0 works everywhere", async () => {
  const options = { workers: 0, data: { by: (n: number) => n * 3 } };
  type Context = { data: { by(n: number): number } };
  const scale = (n: number, { data }: Context) => data.by(n);
  assertEquals(await parallelMap(scale, range(40), options), [
    ...range(40).map((n) => n * 3),
  ]);
  const fail = () => {
    throw new RangeError("no");
  };
  await assertRejects(() => parallelMap(fail, [1], options), TaskError);
});

test("a shipped function says why it is not", async () => {
  if (isFree) return;
  const says = "lacks 'unsafe-eval'";
  await assertRejects(() => parallelMap(double, [1]), TypeError, says);
  await assertRejects(
    () => parallelMap("square", [1], { module, data: { double } }),
    TypeError,
    says,
  );
});

test("a page that forbids workers says what it must allow", async () => {
  if (kind !== "no-blob") return;
  const pool = new Pool({ module });
  for (const call of [() => pool.map("square", [1]), () => pool.start()]) {
    const error = await assertRejects(call, WorkerStartError);
    assertStringIncludes(error.message, '"worker-src blob:"');
  }
  await pool.close();
});

test("another copy of the library works in the same page", async () => {
  // What is another kind's is another module.
  const copy: typeof import("@parallel/map") = await import(
    new URL("/plain/mod.ts", location.href).href
  );
  assertEquals(await copy.parallelMap("square", [3], { module }), [9]);
  // The page makes code of texts from here on, and its workers still do not.
  const page = globalThis as unknown as {
    trustedTypes: { createPolicy(name: string, rules: object): void };
  };
  page.trustedTypes.createPolicy("default", {
    createScript: (text: string) => text,
  });
  await assertRejects(
    () => copy.parallelMap(double, [1]),
    copy.WorkerStartError,
    'Cannot start workers as double must be exported by a "module" where workers make no code of texts, as with Trusted Types: received ',
  );
}, kind !== "trusted-types");

/** Only there does a page with workers get into that cache for sure. */
const isWebKit = !/Chrome|Firefox/.test(navigator.userAgent);

test(
  "a page that came back from the back/forward cache hears that a worker ended",
  async () => {
    // It is loaded anew where the cache did not take it.
    assertEquals(sessionStorage.getItem("away"), null);
    sessionStorage.setItem("away", "yes");
    const pool = new Pool({ workers: 2 });
    try {
      assertEquals(await pool.map(double, range(3)), [0, 2, 4]);
      const back = new Promise((resolve) => {
        globalThis.addEventListener("pageshow", resolve, { once: true });
      });
      const html = "<script>setTimeout(() => history.back(), 500)</script>";
      location.href = URL.createObjectURL(
        new Blob([html], { type: "text/html" }),
      );
      await back;
      const close = (n: number) => {
        if (n !== 2) return n;
        (globalThis as unknown as { close(): void }).close();
        return new Promise(() => {});
      };
      const results = reasons(await pool.mapSettled(close, range(4)));
      assertInstanceOf(results[2], WorkerLostError);
      assertEquals(results.toSpliced(2, 1), [0, 1, 3]);
    } finally {
      await pool.close();
      sessionStorage.removeItem("away");
    }
  },
  kind !== "plain" || !isWebKit,
);

void runTests();
