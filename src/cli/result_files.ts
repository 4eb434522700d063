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
 * Opens the files of `--output` and `--failed`, and empties them.
 *
 * @param settings Of the job.
 * @returns The files. Close them.
 * @throws {UsageError} When one cannot be written.
 */
export function openResultFiles(
  { output, failed }: Pick<Settings, "output" | "failed">,
): ResultFiles {
  const part = output === undefined ? undefined : partOf(output);
  const results = part === undefined
    ? undefined
    : part === output
    ? openToWrite("--output", part, "w")
    : openPart(part);
  const inputs = failed === undefined
    ? undefined
    : openToWrite("--failed", failed, "w");
  return {
    output: results ?? 1,
    failed: inputs,
    close(good) {
      if (inputs !== undefined) closeSync(inputs);
      if (results === undefined) return;
      try {
        if (part === output) return closeSync(results);
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
      } catch (cause) {
        throw new Error(
          `Cannot write results as "${output}" must take them: received an error (${
            (cause as Error).message
          })`,
          { cause },
        );
      }
    },
  };
}

/**
 * A new file also where there is one: another job may be writing that, and would
 * write on in what has become the file that was asked for.
 */
function openPart(part: string): number {
  try {
    rmSync(part, { force: true });
  } catch {
    // what is in the way is told when it is opened
  }
  return openToWrite("--output", part, "wx");
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
