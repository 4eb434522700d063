// A script runs as it is, without a flag, and bundled, from any folder. And
// nothing comes with it.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { bootSource } from "../src/core/worker/boot.ts";
import { createLoader } from "../src/core/worker/loader.ts";
import { runtime, test } from "./harness.ts";
import { inFolder, ROOT, RUN, RUN_ALL, runProgram } from "./run_program.ts";

const timeout = 60_000;
const shipped = `${ROOT}tests/fixtures/shipped.ts`;
const RIGHT = { code: 0, out: "7 14 21\n", err: "" };

test("a shipped function runs on Deno without a permission flag", {
  timeout,
}, () => {
  assertEquals(runProgram(["deno", "run", shipped]), RIGHT);
});

test("the same file runs on Bun", { timeout }, () => {
  assertEquals(runProgram(["bun", shipped]), RIGHT);
});

test("the same file runs on Node.js", {
  timeout,
  ignore: runtime !== "node",
}, () => {
  assertEquals(runProgram([...RUN, shipped]), RIGHT);
});

test(
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

test(
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
  test(
    `built by ${command}, each way to map works or says what to do`,
    { timeout },
    () =>
      inFolder((folder) => {
        const build = [...command.split(" "), program, beside];
        const built = runProgram([...build, `--outdir=${folder}`]);
        assertEquals(built.code, 0, built.err);
        const { out, err } = runProgram([...RUN_ALL, "bundled.js"], folder);
        assertEquals(err, "");
        checkEnds(out, says);
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

test(
  "a program in one file, by bun build --compile, maps",
  { timeout },
  () =>
    inFolder((folder) => {
      const built = `--outfile=${folder}/program`;
      runProgram(["bun", "build", "--compile", program, beside, built]);
      checkEnds(runProgram([`${folder}/program`]).out, {
        ...ALWAYS_MAIN,
        besideInProcess:
          "and no process finds it in a program that bun build --compile made: ship the function",
      });
    }),
);

test("no compiler finds an import() to rewrite in what is sent", () => {
  const boot = bootSource(() => ({
    post() {},
    listen() {},
    onStray() {},
  }));
  assertEquals(boot.match(/\bimport\(.*?\)/g), ["import(url)"]);
  assertEquals(String(createLoader).includes("import("), false);
});

test("mod.ts needs nothing but its own files", { timeout }, () => {
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
