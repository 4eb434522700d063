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
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
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
    : openToWrite("--output", part, "w");
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
        if (part !== output) fsyncSync(results);
        closeSync(results);
        if (part === output) return;
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
 * Opens a file to be written.
 *
 * @param flag Its flag, for errors.
 * @param file Its path.
 * @param how `w` for an empty one, `a` to keep what is in it.
 * @returns A descriptor.
 * @throws {UsageError} When it cannot be written.
 */
export function openToWrite(
  flag: string,
  file: string,
  how: "w" | "a",
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
