/**
 * Where results go, and the inputs that failed: opened before the job, and
 * brought to an end with it.
 *
 * @module
 */

import {
  chmodSync,
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import type { Settings } from "./command.ts";
import type { Written } from "./job.ts";
import { say } from "./messages.ts";
import { UsageError } from "./values.ts";

/** What a job writes, and what becomes of it. */
export interface ResultFiles extends Written {
  /**
   * Closes the files. A part becomes the file that was asked for, if all went
   * well; else it is left, and that is said.
   *
   * @param good Whether all went well.
   * @throws When it cannot become that.
   */
  close(good: boolean): void;
}

/**
 * Names the file in which results are written until all went well.
 *
 * @param file The file that is asked for.
 * @returns It, or its part beside it; a device or a pipe has none.
 */
export function partOf(file: string): string {
  if (!existsSync(file)) return `${file}.part`;
  return statSync(file).isFile() ? `${realpathSync(file)}.part` : file;
}

/**
 * Opens the files of `--output` and `--failed`. What an earlier job left in them
 * stays until there is an outcome: most jobs that fail at once are run again.
 *
 * @param settings Of the job.
 * @returns The files. Close them.
 * @throws {UsageError} When one cannot be written.
 */
export function openResultFiles(
  { output, failed }: Pick<Settings, "output" | "failed">,
): ResultFiles {
  const part = output === undefined ? undefined : partOf(output);
  const next = part === output ? undefined : `${part}.new`;
  const results = part === undefined
    ? undefined
    : next === undefined
    ? openToWrite("--output", part, "w")
    : openNew(next, part);
  const inputs = failed === undefined
    ? undefined
    : openToWrite("--failed", failed, "a");
  let begun = false;

  function begin(): void {
    if (begun) return;
    begun = true;
    // A pipe or a device has no length.
    if (inputs !== undefined && fstatSync(inputs).isFile()) {
      ftruncateSync(inputs);
    }
    if (next !== undefined) renameSync(next, part!);
  }

  function close(good: boolean): void {
    if (good) begin(); // also without any input
    if (inputs !== undefined) closeSync(inputs);
    if (results === undefined) return;
    if (next === undefined) return closeSync(results);
    if (!begun) {
      closeSync(results);
      return rmSync(next);
    }
    fsyncSync(results);
    const isOurs = isSameFile(results, part!);
    closeSync(results);
    if (!isOurs) {
      throw new Error(`another job, or a person, has replaced "${part}"`);
    }
    if (!good) return say(`left the results in ${part}`);
    const target = part!.slice(0, -".part".length);
    if (existsSync(target)) chmodSync(part!, statSync(target).mode);
    renameSync(part!, target);
  }

  function attempt(what: () => void): Error | undefined {
    try {
      what();
      return undefined;
    } catch (cause) {
      return new Error(
        `Cannot write results as "${output}" must take them: received an error (${
          (cause as Error).message
        })`,
        { cause },
      );
    }
  }

  return {
    output: results ?? 1,
    failed: inputs,
    begin: () => attempt(begin),
    close(good) {
      const error = attempt(() => close(good));
      if (error !== undefined) throw error;
    },
  };
}

/**
 * Opens what becomes a part: a new file also where there is one, as another job
 * may be writing that, and would write on in what has become the file that was
 * asked for.
 */
function openNew(next: string, part: string): number {
  // What is in the way of the part must be told now.
  if (existsSync(part)) closeSync(openToWrite("--output", part, "a"));
  try {
    rmSync(next, { force: true });
  } catch {
    // what is in the way is told when it is opened
  }
  return openToWrite("--output", next, "wx");
}

function isSameFile(descriptor: number, path: string): boolean {
  const [one, other] = [
    fstatSync(descriptor),
    statSync(path, { throwIfNoEntry: false }),
  ];
  return one.dev === other?.dev && one.ino === other.ino;
}

/**
 * Opens a file to be written.
 *
 * @param flag Its flag, for errors.
 * @param file Its path.
 * @param how `w` for an empty one, `wx` for a new one, `a` to keep what is in it.
 * @returns A descriptor.
 * @throws {UsageError} When it cannot be written.
 */
export function openToWrite(
  flag: string,
  file: string,
  how: "w" | "wx" | "a",
): number {
  try {
    return openSync(file, how);
  } catch (error) {
    throw new UsageError(
      `Cannot run as ${flag} must be a file that can be written: received "${file}" (${
        (error as Error).message
      })`,
    );
  }
}
