// Runs a program, as a user would on the command line.

import { spawnSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import process from "node:process";
import { runtime } from "./harness.ts";

/** The root of this project. */
export const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** The command that runs a script on the runtime at hand. */
export const RUN: string[] = {
  deno: ["deno", "run"],
  bun: ["bun"],
  node: [process.execPath],
  browser: [], // it runs no program
}[runtime];

/** The same, with every permission. */
export const RUN_ALL: string[] = RUN.length > 1 ? [...RUN, "-A"] : RUN;

/** What became of a program. */
export interface End {
  /** Its exit code; null when it was still running after its time. */
  code: number | null;
  /** What it printed. */
  out: string;
  /** What it complained of. */
  err: string;
}

/**
 * Runs a program to its end.
 *
 * @param command The program and its arguments.
 * @param cwd The folder to run it in; the root of this project, unless given.
 * @param input What it reads from stdin.
 * @param timeout How long it may take, in ms.
 * @returns What became of it.
 */
export function runProgram(
  [program, ...args]: string[],
  cwd: string = ROOT,
  input = "",
  timeout = 240_000,
): End {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    input,
    encoding: "utf8",
    timeout,
    env: {
      ...process.env,
      NO_COLOR: "1",
      // Deno and Bun as installed with this project come first; before them the
      // runtime at hand, as npm starts Deno by another program: 120 ms.
      PATH: [
        dirname(process.execPath),
        join(ROOT, "node_modules/.bin"),
        process.env.PATH,
      ].join(delimiter),
    },
  });
  if (error !== undefined && status === undefined) throw error;
  return { code: status, out: stdout ?? "", err: stderr ?? `${error}` };
}

/** Gives a folder of its own to a piece of work, and removes it afterwards. */
export function inFolder(work: (folder: string) => void): void {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), "parallel-map-"));
  try {
    work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
