// Bundles a program for a page: one script, which also works in a page that is a
// file on disk. Its workers come out of it, so nothing lies beside it.
//
//     deno run -A scripts/browsers/bundle.ts PROGRAM.ts > page.js

import process from "node:process";
import { resolve } from "@std/path";
import { ROOT, run } from "../build.ts";

/**
 * Bundles a program.
 *
 * @param path Path of its entry; it may import this package by its name.
 * @returns JavaScript for `<script>` in a page, without imports and exports.
 */
export function bundleForPage(path: string): string {
  const script = run(
    { cwd: ROOT },
    "esbuild",
    resolve(path),
    ...["--bundle", "--format=iife", "--minify", "--target=es2022"],
    ...["--charset=utf8", "--log-level=error"],
  );
  return inPage(script);
}

/**
 * Lets a script stand in a page: nothing in it ends `<script>`, or makes the rest
 * of the page a part of it, as `<!--` before `<script` does.
 *
 * @param script JavaScript that esbuild wrote: it has these in no code, but in
 * texts and regular expressions.
 * @returns The same, as it can be in HTML, but for what `String.raw` gives.
 */
export function inPage(script: string): string {
  return script.replace(/<(?=\/script)/gi, "<\\").replaceAll(
    "<!--",
    "<!-\\x2d", // also right in an expression, as in (?<!--)
  );
}

if (import.meta.main) {
  const [path] = process.argv.slice(2);
  if (path === undefined) {
    console.error("Usage: bundle.ts PROGRAM.ts");
    process.exit(2);
  }
  process.stdout.write(bundleForPage(path));
}
