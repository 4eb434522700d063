import { assertEquals } from "@std/assert";
import {
  anchorsOf,
  commentsOf,
  differences,
  houseOf,
  linksIn,
  optionsOf,
  pathsIn,
} from "../scripts/texts.ts";
import { test } from "./harness.ts";

test("commentsOf() gives what a source says to people, and no code", () => {
  const source = [
    "/**",
    " * Says more than",
    " * one line.",
    " */",
    'import { a } from "./a.ts"; // of the neighbour',
    'const text = "no // comment";',
    'const more = "x"; // "one" after strings',
    "  // The last.",
    "const half = 4 / 2 * 3;",
  ].join("\n");
  assertEquals(
    commentsOf(source).split(/\s+/).filter(Boolean).join(" "),
    'Says more than one line. of the neighbour "one" after strings The last.',
  );
});

test("pathsIn() finds folders, files and names of files in a sentence", () => {
  const cases: [text: string, paths: string[]][] = [
    ["It stands in src/wire/rows.ts.", ["src/wire/rows.ts"]],
    ["(bench/micro/packing.ts), tests/fixtures/,", [
      "bench/micro/packing.ts",
      "tests/fixtures/",
    ]],
    ["see packing.ts and start_test.ts", ["packing.ts", "start_test.ts"]],
    ["twice: docs/a.md, docs/a.md", ["docs/a.md"]],
    ["check tests/ bench/*.ts", ["tests/", "bench/"]],
    ["of a user: ./work.ts, C:\\work.ts, file:///no/such.ts", []],
    ["../src/other.ts is a link, 2.ts is a number", []],
  ];
  for (const [text, paths] of cases) assertEquals(pathsIn(text), paths, text);
});

test("linksIn() finds the links that stay in the project", () => {
  const text = "[a](docs/a.md#b), ![c](d.png), [e](https://f.org), [g](#h)";
  assertEquals(linksIn(text), ["docs/a.md#b", "d.png", "#h"]);
});

test("anchorsOf() names headings as GitHub does", () => {
  const text = "# @parallel/map\n\n### What `fn` sees, and when…\n";
  assertEquals(anchorsOf(text), ["parallelmap", "what-fn-sees-and-when"]);
});

test("houseOf() reads which files a folder has", () => {
  const house = [
    "mod.ts             the front page",
    "",
    "src/core/wire/     what crosses",
    "  packing.ts       the values of a chunk: see rows.ts",
    "  columns.ts  rows.ts    numbers",
    "",
    "src/words/units.ts       numbers as people read them",
    "",
    "tests/             one suite",
  ].join("\n");
  assertEquals(houseOf(house), [
    "src/core/wire/packing.ts",
    "src/core/wire/columns.ts",
    "src/core/wire/rows.ts",
    "src/words/units.ts",
  ]);
});

test("optionsOf() reads every table of options, and no other", () => {
  const text = [
    "| error | when |",
    "| ----- | ---- |",
    "| `Oh`  | no   |",
    "",
    "| option    | default |",
    "| --------- | ------- |",
    "| `workers` | cores   |",
    "| `module`  | `x`     |",
    "",
    "| option  | default |",
    "| ------- | ------- |",
    "| `retry` | 0       |",
  ].join("\n");
  assertEquals(optionsOf(text), [["workers", "module"], ["retry"]]);
});

test("differences() names what only one of two lists has, and which", () => {
  assertEquals(differences(["A", ["a", "b"]], ["B", ["b", "c"]]), [
    "a is in A, and not in B",
    "c is in B, and not in A",
  ]);
});
