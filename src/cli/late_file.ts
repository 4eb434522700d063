/**
 * Files that are opened before a job, and written later: one that cannot be is
 * told before any work, and what is in them stays until then.
 *
 * @module
 */

import {
  existsSync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { closeWritten, openWritten } from "./descriptors.ts";
import { UsageError } from "./values.ts";

/** A file that was opened before it is written. */
export interface LateFile {
  descriptor: number;
  /** Empties it, as it will be written now. */
  clear(): void;
  /** Closes it. If it was made for this, and never written, it is removed. */
  close(): void;
}

/**
 * Opens a file that will be written later.
 *
 * @param flag Its flag, for errors.
 * @param file Its path.
 * @returns The file. Close it.
 * @throws {UsageError} When it cannot be written.
 */
export function openLate(flag: string, file: string): LateFile {
  // By its own path if it is there: a pipe has no other, and to Bun 1.4.5 the
  // real path of one is a file of the current folder.
  const place = existsSync(file) ? file : placeOf(file);
  const made = makeNew(place);
  const descriptor = made ?? openToWrite({ flag, file }, "a");
  let cleared = false;
  return {
    descriptor,
    clear() {
      cleared = true;
      // A pipe or a device has no length.
      if (fstatSync(descriptor).isFile()) ftruncateSync(descriptor);
    },
    close() {
      // Another job may have written in it meanwhile.
      const isUnused = made !== undefined && !cleared &&
        fstatSync(descriptor).size === 0 && isSameFile(descriptor, place);
      closeWritten(descriptor);
      if (isUnused) rmSync(place);
    },
  };
}

/** Opens a file that is not there yet; undefined if it is, or cannot be made. */
function makeNew(place: string): number | undefined {
  try {
    return openSync(place, "ax");
  } catch {
    return undefined; // whoever opens it otherwise says why it cannot be
  }
}

/**
 * Opens a file to be written.
 *
 * @param asked Its flag and the path that was given, for errors.
 * @param how `w` for an empty one, `wx` for a new one, `a` to keep what is in it.
 * @param path Its path, if it is another one.
 * @returns A descriptor.
 * @throws {UsageError} When it cannot be written.
 */
export function openToWrite(
  { flag, file }: { flag: string; file: string },
  how: "w" | "wx" | "a",
  path: string = file,
): number {
  try {
    return openWritten(path, how);
  } catch (error) {
    throw new UsageError(
      `Cannot run as ${flag} must be a file that can be written: received "${file}" (${
        (error as Error).message
      })`,
    );
  }
}

/**
 * Tells where a file is, or will be made: links are followed, as opening it does.
 *
 * @param file Its path.
 * @returns The path without links; of what cannot be reached, the absolute one.
 */
export function placeOf(file: string): string {
  const path = resolve(file);
  try {
    return realpathSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") return path;
  }
  if (dirname(path) === path) return path; // a drive that is not there
  const place = join(placeOf(dirname(path)), basename(path));
  return lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink()
    ? placeOf(resolve(dirname(place), readlinkSync(place)))
    : place;
}

/**
 * Tells whether a file is still what was opened.
 *
 * @param descriptor What was opened.
 * @param path Its path then.
 * @returns False when another has taken its place, or none.
 */
export function isSameFile(descriptor: number, path: string): boolean {
  const [one, other] = [
    fstatSync(descriptor),
    statSync(path, { throwIfNoEntry: false }),
  ];
  return one.dev === other?.dev && one.ino === other.ino;
}
