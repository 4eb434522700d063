// The lecture as a page (docs/lecture.html), with a script beside its own that
// plays it and reports what comes out.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "@std/path";
import { ROOT } from "../build.ts";
import { bundleForPage } from "./bundle.ts";
import type { Site } from "./site.ts";

/**
 * Writes the page.
 *
 * @param folder Where to.
 * @param site Hears the reports; otherwise the page may fetch nothing.
 */
export function writeLecture(folder: string, site: Site): void {
  const told = JSON.stringify(`report=${site.url}/report`);
  const player = bundleForPage(join(ROOT, "tests/browsers/lecture.ts"));
  const scripts = [`toldOfPage = ${told};`, player]
    .map((script) => `<script>${script}</script>`);
  const html = readFileSync(join(ROOT, "docs/lecture.html"), "utf8")
    .replace("default-src 'none'", "$&; connect-src *")
    // By a function, as a script may say "$&".
    .replace("</body>", () => `${scripts.join("")}</body>`);
  writeFileSync(join(folder, "lecture.html"), html);
}
