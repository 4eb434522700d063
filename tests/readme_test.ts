// Every example of the README is a program that runs, on either runtime. (Deno
// also runs most of them as doc tests, where `import.meta.main` is false.)

import { assertEquals } from "@std/assert";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "./harness.ts";
import { inFolder, ROOT, RUN, runProgram } from "./run_program.ts";

const readme = readFileSync(`${ROOT}README.md`, "utf8");
const examples = [...readme.matchAll(/^```ts(.*)\n([\s\S]*?)^```$/gm)];
const read = "Deno" in globalThis ? ["--allow-read"] : [];

/** Says where the packages are, seen from another folder. */
const here = (source: string) =>
  source
    .replace('"@parallel/map"', `"${ROOT}mod.ts"`)
    .replace('"@std/assert"', `"${ROOT}node_modules/deno-std/assert/mod.js"`);

for (const [i, [, mark, source]] of examples.entries()) {
  test(
    `example ${i + 1} of README.md runs`,
    { timeout: 60_000 },
    () =>
      inFolder((folder) => {
        writeFileSync(`${folder}/example.ts`, here(source));
        const end = runProgram([...RUN, ...read, `${folder}/example.ts`]);
        // Only the imported form needs the mark, and prints.
        const out = mark === " ignore" ? /notes.txt.*hosts/s : /^$/;
        assertEquals({ ...end, out: out.test(end.out) }, {
          code: 0,
          out: true,
          err: "",
        });
      }),
  );
}

test("README.md has its examples", () => {
  assertEquals(examples.length >= 5, true);
});
