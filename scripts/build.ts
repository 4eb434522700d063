// Writes what is published to a folder: each entry point as a small file, with
// what they share in another, and the sources beside them for their types. A
// runtime needs a moment for each file that it loads: 60 of them cost a cold
// start on Bun 4 ms of 28 (bench row "cold"). The program of a worker is in it
// as one short text, which no bundler of a user can spoil.
//
//     deno run -A scripts/build.ts FOLDER     # and then: cd FOLDER && deno publish
//     deno run -A scripts/build.ts --dry-run  # builds, and tries to publish

import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  globSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { DELIMITER, dirname, join, relative, resolve } from "@std/path";
import { programSource } from "../src/core/worker/program.ts";

/** The root of this project. */
export const ROOT: string = join(import.meta.dirname!, "..");

/** What is known of the package. */
export interface Config {
  name: string;
  version: string;
  license: string;
  exports: Record<string, string>;
  publish: { include: string[] };
}

/** An entry point of the package. */
export interface Entry {
  /** As in deno.json: `.`, or `./cli`. */
  name: string;
  /** Path of its source, from the root. */
  source: string;
  /** Path of what is built of it, from the root of the package. */
  file: string;
}

/** Reads what is known of the package. */
export function readConfig(): Config {
  return JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8"));
}

/** Runs a program that must succeed, and gives what it printed. */
export function run(
  { cwd, input }: { cwd: string; input?: string },
  program: string,
  ...args: string[]
): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    input,
    encoding: "utf8",
    env: {
      ...process.env,
      PATH: join(ROOT, "node_modules", ".bin") + DELIMITER + process.env.PATH,
    },
  });
  if (status === 0) return stdout;
  throw new Error(`${program} failed: ${error ?? stdout + stderr}`);
}

/**
 * The program of a worker, as short as can be: each worker has to read it. What
 * is written is a function, as a text in it may have to be code (browsers).
 */
function program(): string {
  const shrink = (input: string) =>
    run({ cwd: ROOT, input }, "esbuild", "--minify").trim();
  // Each rare part by itself, as it is a text in there; and given to a name, or
  // nothing would be left of it.
  const parts: string[] = [];
  const source = shrink(programSource(false, (part) => {
    const short = shrink(`_=${part}`).replace(/^_=|;$/g, "");
    return `@${parts.push(`(${short})`) - 1}@`;
  }));
  // Every other piece is one of those parts.
  const pieces = source.split(/eval\("@(\d+)@"\)/)
    .map((piece, i) => i % 2 === 1 ? parts[Number(piece)] : piece);
  if (pieces.length !== 2 * parts.length + 1) {
    throw new Error(`esbuild left ${pieces.length} pieces of ${parts.length}`);
  }
  const list = JSON.stringify(pieces);
  return `const pieces = ${list};
const asText = (part) => \`eval(\${JSON.stringify(part)})\`;
export const programSource = (whole) =>
  pieces.map((piece, i) => i % 2 && !whole ? asText(piece) : piece).join("");
`;
}

/** Takes an earlier build away; refuses a folder that holds anything else. */
function clear(folder: string): void {
  if (!existsSync(folder) || readdirSync(folder).length === 0) return;
  if (!existsSync(join(folder, "built", "main.js"))) {
    throw new Error(
      `Cannot build as the folder must be empty, or hold an earlier build: received ${folder}`,
    );
  }
  // Those of a package for npm as well, and of one for JSR.
  const folders = ["built", "types", "docs", "src"];
  for (const part of [...folders, "mod.ts", "deno.json", "package.json"]) {
    rmSync(join(folder, part), { recursive: true, force: true });
  }
}

/**
 * Writes the entry points as JavaScript.
 *
 * @param folder Root of the package: what an earlier build put there goes.
 * @returns The entry points.
 */
export function bundle(folder: string): Entry[] {
  clear(folder);
  const built = Object.entries(readConfig().exports).map(([name, source]) => {
    const file = `${name === "." ? "main" : name.slice(2)}.js`;
    return { name, source, file: `./built/${file}` };
  });
  const sources = mkdtempSync(join(tmpdir(), "parallel-map-sources-"));
  try {
    cpSync(join(ROOT, "src"), join(sources, "src"), { recursive: true });
    cpSync(join(ROOT, "mod.ts"), join(sources, "mod.ts"));
    writeFileSync(
      join(sources, "src/core/worker/program.ts"),
      program(),
    );
    run(
      { cwd: sources },
      "esbuild",
      ...built.map(({ source, file }) => `${file.slice(8, -3)}=${source}`),
      "--bundle",
      "--splitting", // the accessories use the same core
      "--format=esm",
      "--target=es2024", // down from there, functions would need others to be sent
      "--platform=neutral",
      "--external:node:*",
      // Bun runs it as it is, and does not compile it again: 15 ms of the first
      // start on a machine.
      "--banner:js=// @bun",
      `--outdir=${join(folder, "built")}`,
    );
  } finally {
    rmSync(sources, { recursive: true });
  }
  return built;
}

/** A link to a file, in a text, and where it leads. */
const LINK = /(?<!!)\[[^\]]+\]\(([\w./-]+(?:\.\w+|\/))(?:#[^)]*)?\)/g;

/**
 * Names files that are not published, where links would lead to nothing.
 *
 * @param folder Root of the package.
 */
export function cutLinks(folder: string): void {
  for (const path of globSync(["*.md", "docs/*.md"], { cwd: folder })) {
    const file = join(folder, path);
    const text = readFileSync(file, "utf8").replace(
      LINK,
      (link, target) => {
        const named = join(dirname(file), target);
        return existsSync(named) ? link : `\`${relative(folder, named)}\``;
      },
    );
    writeFileSync(file, text);
  }
}

/**
 * Builds the package for JSR.
 *
 * @param to The folder; it is made if need be.
 */
export function build(to: string): void {
  const folder = resolve(to);
  const config = readConfig();
  const built = bundle(folder);
  for (const name of globSync(config.publish.include, { cwd: ROOT })) {
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  }
  cutLinks(folder);
  for (const { source, file } of built) {
    const path = join(folder, file);
    const types = `// @ts-self-types="../${source.slice(2)}"\n`;
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.replace(/^.*@bun\n/m, `$&${types}`));
  }
  const { name, version, license } = config;
  const exports = Object.fromEntries(
    built.map(({ name, file }) => [name, file]),
  );
  const published = { name, version, license, exports };
  writeFileSync(join(folder, "deno.json"), JSON.stringify(published, null, 2));
}

if (import.meta.main) {
  const [target] = process.argv.slice(2);
  if (target === undefined) {
    console.error("Usage: build.ts FOLDER | --dry-run");
    process.exit(2);
  }
  if (target !== "--dry-run") build(target);
  else {
    const folder = mkdtempSync(join(tmpdir(), "parallel-map-build-"));
    try {
      build(folder);
      // Its types are checked where it is used: tests/build_test.ts.
      const flags = ["--dry-run", "--allow-dirty", "--no-check"];
      run({ cwd: folder }, process.execPath, "publish", ...flags);
      console.log("built, and could be published");
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
}
