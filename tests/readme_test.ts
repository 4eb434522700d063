// Every example of the README and of the pages in docs/ is a program that runs,
// on each runtime. (Deno also runs most of them as doc tests, where
// `import.meta.main` is false.)

import { assertEquals } from "@std/assert";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "./harness.ts";
import { inFolder, ROOT, RUN, runProgram } from "./run_program.ts";

/** The README and the pages. */
const documents = ["README.md"].concat(
  readdirSync(`${ROOT}docs`).filter((name) => name.endsWith(".md")).sort()
    .map((name) => `docs/${name}`),
);
const examples = documents.flatMap((document) => {
  const text = readFileSync(`${ROOT}${document}`, "utf8");
  return [...text.matchAll(/^```ts(.*)\n([\s\S]*?)^```$/gm)].map(
    ([, mark, source], i) => ({
      name: `example ${i + 1} of ${document}`,
      mark,
      source,
    }),
  );
});
const flags = (source: string) => {
  if (!("Deno" in globalThis)) return [];
  if (source.includes('"processes"')) return ["-A"];
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

for (const { name, mark, source } of examples) {
  test(
    `${name} runs`,
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

test("README.md and the pages have examples", () => {
  assertEquals(examples.length >= 15, true);
});
