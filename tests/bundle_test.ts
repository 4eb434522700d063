// A script runs as it is, without a flag, and bundled, from any folder. And
// nothing comes with it.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { existsSync, writeFileSync } from "node:fs";
import { runInNewContext } from "node:vm";
import { bootSource } from "../src/core/worker/boot.ts";
import { createLoader } from "../src/core/worker/loader.ts";
import { runtime, test, testOnce } from "./harness.ts";
import {
  inFolder,
  makeOnce,
  ROOT,
  RUN,
  RUN_ALL,
  runProgram,
} from "./run_program.ts";

const timeout = 1_800_000;
const shipped = `${ROOT}tests/fixtures/shipped.ts`;
const RIGHT = { code: 0, out: "7 14 21\n", err: "" };

testOnce("a shipped function runs on Deno without a permission flag", {
  timeout,
}, () => {
  assertEquals(runProgram(["deno", "run", shipped]), RIGHT);
});

testOnce("the same file runs on Bun", { timeout }, () => {
  assertEquals(runProgram(["bun", shipped]), RIGHT);
});

test("the same file runs on Node.js", {
  timeout,
  ignore: runtime !== "node",
}, () => {
  assertEquals(runProgram([...RUN, shipped]), RIGHT);
});

testOnce(
  "bundled by bun build, it runs from another folder",
  { timeout },
  () =>
    inFolder((folder) => {
      for (const flags of [[], ["--minify"]]) {
        const bundle = `--outfile=${folder}/bundle.js`;
        const built = runProgram(["bun", "build", shipped, bundle, ...flags]);
        assertEquals(built.code, 0, built.err);
        assertEquals(runProgram(["bun", "bundle.js"], folder), RIGHT);
        assertEquals(runProgram(["deno", "run", "bundle.js"], folder), RIGHT);
      }
    }),
);

testOnce(
  "an imported function runs in a bundle too",
  { timeout },
  () =>
    inFolder((folder) => {
      const script = `${ROOT}scripts/broken_counter.ts`;
      runProgram(["bun", "build", script, `--outfile=${folder}/bundle.js`]);
      for (const run of [["bun"], ["deno", "run", "--allow-read"]]) {
        const { code, out, err } = runProgram([...run, "bundle.js"], folder);
        assertEquals([code, err], [0, ""]);
        assertEquals(out.match(/SUB TOTAL SO FAR/g)?.length, 4);
        assertEquals(out.includes("TOTAL 0\n"), true);
      }
    }),
);

const program = `${ROOT}tests/fixtures/bundled.ts`;
const beside = `${ROOT}tests/fixtures/times8.ts`;

/** What the program says in a bundle that leaves its functions their names. */
const SAYS = {
  source: "7,14,21",
  itself: "7,14,21",
  name: "7,14,21",
  beside: "8,16,24",
  process: "7,14,21",
  besideInProcess: "8,16,24",
};
const RENAMED = {
  ...SAYS,
  itself: "(where a bundler renames functions, as with --minify, give the name",
};
const ALWAYS_MAIN = {
  ...SAYS,
  itself: "--target=node, under if (isMainThread) of node:worker_threads",
  name: "--target=node, under if (isMainThread) of node:worker_threads",
};

/** Checks what the program has printed of each way. */
function checkEnds(out: string, says: Record<string, string>): void {
  for (const [way, end] of Object.entries(says)) {
    const line = out.split("\n").find((line) => line.startsWith(`${way}: `));
    assertStringIncludes(line ?? out, end);
  }
}

/**
 * What a program says that went wrong, without what may be said on Deno where a
 * bundle is the main program in Web Workers too: of one that is ended, by Deno
 * 2.9.5, and by us on a busy machine, where that takes longer than a second.
 */
function wrongOf(err: string, isMainAgain: boolean): string {
  if (!isMainAgain || runtime !== "deno") return err;
  return err.replaceAll(
    'error: Uncaught (in worker "") (in promise) Error: execution terminated\n',
    "",
  ).replace(
    /^@parallel\/map: worker \d was ended, and .+ still runs.*\n/gm,
    "",
  );
}

const BUILDS: [command: string, says: Record<string, string>][] = [
  ["esbuild --bundle --format=esm", SAYS],
  ["esbuild --bundle --format=esm --minify", RENAMED],
  ["esbuild --bundle --format=esm --keep-names", SAYS],
  ["esbuild --bundle --format=esm --keep-names --minify", SAYS],
  ["esbuild --bundle --format=esm --target=es2020", SAYS],
  ["esbuild --bundle --format=esm --target=es2020 --keep-names --minify", SAYS],
  ["bun build", SAYS],
  ["bun build --minify", RENAMED],
  ["bun build --target=bun", SAYS],
  ["bun build --target=node", ALWAYS_MAIN],
];

for (const [command, says] of BUILDS) {
  // What a compiler makes of names is the same on each runtime.
  (/keep-names|es2020/.test(command) ? testOnce : test)(
    `built by ${command}, each way to map works or says what to do`,
    { timeout },
    () =>
      inFolder((folder) => {
        const build = [...command.split(" "), program, beside];
        const built = runProgram([...build, `--outdir=${folder}`]);
        assertEquals(built.code, 0, built.err);
        const { out, err } = runProgram([...RUN_ALL, "bundled.js"], folder);
        assertEquals(wrongOf(err, says === ALWAYS_MAIN), "");
        checkEnds(out, says);
      }),
  );
}

for (const flags of [["--keep-names"], ["--keep-names", "--minify"], []]) {
  testOnce(
    `the page of a timeline runs, built by esbuild --bundle ${flags.join(" ")}`,
    { timeout },
    () =>
      inFolder((folder) => {
        const page = `${ROOT}tests/fixtures/timeline_page.ts`;
        const built = `--outfile=${folder}/page.js`;
        const all = ["--bundle", "--format=esm", "--platform=node", ...flags];
        runProgram(["esbuild", page, built, ...all]);
        const { out, err } = runProgram([...RUN, "page.js"], folder);
        const [, script] = /<script type="module">([^]*)<\/script>/.exec(out) ??
          [, err];
        let listens = 0;
        const addEventListener = () => listens++;
        const document = { querySelectorAll: () => [], addEventListener };
        runInNewContext(script!, { document });
        assertEquals(listens, 1);
      }),
  );
}

test(
  "a module that was not built along is told of, with what to do",
  { timeout },
  () =>
    inFolder((folder) => {
      const built = `--outfile=${folder}/bundled.js`;
      runProgram(["bun", "build", program, built]);
      const { out } = runProgram([...RUN_ALL, "bundled.js"], folder);
      const says = "in a bundle it must be an entry point as well";
      checkEnds(out, { ...SAYS, beside: says, besideInProcess: says });
    }),
);

testOnce(
  "a program in one file, by bun build --compile, maps",
  { timeout },
  () =>
    inFolder((folder) => {
      const built = `--outfile=${folder}/program`;
      const build = ["build", "--compile", "--no-compile-autoload-bunfig"];
      runProgram(["bun", ...build, program, beside, built]);
      // The folder where it is started has no say, as it is that of some data.
      writeFileSync(`${folder}/bunfig.toml`, 'preload = ["./ends.js"]');
      writeFileSync(`${folder}/ends.js`, "process.exit(3);");
      const start = ["env", `PWD=${folder}`, `${folder}/program`];
      checkEnds(runProgram(start, folder).out, {
        ...ALWAYS_MAIN,
        besideInProcess:
          "and no process finds it in a program that bun build --compile made: ship the function",
      });
    }),
);

const forRuntimes = `${ROOT}tests/fixtures/built_for_runtimes.ts`;

/** What it says where it is built for the runtime that runs it. */
const BUILT = { importing: "7,14,21", name: "7,14,21", threads: "7,14,21" };
/** On Deno, what is built for Node.js is the main program in Web Workers. */
const FOR_NODE = runtime === "deno"
  ? { importing: "7,14,21", threads: "7,14,21" }
  : BUILT;

const TARGETS: [command: string, says: Record<string, string>][] = [
  ["esbuild --bundle --format=esm --platform=node --minify", BUILT],
  ["bun build --target=bun --minify", BUILT],
  ["bun build --target=node", FOR_NODE],
];

for (const [command, says] of TARGETS) {
  test(
    `built by ${command}, a shipped function imports, and an imported one is found by its name`,
    { timeout },
    () =>
      inFolder((folder) => {
        const built = `--outfile=${folder}/built.js`;
        const build = [...command.split(" "), forRuntimes, built];
        const { code, err } = runProgram(build);
        assertEquals(code, 0, err);
        const end = runProgram([...RUN_ALL, "built.js"], folder);
        assertEquals(wrongOf(end.err, says === FOR_NODE), "");
        checkEnds(end.out, says);
      }),
  );
}

test(
  "bun build without a target puts its own code in place of what a shipped function imports",
  { timeout },
  () =>
    inFolder((folder) => {
      const program = `${folder}/program.ts`;
      writeFileSync(
        program,
        `import { parallelMap } from "${ROOT}mod.ts";
         const fn = async (name) => (await import("node:path")).basename(name);
         await parallelMap(fn, ["a"]).catch((error) => console.log(error.message));`,
      );
      const built = `--outfile=${folder}/built.js`;
      assertEquals(runProgram(["bun", "build", program, built]).code, 0);
      const { out } = runProgram([...RUN_ALL, "built.js"], folder);
      assertStringIncludes(out, "a shipped function sees nothing around it");
    }),
);

testOnce(
  "a program in one file, by bun build --compile --bytecode, maps",
  { timeout },
  () =>
    inFolder((folder) => {
      const built = `--outfile=${folder}/program`;
      const build = ["bun", "build", "--compile", "--bytecode"];
      const { code, err } = runProgram([...build, forRuntimes, built]);
      assertEquals(code, 0, err);
      const end = runProgram([`${folder}/program`]);
      assertEquals(end.err, "");
      checkEnds(end.out, BUILT);
    }),
);

const vite = `${ROOT}scripts/vite/node_modules/.bin/vite`;
const noVite = !existsSync(vite);
if (noVite) console.warn("Vite is not tested: npm run get:vite fetches it");

for (const minify of [false, true]) {
  test(
    `built by vite, with minify: ${minify}, each way to map works or says what to do`,
    { timeout, ignore: noVite },
    () =>
      inFolder((folder) => {
        writeFileSync(`${folder}/package.json`, '{ "type": "module" }'); // .js
        const dist = `${folder}/vite${minify ? "-minified" : ""}`;
        makeOnce(dist, (outDir) => {
          const input = [program, beside, forRuntimes];
          const build = { ssr: true, minify, outDir, rollupOptions: { input } };
          const config = { logLevel: "warn", build };
          writeFileSync(
            `${folder}/vite.config.mjs`,
            `export default ${JSON.stringify(config)}`,
          );
          const { code, err } = runProgram([vite, "build"], folder);
          assertEquals(code, 0, err);
        });
        const all = runProgram([...RUN_ALL, "bundled.js"], dist);
        assertEquals(all.err, "");
        checkEnds(all.out, minify ? RENAMED : SAYS);
        const { out } = runProgram([...RUN_ALL, "built_for_runtimes.js"], dist);
        checkEnds(out, BUILT);
      }),
  );
}

testOnce(
  "a program in one file, by deno compile, maps",
  { timeout },
  () =>
    inFolder((folder) => {
      // Bundled first: Deno would pack a whole node_modules along.
      runProgram(["bun", "build", shipped, `--outfile=${folder}/program.js`]);
      const compile = ["deno", "compile", "--output=program", "program.js"];
      const { code, err } = runProgram(compile, folder);
      if (code !== 0 && /denort|error sending request|dns error/.test(err)) {
        console.warn(
          "deno compile is not tested: its runtime cannot be fetched",
        );
        return;
      }
      assertEquals(code, 0, err);
      assertEquals(runProgram([`${folder}/program`]), RIGHT);
    }),
);

test("no compiler finds an import() to rewrite in what is sent", () => {
  const boot = bootSource(
    () => ({
      post() {},
      listen() {},
      onStray() {},
    }),
    [],
    { whole: false },
  );
  assertEquals(boot.match(/\bimport\(.*?\)/g), ["import(url)"]);
  assertEquals(String(createLoader).includes("import("), false);
});

testOnce("mod.ts needs nothing but its own files", { timeout }, () => {
  const { out } = runProgram(["deno", "info", "--json", "mod.ts"]);
  const { modules } = JSON.parse(out) as { modules: Module[] };
  const root = new URL("../", import.meta.url).href;
  const foreign = modules.filter(({ kind, specifier }) =>
    kind !== "esm" ||
    !(specifier === `${root}mod.ts` || specifier.startsWith(`${root}src/`))
  );
  assertEquals(foreign, []);
  assertEquals(modules.length > 10, true);
});

interface Module {
  kind: string;
  specifier: string;
}
