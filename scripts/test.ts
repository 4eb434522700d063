// Runs every test on Deno and then on Bun, and fails when one of the two ran
// fewer of the tests in tests/ than the other, without a word. The examples in
// mod.ts, src/ and README.md are tests on Deno alone, and are counted there.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { join } from "@std/path";

/** What one runtime said about its tests. */
interface Report {
  /** The tests in tests/, without the examples. */
  names: string[];
  passed: number;
  failed: number;
  skipped: number;
}

/** Runs the tests on one runtime, which writes its report to a path. */
function run(runtime: string, args: (path: string) => string[]): Report {
  const folder = mkdtempSync(join(tmpdir(), "parallel-map-test-"));
  const path = join(folder, "report.xml");
  console.log(`\n${[runtime, ...args(path)].join(" ")}`);
  const end = spawnSync(runtime, args(path), { stdio: "inherit" });
  const report = read(existsSync(path) ? readFileSync(path, "utf8") : "");
  rmSync(folder, { recursive: true });
  if (report.failed === 0 && (end.status !== 0 || report.names.length === 0)) {
    const why = end.error?.message ?? end.signal ?? `code ${end.status}`;
    console.log(`${runtime} failed outside of its tests: ${why}`);
    report.failed = 1;
  }
  return report;
}

/** Reads a report in JUnit's format. */
function read(xml: string): Report {
  const report: Report = { names: [], passed: 0, failed: 0, skipped: 0 };
  const testcases = /<testcase\b([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g;
  for (const [, attributes, body = ""] of xml.matchAll(testcases)) {
    if (/<(failure|error)\b/.test(body)) report.failed++;
    else if (body.includes("<skipped")) report.skipped++;
    else report.passed++;
    // An example in a doc comment is named by its lines, as file.ts#6-14.ts.
    const name = attributes.match(/\bname="([^"]*)"/)?.[1] ?? "";
    if (!/#\d+-\d+\.ts$/.test(name)) report.names.push(name);
  }
  return report;
}

/** Names that are in one list and not, or not as often, in the other. */
function missing(names: string[], others: string[]): string[] {
  const left = [...names];
  for (const name of others) {
    if (left.includes(name)) left.splice(left.indexOf(name), 1);
  }
  return left;
}

const deno = run(
  "deno",
  (path) => ["test", "-A", "--doc", "--parallel", `--junit-path=${path}`],
);
const bun = run("bun", (path) => [
  "test",
  "--timeout=60000",
  "--reporter=junit",
  `--reporter-outfile=${path}`,
  "tests/",
]);

console.log();
let failed = deno.failed + bun.failed;
// Of a runtime without any names it has been told already that it failed.
if (deno.names.length > 0 && bun.names.length > 0) {
  const differences = [
    ...missing(deno.names, bun.names).map((name) => `bun did not run ${name}`),
    ...missing(bun.names, deno.names).map((name) => `deno did not run ${name}`),
  ];
  for (const difference of differences) console.log(difference);
  failed += differences.length;
}
const passed = deno.passed + bun.passed;
const skipped = deno.skipped + bun.skipped;
console.log(`total: ${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed === 0 ? 0 : 1;
