/**
 * Runs scripts of this folder as processes of their own, on each runtime.
 *
 * @module
 */

import { spawn } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";

/** Which runtime this is. */
export const RUNTIME: "deno" | "bun" | "node" = "Deno" in globalThis
  ? "deno"
  : "Bun" in globalThis
  ? "bun"
  : "node";

/** What it is called. */
export const RUNTIME_NAME: string = {
  deno: "Deno",
  bun: "Bun",
  node: "Node.js",
}[RUNTIME];

/** How a process ended. */
export interface Ended {
  /** Its exit code; undefined when it had to be killed. */
  code: number | undefined;
  output: string;
}

/**
 * Runs a script on the runtime at hand.
 *
 * @param script Its path from this folder, and arguments for it.
 * @param limit ms after which it is killed.
 * @returns How it ended, and what it wrote to its standard output.
 */
export function runScript(
  [script, ...rest]: [string, ...string[]],
  limit = 60_000,
): Promise<Ended> {
  const path = resolve(import.meta.dirname!, script);
  const args = RUNTIME === "deno" ? ["run", "-A", path] : [path];
  return runProcess(process.execPath, [...args, ...rest], limit);
}

/**
 * Runs a program.
 *
 * @param program Its name.
 * @param args Its arguments.
 * @param limit ms after which it is killed.
 * @returns How it ended, and what it wrote to its standard output.
 */
export function runProcess(
  program: string,
  args: string[],
  limit: number,
): Promise<Ended> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  return new Promise((resolve, reject) => {
    let output = "";
    let complaint = "";
    let killed = false;
    const timer = setTimeout(() => {
      killed = true;
      child.kill("SIGKILL");
    }, limit);
    child.stdout!.on("data", (part) => output += part);
    child.stderr!.on("data", (part) => complaint += part);
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      if (code !== 0 && !killed) output += complaint;
      resolve({ code: killed ? undefined : code ?? 1, output });
    });
  });
}

/**
 * Runs a script that must succeed.
 *
 * @param script Its path from this folder, and arguments for it.
 * @returns What it wrote to its standard output.
 * @throws {Error} When it fails.
 */
export async function outputOf(script: [string, ...string[]]): Promise<string> {
  const { code, output } = await runScript(script);
  if (code !== 0) throw new Error(`${script.join(" ")} failed: ${output}`);
  return output.trim();
}

/** What cold programs map, as text. */
export interface ColdWork {
  task: string;
  inputs: string;
}

/** Programs that do the same work, each a whole process, in one folder. */
export interface ColdPrograms {
  /** By two bare workers. */
  raw: string;
  /** By a loop. */
  loop: string;
  /** With the library as its users load it: built. */
  ours: string;
}

/** Folders with what is built of each checkout. */
const built = new Map<string, Promise<{ folder: string; library: string }>>();

/** Builds the library of a checkout. */
async function build(root: string) {
  const folder = mkdtempSync(join(tmpdir(), "parallel-map-cold-"));
  process.on("exit", () => rmSync(folder, { recursive: true }));
  const script = join(root, "scripts/build.ts");
  if (!existsSync(script)) {
    return { folder, library: pathToFileURL(join(root, "mod.ts")).href };
  }
  const args = ["run", "-A", script, folder];
  const { code, output } = await runProcess("deno", args, 60_000);
  if (code !== 0) throw new Error(`${script} failed: ${output}`);
  return { folder, library: "./built/main.js" };
}

let works = 0;

/**
 * Writes them, into a folder that is removed when this process ends.
 *
 * @param root Root of a checkout. If that has no build, its sources are loaded.
 * @param work What they map, if not eight numbers.
 * @returns Their paths.
 */
export async function coldPrograms(
  root: string,
  work?: ColdWork,
): Promise<ColdPrograms> {
  if (!built.has(root)) built.set(root, build(root));
  const { folder, library } = await built.get(root)!;
  const number = works++;
  const write = (program: string) => {
    const path = join(folder, `${number}_${program}`);
    const source = join(import.meta.dirname!, "cold", program);
    let text = readFileSync(source, "utf8");
    for (const [name, part] of Object.entries(work ?? {})) {
      const known = new RegExp(`^const ${name} = .*$`, "m");
      text = text.replace(known, () => `const ${name} = ${part};`);
    }
    writeFileSync(path, text.replace("../../mod.ts", library));
    return path;
  };
  return {
    raw: write(RUNTIME === "node" ? "raw_node.ts" : "raw.ts"),
    loop: write("loop.ts"),
    ours: write("ours.ts"),
  };
}
