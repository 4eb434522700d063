import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { detectRuntime } from "../src/core/runtime/detect.ts";
import { runtime, test } from "./harness.ts";
import { inFolder, ROOT, runProgram } from "./run_program.ts";

test("detectRuntime() names the runtime at hand", () => {
  const { name, cores, entry } = detectRuntime();
  assertEquals(name, runtime);
  assertEquals(Number.isInteger(cores) && cores >= 1, true);
  assertEquals(URL.canParse(entry ?? "file:///"), true);
});

test("detectRuntime() says what it found where it knows nothing", () => {
  assertThrows(
    () => detectRuntime({}),
    TypeError,
    'Cannot start workers as the runtime must be Deno, Bun, Node.js, or a page or dedicated worker of a browser ("workers": 0 needs none): received an unknown runtime',
  );
});

test("detectRuntime() names an unknown runtime by its user agent", () => {
  assertThrows(
    () => detectRuntime({ navigator: { userAgent: "Somewhere/1.0" } }),
    TypeError,
    "received Somewhere/1.0",
  );
});

test("detectRuntime() names one by its product, as React Native has no other", () => {
  assertThrows(
    () => detectRuntime({ navigator: { product: "ReactNative" } }),
    TypeError,
    "received ReactNative",
  );
});

test("detectRuntime() says what can start no workers in a browser", () => {
  const scope = {
    navigator: { userAgent: "Mozilla/5.0" },
    [Symbol.toStringTag]: "ServiceWorkerGlobalScope",
  };
  assertThrows(
    () => detectRuntime(scope),
    TypeError,
    'or a page or dedicated worker of a browser ("workers": 0 needs none): received ServiceWorkerGlobalScope',
  );
});

test("detectRuntime() takes a page for a browser, and says what it has not", () => {
  const page = { navigator: { hardwareConcurrency: 4 }, Worker: class {} };
  const found = detectRuntime(page);
  assertEquals([found.name, found.cores], ["browser", 4]);
  assertEquals(found.backend("web").sharesMemory, false);
  const isolated = detectRuntime({ ...page, crossOriginIsolated: true });
  assertEquals(isolated.backend("web").sharesMemory, true);
  for (const backend of ["threads", "processes"] as const) {
    assertThrows(
      () => found.backend(backend),
      TypeError,
      `"backend" must be "web" in a browser, which has no threads nor processes of other kinds: received "${backend}"`,
    );
  }
  const aside = found.whyNotLoaded!("data:video/mp2t;base64,AAAA");
  assertStringIncludes(aside!, "must be JavaScript");
  for (
    const url of [
      "data:text/javascript,0",
      "data:application/javascript;charset=utf-8,0",
      "https://example.com/work.js",
      "file:///work.js", // the page itself is none
    ]
  ) {
    assertEquals(found.whyNotLoaded!(url), undefined);
  }
});

test("detectRuntime() takes no element of a page for a runtime", () => {
  const page = { navigator: { hardwareConcurrency: 4 }, Worker: class {} };
  // As `<h2 id="Deno">` and the like are globals.
  for (const name of ["Deno", "Bun", "process"]) {
    const { name: found } = detectRuntime({ ...page, [name]: { id: name } });
    assertEquals(found, "browser");
  }
});

test("a page says which policy it does not allow, and leaves no URL behind", () => {
  const trustedTypes = {
    createPolicy(): never {
      throw new TypeError("Policy disallowed");
    },
  };
  const navigator = { hardwareConcurrency: 4 };
  const page = { navigator, Worker: class {}, trustedTypes };
  const { createObjectURL } = URL;
  let urls = 0;
  URL.createObjectURL = (blob) => {
    urls++;
    return createObjectURL(blob);
  };
  try {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const worker = detectRuntime(page).backend("web").start({
      onMessage: resolve,
      onUnreadable() {},
      onEnd() {},
    });
    worker.post({ type: "start", tag: 1 } as never, []);
    return promise.then((message) => {
      const [tag, { error }] = message as [number, { error: { value: Error } }];
      assertEquals([tag, urls], [1, 0]);
      assertStringIncludes(
        error.value.message,
        'the page must allow the policy "parallel-map", as by "trusted-types parallel-map" in its Content-Security-Policy: received TypeError: Policy disallowed',
      );
    });
  } finally {
    URL.createObjectURL = createObjectURL;
  }
});

test("a page that came back from the back/forward cache hears that a worker ended", async () => {
  let requests = 0;
  const locks = {
    request(_name: string, granted: () => unknown) {
      // As WebKit does when the page goes there, also if it asks on its way.
      if (++requests <= 2) return Promise.reject(new Error("going away"));
      return Promise.resolve(granted());
    },
  };
  const navigator = { hardwareConcurrency: 4, locks };
  const scope = globalThis as { Worker?: unknown };
  const { Worker } = scope;
  let say = (_: object) => {};
  scope.Worker = class {
    addEventListener(type: string, listener: typeof say) {
      if (type === "message") say = listener;
    }
    postMessage() {}
    terminate() {}
  };
  try {
    const page = { navigator, Worker: scope.Worker };
    const ended = new Promise((resolve) => {
      detectRuntime(page).backend("web").start({
        onMessage() {},
        onUnreadable() {},
        onEnd: resolve,
      });
    });
    say({ data: { type: "up", locked: true } });
    assertEquals(await ended, {});
    assertEquals(requests, 3);
  } finally {
    scope.Worker = Worker;
  }
});

test("detectRuntime() does not take Cloudflare Workers for Node.js", () => {
  const navigator = { userAgent: "Cloudflare-Workers" };
  for (const node of ["22.19.0", "99.0.0"]) { // with its flag nodejs_compat
    assertThrows(
      () => detectRuntime({ navigator, process: { versions: { node } } }),
      TypeError,
      '("workers": 0 needs none): received Cloudflare-Workers',
    );
  }
});

/** A runtime of a version, with no more of it than its name. */
const old = (name: "Deno" | "Bun" | "Node.js", version: string) => ({
  "Deno": { Deno: { version: { deno: version } } },
  "Bun": {
    Bun: { version, main: "/", pathToFileURL: () => new URL("file:///") },
  },
  "Node.js": {
    // It has a user agent too, as browsers have.
    navigator: { userAgent: "Node.js/24" },
    process: {
      versions: { node: version },
      getBuiltinModule: () => ({ availableParallelism: () => 2 }),
    },
  },
}[name]);

for (
  const [name, version, least] of [
    ["Deno", "2.7.14", "2.8"],
    ["Deno", "2.5.7", "2.8"],
    ["Deno", "1.46.3", "2.8"],
    ["Deno", "2.7.0+3fbb1da", "2.8"],
    ["Bun", "1.3.14", "1.4"],
    ["Bun", "1.3.11-canary.20260322.1", "1.4"],
    ["Bun", "0.8.1", "1.4"],
    ["Node.js", "24.1.0", "24.2"],
    ["Node.js", "22.23.3", "24.2"],
    ["Node.js", "8.17.0", "24.2"],
  ] as const
) {
  test(`detectRuntime() refuses ${name} ${version}`, () => {
    assertThrows(
      () => detectRuntime(old(name, version)),
      TypeError,
      `Cannot start workers as ${name} must be ${least} or newer: received ${version}`,
    );
  });
}

test("detectRuntime() takes no shim of another runtime for it", () => {
  const node = { ...old("Node.js", "24.2.0"), ...old("Deno", "1.40.2") };
  assertEquals(detectRuntime(node).name, "node");
  assertEquals(detectRuntime({ ...node, ...old("Bun", "1.0.0") }).name, "node");
  const navigator = { userAgent: "Bun/1.4.5" };
  const bun = { ...node, ...old("Bun", "1.4.5"), navigator };
  assertEquals(detectRuntime(bun).name, "bun");
});

for (
  const [name, version] of [
    ["Deno", "2.8.0"],
    ["Deno", "2.10.0+3fbb1da"],
    ["Deno", "3.0.0-rc.1"],
    ["Deno", "somebody's own"],
    ["Bun", "1.4.0"],
    ["Bun", "1.4.0-canary.20260826.1"],
    ["Bun", "1.10.2"],
    ["Bun", "2.0.0"],
    ["Bun", ""],
    ["Node.js", "24.2.0"],
    ["Node.js", "26.10.0"],
    ["Node.js", "27.0.0-nightly20261101"],
  ] as const
) {
  test(`detectRuntime() takes ${name} ${version || "without a version"}`, {
    // Deno can be described further nowhere else.
    ignore: name === "Deno" && runtime !== "deno",
  }, () => {
    const { name: found } = detectRuntime(old(name, version));
    assertEquals(found, name.toLowerCase().replace(".js", ""));
  });
}

const { code, out: version } = runProgram(["node", "--version"]);
const [, major] = version.match(/^v(\d+)/) ?? [];

test("a call on an older Node.js says what is supported", {
  // In many places the `node` of the machine is such a one; it is not needed.
  ignore: code !== 0 || Number(major) > 23,
  timeout: 300_000,
}, () =>
  inFolder((folder) => {
    const file = `${folder}/shipped.mjs`;
    const script = `${ROOT}tests/fixtures/shipped.ts`;
    runProgram(["bun", "build", script, "--target=node", `--outfile=${file}`]);
    const { code, err } = runProgram(["node", file]);
    assertEquals(code, 1);
    const [, told] = err.match(/TypeError: (.*) received \d+/) ?? [];
    assertEquals(
      told,
      "Cannot start workers as Node.js must be 24.2 or newer:",
    );
  }));
