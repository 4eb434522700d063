// Every example of the README and of the pages in docs/ is a program that runs,
// on each runtime. (Deno also runs most of them as doc tests, where
// `import.meta.main` is false.)

import { assertEquals } from "@std/assert";
import {
  cpSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { runtime, test } from "./harness.ts";
import { inFolder, ROOT, RUN, runProgram } from "./run_program.ts";

/** The README and the pages. */
const documents = ["README.md"].concat(
  readdirSync(`${ROOT}docs`).filter((name) => name.endsWith(".md")).sort()
    .map((name) => `docs/${name}`),
);
const examples = documents.flatMap((document) => {
  const text = readFileSync(`${ROOT}${document}`, "utf8");
  const blocks =
    /^```ts(.*)\n([\s\S]*?)^```$(?:\n\n```txt\n([\s\S]*?)^```$)?/gm;
  return [...text.matchAll(blocks)].map(([, mark, source, prints], i) => ({
    name: `example ${i + 1} of ${document}`,
    mark,
    source,
    prints, // what stands below it, if anything
  }));
});
const flags = (source: string) => {
  if (runtime !== "deno") return [];
  if (source.includes('"processes"')) return ["-A"];
  const writes = /openJobLog\(|writeFile\(/.test(source);
  const serves = source.includes("createServer(");
  return [
    "--allow-read",
    ...(writes ? ["--allow-write=."] : []),
    ...(serves ? ["--allow-net"] : []),
  ];
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

/** Gives a folder what a reader has there: files to map, and packages. */
function furnish(folder: string): void {
  cpSync(`${ROOT}tests/fixtures/recipe_files`, folder, { recursive: true });
  const { devDependencies } = JSON.parse(
    readFileSync(`${ROOT}package.json`, "utf8"),
  );
  const settings = { type: "module", dependencies: devDependencies };
  writeFileSync(`${folder}/package.json`, JSON.stringify(settings));
  writeFileSync(`${folder}/deno.json`, "{}"); // processes of Deno look for it
  symlinkSync(`${ROOT}node_modules`, `${folder}/node_modules`, "dir");
}

for (const { name, mark, source, prints } of examples) {
  test(
    `${name} runs`,
    () =>
      inFolder((folder) => {
        furnish(folder);
        writeFileSync(`${folder}/example.ts`, here(source));
        const file = `${folder}/example.ts`;
        const end = runProgram([...RUN, ...flags(source), file], folder);
        assertEquals(end.code, 0, end.err);
        // Only a bar has business there; away from a terminal, it is a line.
        assertEquals(end.err !== "", source.includes("progressBar("), end.err);
        // It asserts what it shows. Marked, it is no doc test, and prints it.
        assertEquals(end.out === "", mark === "");
        if (prints !== undefined) assertEquals(end.out, prints);
      }),
  );
}

test(
  "examples that are no doc tests have no type errors",
  { timeout: 300_000, ignore: runtime !== "deno" },
  () =>
    inFolder((folder) => {
      furnish(folder);
      const compilerOptions = { noUncheckedIndexedAccess: true }; // as bun init
      writeFileSync(`${folder}/deno.json`, JSON.stringify({ compilerOptions }));
      const marked = examples.filter(({ mark }) => mark !== "");
      const files = marked.map(({ name, source }) => {
        const own = source.match(/^\/\/ (\w+\.ts)/)?.[1]; // it imports itself
        const file = `${folder}/${own ?? name.replace(/\W+/g, "_") + ".ts"}`;
        writeFileSync(file, here(source));
        return file;
      });
      const end = runProgram(
        ["deno", "check", "--quiet", ...files],
        folder,
        "",
        300_000,
      );
      assertEquals(end, { code: 0, out: "", err: "" });
    }),
);

test("README.md and the pages have examples", () => {
  assertEquals(examples.length >= 15, true);
});
