// What is published works as it is loaded from there, on the runtime at hand.
import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import { build } from "../scripts/build.ts";
import { buildForNpm } from "../scripts/npm.ts";
import { runtime, test } from "./harness.ts";
import { inFolder, makeOnce, RUN_ALL, runProgram } from "./run_program.ts";

const PROGRAM = `
import { parallelMap, parallelReduce, Pool, TaskError } from "@parallel/map";
import { progressBar } from "@parallel/map/progress";
import { Timeline } from "@parallel/map/timeline";

const timeline = new Timeline();
const doubled: number[] = await parallelMap((n) => n * 2, [1, 2, 3], {
  onEvent: timeline.record,
  onProgress: progressBar(),
});
const fail = (n: number) => {
  if (n === 2) throw new RangeError("two");
  return { n };
};
const error = await parallelMap(fail, [1, 2]).catch((error) => error);
const sum = await parallelReduce(
  (n, { data }) => n * data.times(1),
  (a: number, b: number) => a + b,
  [1, 2, 3],
  { backend: "threads", data: { times: (n: number) => n * 10 } },
);
await using pool = new Pool({ workers: 1 });
await pool.start();
console.log(doubled.join(), sum, error instanceof TaskError, error.index);
console.log(timeline.report().includes("3 tasks"));
`;

/** Runs the program in a folder in which the package is found by its name. */
function checkProgram(folder: string): void {
  writeFileSync(join(folder, "program.ts"), PROGRAM);
  const compiled = join(folder, "compiled"); // by Bun: what is large
  const { code, out, err } = runProgram([
    ...["env", `BUN_RUNTIME_TRANSPILER_CACHE_PATH=${compiled}`],
    ...[...RUN_ALL, "program.ts"],
  ], folder);
  assertEquals([code, out], [0, "2,4,6 60 true 1\ntrue\n"], err);
  assert(!existsSync(compiled), "it was compiled again");
}

/** Checks the types of the program: what is right, and what is not. */
function checkTypes(folder: string): void {
  if (runtime !== "deno") return; // it is Deno that checks types
  const wrong = `
// @ts-expect-error -- its results are numbers
const texts: string[] = await parallelMap((n: number) => n * 2, [1, 2, 3]);
texts.sort();
`;
  writeFileSync(join(folder, "checked.ts"), PROGRAM + wrong);
  const { code, err } = runProgram(["deno", "check", "checked.ts"], folder);
  assertEquals(code, 0, err);
}

/** Runs the command, as a user would call it in a folder. */
function checkCommand(folder: string, path: string): void {
  writeFileSync(join(folder, "work.ts"), "export const f = (n) => n + 1;");
  const command = [...RUN_ALL, path, "./work.ts#f"];
  const { code, out, err } = runProgram(command, folder, "1\n2\n");
  assertEquals([code, out], [0, "2\n3\n"], err);
}

/** Looks for links to files that are not in the package. */
function checkLinks(folder: string): void {
  const texts = globSync(["*.md", "docs/*.md"], { cwd: folder });
  assert(texts.length > 10, texts.join());
  const dead: string[] = [];
  for (const path of texts) {
    const text = readFileSync(join(folder, path), "utf8");
    for (const [, target] of text.matchAll(/\]\(([^)#\s]+)/g)) {
      if (/^https?:/.test(target!)) continue;
      const led = join(folder, dirname(path), target!);
      if (!existsSync(led)) dead.push(`${path}: ${target}`);
    }
  }
  assertEquals(dead, []);
}

/** Builds the package for npm and installs it in a project. */
function installFromNpm(project: string): void {
  inFolder((folder) => {
    const files = ["built/main.js", "built/chunk-OLD.js", "types/src/old.d.ts"];
    const old = [...files, "docs/old.md", "mod.ts", "deno.json"]
      .map((path) => join(folder, "package", path));
    for (const path of old) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, "");
    }
    // By a relative path, as in the README.
    buildForNpm(relative(process.cwd(), join(folder, "package")));
    const [main, ...others] = old;
    assert(readFileSync(main, "utf8") !== "");
    assertEquals(others.filter((path) => existsSync(path)), []);
    const packed = runProgram(["npm", "pack", "./package"], folder);
    assertEquals(packed.code, 0, packed.err);
    mkdirSync(project, { recursive: true });
    const manifest = '{ "type": "module", "private": true }';
    writeFileSync(join(project, "package.json"), manifest);
    const tarball = join(folder, packed.out.trim().split("\n").at(-1)!);
    const install = ["npm", "install", "--offline", "--no-audit", tarball];
    const installed = runProgram(install, project);
    assertEquals(installed.code, 0, installed.err);
  });
}

test("nothing is built where anything else is", () => {
  inFolder((folder) => {
    const path = join(folder, "src", "mine.ts");
    mkdirSync(dirname(path));
    writeFileSync(path, "mine");
    for (const make of [build, buildForNpm]) {
      assertThrows(
        () => make(folder),
        Error,
        "must be empty, or hold an earlier",
      );
    }
    assertEquals(readFileSync(path, "utf8"), "mine");
  });
});

test("a build that fails leaves nothing that is in the way of the next", () => {
  inFolder((folder) => {
    const at = join(folder, "package");
    mkdirSync(at);
    const { stringify } = JSON;
    JSON.stringify = () => {
      throw new Error("no text");
    };
    try {
      for (const make of [build, buildForNpm]) {
        assertThrows(() => make(at), Error, "no text");
      }
    } finally {
      JSON.stringify = stringify;
    }
    assertEquals(readdirSync(at), []);
  });
});

test("the built package runs, has its types, and its command", {
  timeout: 1_800_000,
}, () => {
  inFolder((folder) => {
    const at = join(folder, "package");
    makeOnce(at, build);
    checkLinks(at);
    const { exports } = JSON.parse(
      readFileSync(join(at, "deno.json"), "utf8"),
    ) as { exports: Record<string, string> };
    // As packages are found by name, on any runtime.
    const modules = join(folder, "node_modules", "@parallel");
    mkdirSync(modules, { recursive: true });
    cpSync(at, join(modules, "map"), { recursive: true });
    const manifest = { name: "@parallel/map", type: "module", exports };
    writeFileSync(
      join(modules, "map", "package.json"),
      JSON.stringify(manifest),
    );
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    checkProgram(folder);
    checkTypes(at);
    checkCommand(folder, join(at, exports["./cli"]));
  });
});

test("the package for npm, installed, runs, has its types, and its command", {
  timeout: 1_800_000,
}, () => {
  inFolder((folder) => {
    const project = join(folder, "project");
    makeOnce(project, installFromNpm);
    checkProgram(project);
    checkTypes(project);
    checkLinks(join(project, "node_modules/@parallel/map"));
    const { bin } = JSON.parse(
      readFileSync(
        join(project, "node_modules/@parallel/map/package.json"),
        "utf8",
      ),
    ) as { bin: { pmap: string } };
    checkCommand(project, `node_modules/@parallel/map/${bin.pmap}`);
    assertStringIncludes(
      readFileSync(join(project, "node_modules", ".bin", "pmap"), "utf8"),
      "node",
    );
  });
});
