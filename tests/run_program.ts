// Runs a program, as a user would on the command line.

import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import process from "node:process";
import { gaveUp } from "../scripts/gave_up.ts";
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
 * Runs a program to its end; once more, if Deno itself gave up.
 *
 * @param command The program and its arguments.
 * @param cwd The folder to run it in; the root of this project, unless given.
 * @param input What it reads from stdin.
 * @param timeout How long it may take, in ms.
 * @returns What became of it.
 */
export function runProgram(
  command: string[],
  cwd: string = ROOT,
  input = "",
  timeout = 900_000,
): End {
  const end = runOnce(command, cwd, input, timeout);
  return gaveUp(end.err) ? runOnce(command, cwd, input, timeout) : end;
}

function runOnce(
  [program, ...args]: string[],
  cwd: string,
  input: string,
  timeout: number,
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
export function inFolder<R>(work: (folder: string) => R): R {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), "parallel-map-"));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * Makes a folder once for all runtimes, when `npm test` says where it may stay.
 *
 * @param folder Where it is to be; its name tells it from others.
 * @param make Fills a folder, which it has to create.
 */
export function makeOnce(
  folder: string,
  make: (folder: string) => void,
): void {
  const { BUILT } = process.env;
  if (BUILT === undefined) return make(folder);
  const made = join(BUILT, basename(folder));
  const begun = `${made}-begun`;
  const last = Date.now() + 1_200_000; // for a runtime that was killed at it
  while (!existsSync(made)) {
    try {
      mkdirSync(begun);
    } catch (error) { // another runtime is at it
      if (Date.now() > last) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
      continue;
    }
    try {
      const mine = `${made}-${runtime}`;
      make(mine);
      renameSync(mine, made); // whole, or not at all
    } catch (error) {
      rmdirSync(begun); // the next one tries it
      throw error;
    }
  }
  cpSync(made, folder, { recursive: true, verbatimSymlinks: true });
}
