/**
 * `MODULE#EXPORT`: which function the command calls.
 *
 * @module
 */

import { existsSync, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { UsageError } from "./usage_error.ts";

/** The function to call. */
export interface Target {
  /** Absolute URL of its module. */
  url: string;
  /** Name of the export. */
  name: string;
  /** As the user knows it: file and export, without the folder. */
  title: string;
}

// Two letters at least, as C:\work.ts is a path.
const URL_SCHEME = /^[a-z][a-z0-9+.-]+:/i;

/**
 * Reads `MODULE#EXPORT`, a path or a URL with the name of an export.
 *
 * @param text As it was given.
 * @returns The function to call; the default export without `#`.
 * @throws {UsageError} When there is no such file.
 */
export function readTarget(text: string): Target {
  const cut = text.lastIndexOf("#");
  const module = cut < 0 ? text : text.slice(0, cut);
  const name = cut < 0 ? "default" : text.slice(cut + 1);
  if (module === "" || name === "") {
    throw new UsageError(
      `Cannot run as the first argument must be MODULE or MODULE#EXPORT: received "${text}"`,
    );
  }
  const title = `${basename(module)}#${name}`;
  if (URL_SCHEME.test(module)) return { url: module, name, title };
  const path = resolve(module);
  if (!existsSync(path) || statSync(path).isDirectory()) {
    throw new UsageError(
      `Cannot run as MODULE must be a file that exists, or a URL: received "${module}"`,
    );
  }
  return { url: pathToFileURL(path).href, name, title };
}
