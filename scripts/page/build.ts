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
import { inPage } from "../browsers/bundle.ts";
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

/** What stands in the place of the checks of options of a call. */
const UNCHECKED = {
  checkOptions: "(_, options) => options",
  MAP_RULES: "null",
  REDUCE_RULES: "null",
  RUN_RULES: "null",
  STREAM_RULES: "null",
};

/**
 * What no step needs of the library stays out of the page, as that must not be
 * large: other runtimes, calls at once, what is known from calls before, or still
 * loads for one of them, `workers: 0`, `permissions`, weights, reductions, `output`,
 * `transfer`, settled results, `signal`, `onProgress`, inputs that are no list,
 * promises among them, sources that fill one object again, meters of what no browser
 * tells, names that this bundle does not keep, checks of options, words on what
 * cannot be cloned or read, or on workers that do not end, advice to programmers, the
 * classes of errors (their names are kept), causes that several calls are told, what
 * waits for the timers of other runtimes, and the shorter ways that lists of numbers,
 * texts and records cross; without them they are cloned, as in most programs.
 * By the file that imports it, what is imported, and what stands there instead.
 */
const LEFT_OUT: Record<string, Record<string, string>> = {
  "api/option_rules.ts": { permissions: "undefined" },
  "calls/worker_plan.ts": {
    detectRuntime: "() => browserRuntime(globalThis)",
    inline: "null",
    keepContext: "(part) => part",
  },
  "calls/begin_run.ts": {
    AwaitedSource: "class {}",
    InputsByWeight: "null",
    keepContext: "(part) => part",
    onAbort: "null",
  },
  "calls/calls_here.ts": {
    keepContext: "(part) => part",
    pacesHere: "{ of() {} }",
  },
  "calls/parallel_map.ts": {
    ...UNCHECKED,
    POOL_RULES: "null",
    splitOptions:
      "(pool) => { const { onEvent, module, ...run } = pool; return { pool, run }; }",
  },
  "calls/pool.ts": {
    checkOptions: UNCHECKED.checkOptions,
    CLOSE_RULES: "null",
    POOL_RULES: "null",
  },
  "calls/calls.ts": {
    ...UNCHECKED,
    asInWorkers: "null",
    checkInitial: "null",
    combineRef: "null",
    ArraySink: "null",
    FoldSink: "null",
    SettledSink: "null",
    SharedSink: "null",
    callSite: "() => ({})",
  },
  "engine/inputs.ts": {
    AwaitedSource: "class { constructor(source) { return source; } }",
    findPromise: "() => -1",
    AsyncSource: "null",
    IteratorSource: "null",
    RefillWatch:
      "class { take = (value) => value; end() {} seen = this.take; seenOf = this.take }",
  },
  "engine/slots.ts": {
    Breath: "class { begin() {} rest() {} }",
    VainSends: "class { note() {} }",
  },
  "engine/failures.ts": {
    adviceOn: '() => ""',
    atSite: "(_, make) => make()",
    leadOn: "() => {}",
    ownOf: "(thrown) => thrown",
  },
  "engine/run.ts": { ProgressMeter: "class { add() {} say() {} }" },
  "engine/in_flight.ts": {
    Loading:
      "class { pings = 0; hearPong() { this.pings &&= this.pings - 1 } hearAnswer() {} drop() {} get mayBegin() { return !this.pings } }",
  },
  "engine/scheduler.ts": {
    Turns: "class { begin() {} isOver = () => false }",
  },
  "engine/slot.ts": {
    disposeWarning: "String",
    stuckWarning: "String",
    unreadableError: "Error",
  },
  "wire/function_ref.ts": { keptNames: '() => ""' },
  "worker/boot.ts": { keptNames: '() => ""' },
  "worker/program.ts": {
    createCpuMeter: "() => () => undefined",
    createMemoryMeter: "() => () => 0",
    foldResults: "null",
  },
  "wire/wire.ts": {
    createExplainer:
      "() => ({ describe: String, messageOf: String, refuse: (_, cause) => ({ reason: String(cause ?? 'what cannot be cloned'), cause }) })",
    createErrorClasses:
      "() => ({ nameOf: () => 'Error', make: (_, name, message) => Object.assign(new Error(message), { name }) })",
    createColumns: "() => ({ pack: () => undefined })",
    createCompiler: "() => ({})",
    createMoving: "() => ({ toMove: (all) => all, move: (value) => value })",
    createRecordWriter:
      "() => ({ write: () => undefined, open: () => undefined })",
    createValueWriter: "null",
    createRecordReader: "() => ({ read: () => undefined })",
    createRecordKinds: "null",
    createRecordOutput: "null",
    createShapes: "null",
    createSharing: "null",
    createLayouts: "null",
  },
};

function leaveOut(folder: string): void {
  for (const [file, names] of Object.entries(LEFT_OUT)) {
    const path = join(folder, "src/core", file);
    let text = readFileSync(path, "utf8");
    for (const [name, instead] of Object.entries(names)) {
      const only = new RegExp(`^import { ${name} } from .*;$`, "m");
      const among = new RegExp(`(?<=^import {[^}]*)\\b${name}\\b,?`, "m");
      const found = [only, among].find((one) => one.test(text));
      if (found === undefined) {
        throw new Error(
          `Cannot build page as ${file} must import what is left out: no ${name}`,
        );
      }
      const stub = `const ${name} = ${instead};`;
      text = found === only
        ? text.replace(only, stub)
        : `${text.replace(among, "")}\n${stub}`;
    }
    // What nothing is imported from any more would still be loaded.
    writeFileSync(path, text.replace(/^import {[\s,]*} from .*;$/gm, ""));
  }
  const plan = join(folder, "src/core/calls/worker_plan.ts");
  const browser = 'import { browserRuntime } from "../runtime/browser.ts";\n';
  writeFileSync(plan, browser + readFileSync(plan, "utf8"));
}

/** The script of the page with all that it imports. */
function script(): string {
  const folder = mkdtempSync(join(tmpdir(), "parallel-map-page-"));
  try {
    const parts = ["mod.ts", "tsconfig.json", "src", "scripts/page"];
    for (const name of [...parts, "scripts/lecture"]) {
      cpSync(join(ROOT, name), join(folder, name), { recursive: true });
    }
    leaveOut(folder);
    const text = run(
      { cwd: folder },
      "esbuild",
      "scripts/page/live/main.ts",
      ...["--bundle", "--format=iife", "--minify", "--target=es2022"],
      ...["--charset=utf8", "--log-level=error"],
      `--define:COUNTER=${JSON.stringify(codeOf("counter"))}`,
    );
    return inPage(text).trimEnd();
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
