// Checks the shape of the house: imports only go down the layers, the graph of
// mod.ts holds nothing but its own files, and no file is too long to be read
// at one go. Says of each breach which file, and which rule.

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";

/** From low to high. A file may import from its own layer and those below. */
const LAYERS: string[] = [
  "src/words/",
  "src/core/api/",
  "src/core/wire/",
  "src/core/worker/",
  "src/core/runtime/",
  "src/core/engine/",
  "src/core/calls/",
  "mod.ts",
];

/** Above all layers, side by side: what each may import beside its own files. */
const USERS = new Map([
  ["src/progress/", ["mod.ts", "src/words/"]],
  ["src/timeline/", ["mod.ts", "src/words/"]],
  ["src/joblog/", ["mod.ts", "src/words/"]],
  ["src/nats/", ["mod.ts", "src/core/calls/seam.ts", "src/cli/seam.ts"]],
  ["src/cli/", [
    "mod.ts",
    "src/progress/mod.ts",
    "src/timeline/mod.ts",
    "src/joblog/",
    "src/words/",
  ]],
]);

/** Lines of code in a file, in which comments and empty lines do not count. */
const MOST_LINES = 260;
const MANY_LINES = 220;

/**
 * Tells which rule an import breaks.
 *
 * @param from The importing file, as a path from the root of the project.
 * @param to The imported file likewise, or a specifier such as `node:fs`. Deno
 * finds packages from npm in `node_modules/`.
 * @returns The rule, or undefined when the import is fine.
 */
export function brokenRule(from: string, to: string): string | undefined {
  for (const [folder, others] of USERS) {
    if (!from.startsWith(folder)) continue;
    const allowed = others.some((other) =>
      other.endsWith("/") ? to.startsWith(other) : to === other
    );
    return to.startsWith(folder) || allowed ||
        /^(npm:|node:|node_modules\/)/.test(to)
      ? undefined
      : `${folder} imports only its own files, ${
        others.join(", ")
      }, npm: and node:`;
  }
  const layer = layerOf(from);
  if (layer < 0) return `${from} has no place in the layers`;
  if (/^(\w+:|node_modules\/)/.test(to)) {
    return "the graph of mod.ts has no dependency";
  }
  return layerOf(to) < 0 || layerOf(to) > layer
    ? "imports only go down the layers"
    : undefined;
}

function layerOf(path: string): number {
  return LAYERS.findIndex((layer) =>
    layer.endsWith("/") ? path.startsWith(layer) : path === layer
  );
}

/** Counts the lines of code in a text. */
export function countLines(text: string): number {
  const isCode = (line: string) => !/^\s*(\/\/|\/?\*|$)/.test(line);
  return text.split("\n").filter(isCode).length;
}

/** What `deno info --json` tells, as far as it is needed. */
interface Graph {
  modules: {
    specifier: string;
    dependencies?: {
      specifier: string;
      code?: { specifier?: string };
      type?: { specifier?: string };
    }[];
  }[];
}

/** A file, and what it imports: paths or specifiers. */
interface Module {
  path: string;
  imports: string[];
}

/** A file, and all that it imports, and so on. */
function graphOf(file: string, root: URL): Module[] {
  const text = execFileSync(process.execPath, ["info", "--json", file], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  const path = (url: string) =>
    url.startsWith(root.href) ? url.slice(root.href.length) : url;
  return (JSON.parse(text) as Graph).modules.map((module) => ({
    path: path(module.specifier),
    imports: (module.dependencies ?? []).map(({ specifier, code, type }) =>
      path((code ?? type)?.specifier ?? specifier)
    ),
  }));
}

if (import.meta.main) {
  const root = new URL("../", import.meta.url);
  const { exports } = JSON.parse(
    readFileSync(new URL("deno.json", root), "utf8"),
  ) as { exports: Record<string, string> };
  const files = [
    ...new Set([ // what imports most comes first
      ...Object.values(exports).map((path) => path.slice(2)),
      ...readdirSync(new URL("src/", root), { recursive: true })
        .map((name) => `src/${String(name).replaceAll("\\", "/")}`)
        .filter((name) => name.endsWith(".ts")),
    ]),
  ];

  const breaches = new Set<string>();
  const seen = new Set<string>();
  for (const file of files) {
    if (seen.has(file)) continue; // it was in the graph of another
    for (const { path, imports } of graphOf(file, root)) {
      seen.add(path);
      if (!files.includes(path)) continue;
      for (const to of imports) {
        const rule = brokenRule(path, to);
        if (rule !== undefined) breaches.add(`${path} imports ${to}: ${rule}`);
      }
    }
  }

  for (const file of files) {
    const lines = countLines(readFileSync(new URL(file, root), "utf8"));
    const told = `${file} has ${lines} lines of code`;
    const most = MOST_LINES;
    if (lines > most) breaches.add(`${told}: at most ${most}`);
    else if (lines > MANY_LINES) console.log(`${told}: better ${MANY_LINES}`);
  }

  for (const breach of breaches) console.error(breach);
  console.log(`layers: ${files.length} files, ${breaches.size} breaches`);
  process.exitCode = breaches.size === 0 ? 0 : 1;
}
