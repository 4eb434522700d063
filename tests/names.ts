// Lets Node.js find packages by the names that tsconfig.json gives them, as Bun
// does by itself:
//
//   node --import ./tests/names.ts --test tests/lecture_test.ts

import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";

const root = new URL("../", import.meta.url);
const { compilerOptions } = JSON.parse(
  readFileSync(new URL("tsconfig.json", root), "utf8"),
) as { compilerOptions: { paths: Record<string, [string]> } };
const paths = new Map(Object.entries(compilerOptions.paths));

registerHooks({
  resolve(name, context, next) {
    const [path] = paths.get(name) ?? [];
    return next(path === undefined ? name : new URL(path, root).href, context);
  },
});
