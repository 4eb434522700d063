/**
 * Where results go, and the inputs that failed: opened before the job, and
 * brought to an end with it.
 *
 * @module
 */

import { randomUUID } from "node:crypto";
import {
  chmodSync,
  existsSync,
  fstatSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { syncFile } from "../joblog/log_file.ts";
import type { Settings } from "./command.ts";
import { closeWritten } from "./descriptors.ts";
import type { Written } from "./job_output.ts";
import { isSameFile, openLate, openToWrite, placeOf } from "./late_file.ts";
import { say } from "./messages.ts";

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

/** Where results go. */
interface Results {
  descriptor: number;
  /** They will be written now: what an earlier job wrote gives way. */
  begin(): void;
  /** Brings them to their end. */
  close(good: boolean): void;
}

/**
 * Names the file in which results are written until all went well.
 *
 * @param file The file that is asked for.
 * @returns It, or its part beside it; a device or a pipe has none.
 */
export function partOf(file: string): string {
  if (!existsSync(file)) return `${placeOf(file)}.part`;
  // What is open and was deleted has no path of its own.
  const place = placeOf(file);
  return statSync(file).isFile() && existsSync(place) ? `${place}.part` : file;
}

/**
 * Opens the files of `--output` and `--failed`. What an earlier job left in them
 * stays until there is an outcome: most jobs that fail at once are run again.
 *
 * @param settings Of the job.
 * @returns The files. Close them.
 * @throws {UsageError} When one cannot be written; none is left then.
 */
export function openResultFiles(
  { output, failed }: Pick<Settings, "output" | "failed">,
): ResultFiles {
  const inputs = failed === undefined
    ? undefined
    : openLate("--failed", failed);
  let results: Results | undefined;
  try {
    results = output === undefined ? undefined : openResults(output);
  } catch (error) {
    inputs?.close();
    throw error;
  }
  let begun = false;

  function begin(): Error | undefined {
    if (begun) return undefined;
    begun = true;
    return attempt(failed, () => inputs?.clear()) ??
      attempt(output, () => results?.begin());
  }

  function attempt(file: unknown, what: () => void): Error | undefined {
    try {
      what();
      return undefined;
    } catch (cause) {
      const why = (cause as Error).message;
      return new Error(
        `Cannot write results as "${file}" must take them: received an error (${why})`,
        { cause },
      );
    }
  }

  return {
    output: results?.descriptor ?? 1,
    failed: inputs?.descriptor,
    begin,
    close(good) {
      const first = good ? begin() : undefined; // also without any input
      const next = attempt(failed, () => inputs?.close());
      const isGood = good && (first ?? next) === undefined;
      const last = attempt(output, () => results?.close(isGood));
      const error = first ?? next ?? last;
      if (error !== undefined) throw error;
    },
  };
}

/**
 * Opens what takes results. It becomes the part with the first outcome, and is
 * a new file also where there is a part: another job may be writing that, and
 * would write on in what has become the file that was asked for.
 */
function openResults(output: string): Results {
  const asked = { flag: "--output", file: output };
  const part = partOf(output);
  if (part === output) { // a device or a pipe
    const descriptor = openToWrite(asked, "w");
    return { descriptor, begin() {}, close: () => closeWritten(descriptor) };
  }
  const target = part.slice(0, -".part".length);
  // What is in the way, or must not be written, must be told now.
  for (const there of [target, part]) {
    if (existsSync(there)) closeWritten(openToWrite(asked, "a", there));
  }
  // A name that no other job, and nobody else, has given a file.
  let place = `${part}.${randomUUID().slice(0, 8)}`;
  const descriptor = openToWrite(asked, "wx", place);
  if (existsSync(target)) keepMode(target, place);
  return {
    descriptor,
    begin() {
      renameSync(place, part);
      place = part;
    },
    close(good) {
      const isUnused = place !== part && fstatSync(descriptor).size === 0;
      if (!isUnused) syncFile(descriptor);
      const isOurs = isSameFile(descriptor, place);
      closeWritten(descriptor);
      if (isUnused) return isOurs ? rmSync(place) : undefined;
      if (!isOurs) {
        throw new Error(`another job, or a person, has replaced "${place}"`);
      }
      if (!good) return say(`left the results in ${place}`);
      renameSync(part, target);
    },
  };
}

/** Lets those read the results, from the first, who may read what was there. */
function keepMode(target: string, place: string): void {
  try {
    chmodSync(place, statSync(target).mode);
  } catch {
    // a file system that knows no modes
  }
}
