// Builds the lecture as a live page: one file that fetches nothing and works
// from a disk as from any server.
//
//     deno run -A scripts/page/build.ts # writes docs/lecture.html

import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "@std/path";
import { ROOT, run } from "../build.ts";
import { documentOf } from "./document.ts";

/** Where the page is. */
export const PAGE: string = join(ROOT, "docs/lecture.html");

const HERE = join(ROOT, "scripts/page");

/** What is shown of a file: all but the comment at its head. */
function codeOf(file: string): string {
  const text = readFileSync(join(HERE, `code/${file}.js`), "utf8");
  return text.replace(/^(\/\/.*\n|\n)+/, "").trimEnd();
}

/** A page is in a browser: what starts workers elsewhere stays out of it. */
const DETECT = `
import { browserRuntime } from "./browser.ts";
export const detectRuntime = () => browserRuntime(globalThis);
`;

/** The script of the page with all that it imports. */
function script(): string {
  const folder = mkdtempSync(join(tmpdir(), "parallel-map-page-"));
  try {
    const parts = ["mod.ts", "tsconfig.json", "src", "scripts/page"];
    for (const name of [...parts, "scripts/lecture"]) {
      cpSync(join(ROOT, name), join(folder, name), { recursive: true });
    }
    writeFileSync(join(folder, "src/core/runtime/detect.ts"), DETECT);
    const text = run(
      { cwd: folder },
      "esbuild",
      "scripts/page/live/main.ts",
      ...["--bundle", "--format=iife", "--minify", "--target=es2022"],
      ...["--charset=utf8", "--log-level=error"],
      `--define:COUNTER=${JSON.stringify(codeOf("counter"))}`,
    );
    return text.replaceAll("</script", "<\\/script").trimEnd();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The style sheets, one after another. */
function style(): string {
  const input = readdirSync(join(HERE, "style")).sort()
    .map((name) => readFileSync(join(HERE, "style", name), "utf8")).join("\n");
  return run({ cwd: ROOT, input }, "esbuild", "--loader=css", "--minify")
    .trimEnd();
}

/**
 * Builds the page.
 *
 * @returns A whole HTML document.
 */
export function buildPage(): string {
  return documentOf({ style: style(), script: script(), codeOf });
}

if (import.meta.main) {
  const html = buildPage();
  writeFileSync(PAGE, html);
  console.log(`docs/lecture.html: ${(html.length / 1000).toFixed(1)} kB`);
}
