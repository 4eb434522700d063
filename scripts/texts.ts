// Checks that what the texts of this project speak of is there: paths in
// comments and documents, links, the files in the house of CONTRIBUTING.md, and
// the options in the tables of docs/options.md and docs/cluster.md. Says of each
// breach which text.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import process from "node:process";
import {
  MAP_RULES,
  POOL_RULES,
  REDUCE_RULES,
  STREAM_RULES,
} from "../src/core/api/option_rules.ts";
import { CONNECT_RULES, WORKER_RULES } from "../src/nats/options.ts";

/**
 * Finds what a source says to people.
 *
 * @param source TypeScript. A line of a template that looks like a comment is
 * taken for one.
 * @returns Its comments in one line, as a sentence may go over several.
 */
export function commentsOf(source: string): string {
  return source.split("\n").map((line) => {
    const whole = line.match(/^\s*(?:\/\/|\/?\*+(?!\/))(.*)$/);
    if (whole !== null) return whole[1];
    const [, code, comment] = line.match(/^(.*?)\s\/\/\s(.*)$/) ?? ["", "", ""];
    const inString = ['"', "'", "`"].some((quote) =>
      code.split(quote).length % 2 === 0
    );
    return inString ? "" : comment;
  }).join(" ");
}

/**
 * Finds the files and folders that a text speaks of.
 *
 * @param text Of a document or of comments.
 * @returns Paths from the root of the project, and names of files alone, such
 * as packing.ts. What begins with "./" is a file of somebody else.
 */
export function pathsIn(text: string): string[] {
  const path =
    /(?<![\w./\\-])(?:(?:src|tests|bench|scripts|docs)\/(?:[\w./-]*[\w/])?|[a-z]\w*\.ts\b(?!#))/g;
  return [...new Set(text.match(path))];
}

/**
 * Finds where the links of a document go.
 *
 * @param markdown The document.
 * @returns The targets inside the project, as they are written.
 */
export function linksIn(markdown: string): string[] {
  return [...markdown.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link)
    .filter((link) => !/^\w+:/.test(link));
}

/**
 * Finds what may stand behind the "#" of a link to a document.
 *
 * @param markdown The document.
 * @returns The names that GitHub gives to its headings.
 */
export function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-")
  );
}

/**
 * Finds the files of the house.
 *
 * @param markdown CONTRIBUTING.md: under each folder of src/, its files,
 * indented.
 * @returns Paths from the root of the project.
 */
export function houseOf(markdown: string): string[] {
  let folder = "";
  return markdown.split("\n").flatMap((line) => {
    folder = line.match(/^(src\/[\w/]+\/)\s/)?.[1] ?? folder;
    const alone = line.match(/^src\/\S+\.ts/);
    if (alone !== null) return alone;
    const names = line.match(/^ {2}\w+\.ts(?: +\w+\.ts)*/)?.[0] ?? "";
    return names.split(/ +/).filter(Boolean).map((name) => folder + name);
  });
}

/**
 * Finds the options in the tables of a document.
 *
 * @param markdown The document.
 * @returns Of each table with the heading "option", the names in it.
 */
export function optionsOf(markdown: string): string[][] {
  return [...markdown.matchAll(/^\| option .*\n.*\n((?:\|.*\n?)*)/gm)].map(
    ([, rows]) => [...rows.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name),
  );
}

/**
 * Compares two lists of names.
 *
 * @returns What is in only one of them, as a sentence each.
 */
export function differences(
  [one, inOne]: [string, string[]],
  [other, inOther]: [string, string[]],
): string[] {
  const only = (names: string[], others: string[]) =>
    names.filter((name) => !others.includes(name));
  return [
    ...only(inOne, inOther).map((name) =>
      `${name} is in ${one}, and not in ${other}`
    ),
    ...only(inOther, inOne).map((name) =>
      `${name} is in ${other}, and not in ${one}`
    ),
  ];
}

if (import.meta.main) {
  const root = new URL("../", import.meta.url);
  const read = (path: string) => readFileSync(new URL(path, root), "utf8");
  const isThere = (path: string) => existsSync(new URL(path, root));
  const list = (folder: string, end: string) =>
    readdirSync(new URL(folder, root), { recursive: true })
      .map((name) => folder + String(name).replaceAll("\\", "/"))
      .filter((path) => path.endsWith(end) && !path.includes("node_modules/"));

  const sources = ["src/", "tests/", "bench/", "scripts/"]
    .flatMap((folder) => list(folder, ".ts")).concat("mod.ts");
  const documents = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
    .concat(list("docs/", ".md"));
  const files = new Set(sources.map((path) => posix.basename(path)));
  const breaches: string[] = [];

  for (const text of [...sources, ...documents]) {
    const said = text.endsWith(".md") ? read(text) : commentsOf(read(text));
    for (const path of pathsIn(said)) {
      const found = path.includes("/") ? isThere(path) : files.has(path);
      if (!found) breaches.push(`${text} speaks of ${path}: no such file`);
    }
  }

  for (const text of documents) {
    for (const link of linksIn(read(text))) {
      const [to, anchor] = link.split("#");
      const path = to === "" ? text : posix.join(posix.dirname(text), to);
      const leads = isThere(path) &&
        (anchor === undefined || anchorsOf(read(path)).includes(anchor));
      if (!leads) breaches.push(`${text} links to ${link}: it leads nowhere`);
    }
  }

  breaches.push(...differences(
    ["src/", list("src/", ".ts").filter((path) => !path.endsWith("/mod.ts"))],
    ["the house in CONTRIBUTING.md", houseOf(read("CONTRIBUTING.md"))],
  ));

  const [pool = [], run = []] = optionsOf(read("docs/options.md"));
  breaches.push(
    ...differences(
      ["POOL_RULES of src/core/api/option_rules.ts", Object.keys(POOL_RULES)],
      ["the first table of docs/options.md", pool],
    ),
    ...differences(
      [
        "the rules of calls in src/core/api/option_rules.ts",
        Object.keys({ ...MAP_RULES, ...REDUCE_RULES, ...STREAM_RULES }),
      ],
      ["the second table of docs/options.md", run],
    ),
  );

  const [cluster = []] = optionsOf(read("docs/cluster.md"));
  const ofPools = new Set(Object.keys(POOL_RULES));
  for (const own of ["onEvent", "module"]) ofPools.delete(own);
  breaches.push(...differences(
    [
      "the rules of src/nats/options.ts",
      Object.keys({ ...CONNECT_RULES, ...WORKER_RULES })
        .filter((name) => !ofPools.has(name)),
    ],
    ["the table of docs/cluster.md", cluster],
  ));

  for (const breach of breaches) console.error(breach);
  const texts = sources.length + documents.length;
  console.log(`texts: ${texts} read, ${breaches.length} breaches`);
  process.exitCode = breaches.length === 0 ? 0 : 1;
}
