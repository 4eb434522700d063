// Checks the words of the names in src/core/: a noun that a file exports is made
// of words that CONTRIBUTING.md uses where it tells of the house, or has in its
// glossary; and no name is made of a word that the glossary has under "not".
// Says of each breach which file, which name and which word.

import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";

/** Names that say nothing. */
const EMPTY_WORDS = ["util", "helper", "manager", "handler"];

/** The words of CONTRIBUTING.md. */
export interface Vocabulary {
  /** Words it uses, each without its ending. */
  said: Set<string>;
  /** Words it says not to use, each without its plural. */
  not: Set<string>;
}

/**
 * Cuts the ending of a word, so that "settle" and "settled" are one.
 *
 * @param word In lower case.
 * @returns Its beginning.
 */
export function stemOf(word: string): string {
  return word.replace(/(?<=...)(?:ing|ion|ed|er|or|e)?s?$/, "");
}

/**
 * Splits a name, also of a file.
 *
 * @param name Such as `ChunkSizer` or `worker_plan`.
 * @returns Its words, in lower case.
 */
export function wordsOf(name: string): string[] {
  return (name.match(/[A-Z]?[a-z]+/g) ?? []).map((word) => word.toLowerCase());
}

/**
 * Reads which words names may have.
 *
 * @param markdown CONTRIBUTING.md.
 * @returns What it says before its conventions, and what it says not to say.
 */
export function vocabularyOf(markdown: string): Vocabulary {
  const [house, glossary] = markdown.split(/^## (?:Words|Conventions)$/m);
  const rows = glossary.split("\n").filter((line) => line.startsWith("|"))
    .map((line) => line.split("|")).slice(2);
  const words = (text: string) => new Set(wordsOf(text.toLowerCase()));
  const defined = words(rows.map(([, word]) => word).join(" "));
  const not = words(rows.map((row) => row[3]).concat(EMPTY_WORDS).join(" "));
  const said = words(house + rows.map(([, word, meaning]) => word + meaning));
  return {
    said: new Set([...said].map(stemOf)),
    // "lane" is a word, and not one for a slot.
    not: new Set([...not].map(singular))
      .difference(new Set([...defined].map(singular))),
  };
}

function singular(word: string): string {
  return word.replace(/s$/, "");
}

/**
 * Finds the words in the names of a file that are not in order.
 *
 * @param path The file.
 * @param source TypeScript.
 * @param vocabulary The words in use.
 * @returns A sentence on each.
 */
export function wrongWords(
  path: string,
  source: string,
  { said, not }: Vocabulary,
): string[] {
  const file = path.replace(/^.*\/|\.ts$/g, "");
  const names = [["file", file]];
  const exported =
    /^export (?:abstract |async )?(class|interface|type|function) (\w+)/gm;
  for (const [, kind, name] of source.matchAll(exported)) {
    names.push([kind, name]);
  }
  return names.flatMap(([kind, name]) =>
    wordsOf(name).flatMap((word) => {
      const where = `${path}: "${word}" in the name ${name}`;
      if (not.has(singular(word))) return `${where} is a word that is not used`;
      const isNoun = kind !== "file" && kind !== "function";
      return isNoun && !said.has(stemOf(word))
        ? `${where} is neither in the glossary nor in the house`
        : [];
    })
  );
}

if (import.meta.main) {
  const root = new URL("../", import.meta.url);
  const vocabulary = vocabularyOf(
    readFileSync(new URL("CONTRIBUTING.md", root), "utf8"),
  );
  const files = readdirSync(new URL("src/core/", root), { recursive: true })
    .map((name) => `src/core/${String(name).replaceAll("\\", "/")}`)
    // What a caller may say is told in README.md and in doc comments.
    .filter((path) => path.endsWith(".ts") && !path.includes("/api/"));
  const breaches = files.flatMap((path) =>
    wrongWords(path, readFileSync(new URL(path, root), "utf8"), vocabulary)
  );
  for (const breach of breaches) console.error(breach);
  console.log(`words: ${files.length} files, ${breaches.length} breaches`);
  process.exitCode = breaches.length === 0 ? 0 : 1;
}
