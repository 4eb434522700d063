// A script runs as it is, without a flag, and bundled, from any folder. And
// nothing comes with it.

import { assertEquals } from "@std/assert";
import { bootSource } from "../src/worker/boot.ts";
import { createLoader } from "../src/worker/loader.ts";
import { test } from "./harness.ts";
import { inFolder, ROOT, runProgram } from "./run_program.ts";

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
