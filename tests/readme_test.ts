// Every example of the README is a program that runs, on either runtime. (Deno
// also runs most of them as doc tests, where `import.meta.main` is false.)

import { assertEquals } from "@std/assert";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "./harness.ts";
import { inFolder, ROOT, RUN, runProgram } from "./run_program.ts";

const readme = readFileSync(`${ROOT}README.md`, "utf8");
const examples = [...readme.matchAll(/^```ts(.*)\n([\s\S]*?)^```$/gm)];
const flags = (source: string) => {
  if (!("Deno" in globalThis)) return [];
  const write = source.includes("openJobLog(") ? ["--allow-write=."] : [];
  return ["--allow-read", ...write];
};

/** Where the packages are, seen from any folder. */
const files = new Map([
  ["@std/assert", `${ROOT}node_modules/deno-std/assert/mod.js`],
]);
const { exports } = JSON.parse(readFileSync(`${ROOT}deno.json`, "utf8"));
for (const [name, file] of Object.entries(exports)) {
  files.set(`@parallel/map${name.slice(1)}`, `${ROOT}${file}`);
}
const here = (source: string) =>
  source.replace(/(?<=from ")[^"]+/g, (name) => files.get(name) ?? name);

for (const [i, [, mark, source]] of examples.entries()) {
  test(
    `example ${i + 1} of README.md runs`,
    { timeout: 60_000 },
    () =>
      inFolder((folder) => {
        writeFileSync(`${folder}/example.ts`, here(source));
        const file = `${folder}/example.ts`;
        const end = runProgram([...RUN, ...flags(source), file], folder);
        assertEquals(end.code, 0, end.err);
        // Only a bar has business there; away from a terminal, it is a line.
        assertEquals(end.err !== "", source.includes("progressBar("), end.err);
        // It asserts what it shows. Marked, it is no doc test, and prints it.
        assertEquals(end.out === "", mark === "");
      }),
  );
}

test("README.md has examples", () => {
  assertEquals(examples.length >= 5, true);
});
