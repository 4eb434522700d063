// Runs the contract and a smoke in real browsers, and fails if one that could be
// had is not there.
//
//     deno run -A scripts/browsers/main.ts                     # all of it
//     deno run -A scripts/browsers/main.ts --short             # as in npm test
//     deno run -A scripts/browsers/main.ts --brief             # as with --turn
//     deno run -A scripts/browsers/main.ts firefox [plain …]   # some of it
//
// What is not installed is skipped, with a line. With EXPECT_BROWSERS=all, as CI
// says where it has installed them, that is a failure; with CI=true, it is one if
// no browser is there.

import {
  existsSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { join } from "@std/path";
import { bundle, ROOT, run } from "../build.ts";
import {
  type Browser,
  type BrowserName,
  findBrowser,
  PACKAGES,
  type Running,
} from "./browser.ts";
import { bundleForPage } from "./bundle.ts";
import {
  BUILDS,
  CONTRACTS,
  type Kind,
  LECTURES,
  type PageSetup,
  SHORT_BUILDS,
  SHORT_CONTRACTS,
  SHORT_LECTURES,
  SMOKES,
} from "./pages.ts";
import { writeLecture } from "./lecture.ts";
import { openSite, type Report, type Site } from "./site.ts";

/** How long a page may say nothing, in ms. */
const SILENCE_MS = 600_000;

const SMOKE = join(ROOT, "tests/browsers/smoke.ts");

/** Compiles each file of this project by itself, and builds the smoke. */
function compile(folder: string): PageSetup[] {
  const flags = [
    "--format=esm",
    "--supported:using=false",
    "--log-level=error",
  ];
  run(
    { cwd: ROOT },
    "esbuild",
    ...["mod.ts", "src/**/*.ts", "tests/*.ts", "tests/fixtures/tasks.ts"],
    ...["tests/browsers/*.ts", "scripts/std/assert/mod.ts"],
    ...["--outbase=.", `--outdir=${folder}`, ...flags],
  );
  // What is published, where all of a worker's program has to be code as well.
  const published = join(folder, "published");
  bundle(published);
  const alias = `--alias:@parallel/map=${join(published, "built/main.js")}`;
  const builds = [...SHORT_BUILDS, ...(short ? [] : BUILDS)];
  builds.push(["esbuild", "--bundle", "--format=esm", alias]);
  return builds.flatMap(([program, ...flags], i) => {
    const end = flags.includes("--format=iife") ? "iife.js" : "js";
    const script = `bundle${i}.${end}`;
    const path = join(folder, "tests/browsers", script);
    run({ cwd: ROOT }, program, ...flags, SMOKE, `--outfile=${path}`);
    const kinds: Kind[] = flags.includes(alias)
      ? ["plain", "no-eval"]
      : ["plain"];
    return kinds.map((kind) => ({ kind, script, search: "" }));
  });
}

/** The same by Vite, if `npm run get:vite` has fetched it. */
function buildByVite(folder: string): PageSetup[] {
  const vite = join(ROOT, "scripts/vite/node_modules/.bin/vite");
  if (!existsSync(vite)) return [];
  const config = join(folder, "vite.config.mjs");
  const settings = {
    root: ROOT,
    logLevel: "warn",
    resolve: {
      alias: {
        "@parallel/map": join(ROOT, "mod.ts"),
        "@std/assert": join(ROOT, "scripts/std/assert/mod.ts"),
      },
    },
    build: {
      outDir: join(folder, "tests/browsers"),
      emptyOutDir: false,
      lib: { entry: SMOKE, formats: ["es"], fileName: "vite" },
    },
  };
  writeFileSync(config, `export default ${JSON.stringify(settings)};`);
  run({ cwd: ROOT }, vite, "build", "--config", config);
  return [{ kind: "plain", script: "vite.js", search: "" }];
}

/** Leaves out what takes long, a loop to be ended, on all pages but two. */
function makeBrief(page: PageSetup): PageSetup {
  const { kind, script } = page;
  return script === "smoke.ts" && ["plain", "isolated"].includes(kind)
    ? page
    : { ...page, search: "brief" };
}

/** Leaves out what the engine does, whatever starts its workers. */
function leaveOutEngine(page: PageSetup): PageSetup {
  return { ...page, search: `${page.search}&brief` };
}

/** Writes the page that is a file: all that it needs stands in it. */
function writeFilePage(folder: string, site: Site): void {
  const told = JSON.stringify(
    `kind=file&report=${site.url}/report${short ? "&brief" : ""}`,
  );
  const scripts = [`toldOfPage = ${told};`, bundleForPage(SMOKE)]
    .map((script) => `<script>${script}</script>`);
  const html = `<!doctype html><meta charset="utf-8">${scripts.join("")}`;
  writeFileSync(join(folder, "file.html"), html);
}

/** Counts what became of tests. */
interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

/** The browser that runs, which must not be left when this program is ended. */
let running: Running | undefined;
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, async () => {
    await running?.end();
    rmSync(folder, { recursive: true, force: true });
    process.exit(130);
  });
}

/** Shows pages to a browser, one after another. */
async function show(
  browser: Browser,
  pages: PageSetup[],
  site: Site,
): Promise<Count> {
  const count: Count = { passed: 0, failed: 0, skipped: 0 };
  const left = [...pages];
  const fail = (page: PageSetup, name: string, why = "") => {
    count.failed++;
    console.log(
      `${browser.name}, ${page.kind} ${page.script}: ${name}: ${why}`,
    );
  };
  while (left.length > 0) {
    // A page that says nothing costs its browser; the next one gets another.
    let heard = (_?: Report) => {};
    let silent = true; // a page that lacks a file of its own never says a word
    const done = new Promise<string>((resolve) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      let last = "nothing";
      site.onMissing = (path) => silent && resolve(`it has no ${path}`);
      heard = (report) => {
        clearTimeout(timer);
        if (left.length === 0) return resolve("");
        last = report?.name ?? last;
        const text = `it said nothing for ${SILENCE_MS} ms after ${last}`;
        timer = setTimeout(() => resolve(text), SILENCE_MS);
      };
    });
    site.onReport = (report) => {
      const page = left[0]!;
      const { name, outcome, why } = report;
      if (outcome !== undefined) {
        if (outcome === "failed") fail(page, name, why);
        else count[outcome]++;
      } else left.shift();
      silent = outcome === undefined;
      heard(report);
      return left.length > 0 && outcome === undefined
        ? site.urlOf(left[0]!)
        : "";
    };
    heard();
    running = await browser.start(site.urlOf(left[0]!), site.url);
    const why = await Promise.race([done, running.ended]);
    site.onReport = () => "";
    site.onMissing = () => {};
    await running.end();
    const page = left.shift();
    if (page !== undefined) fail(page, "the page did not come to its end", why);
  }
  return count;
}

const asked = process.argv.slice(2);
const brief = asked.includes("--brief");
const short = brief || asked.includes("--short");
const names = (Object.keys(PACKAGES) as BrowserName[])
  .filter((name) => asked.includes(name));
const kinds = asked
  .filter((word) => !(word in PACKAGES || /^--(short|brief)$/.test(word)));
const total: Count = { passed: 0, failed: 0, skipped: 0 };
const folder = realpathSync(mkdtempSync(join(tmpdir(), "parallel-map-site-")));
const builds = [...compile(folder), ...buildByVite(folder)];
const site = await openSite(ROOT, folder);
writeFilePage(folder, site);
writeLecture(folder, site);
for (const name of names.length > 0 ? names : Object.keys(PACKAGES)) {
  const browser = findBrowser(name as BrowserName);
  if (browser === undefined) {
    const packages = PACKAGES[name as BrowserName].join(" ");
    const expected = process.env.EXPECT_BROWSERS === "all";
    if (expected) total.failed++;
    const what = expected ? "failed" : "skipped";
    console.log(
      `${name}: ${what}, as it is not installed (Debian: ${packages})`,
    );
    continue;
  }
  const smokes = [...SMOKES, ...(name === "chromium" ? builds : [])];
  const contracts = (short ? SHORT_CONTRACTS[browser.name]! : CONTRACTS)
    .map((page) => brief ? leaveOutEngine(page) : page);
  const pages = [
    ...(short ? smokes.map(makeBrief) : smokes),
    ...(short ? SHORT_LECTURES[browser.name] : LECTURES),
    ...contracts,
  ].filter(({ kind }) => kinds.length === 0 || kinds.includes(kind))
    // First, as no page that is served may lead to a file.
    .sort((a, b) => Number(b.kind === "file") - Number(a.kind === "file"));
  const began = performance.now();
  const count = await show(browser, pages, site);
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  const { passed, failed, skipped } = count;
  console.log(
    `${name}: ${passed} passed, ${failed} failed, ${skipped} skipped, on ${pages.length} pages in ${seconds} s`,
  );
  for (const key of ["passed", "failed", "skipped"] as const) {
    total[key] += count[key];
  }
}
site.close();
rmSync(folder, { recursive: true });
const anyIsThere = (Object.keys(PACKAGES) as BrowserName[]).some(findBrowser);
if (!anyIsThere && process.env.CI) {
  console.log("No browser is there: see .ci/run");
  total.failed++;
}
console.log(
  `browsers: ${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`,
);
process.exit(total.failed === 0 ? 0 : 1);
