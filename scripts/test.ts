// Runs every test on Deno, on Bun and on Node.js, and fails when one of them ran
// fewer of the tests in tests/ than another, without a word. The examples in
// mod.ts, src/, README.md and docs/ are tests on Deno alone, and are counted there.
//
//     deno run -A scripts/test.ts            # deno bun node browsers
//     deno run -A scripts/test.ts node26     # another, or some of them
//     deno run -A scripts/test.ts --turn 7   # less: each file of tests on one of the
//                                            # runtimes, the contract once, and one
//                                            # browser; others with 8

import { Buffer } from "node:buffer";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  globSync,
  mkdtempSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";
import { join } from "@std/path";
import { PACKAGES } from "./browsers/browser.ts";
import { bundle } from "./build.ts";
import { findNode, LEAST, NAMES } from "./find_node.ts";

/** The root of this project. */
const ROOT = join(import.meta.dirname!, "..");

/** How many tests there were. */
interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** What one runtime said about its tests. */
interface Report extends Counts {
  /** The tests in tests/, without the examples. */
  names: string[];
  /** The name of each test that failed, and what was said of it. */
  failures: [name: string, why: string][];
  /** How long all of them took. */
  seconds: number;
}

/** Runs files of tests by one command, which writes its report to a path. */
type Command = (path: string, files: string[]) => string[];

/** What takes longest on Deno goes first, so that nothing is waited for alone. */
const LONG = [
  "nats_failures",
  "contract",
  "processes",
  "contract_processes",
  "contract_nats",
  "nats_by_hand",
  "nats_end",
  "start",
].map((name) => `tests/${name}_test.ts`);

/** Every file of tests. */
const FILES = globSync("tests/*_test.ts", { cwd: ROOT })
  .map((file) => file.replaceAll("\\", "/")).sort();

/** Who has a file at which turn. On Bun, where workers start fastest, are half. */
const TURNS = ["deno", "bun", "node", "bun"];

/** The files of tests that a runtime has. The contract is divided by its tests. */
function filesOf(runtime: string, turn: number | undefined): string[] {
  if (turn === undefined) return FILES;
  return FILES.filter((file, i) =>
    file.startsWith("tests/contract") ||
    TURNS[(i + turn) % TURNS.length] === runtime
  );
}

/** How long the tests of one runtime may take, in minutes: several times as long. */
const LIMIT = 60;

/** What Deno would test if nothing was named. */
const settings = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8"));

const deno: Command = (path, files) => [
  ...["deno", "test", "-A", "--doc", "--no-check", "--parallel"],
  `--junit-path=${path}`,
  ...LONG.filter((file) => files.includes(file)),
  ...files.filter((file) => !LONG.includes(file)),
  ...settings.test.include.filter((name: string) => name !== "tests/"),
];

const bun: Command = (path, files) => [
  ...["bun", "test", "--timeout=60000"],
  `--parallel=${availableParallelism() + 1}`,
  ...["--reporter=junit", `--reporter-outfile=${path}`],
  ...files.map((file) => `./${file}`),
];

const node = (program: string | undefined): Command | undefined =>
  program === undefined ? undefined : (path, files) => [
    ...[program, ...NAMES, "--test"],
    `--test-concurrency=${availableParallelism() + 1}`,
    ...["--test-reporter=dot", "--test-reporter-destination=stdout"],
    ...["--test-reporter=junit", `--test-reporter-destination=${path}`],
    ...files,
  ];

/** How to run the tests on each runtime; undefined if it is not at hand. */
const COMMANDS: Record<string, () => Command | undefined> = {
  deno: () => deno,
  bun: () => bun,
  node: () => node(findNode(24)),
  node26: () => node(findNode(26)),
};

/**
 * Runs the tests on one runtime.
 *
 * @param brief Whether to leave out what takes long and runs on another as well.
 * @param turn Says which tests are left to others; undefined for none.
 * @param live Whether what they say is written at once, or when they have ended.
 * @param folder Where its report is to be.
 */
async function run(
  runtime: string,
  command: Command,
  { brief, turn, live, folder }: {
    brief: boolean;
    turn: number | undefined;
    live: boolean;
    folder: string;
  },
): Promise<Report> {
  const path = join(folder, `${runtime}.xml`);
  const [program, ...args] = command(path, filesOf(runtime, turn));
  const line = `\n${[program, ...args].join(" ")}\n`;
  if (live) console.log(line);
  const stdio = live ? "inherit" : "pipe";
  const child = spawn(program, args, {
    cwd: ROOT,
    env: {
      ...process.env,
      TEST_BRIEFLY: brief ? "yes" : "no",
      ...(turn !== undefined && { TEST_TURN: `${turn}` }),
      // Two more than there are cores, as tests wait. With four more, on a slow
      // machine, some waited so long for a core that they were late.
      DENO_JOBS: process.env.DENO_JOBS ?? `${availableParallelism() + 2}`,
      // Node.js would take the types out of each file again in each process.
      NODE_COMPILE_CACHE: join(folder, "compiled"),
      // What is published is built and installed by the first that tests it.
      BUILT: folder,
      // Of the command, what is published of it is tested: tests/pmap.ts.
      PMAP: join(folder, "pmap", "built", "cli.js"),
    },
    stdio: ["ignore", stdio, stdio],
  });
  const began = performance.now();
  const limit = limited(child);
  const said = [Buffer.from(line)];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (data) => said.push(data));
  }
  const [code, signal] = await once(child, "close").catch((error: Error) => [
    error.message, // it could not be started
  ]);
  limit.end();
  if (!live) process.stdout.write(Buffer.concat(said));
  const report = read(existsSync(path) ? readFileSync(path, "utf8") : "");
  if (report.failed === 0 && (code !== 0 || report.names.length === 0)) {
    const why = limit.isOver
      ? `took longer than ${LIMIT} minutes`
      : signal ?? `code ${code}`;
    report.failures.push(["outside of its tests", why]);
    report.failed = 1;
  }
  report.seconds = (performance.now() - began) / 1000;
  return report;
}

/**
 * Ends what takes longer than it may. First it kills what that has started: Node.js
 * has a process for each file, and reports one that does not end once it is killed.
 */
function limited(child: ChildProcess): { isOver: boolean; end(): void } {
  const first = setTimeout(() => {
    limit.isOver = true;
    killChildren(child.pid!);
  }, LIMIT * 60_000);
  const last = setTimeout(() => {
    killChildren(child.pid!);
    child.kill("SIGKILL");
    child.stdout?.destroy(); // what it started may keep them open
    child.stderr?.destroy();
  }, (LIMIT + 1) * 60_000);
  const limit = {
    isOver: false,
    end() {
      clearTimeout(first);
      clearTimeout(last);
    },
  };
  return limit;
}

/** Kills what a process has started itself, where the system tells of it. */
function killChildren(pid: number): void {
  const path = `/proc/${pid}/task/${pid}/children`;
  if (!existsSync(path)) return;
  for (const child of readFileSync(path, "utf8").trim().split(" ")) {
    try {
      if (child !== "") process.kill(Number(child), "SIGKILL");
    } catch {
      // It has ended meanwhile.
    }
  }
}

/** Reads a report in JUnit's format. */
function read(xml: string): Report {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const report: Report = { names: [], failures: [], seconds: 0, ...counts };
  // Node.js 24 writes ">" in a name as it is.
  const testcases =
    /<testcase\b((?:"[^"]*"|[^>"])*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g;
  for (const [, attributes, body = ""] of xml.matchAll(testcases)) {
    // An example in a doc comment is named by its lines, as file.ts#6-14.ts.
    const name = unescape(attributes.match(/\bname="([^"]*)"/)?.[1] ?? "");
    if (/<(failure|error)\b/.test(body)) {
      report.failed++;
      report.failures.push([name, unescape(body)]);
    } else if (body.includes("<skipped")) report.skipped++;
    else report.passed++;
    if (!/#\d+-\d+\.ts$/.test(name)) report.names.push(name);
  }
  return report;
}

/**
 * Reads a name in a report. Node.js 24 writes a quotation mark as `&amp;quot;`,
 * and an apostrophe or ">" as it is, so all that is written in two ways is left
 * out.
 */
function unescape(name: string): string {
  return name.replaceAll("&amp;", "&")
    .replace(/&(quot|apos|#39|lt|gt);|["'<>]/g, "");
}

/** Names that are in one list and not, or not as often, in the other. */
function missing(names: string[], others: string[]): string[] {
  const left = [...names];
  for (const name of others) {
    if (left.includes(name)) left.splice(left.indexOf(name), 1);
  }
  return left;
}

/**
 * Runs the contract in browsers, where less is waited for, and counts it.
 *
 * @returns What they said, with the name of each test that failed.
 */
async function addBrowsers(
  total: Counts,
  turn: number | undefined,
): Promise<string> {
  const path = join(ROOT, "scripts/browsers/main.ts");
  const how = turn === undefined
    ? ["--short"]
    : ["--brief", Object.keys(PACKAGES)[turn % 3]!];
  const child = spawn("deno", ["run", "-A", path, ...how], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.on("data", (data) => said += data);
  const limit = limited(child);
  const [code] = await once(child, "close");
  limit.end();
  const [, ...counts] =
    /^browsers: (\d+) passed, (\d+) failed, (\d+) skipped$/m.exec(said) ?? [];
  const [passed = 0, failed = 0, skipped = 0] = counts.map(Number);
  total.passed += passed;
  total.skipped += skipped;
  total.failed += code === 0 ? 0 : Math.max(1, failed);
  return said.trimEnd();
}

const { values, positionals: asked } = parseArgs({
  options: { turn: { type: "string" } },
  allowPositionals: true,
});
const found = new Map<string, Command>();
const absent: string[] = [];
for (const runtime of asked.length > 0 ? asked : ["deno", "bun", "node"]) {
  if (runtime === "browsers") continue;
  if (COMMANDS[runtime] === undefined) {
    const known = [...Object.keys(COMMANDS), "browsers"].join(", ");
    console.error(`Cannot test as runtimes are ${known}: received ${runtime}`);
    process.exit(2);
  }
  const command = COMMANDS[runtime]();
  if (command === undefined) absent.push(runtime);
  else found.set(runtime, command);
}

const areAll = asked.length === 0 && absent.length === 0;
// What is left to one that is not there would run nowhere.
const turn = values.turn === undefined || !areAll
  ? undefined
  : Number(values.turn);
if (turn !== undefined && !(Number.isSafeInteger(turn) && turn >= 0)) {
  console.error(`--turn is a whole number from 0: received ${values.turn}`);
  process.exit(2);
}

// All of them at once, as each waits for much. Only one of them writes at once.
const folder = mkdtempSync(join(tmpdir(), "parallel-map-test-"));
if (found.size > 0) bundle(join(folder, "pmap"));
const live = found.has("deno") ? "deno" : found.keys().next().value;
const total = { passed: 0, failed: 0, skipped: 0 };
const browsers = asked.length === 0 || asked.includes("browsers")
  ? addBrowsers(total, turn)
  : undefined;
const brief = areAll && turn === undefined;
const runs = [...found].map(async ([runtime, command]) => {
  const how = { brief, turn, live: runtime === live, folder };
  return [runtime, await run(runtime, command, how)] as const;
});
const reports = new Map(await Promise.all(runs));
const saidByBrowsers = await browsers;
rmSync(folder, { recursive: true });

console.log();
// What failed is said once more at the end, where it is looked for.
for (const [runtime, { failures }] of reports) {
  for (const [name, why] of failures) {
    console.log(`${runtime} failed: ${name}\n${why.trim().slice(0, 5000)}\n`);
  }
}
if (saidByBrowsers !== undefined) console.log(`${saidByBrowsers}\n`);
const differences = new Set<string>();
for (const [runtime, report] of reports) {
  const { names, passed, failed, skipped, seconds } = report;
  total.passed += passed;
  total.failed += failed;
  total.skipped += skipped;
  console.log(
    `${runtime}: ${passed} passed, ${failed} failed, ${skipped} skipped ` +
      `in ${seconds.toFixed(0)} s`,
  );
  // Of a runtime without any names it has been told already that it failed. By
  // turns, each has files of its own.
  if (names.length === 0 || turn !== undefined) continue;
  for (const other of reports.values()) {
    for (const name of missing(other.names, names)) {
      differences.add(`${runtime} did not run ${name}`);
    }
  }
}
for (const difference of differences) console.log(difference);
total.failed += differences.size;
for (const runtime of absent) {
  console.log(
    `${runtime}: not run, as there is no Node.js from ${
      LEAST.join(".")
    } on: npm run get:${runtime} fetches one`,
  );
  if (asked.length > 0) total.failed++;
}
console.log(
  `total: ${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`,
);
process.exitCode = total.failed === 0 ? 0 : 1;
