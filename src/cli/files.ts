/**
 * The files of a job: looked at before any work begins, so that no work is done
 * for nothing.
 *
 * @module
 */

import {
  accessSync,
  constants,
  existsSync,
  fstatSync,
  readFileSync,
  readlinkSync,
  statSync,
} from "node:fs";
import process from "node:process";
import type { Settings } from "./command.ts";
import { placeOf } from "./late_file.ts";
import { say } from "./messages.ts";
import { partOf } from "./result_files.ts";
import { pathOf } from "./target.ts";
import { UsageError } from "./values.ts";

/**
 * Checks that inputs can be read, and that what is written is not among them;
 * and before that, that paths mean anything.
 *
 * @param settings Of the job.
 * @throws {UsageError} When it is so.
 */
export function checkFiles(settings: Settings): void {
  checkFolder();
  const { source, log, timeline, output, failed, dryRun } = settings;
  const module = moduleOf(settings);
  const inputs = source.from === "files" ? source.files : [];
  for (const file of inputs) if (file !== "-") checkInput(file);
  if (log === undefined && output === undefined && !dryRun) {
    checkStandardOutput();
  }
  // By device and number: two paths may lead to one file.
  const seen = new Map<string, string>();
  const read = inputs.includes("-") ? regular(() => fstatSync(0)) : undefined;
  for (const [descriptor, name] of WRITTEN) {
    const standard = regular(() => fstatSync(descriptor));
    if (standard === undefined) continue;
    if (read === standard) {
      throw new UsageError(
        `Cannot run as standard input must not be the file of ${name}: received one for both`,
      );
    }
    if (!seen.has(standard)) seen.set(standard, name);
  }
  if (read !== undefined) seen.set(read, "standard input");
  for (
    const [flag, file] of [
      ["MODULE", module],
      ...inputs.map((file) => ["FILE", file] as const),
      ["--joblog", log?.file],
      ["--joblog", log && `${placeOf(log.file)}.lock`],
      ["--timeline", timeline],
      ["--output", output],
      ["--output", output && partOf(output)],
      ["--failed", failed],
    ]
  ) {
    if (file === undefined || file === "-") continue;
    // One that is yet to be made is known by its place.
    const key = existsSync(file)
      ? regular(() => statSync(file))
      : placeOf(file);
    const other = key && seen.get(key);
    const isRead = READ.has(flag!) && READ.has(other!);
    if (other !== undefined && flag !== other && !isRead) {
      throw new UsageError(
        `Cannot run as ${flag} must not be the file of ${other}: received "${file}" for both`,
      );
    }
    if (key !== undefined) seen.set(key, flag!);
  }
}

/**
 * In a folder that was removed, threads do not start on Node.js 24, and paths
 * lead into the folder of the program on Bun 1.4.5.
 */
function checkFolder(): void {
  try {
    process.cwd();
  } catch {
    throw new UsageError(
      "Cannot run as the current folder must exist: received one that was removed",
    );
  }
}

/** What is written beside the files of the flags: it may be one, as with `2>&1`. */
const WRITTEN = [[1, "standard output"], [2, "standard error"]] as const;

/** What is only read: nothing is lost where two of these are one file. */
const READ = new Set(["MODULE", "FILE", "standard input"]);

/** The file of the module, if it is here. */
function moduleOf({ module, expression, on }: Settings): string | undefined {
  if (expression !== undefined || on !== undefined) return undefined;
  return pathOf(module);
}

function checkInput(file: string): void {
  let why: string | undefined;
  try {
    accessSync(file, constants.R_OK);
    if (statSync(file).isDirectory()) why = "a folder";
  } catch (error) {
    why = (error as NodeJS.ErrnoException).code === "ENOENT"
      ? "no such file"
      : "a file that may not be read";
  }
  if (why === undefined) return;
  throw new UsageError(
    `Cannot run as inputs must be files that can be read (or values after --args): received "${file}", ${why}`,
  );
}

/** Which file it is, if it is one that keeps what is written. */
function regular(
  stat: () => { dev: number; ino: number; isFile(): boolean },
): string | undefined {
  try {
    const found = stat();
    return found.isFile() ? `${found.dev} ${found.ino}` : undefined;
  } catch {
    return undefined; // it is yet to be made, or closed
  }
}

/**
 * A runtime that finds standard output closed opens /dev/null in its place, for
 * reading and writing, which `> /dev/null` does not. Bun marks it as to be closed
 * in other programs, as nothing that is handed over to one can be. On Deno and
 * Node.js, that looks the same as a /dev/null that was handed over on purpose, as
 * Python and Node.js do for a child whose output nobody wants.
 */
function checkStandardOutput(): void {
  const [input, output, errors] = [0, 1, 2].map(nullFlags);
  if ("Bun" in globalThis) {
    if ((output! & CLOSE_ON_EXEC) === 0) return;
    throw new UsageError(
      "Cannot run as standard output must be open: received none (> /dev/null drops the results)",
    );
  }
  // When they do it more than once, it was meant.
  if (output === 0 || input !== 0 || errors !== 0) return;
  say("drops the results, as standard output is /dev/null or closed");
}

/** Flags of open(2), of Linux. */
const CLOSE_ON_EXEC = 0o2000000;
const READ_AND_WRITE = 2;

/** The flags of a descriptor that is /dev/null for reading and writing; or 0. */
function nullFlags(file: number): number {
  if (process.platform !== "linux") return 0;
  try {
    const info = readFileSync(`/proc/self/fdinfo/${file}`, "utf8");
    const flags = Number.parseInt(/flags:\s*(\d+)/.exec(info)![1]!, 8);
    return readlinkSync(`/proc/self/fd/${file}`) === "/dev/null" &&
        (flags & 3) === READ_AND_WRITE
      ? flags
      : 0;
  } catch {
    return 0; // no such list here
  }
}
