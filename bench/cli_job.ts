/**
 * A real job: the SHA-256 of a few thousand files, by `pmap` on both runtimes
 * and by `xargs` and GNU parallel with one process per input.
 *
 *     deno run -A bench/cli_job.ts [files] [repeats]
 */

import { mkdirSync, writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { folder } from "../tests/pmap.ts";
import type { Contender } from "./commands.ts";
import { has, measure, print, printPlace, runtimes } from "./commands.ts";

const FILES = Number(process.argv[2] ?? 4000);
const REPEATS = Number(process.argv[3] ?? 5);

/** A process per input that has to start a runtime is only given so many. */
const FEW = Math.min(FILES, 100);

const pathOf = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const pmap = pathOf("../src/cli/main.ts");
const work = pathOf("./cli_work.ts");

using dir = folder();
mkdirSync(dir.path("files"));
const paths: string[] = [];
for (let i = 0; i < FILES; i++) {
  const path = dir.path(`files/${i}.bin`);
  // 4 to 64 KB, as source files and small pictures are.
  const bytes = new Uint8Array(4096 + (i * 7919) % 61440);
  for (let at = 0; at < bytes.length; at++) bytes[at] = (at * 31 + i) & 255;
  writeFileSync(path, bytes);
  paths.push(path);
}
const list = (count: number) => {
  const file = dir.path(`list-${count}`);
  writeFileSync(
    file,
    paths.slice(0, count).map((path) => `${path}\n`).join(""),
  );
  return file;
};

const ours = (count: number): Contender[] =>
  runtimes().map(({ name, run }) => ({
    name: `pmap on ${name}`,
    command: `${run} ${pmap} ${work}#digest --lines --raw < ${list(count)}`,
  }));

/** GNU parallel is not everywhere. */
const parallel = has("parallel")
  ? [
    {
      name: "parallel, a process a file",
      command: `parallel -j2 sha256sum < ${list(FILES)}`,
    },
    {
      name: "parallel -X, as many files as fit",
      command: `parallel -j2 -X sha256sum < ${list(FILES)}`,
    },
  ]
  : [];

printPlace([
  "deno",
  "bun",
  "xargs",
  ...parallel.length > 0 ? ["parallel"] : [],
  "sha256sum",
]);
console.log(`sha256 of ${FILES} files; a C program`);
print(
  measure(
    [
      ...ours(FILES),
      {
        name: "xargs, a process a file",
        command: `xargs -P2 -n1 sha256sum < ${list(FILES)}`,
      },
      {
        name: "xargs, a process for 100 files",
        command: `xargs -P2 -n100 sha256sum < ${list(FILES)}`,
      },
      {
        name: "xargs, one process for all",
        command: `xargs sha256sum < ${list(FILES)}`,
      },
      ...parallel,
    ],
    REPEATS,
    dir.path("time"),
  ),
  FILES,
);
console.log(`\nthe same function on ${FEW} files; a runtime per file`);
print(
  measure(
    [
      ...ours(FEW),
      ...runtimes().flatMap(({ name, run }) => [
        {
          name: `xargs, ${name} a file`,
          command: `xargs -P2 -n1 ${run} ${work} < ${list(FEW)}`,
        },
        ...parallel.slice(0, 1).map(() => ({
          name: `parallel, ${name} a file`,
          command: `parallel -j2 ${run} ${work} < ${list(FEW)}`,
        })),
      ]),
    ],
    Math.min(REPEATS, 3),
    dir.path("time"),
  ),
  FEW,
);
