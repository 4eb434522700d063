// How workers that are processes are started: which program, with which settings,
// flags and permissions.
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { parallelMap } from "../mod.ts";
import { denoProcess } from "../src/core/runtime/deno_process.ts";
import { loadingFlags, nodeRuntime } from "../src/core/runtime/node.ts";
import { runtime, test } from "./harness.ts";
import { Notes } from "./notes.ts";
import { ROOT, RUN, RUN_ALL, runProgram } from "./run_program.ts";

const LONG = { timeout: 300_000 };
const deno = "Deno" in globalThis;
// On Deno, shipped functions may do nothing by default: tests/permissions_test.ts.
const processes = {
  backend: "processes",
  workers: 2,
  permissions: "inherit",
} as const;

test("processes: a module brings its own settings", LONG, async () => {
  await using folder = new Notes();
  const src = join(folder.path, "src");
  mkdirSync(src);
  const imports = { "#five": "./src/five.ts" };
  const paths = { "#five": ["./src/five.ts"] };
  const settings = {
    deno: ["deno.json", { imports }],
    bun: ["tsconfig.json", { compilerOptions: { paths } }],
    node: ["package.json", { type: "module", imports }],
    browser: [],
  }[runtime];
  const [name, json] = settings as [string, object];
  writeFileSync(join(folder.path, name), JSON.stringify(json));
  writeFileSync(join(src, "five.ts"), "export const five: number = 5;");
  const text =
    'import { five } from "#five";\nexport const plus5 = (n: number) => n + five;';
  writeFileSync(join(src, "plus5.ts"), text);
  const module = pathToFileURL(join(src, "plus5.ts"));
  assertEquals(await parallelMap("plus5", [1], { ...processes, module }), [6]);
});

test(
  "processes: a program and its functions may be one file",
  LONG,
  async () => {
    await using folder = new Notes();
    const path = join(folder.path, "program.ts");
    writeFileSync(
      path,
      `import { parallelMap } from ${
        JSON.stringify(pathToFileURL(join(ROOT, "mod.ts")).href)
      };
    export const twice = (n: number) => 2 * n;
    if (import.meta.main) {
      const options = { module: import.meta.url, backend: "processes" };
      console.log((await parallelMap(twice, [1, 2], options)).join());
    }`,
    );
    const { out, err, code } = runProgram([...RUN_ALL, path]);
    assertEquals([out.trim(), err, code], ["2,4", "", 0]);
  },
);

test("processes: on Node.js they load what --import has the program load", {
  ...LONG,
  ignore: runtime !== "node",
}, async () => {
  await using folder = new Notes();
  const [preload, program] = ["preload.mjs", "program.mjs"]
    .map((name) => join(folder.path, name));
  // Shims of other runtimes, as workers have them then, are no such runtime.
  writeFileSync(
    preload,
    `Object.assign(globalThis, {
      loaded: 5,
      url: 0,
      Deno: { version: { deno: "1.40.2" }, exit() {} },
      Bun: { version: "1.4.5" },
      Worker: process.getBuiltinModule("node:worker_threads").Worker,
    });`,
  );
  writeFileSync(
    program,
    `import { parallelMap } from ${
      JSON.stringify(pathToFileURL(join(ROOT, "mod.ts")).href)
    };
    const fn = (n) => globalThis.loaded + globalThis.url + n;
    for (const backend of ["processes", "threads"]) {
      console.log(await parallelMap(fn, [1], { backend }));
    }`,
  );
  const url = pathToFileURL(preload).href;
  for (
    const flags of [["--import", url], [`--import=${url}`], ["-r", preload]]
  ) {
    const { out, err } = runProgram([...RUN_ALL, ...flags, program]);
    assertEquals([out.trim(), err], ["[ 6 ]\n[ 6 ]", ""]);
  }
});

test("processes: a debugger is for the program alone", LONG, async () => {
  const bare = "--inspect --inspect-publish-uid=http --inspect-wait=0";
  const quoted =
    '"--inspect=0" --inspect="0" --ins"pect_brk" --title="a --inspect b"';
  const flags = `${bare} ${quoted}`;
  const given = { NODE_OPTIONS: flags, BUN_OPTIONS: `--inspect=0 ${flags}` };
  const vars = {
    ...given,
    BUN_INSPECT: "ws://localhost:0?wait=1",
    BUN_INSPECT_CONNECT_TO: "unix:///tmp/debugger",
    BUN_INSPECT_PRELOAD: "./preload.ts",
  };
  const before = { ...process.env };
  Object.assign(process.env, vars);
  const childProcess = createRequire(import.meta.url)("node:child_process");
  const { spawn } = childProcess;
  const left: unknown[] = [];
  childProcess.spawn = (
    name: string,
    args: string[],
    options: typeof process,
  ) => {
    left.push(
      ...Object.keys(vars).map((name) =>
        options.env?.[name]?.trim().replace(/ +/g, " ")
      ),
    );
    return spawn(name, args, { ...options, env: before });
  };
  try {
    const options = { ...processes, workers: 1 };
    assertEquals(await parallelMap((n: number) => n, [1], options), [1]);
  } finally {
    childProcess.spawn = spawn;
    for (const name of Object.keys(vars)) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  }
  const kept = '--inspect-publish-uid=http --title="a --inspect b"';
  assertEquals(left, [kept, kept, undefined, undefined, undefined]);
});

test("processes: on Node.js they get no flag that is for the program alone", () => {
  const typed = ["--inspect-brk", "--import", "./a.ts", "-e", "1", "-C", "dev"];
  typed.push("--experimental-transform-types", "--test", "--require=b", "-p");
  typed.push("2", "--experimental-config-file", "c.json");
  typed.push("--preserve-symlinks", "--enable-source-maps");
  typed.push("--no-warnings", "--disable-warning=DEP0040", "--watch");
  typed.push("--disable-warning", "ExperimentalWarning", "--no-deprecation");
  assertEquals(loadingFlags(typed), [
    "--import",
    "./a.ts",
    "-C",
    "dev",
    "--experimental-transform-types",
    "--require=b",
    "--experimental-config-file",
    "c.json",
    "--preserve-symlinks",
    "--no-warnings",
    "--disable-warning=DEP0040",
    "--disable-warning",
    "ExperimentalWarning",
    "--no-deprecation",
  ]);
});

test("processes: on Bun they load modules as the flags of the program say", {
  ...LONG,
  ignore: runtime !== "bun",
}, async () => {
  await using folder = new Notes();
  const place = join(folder.path, "node_modules/which");
  mkdirSync(place, { recursive: true });
  const exports = { special: "./special.js", default: "./plain.js" };
  writeFileSync(join(place, "package.json"), JSON.stringify({ exports }));
  for (const which of ["special", "plain"]) {
    const text = `export const which = "${which}";`;
    writeFileSync(join(place, `${which}.js`), text);
  }
  const text = 'export const five = "five";';
  writeFileSync(join(folder.path, "five.ts"), text);
  const compilerOptions = { paths: { "#five": ["./five.ts"] } };
  const settings = JSON.stringify({ compilerOptions });
  writeFileSync(join(folder.path, "other.json"), settings);
  writeFileSync(
    join(folder.path, "program.ts"),
    `import { parallelMap } from ${
      JSON.stringify(pathToFileURL(join(ROOT, "mod.ts")).href)
    };
    import { five } from "#five";
    import { which } from "which";
    export const fn = (n: number) => [n, which, five, DEFINED].join();
    if (import.meta.main) {
      const options = { module: import.meta.url, backend: "processes" };
      console.log(...await parallelMap(fn, [1], options));
    }`,
  );
  const flags = ["--conditions", "special", "--define", "DEFINED:2"];
  flags.push("--tsconfig-override=./other.json");
  const { out, err } = runProgram(
    [...RUN_ALL, ...flags, "program.ts"],
    folder.path,
  );
  assertEquals([out, err], ["1,special,five,2\n", ""]);
});

test("processes: on Node.js they warn of no more than the program does", {
  ...LONG,
  ignore: runtime !== "node",
}, async () => {
  await using folder = new Notes();
  const program = join(folder.path, "program.mjs");
  writeFileSync(
    program,
    `import { parallelMap } from ${
      JSON.stringify(pathToFileURL(join(ROOT, "mod.ts")).href)
    };
    const warn = (n) => {
      process.emitWarning("of " + n, { code: "PM" + n });
      return new Promise((told) => setImmediate(told));
    };
    await parallelMap(warn, [1, 2], { backend: "processes", workers: 1 });`,
  );
  for (
    const [flag, warned] of [
      ["--no-warnings", []],
      ["--disable-warning=PM1", ["PM2"]],
    ] as const
  ) {
    const { err } = runProgram([...RUN_ALL, flag, program]);
    assertEquals([...err.match(/\bPM\d/g) ?? []], [...warned]);
  }
});

test("processes: a shipped function sees no modules by their names", async () => {
  const names = ["assert", "constants", "events", "fs", "module", "os", "path"]
    .concat("sqlite", "stream", "sys", "test", "timers", "url", "util");
  const kept = ["console", "crypto", "performance", "process"];
  const types = await parallelMap(
    (name: string) => typeof (globalThis as Record<string, unknown>)[name],
    [...names, ...kept],
    { ...processes, workers: 1 },
  );
  assertEquals(types, [
    ...names.map(() => "undefined"),
    ...kept.map(() => "object"),
  ]);
});

test("processes: a shipped function finds nothing in the current folder", {
  ...LONG,
  ignore: runtime === "bun", // docs/functions.md
}, async () => {
  await using folder = new Notes();
  const place = join(folder.path, "node_modules/five");
  mkdirSync(place, { recursive: true });
  const exported = "export const five = 5;";
  writeFileSync(join(place, "index.mjs"), exported);
  writeFileSync(join(place, "package.json"), '{ "exports": "./index.mjs" }');
  writeFileSync(join(folder.path, "five.mjs"), exported);
  const path = join(folder.path, "program.mjs");
  writeFileSync(
    path,
    `import { parallelMapSettled } from ${
      JSON.stringify(pathToFileURL(join(ROOT, "mod.ts")).href)
    };
    const load = async (name) => (await import(name)).five;
    const names = ["five", "./five.mjs", import.meta.resolve("./five.mjs")];
    for (const backend of ["threads", "processes"]) {
      const permissions = backend === "processes" ? "inherit" : undefined;
      const options = { backend, permissions };
      for (const it of await parallelMapSettled(load, names, options)) {
        console.log(it.value ?? it.reason.message.includes(" belongs to no file"));
      }
    }`,
  );
  const { out, err } = runProgram([...RUN_ALL, path], folder.path);
  const printed = ["true", "true", "5"];
  assertEquals([out.split("\n"), err], [[...printed, ...printed, ""], ""]);
});

test("processes: on Bun a folder that is not the program's has no say", {
  ...LONG,
  ignore: runtime !== "bun",
}, async () => {
  await using folder = new Notes();
  const [own, data] = ["own", "data"].map((name) => join(folder.path, name));
  for (const place of [own!, data!]) {
    mkdirSync(place);
    const name = place === own ? "OWN" : "DATA";
    writeFileSync(join(place, ".env"), `${name}_ENV=1\nSECRET=1`);
    writeFileSync(join(place, "bunfig.toml"), 'preload = ["./pre.ts"]');
    writeFileSync(join(place, "pre.ts"), `globalThis.${name}_RAN = true;`);
  }
  const paths = { "*": ["./pre.ts"] };
  const settings = JSON.stringify({ compilerOptions: { paths } });
  writeFileSync(join(data!, "tsconfig.json"), settings);
  writeFileSync(join(own!, "own.ts"), "export const own = () => 'own';");
  const library = JSON.stringify(pathToFileURL(join(ROOT, "mod.ts")).href);
  const leave = `process.chdir(${JSON.stringify(data)});`;
  const main = `
    const look = async (url) => [
      ...["OWN_RAN", "DATA_RAN"].filter((name) => name in globalThis),
      ...["OWN_ENV", "DATA_ENV", "SECRET"].filter((name) => process.env[name]),
      (await import(url)).own(),
      process.cwd().endsWith("data"),
    ].join();
    delete process.env.SECRET;
    const url = new URL("own.ts", import.meta.url).href;
    const lookFurther = async (url, { data: { look, options } }) => {
      const { parallelMap } = await import(${library});
      return (await parallelMap(look, [url], options))[0];
    };
    const run = async () => {
      const options = { backend: "processes", workers: 1 };
      const looked = await parallelMap(look, [url], options);
      const loaded = await parallelMap("own", [0], { ...options, module: url });
      const data = { look, options };
      const more = await parallelMap(lookFurther, [url], { ...options, data });
      console.log(...looked, ...loaded, more[0] === looked[0] || more);
    };`;
  for (
    const [program, printed] of [
      [
        `import { parallelMap } from ${library}; ${main}
        await run(); ${leave} await run();`,
        "OWN_RAN,OWN_ENV,own,false own true\nOWN_RAN,OWN_ENV,own,true own true\n",
      ],
      [
        `${leave} const { parallelMap } = await import(${library}); ${main}
        await run();`,
        "OWN_ENV,own,true own true\n", // where it has begun cannot be found out
      ],
    ] as const
  ) {
    writeFileSync(join(own!, "program.ts"), program);
    const { out, err } = runProgram([...RUN_ALL, "program.ts"], own);
    assertEquals([out, err], [printed, ""]);
  }
});

test(
  "processes: on Node.js they load what --import names, wherever the program is by then",
  {
    ...LONG,
    ignore: runtime !== "node",
  },
  async () => {
    await using folder = new Notes();
    const [own, data] = ["own", "data"].map((name) => join(folder.path, name));
    const library = JSON.stringify(pathToFileURL(join(ROOT, "mod.ts")).href);
    for (const place of [own!, data!]) {
      mkdirSync(place);
      const name = place === own ? "own" : "data";
      const text =
        `globalThis.loaded = "${name}"; process._rawDebug("${name}");`;
      writeFileSync(join(place, "pre.mjs"), text);
      writeFileSync(join(place, "pre.cjs"), text);
    }
    writeFileSync(
      join(own!, "program.mjs"),
      `import { parallelMap } from ${library};
    process.chdir(${JSON.stringify(data)});
    const look = () => [globalThis.loaded, process.cwd().endsWith("data")];
    const options = { backend: "processes", workers: 1 };
    console.log(...await parallelMap(look, [1], options));
    const lookFurther = async (_, { data: { look, options } }) => {
      const { parallelMap } = await import(${library});
      return (await parallelMap(look, [1], options))[0];
    };
    const data = { look, options };
    console.log(...await parallelMap(lookFurther, [1], { ...options, data }));`,
    );
    const tried = [["--import", "./pre.mjs"], ["-r", "./pre.cjs"]];
    for (const flags of tried) {
      const { out, err } = runProgram(
        [...RUN_ALL, ...flags, "program.mjs"],
        own,
      );
      // The program, its processes, and that of a task: none in the thread that
      // watches there.
      const said = "own\n".repeat(4);
      assertEquals([out, err], ["[ 'own', true ]\n".repeat(2), said]);
    }
  },
);

const ASKED = "tests/fixtures/programs/permissions.ts";
const PERMISSIONS: [flags: string[], printed: string][] = [
  [
    ["-A"],
    "read,write,net,env,run,ffi,sys,import > read,write,net,env,run,ffi,sys,import",
  ],
  [["--allow-run", "--allow-env"], "env,run > env,run"],
  [["--allow-run", "--allow-env", "--allow-read=."], "env,run > env,run"],
  [[
    "--allow-run",
    "--allow-env",
    "--allow-read",
    "--deny-read=/etc",
    "--allow-net=a.b",
  ], "read,env,run > env,run"],
  [
    ["--allow-all", "--deny-net", "--deny-ffi"],
    "read,write,env,run,sys,import > read,write,env,run,sys,import",
  ],
];
for (const [flags, printed] of PERMISSIONS) {
  test(
    `processes: on Deno "inherit" is what the caller may, or less: ${
      flags.join(" ")
    }`,
    {
      ...LONG,
      ignore: !deno,
    },
    () => {
      const command = [...RUN, "--no-prompt", ...flags, ASKED, '"inherit"'];
      const { out, err } = runProgram(command);
      assertEquals([out.trim(), err], [printed, ""]);
    },
  );
}

for (
  const [flags, missing] of [["", "--allow-run"], [
    "--allow-run",
    "--allow-env",
  ]]
) {
  test(`processes: Deno without ${missing} is told at the call`, {
    ...LONG,
    ignore: !deno,
  }, () => {
    const given = flags === "" ? [] : [flags];
    const command = [...RUN, "--no-prompt", ...given, ASKED];
    const { out, code } = runProgram(command);
    assertStringIncludes(
      out,
      `TypeError: Cannot start processes as Deno must have ${missing}`,
    );
    assertEquals(code, 1);
  });
}

for (
  const [name, value, all, told] of [
    ["LD_LIBRARY_PATH", "/lib", false, true],
    ["DYLD_INSERT_LIBRARIES", "/lib", false, true],
    ["LD_PRELOAD", "", false, false],
    ["LD_LIBRARY_PATH", "/lib", true, false],
  ] as const
) {
  test(
    `processes: Deno with ${name}="${value}" and --allow-run for ${
      all ? "all" : "itself"
    } ${told ? "is told at the call" : "starts them"}`,
    {
      ...LONG,
      ignore: !deno,
    },
    () => {
      const run = all ? "--allow-run" : `--allow-run=${process.execPath}`;
      const environment = ["env", `${name}=${value}`];
      const { out, code } = runProgram(
        [...environment, ...RUN, "--no-prompt", run, "--allow-env", ASKED],
      );
      if (told) {
        assertStringIncludes(
          out,
          `TypeError: Cannot start processes as Deno must have --allow-run, for all programs, where the environment has ${name}`,
        );
      } else assertStringIncludes(out, " > ");
      assertEquals(code, told ? 1 : 0);
    },
  );
}

test("processes: Deno asks nobody for a permission to end what tasks have started", () => {
  for (const all of [true, false]) {
    const setup = denoProcess({
      build: {},
      cwd: () => "/",
      env: { toObject: () => ({}) },
      execPath: () => "/deno",
      permissions: {
        querySync: (what) => {
          const { name, command } = what as { name: string; command?: string };
          const may = all || name !== "run" || command === "/deno";
          return { state: may ? "granted" : "prompt" };
        },
      },
      statSync: () => ({ isFile: false }),
    });
    assertEquals(setup.endsGroups ?? true, all);
  }
});

test("processes: on Deno, settings are found in a folder of any name", () => {
  const url = pathToFileURL("/100% a#b?c é/m.ts").href;
  for (
    const [near, folder] of [
      [url, "/100% a#b?c é"],
      [`${url}?v=/1#/`, "/100% a#b?c é"],
      // Written by hand: Deno has no need of a code for it.
      ["file:///100%/50%ab/m.ts", undefined],
      ["file:///100%/x/m.ts", "/100%"],
      ["FILE:///x/y/m.ts", "/x"],
      ["file:///a%2Fb/m.ts", undefined],
      ["https://example.com/x/m.ts", undefined],
    ] as const
  ) {
    const { argsFor } = denoProcess({
      build: {},
      cwd: () => "/",
      env: { toObject: () => ({}) },
      execPath: () => "/deno",
      permissions: { querySync: () => ({ state: "granted" }) },
      statSync: (path) => ({ isFile: path === `${folder}/deno.json` }),
    }, { near });
    const args = argsFor("");
    const at = args.indexOf("--config");
    assertEquals(
      at < 0 ? undefined : args[at + 1],
      folder && `${folder}/deno.json`,
    );
  }
});

test("processes: a program that deno compile made is told what to use", () => {
  const compiled = {
    build: { standalone: true },
    cwd: () => "/",
    env: { toObject: () => ({}) },
    execPath: () => "/program",
    permissions: { querySync: () => ({ state: "granted" }) },
    statSync: () => ({ isFile: false }),
  };
  assertThrows(
    () => denoProcess(compiled),
    TypeError,
    'has no Deno to run them: received "backend" "processes", where "threads" is needed',
  );
});

test("processes: a program that Node.js would start again and again is told what to use", () => {
  for (
    const [sea, electron, asNode, named] of [
      [true, undefined, undefined, "a single executable application"],
      [false, "44.1.0", undefined, "Electron"],
      [false, "44.1.0", "1", undefined],
      [false, undefined, undefined, undefined],
    ] as const
  ) {
    const modules = {
      "node:sea": { isSea: () => sea },
      "node:os": { availableParallelism: () => 2 },
    };
    const node = nodeRuntime({
      argv: [],
      execArgv: [],
      env: { ELECTRON_RUN_AS_NODE: asNode },
      versions: { electron },
      getBuiltinModule: (name: keyof typeof modules) => modules[name],
    } as never);
    node.backend("threads");
    if (named === undefined) node.backend("processes");
    else {
      assertThrows(
        () => node.backend("processes"),
        TypeError,
        `Cannot start processes as ${named} would start the whole program again: received "backend" "processes", where "threads" is needed`,
      );
    }
  }
});
