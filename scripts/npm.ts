// Writes what is published on npm to a folder: the same small files as on JSR,
// and their types as declarations, as a package there must be JavaScript.
//
//     deno run -A scripts/npm.ts FOLDER     # and then: cd FOLDER && npm publish

import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { dirname, join, resolve } from "@std/path";
import { bundle, cutLinks, readConfig, ROOT, run } from "./build.ts";

/** An import of another file of this package, in a declaration file. */
const IMPORT = /^((?:import|export)\b.* from "\.[^"]*)\.ts";$/gm;

/**
 * Writes the declarations of the entry points, and of what these import.
 *
 * Not by `deno pack`, which forgets `[Symbol.asyncDispose]` (Deno 2.9.5,
 * denoland/deno#36567, tests/build_test.ts).
 */
function declare(folder: string): void {
  const at = mkdtempSync(join(tmpdir(), "parallel-map-types-"));
  try {
    cpSync(join(ROOT, "mod.ts"), join(at, "mod.ts"));
    cpSync(join(ROOT, "src"), join(at, "src"), { recursive: true });
    rmSync(join(at, "src/nats"), { recursive: true }); // a package of its own
    writeFileSync(join(at, "deno.json"), "{}");
    const entries = Object.values(readConfig().exports);
    const sources = readdirSync(at, { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts"));
    const transpile = ["transpile", "--declaration", "--outdir", "out"];
    run({ cwd: at }, "deno", ...transpile, ...sources);
    const paths = new Set(entries.map((path) => join(path)));
    for (const path of paths) { // it grows meanwhile
      const declaration = path.replace(/\.ts$/, ".d.ts");
      const text = readFileSync(join(at, "out", declaration), "utf8")
        .replace(/^\/\/\/ <amd-module .*\n/m, ""); // a path of this machine
      for (const [, statement] of text.matchAll(IMPORT)) {
        const to = statement.slice(statement.indexOf('"') + 1);
        paths.add(join(dirname(path), `${to}.ts`));
      }
      mkdirSync(join(folder, dirname(path)), { recursive: true });
      writeFileSync(
        join(folder, declaration),
        text.replace(IMPORT, '$1.js";'),
      );
    }
  } finally {
    rmSync(at, { recursive: true });
  }
}

/**
 * Builds the package for npm.
 *
 * @param to The folder; it is made if need be.
 */
export function buildForNpm(to: string): void {
  const folder = resolve(to);
  const { name, version, license, publish } = readConfig();
  const entries = bundle(folder);
  declare(join(folder, "types"));
  const texts = publish.include.filter((file) => !/src|\.ts$/.test(file));
  for (const file of globSync(texts, { cwd: ROOT })) {
    cpSync(join(ROOT, file), join(folder, file));
  }
  cutLinks(folder);
  const command = entries.find(({ name }) => name === "./cli")!.file;
  const text = readFileSync(join(folder, command), "utf8");
  writeFileSync(
    join(folder, command),
    text.replace(/^#!.*/, "#!/usr/bin/env node"),
  );
  const exports = entries.map(({ name, source, file }) => {
    const types = `./types/${source.slice(2).replace(/\.ts$/, ".d.ts")}`;
    return [name, { types, default: file }] as const;
  });
  const published = {
    name,
    version,
    license,
    description: "Data-parallel map for Node.js, Deno, Bun and browsers",
    type: "module",
    exports: Object.fromEntries(exports),
    bin: { pmap: command },
    engines: { node: ">=24.2" }, // as in src/core/runtime/detect.ts
  };
  const manifest = JSON.stringify(published, null, 2);
  writeFileSync(join(folder, "package.json"), `${manifest}\n`);
}

if (import.meta.main) {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) {
    console.error("Usage: npm.ts FOLDER");
    process.exit(2);
  }
  buildForNpm(folder);
  console.log(`built: ${folder}`);
}
