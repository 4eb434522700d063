// Checks that what is shipped uses nothing of its file: the program of a worker
// on each runtime, and the other functions that go by their source text. There,
// a name of the file is a ReferenceError, on one runtime perhaps and seldom.
// Says of each breach which program, which name and which line.

import { spawnSync } from "node:child_process";
import process from "node:process";
import { callForLine, openCaller } from "../src/cli/line_caller.ts";
import { callFunction, openWorker } from "../src/cli/worker_side.ts";
import { browserBoot } from "../src/core/runtime/browser.ts";
import { bunBoot } from "../src/core/runtime/bun.ts";
import { denoBoot } from "../src/core/runtime/deno.ts";
import { writeAtOnce } from "../src/core/runtime/write_at_once.ts";
import { processSource } from "../src/core/runtime/processes.ts";
import { threadBoot } from "../src/core/runtime/threads.ts";
import { pageMain } from "../src/timeline/page_script.ts";

/** A name in a program that nothing has declared. */
export interface Undeclared {
  name: string;
  /** The line of the program that uses it. */
  line: string;
}

/** What `deno lint --json` tells, as far as it is needed. */
interface Report {
  diagnostics: {
    code: string;
    message: string;
    range: { start: { line: number } };
  }[];
  errors: { message: string }[];
}

/**
 * Finds the names in a program that neither it nor the language, nor a worker
 * of any kind declares.
 *
 * @param source JavaScript.
 * @returns Each use of such a name.
 */
export function undeclaredIn(source: string): Undeclared[] {
  const { stdout, stderr, error } = spawnSync("deno", [
    "lint",
    "--no-config",
    "--json",
    "--rules-include=no-undef",
    "--ext=js",
    "-",
  ], { input: source, encoding: "utf8", maxBuffer: 1 << 26 });
  if (error !== undefined) throw error;
  if (stdout === "") throw new Error(`Cannot lint: received ${stderr}`);
  const { diagnostics, errors } = JSON.parse(stdout) as Report;
  if (errors.length > 0) throw new Error(errors[0].message);
  const lines = source.split("\n");
  return diagnostics.filter(({ code }) => code === "no-undef")
    .map(({ message, range }) => ({
      name: message.replace(" is not defined", ""),
      line: lines[range.start.line - 1].trim(),
    }));
}

if (import.meta.main) {
  const programs = {
    "a web worker on Deno": denoBoot(true),
    "a web worker on Bun": bunBoot(true),
    "a web worker in a browser": browserBoot(),
    "a thread": threadBoot(true),
    "a thread on Node.js and Bun": `(${writeAtOnce})();`,
    "a process": processSource(),
    "a worker of pmap": `(${callFunction})((${openWorker})());`,
    "one on another machine": `(${callForLine})((${openCaller})());`,
    "the page of a timeline": `(${pageMain})();`,
  };
  let breaches = 0;
  for (const [where, source] of Object.entries(programs)) {
    for (const { name, line } of undeclaredIn(source)) {
      breaches++;
      console.error(`the program of ${where} has no ${name}: ${line}`);
    }
  }
  const count = Object.keys(programs).length;
  console.log(`shipped: ${count} programs, ${breaches} breaches`);
  process.exitCode = breaches === 0 ? 0 : 1;
}
