// Runs scripts/smoke.ts on the oldest runtimes that are supported, and shows
// that older ones are refused in one sentence. Fetches them from npm, into a
// folder that is removed at the end.
//
//     deno run -A scripts/floors.ts
//     deno run -A scripts/floors.ts --short   # the oldest supported: for CI
import { assert, assertEquals } from "@std/assert";
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { DELIMITER, join } from "@std/path";
import { buildForNpm } from "./npm.ts";

type Name = "deno" | "bun" | "node";

/** Which versions of a runtime are tried. */
interface Floor {
  /** The oldest that must work. */
  least: string;
  /** One that must work as well, if `npm test` runs on another. */
  newest?: string;
  /** Those that must not, the newest first. */
  older: string[];
  /** What they must be told, before their version. */
  says: string;
}

const FLOORS: Record<Name, Floor> = {
  deno: {
    least: "2.8.0",
    older: ["2.7.14", "2.5.7"],
    says: "Cannot start workers as Deno must be 2.8 or newer: received ",
  },
  bun: {
    least: "1.4.0",
    older: ["1.3.14", "1.3.5"],
    says: "Cannot start workers as Bun must be 1.4 or newer: received ",
  },
  node: {
    least: "24.2.0",
    newest: "26.10.0",
    older: ["24.1.0", "22.23.3"],
    says: "Cannot start workers as Node.js must be 24.2 or newer: received ",
  },
};

/** What is said where a worker takes longer to end than it may: busy machines. */
const ENDS_LATE =
  /^@parallel\/map: worker \d+ was ended, and .+ still runs.*\n/gm;

/** How long a program may run, in ms. */
const HANGS_MS = 120_000;

/** How long npm may fetch one: the tests may run beside it. */
const FETCH_MS = 600_000;

const { platform, arch } = process;

/** The package of each. That of "node" would install this one in turn. */
const PACKAGES: Record<Name, string> = {
  deno: "deno",
  bun: "bun",
  node: `node-${platform === "win32" ? "win" : platform}-${arch}`,
};

const SMOKE = join(import.meta.dirname!, "smoke.ts");

/** Runs a program, with the commands of a folder before all others. */
function run(
  folder: string,
  [program, ...args]: string[],
  timeout = HANGS_MS,
) {
  const { PATH } = process.env;
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd: folder,
    encoding: "utf8",
    timeout,
    env: {
      ...process.env,
      NO_COLOR: "1",
      DENO_DIR: join(folder, "cache"),
      PATH: [
        join(folder, "node_modules", ".bin"),
        join(folder, "node_modules", PACKAGES.node, "bin"),
        PATH,
      ].join(DELIMITER),
    },
  });
  return { status, out: stdout ?? "", err: stderr || `${error ?? ""}` };
}

/** Installs a runtime in a folder of its own. */
function install(folder: string, name: Name, version: string): void {
  mkdirSync(folder);
  // Without its script, the package of Bun has no program in it (npm 11 asks).
  const allowScripts = { bun: true, deno: true, node: true };
  const own = { private: true, allowScripts };
  writeFileSync(join(folder, "package.json"), JSON.stringify(own));
  const npm = ["npm", "install", "--prefix", folder, "--no-package-lock"];
  const quiet = ["--no-audit", "--no-fund", `${PACKAGES[name]}@${version}`];
  const { status, err } = run(folder, [...npm, ...quiet], FETCH_MS);
  assertEquals(status, 0, `npm did not install ${name} ${version}: ${err}`);
  // Older ones do not know import.meta.main: the program would do nothing.
  const { older } = FLOORS[name];
  const main = `--define:import.meta.main=${
    older.includes(version) || "import.meta.main"
  }`;
  if (name === "node") buildSmoke(folder, main);
  const { out } = run(folder, [name, "--version"]);
  assert(out.includes(version), `${name} ${version} says that it is ${out}`);
}

/** Runs the smoke on a runtime that was installed. */
function smoke(folder: string, name: Name, ...backends: string[]) {
  const command = {
    deno: ["deno", "run", "-A", SMOKE],
    bun: ["bun", SMOKE],
    node: ["node", join(folder, "smoke.mjs")],
  }[name];
  return run(folder, [...command, ...backends]);
}

/** As older ones do not read TypeScript, and 24.2.0 warns that it does. */
function buildSmoke(folder: string, main: string): void {
  const flags = ["--bundle", "--platform=node", "--format=esm", main];
  const target = `--outfile=${join(folder, "smoke.mjs")}`;
  const { status, err } = run(folder, ["esbuild", SMOKE, ...flags, target]);
  assertEquals(status, 0, err);
}

function checkFloor(folder: string, name: Name, version: string): number {
  const { status, out, err } = smoke(folder, name, "inline", "web", "threads");
  const said = err.replace(ENDS_LATE, "");
  assertEquals([status, said], [0, ""], `${name} ${version} failed: ${out}`);
  const counts = Array.from(out.matchAll(/: (\d+) checks/g), ([, n]) => +n);
  assertEquals(counts.length, 3, out);
  return counts.reduce((sum, count) => sum + count);
}

/** `pmap`, of the package for npm, says so too. */
function checkCommand(folder: string, version: string): void {
  const built = join(root, "package");
  if (!existsSync(built)) buildForNpm(built);
  const command = join(built, "built/cli.js");
  const { status, out, err } = run(folder, [
    "node",
    command,
    "--args",
    "-e",
    "x => x",
    "1",
  ]);
  assertEquals([status, out], [3, ""], err);
  assert(
    err.includes(`Node.js must be 24.2 or newer: received ${version}`),
    err,
  );
}

function checkOlder(folder: string, name: Name, version: string): void {
  // The caller's own thread needs no worker, and works on Deno. Bun 1.3.5 loses
  // messages of a MessageChannel, also without this library.
  if (name === "deno") assertEquals(smoke(folder, name, "inline").status, 0);
  const { status, err } = smoke(folder, name, "web");
  assertEquals(status, 1, `${name} ${version} was not refused: ${err}`);
  const sentence = FLOORS[name].says + version;
  if (name === "node") checkCommand(folder, version);
  assert(err.split(/\r?\n/).some((line) => line.endsWith(sentence)), err);
}

const short = process.argv.includes("--short");
const root = mkdtempSync(join(tmpdir(), "parallel-map-floors-"));
const passed: string[] = [];
const refused: string[] = [];
try {
  for (const name of ["deno", "bun", "node"] as const) {
    const { least, newest = least, older } = FLOORS[name];
    const versions = short ? [least] : [...new Set([least, newest]), ...older];
    for (const version of versions) {
      const folder = join(root, `${name}-${version}`);
      install(folder, name, version);
      const works = !older.includes(version);
      if (works) {
        const checks = checkFloor(folder, name, version);
        passed.push(`${name} ${version} (${checks} checks)`);
      } else {
        checkOlder(folder, name, version);
        refused.push(`${name} ${version}`);
      }
      console.log(
        `${name} ${version}: ${works ? "works" : "is refused"}`,
      );
      rmSync(folder, { recursive: true });
    }
  }
} finally {
  rmSync(root, { recursive: true });
}
console.log(`floors: ${passed.join(", ")} passed`);
if (refused.length > 0) console.log(`refused: ${refused.join(", ")}`);
