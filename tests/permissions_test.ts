// What workers may do that are processes of Deno; no other runtime keeps to it.
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import {
  parallelMap,
  parallelMapSettled,
  type Permissions,
  Pool,
  type RunEvent,
  TaskError,
  WorkerStartError,
} from "../mod.ts";
import { checkOptions, POOL_RULES } from "../src/core/api/option_rules.ts";
import { denoProcess } from "../src/core/runtime/deno_process.ts";
import { runtime, test } from "./harness.ts";
import { RUN, runProgram } from "./run_program.ts";

const LONG = { timeout: 300_000 };
const DENO = { ...LONG, ignore: runtime !== "deno" };
const processes = { backend: "processes", workers: 1 } as const;
/** Deno, in a program that may do everything. */
const GRANTED = {
  build: {},
  cwd: () => "/",
  execPath: () => "/deno",
  permissions: { querySync: (_: object) => ({ state: "granted" }) },
  env: { toObject: () => ({}) },
  statSync: () => ({ isFile: false }),
};

/** A folder with a module in it, which says what it may do. */
class Folder implements Disposable {
  readonly path = mkdtempSync(join(realpathSync(tmpdir()), "parallel-map-"));
  readonly module = pathToFileURL(join(this.path, "module.mjs")).href;

  constructor() {
    writeFileSync(
      join(this.path, "module.mjs"),
      `export const ask = (name) =>
        Deno.permissions.querySync({ name }).state;
      export const home = () => Deno.env.get("HOME");`,
    );
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

interface DenoScope {
  Deno: Record<string, (...args: unknown[]) => unknown> & {
    permissions: { querySync(what: object): { state: string } };
    Command: new (name: string) => { outputSync(): unknown };
  };
}

/** Whether that is allowed, as far as Deno says. */
const ask = (name: string) =>
  (globalThis as unknown as DenoScope).Deno.permissions
    .querySync({ name }).state;

/** Tries to do what it is told. */
async function attempt(deed: string): Promise<unknown> {
  const { Deno } = globalThis as unknown as DenoScope;
  const { process } = globalThis;
  const [what, name] = deed.split(" ");
  if (what === "read") return Deno.readTextFileSync(name);
  if (what === "read-as-node") {
    return process.getBuiltinModule("node:fs").readFileSync(name, "utf8");
  }
  if (what === "write") return Deno.writeTextFileSync(name, "x");
  if (what === "fetch") return await (await fetch(name)).text();
  if (what === "connect") return await Deno.connect({ port: 9 });
  if (what === "env") return process.env[name];
  if (what === "run") return new Deno.Command(name).outputSync();
  if (what === "load") return Deno.dlopen(name, {});
  if (what === "kill") return process.kill(process.ppid, "SIGTERM");
  if (what === "ask-the-system") return Deno.hostname();
  if (what === "import") return await import(name);
  return what;
}

const homeOf = () => globalThis.process.env.HOME;

const DEEDS = [
  "read /etc/hostname",
  "read-as-node /etc/hostname",
  "read /proc/self/environ",
  "write /tmp/parallel-map-must-not-be-there",
  "fetch http://127.0.0.1:8765/",
  "connect",
  "env HOME",
  "run true",
  "load libc.so.6",
  "kill",
  "ask-the-system",
  `import ${import.meta.url}`,
  "import https://deno.land/std/version.ts",
  "import https://127.0.0.1:9/x.js",
  "import jsr:@std/assert",
  "import npm:a-package-that-nobody-asked-for",
];

test(
  "processes: on Deno, a shipped function may do nothing by default",
  DENO,
  async () => {
    const results = await parallelMapSettled(
      attempt,
      ["nothing", ...DEEDS, "import data:text/javascript,export"],
      processes,
    );
    const done = results.filter(({ status }) => status === "fulfilled").length;
    assertEquals([done, results[0].status], [1, "fulfilled"]);
    for (const [i, deed] of DEEDS.entries()) {
      const result = results[i + 1];
      assert(result.status === "rejected", deed);
      assertMatch(
        String(result.reason.cause),
        /NotCapable|Requires|--no-npm|--no-remote|not allowed|disabled/i,
        deed,
      );
    }
  },
);

const MAY =
  '(with "processes", workers may do what "permissions" say, for shipped functions by default nothing)';

test(
  "processes: on Deno, an error says why a worker may not",
  DENO,
  async () => {
    using folder = new Folder();
    const { path, module } = folder;
    await assertRejects(
      () => parallelMap(attempt, ["read /etc/hostname"], processes),
      TaskError,
      MAY,
    );
    const imports = { ...processes, module };
    await assertRejects(
      () => parallelMap("ask", ["read"], { ...imports, permissions: "none" }),
      WorkerStartError,
      MAY,
    );
    const permissions = { read: [path] };
    await assertRejects(
      () => parallelMap("home", [1], { ...imports, permissions }),
      TaskError,
      MAY,
    );
    await assertRejects(
      () => parallelMap(() => 1, [1], { ...processes, init: homeOf }),
      WorkerStartError,
      MAY,
    );
  },
);

test(
  "what the program itself may not do is no matter of permissions",
  LONG,
  async () => {
    const denied = () => {
      throw Object.assign(new Error("denied"), { name: "NotCapable" });
    };
    for (
      const options of [
        { backend: "web" },
        { backend: "threads" },
        { backend: "processes", permissions: "inherit" },
      ] as const
    ) {
      const { message } = await assertRejects(
        () => parallelMap(denied, [1], { ...options, workers: 1 }),
        TaskError,
      );
      assertEquals(
        message,
        "Cannot map input 0 as denied threw NotCapable: denied",
      );
    }
  },
);

test(
  "processes: on Deno, an imported function may do what the program may",
  DENO,
  async () => {
    using folder = new Folder();
    const { module } = folder;
    const kinds = ["read", "net", "env", "run"];
    const granted = kinds.map(() => "granted");
    const options = { ...processes, module };
    assertEquals(await parallelMap("ask", kinds, options), granted);
    const none = { ...options, permissions: "none" } as const;
    await assertRejects(() => parallelMap("ask", kinds, none), Error, "read");
  },
);

test(
  "processes: on Deno, a pool may do nothing until it imports a function",
  DENO,
  async () => {
    using folder = new Folder();
    const { module } = folder;
    let started = 0;
    const onEvent = ({ type }: RunEvent) => {
      if (type === "worker-start") started++;
    };
    await using pool = new Pool({ ...processes, onEvent });
    assertEquals(await pool.map(ask, ["read"]), ["prompt"]);
    assertEquals(await pool.map("ask", ["read"], { module }), ["granted"]);
    assertEquals(await pool.map(ask, ["read"]), ["granted"]);
    assertEquals(await pool.map("ask", ["net"], { module }), ["granted"]);
    assertEquals(started, 2);
  },
);

test(
  "processes: on Deno, what is given is what they may do",
  DENO,
  async () => {
    using folder = new Folder();
    const { path, module } = folder;
    const file = join(path, "module.mjs");
    const permissions: Permissions = { read: [path], env: ["HOME"], sys: true };
    const options = { ...processes, permissions };
    const deeds = [`read ${file}`, "env HOME", "ask-the-system"];
    const done = await parallelMap(attempt, deeds, options);
    assertStringIncludes(String(done[0]), "export const ask");
    assertEquals(done[1], process.env.HOME);
    const denied = await parallelMapSettled(
      attempt,
      ["read /etc/hostname", "env PATH", `write ${file}`, "import npm:none"],
      options,
    );
    assertEquals(denied.map(({ status }) => status), Array(4).fill("rejected"));
    const asked = await parallelMap("ask", ["read", "sys", "net"], {
      ...options,
      module,
    });
    assertEquals(asked, ["prompt", "granted", "prompt"]);
  },
);

test(
  "processes: on Deno, no permission is given that the program lacks",
  DENO,
  () => {
    const asks = (permissions: Permissions, ...flags: string[]) =>
      runProgram([
        ...RUN,
        "--no-prompt",
        "--allow-run",
        "--allow-env",
        ...flags,
        "tests/fixtures/programs/permissions.ts",
        JSON.stringify(permissions),
      ]).out.trim();
    const netOf = (permissions: Permissions) =>
      JSON.stringify(permissions).includes("127")
        ? ["--allow-net", "--deny-net=127.0.0.1:22"]
        : [];
    assertEquals(asks("none"), "env,run >");
    assertEquals(asks({ env: true }), "env,run > env");
    assertEquals(asks({ read: ["."] }, "--allow-read=."), "env,run >");
    for (
      const [permissions, named] of [
        [{ net: true }, '"net" (give it to the program with --allow-net)'],
        [{ read: ["/etc"] }, '"read" ["/etc"] (give it'],
        [{ env: true, import: ["a.b"] }, '"import" ["a.b"] (give it'],
        // Deno takes it for granted, though a port of it is denied.
        [
          { net: ["127.0.0.1"] },
          '"net" ["127.0.0.1"] (give it to the program with --allow-net=127.0.0.1)',
        ],
        [{ net: ["127.0.0.0/8:9"] }, '"net" ["127.0.0.0/8:9"] (give it'],
      ] as const
    ) {
      assertStringIncludes(
        asks(permissions, "--allow-read=.", ...netOf(permissions)),
        `TypeError: Cannot start processes as "permissions" must be among those of the program: received ${named}`,
      );
    }
  },
);

test("processes: on Deno, a path in permissions is meant as it is at the call", () => {
  let folder = "/here, now";
  const { argsFor } = denoProcess({ ...GRANTED, cwd: () => folder }, {
    permissions: {
      read: ["data", "../up", "/tmp"],
      ffi: ["lib.so"],
      run: ["tool", "./tool"],
      env: ["data"],
    },
  });
  folder = "/elsewhere";
  const flags = argsFor("").filter((flag) => flag.startsWith("--allow-"));
  assertEquals(flags, [
    "--allow-read=/here,, now/data,/up,/tmp", // two commas are one of a path
    "--allow-env=data",
    "--allow-run=tool,/here,, now/tool",
    "--allow-ffi=/here,, now/lib.so",
  ]);
});

test("processes: on Deno, with a net that is denied in part, only addresses are given", () => {
  const give = (name: string, host: string, partial: boolean) =>
    denoProcess({
      ...GRANTED,
      permissions: {
        // As Deno 2.9.5 does: of a host it says so only of what it has as such.
        querySync: (what) => ({
          state: "granted",
          partial: partial && !("host" in what) && Object(what).name === name,
        }),
      },
    }, { permissions: { [name]: [host] } });
  // Some names are the address 10.0.0.1 to the system.
  const names = "a.b:9 *.b:9 localhost:9 10.1:9 012.0.0.1:9 167772161:9";
  const wide = "a.b 10.0.0.1 [::1] ::1 10.0.0.0/8 10.0.0.0/8:9 [::]/0:9";
  const single = "10.0.0.1:9 0.0.0.0:9 [::1]:9";
  for (
    const [name, given, refused] of [
      ["net", single, `${names} ${wide}`],
      ["import", `${single} ${names}`, wide], // which Deno goes by the name for
    ]
  ) {
    for (const host of given.split(" ")) give(name, host, true);
    for (const host of refused.split(" ")) {
      give(name, host, false);
      assertThrows(
        () => give(name, host, true),
        TypeError,
        `received "${name}" ["${host}"]`,
      );
    }
  }
});

test("permissions are refused where nobody would keep to them", () => {
  const some: Permissions[] = ["none", { read: true }];
  for (const permissions of some) {
    for (const backend of [undefined, "web", "threads"]) {
      assertThrows(
        () => new Pool({ backend, permissions }),
        TypeError,
        'Cannot create pool as "permissions" needs "backend": "processes": received "backend" ',
      );
    }
    assertThrows(
      () => new Pool({ backend: "processes", workers: 0, permissions }),
      TypeError,
      'received "workers" 0',
    );
    if (runtime === "deno") continue;
    assertThrows(
      () => new Pool({ ...processes, permissions }),
      TypeError,
      'Cannot start processes as "permissions" other than "inherit" needs Deno',
    );
  }
});

test(
  "permissions that all workers have anyway may be asked for anywhere",
  LONG,
  async () => {
    for (const backend of ["web", "processes"]) {
      const options = { backend, workers: 1, permissions: "inherit" } as const;
      assertEquals(await parallelMap((n: number) => n, [1], options), [1]);
    }
  },
);

test("permissions are what was checked, whatever their object says after that", () => {
  const copied = (permissions: unknown) =>
    checkOptions("create pool", { permissions }, POOL_RULES) as {
      permissions: Permissions;
    };
  const odd = { toString: () => "/", some: () => false, map: () => ["/"] };
  let reads = 0;
  class Changing {
    get read() {
      return reads++ === 0 ? Object.assign(["/data"], odd) : true;
    }
  }
  const { argsFor } = denoProcess(GRANTED, copied(new Changing()));
  assert(argsFor("").includes("--allow-read=/data"), `${argsFor("")}`);
  class Hidden { // in no loop over its names
    get read() {
      return ["a,b"];
    }
  }
  assertThrows(() => copied(new Hidden()), TypeError, 'received "a,b"');
});

test("permissions are checked at the call", () => {
  const wrong: unknown[] = ["all", true, { reed: true }, { read: "/etc" }];
  wrong.push({ read: ["a,b"] }, { read: [""] }, { read: [1] }, null, []);
  for (const permissions of wrong) {
    assertThrows(
      () => new Pool({ backend: "processes", permissions } as never),
      TypeError,
      'Cannot create pool as "permissions" must be "none", "inherit", or an object of read, write, net, env, run, ffi, sys, import, each true, false or a list of texts without commas',
    );
  }
});
