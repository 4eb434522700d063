/**
 * What `--help`, `-h` and `--version` say. The flags come from their table.
 *
 * @module
 */

import type { Flag, Part } from "./flags.ts";
import { FLAGS } from "./flags.ts";

/** The version of the package, as in deno.json (tests/cli_usage_test.ts). */
export const VERSION = "0.1.0";

const WIDTH = 80;
/** Where in a line the help of a flag begins. */
const COLUMN = 25;

const USAGE = `\
pmap: map one function over many inputs, in parallel workers

  pmap [flags] MODULE[#EXPORT] [FILE...]
  pmap [flags] -e FUNCTION [FILE...]
  pmap [flags] MODULE[#EXPORT] --args VALUE...
  pmap [flags] --on nats://HOST:PORT/POOL EXPORT [FILE...]
`;

const ABOUT = `
pmap is, with Deno:  deno run -A jsr:@parallel/map/cli
and with Bun:        bun link   in a clone of the project, once; then pmap

MODULE is a path or URL of a JavaScript or TypeScript module; EXPORT is the
function in it, the default export if left out. It is called once per input,
(value, { index, attempt, worker }) => result, and may be async. Each worker
loads the module once. What the function logs goes to standard error.

With --on, other machines do the work: those that serve the pool, with the
module that each was started with. The rest is as here: the log, the results.

Example, work.ts:   export const norm = ({ x, y }) => Math.hypot(x, y);
  pmap ./work.ts#norm < in.ndjson > out.ndjson
  pmap -e 'x => x.a * 2' in.ndjson
  find . -name '*.md' -print0 | pmap ./title.ts -0 --raw
  ls *.png | pmap ./thumb.ts --lines --bar > done.ndjson
  pmap ./work.ts#norm huge.ndjson --joblog log --resume --retries 2 > out.ndjson
  pmap --on nats://a:4222/images thumb < in.ndjson > done.ndjson
`;

/** What is said of each part, before and after its flags. */
const PARTS: Record<Part, { title: string; before: string; after: string }> = {
  Inputs: {
    title: "Inputs",
    before:
      "From FILEs one after another, or standard input; - is standard input. Each line is one JSON value, unless a flag says otherwise; blank lines of JSON, CSV and TSV are left out.",
    after: "",
  },
  Results: {
    title: "Results",
    before:
      "Go to standard output as JSON, one line per input that succeeded, in the order of the inputs. An input that failed has a line on standard error with its index, counted from 0, and does not stop the others. So has a result that JSON cannot hold, such as a Map or a function; undefined, NaN and infinite numbers are null.",
    after: "",
  },
  Work: { title: "Work", before: "", after: "" },
  Watch: { title: "Watch", before: "", after: "" },
  Resume: {
    title: "Survive a crash, Ctrl-C or a power cut",
    before: "",
    after:
      "With --resume, inputs that have a result in the log are not run again, failed ones are. Inputs are known by content, so the list may have changed or moved; of equal inputs each counts. ALL results are written again, as by one unbroken run: redirect with > and not with >>. The same command can be repeated until it exits with 0. A call that was running at a crash runs again. A log in use is refused, and so is one of another function, or of one whose module was edited (what it imports is not looked at, nor a module from the web). A log grows by each result, and takes about 100 bytes of memory per input.",
  },
  Other: { title: "Other", before: "", after: "" },
};

const STATUS = `
Exit status: 0 every input succeeded, or the reader of the results left;
1 some input failed; 2 wrong usage, nothing was run; 3 the job could not go on,
as a file could not be read or written; 130 Ctrl-C.
`;

/**
 * Writes the help.
 *
 * @returns All of it, at most 80 columns wide.
 */
export function longHelp(): string {
  const parts = Object.entries(PARTS).map(([part, { title, before, after }]) =>
    [
      `\n${title}`,
      ...(before === "" ? [] : wrap(before, 2)),
      ...rowsOf(part).flatMap(row),
      ...(after === "" ? [] : wrap(after, 2)),
    ].join("\n")
  );
  return `${USAGE}${ABOUT}${parts.join("\n")}\n${STATUS}`.trimEnd();
}

/**
 * Writes the help on one screen: 80 columns, 24 lines.
 *
 * @returns How it is used, and the names of all flags.
 */
export function shortHelp(): string {
  const parts = Object.keys(PARTS).flatMap((part) => {
    const names = rowsOf(part).map(([name, { short, value }]) =>
      `${short === undefined ? "" : `-${short} `}--${name}${
        value === undefined ? "" : ` ${value}`
      }`
    );
    return hang(part, names.join("  ").split(/ {2}/), 10);
  });
  return `${USAGE}
Each line of FILE or standard input is one JSON value; results are lines, too.
  pmap ./work.ts#norm < in.ndjson > out.ndjson

${parts.join("\n")}

pmap --help says what each is for.`;
}

function rowsOf(part: string): [name: string, flag: Flag][] {
  return Object.entries<Flag>(FLAGS).filter(([, flag]) => flag.part === part);
}

/** A flag, with what it is for. */
function row([name, { short, value, doc }]: [string, Flag]): string[] {
  const head = `${short === undefined ? "      " : `  -${short}, `}--${name}${
    value === undefined ? "" : ` ${value}`
  }`;
  const [first, ...rest] = wrap(doc, COLUMN);
  return head.length < COLUMN - 1
    ? [head.padEnd(COLUMN) + first!.trimStart(), ...rest]
    : [head, first!, ...rest];
}

function wrap(text: string, indent: number): string[] {
  return hang("", text.split(" "), indent, " ");
}

/** Fills lines with words, the first one after a head, all at one column. */
function hang(
  head: string,
  words: string[],
  column: number,
  gap = "  ",
): string[] {
  const lines: string[] = [];
  let line = head.padEnd(column);
  let empty = true;
  for (const word of words) {
    if (!empty && line.length + gap.length + word.length > WIDTH) {
      lines.push(line);
      line = " ".repeat(column);
      empty = true;
    }
    line += (empty ? "" : gap) + word;
    empty = false;
  }
  return [...lines, line];
}
