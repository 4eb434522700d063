/**
 * The function that is to be called: found before the work begins.
 *
 * @module
 */

import { hash } from "node:crypto";
import { readFileSync, type Stats, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Settings } from "./command.ts";
import { quote } from "./messages.ts";
import type { Cluster } from "./seam.ts";
import { UsageError } from "./values.ts";

/** The function to call. */
export interface Target {
  /** Absolute URL of its module. */
  url: string;
  /** Name of the export. */
  name: string;
  /** As the user knows it: file and export, without the folder. */
  title: string;
  /**
   * First 128 bits of the SHA-256 of the text of the module, in hex, or what a
   * machine says instead; undefined for one that is neither here nor there.
   */
  digest: string | undefined;
}

/** A job as it will be run. */
export interface Plan extends Settings {
  target: Target;
  /** The machines that do the work; undefined if this one does. */
  cluster?: Cluster | undefined;
}

// Two letters at least, as C:\work.ts is a path.
const URL_SCHEME = /^[a-z][a-z0-9+.-]+:/i;

/** What is no path, but was meant for -e. */
const LIKE_FUNCTION = /=>|^\s*(async\s+)?function\b/;

/**
 * Finds the function.
 *
 * @param settings Of the job.
 * @param cluster The machines that do it, if others do.
 * @returns The function.
 * @throws {UsageError} When there is no such file.
 */
export function findTarget(
  { module, name, expression, on }: Settings,
  cluster?: Cluster,
): Target {
  if (expression !== undefined) return expressed(expression);
  if (on !== undefined) {
    const digest = cluster?.fingerprint;
    return {
      url: `nats:${on.pool}`,
      name,
      title: `${on.pool}#${name}`,
      digest,
    };
  }
  const title = `${basename(module)}#${name}`;
  const path = pathOf(module);
  if (path === undefined) {
    const isNode = !("Deno" in globalThis) && !("Bun" in globalThis);
    if (isNode && /^https?:/i.test(module)) {
      throw new UsageError(
        `Cannot run as MODULE must be a file on Node.js, which imports none from the web: received "${module}"`,
      );
    }
    return { url: module, name, title, digest: undefined };
  }
  const found = lookAt(path);
  if (!found?.isFile()) {
    const cure = LIKE_FUNCTION.test(module)
      ? ` (a function stands after -e: pmap -e '${module}')`
      : found === undefined || found.isDirectory()
      ? ""
      : " (each worker reads it, so that a pipe will not do)";
    throw new UsageError(
      `Cannot run as MODULE must be a file that exists, or a URL: received "${module}"${cure}`,
    );
  }
  // A search such as ?v=2 is part of what is loaded.
  const url = /^file:/i.test(module) ? module : pathToFileURL(path).href;
  return { url, name, title, digest: digestOf(readFileSync(path)) };
}

/**
 * Tells whether the text of a module is another one than when the job began.
 *
 * @param target What is called.
 * @returns False also where that is not to be known.
 */
export function isEdited({ url, digest }: Target): boolean {
  const path = /^file:/i.test(url) ? pathOf(url) : undefined;
  if (path === undefined) return false;
  try {
    return digestOf(readFileSync(path)) !== digest;
  } catch {
    return false; // it is gone
  }
}

/**
 * Tells where a module is.
 *
 * @param module A path or a URL.
 * @returns Its absolute path, undefined if it is in no file.
 * @throws {UsageError} When it is a URL that no file has.
 */
export function pathOf(module: string): string | undefined {
  if (/^file:/i.test(module)) {
    try {
      return fileURLToPath(module);
    } catch (error) {
      throw new UsageError(
        `Cannot run as MODULE must be a file on this machine: received "${module}" (${
          (error as Error).message
        })`,
      );
    }
  }
  return URL_SCHEME.test(module) ? undefined : resolve(module);
}

/** What is at a path; undefined if nothing is, or it cannot be any. */
function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** A function of the command line. Only its syntax is looked at here. */
function expressed(expression: string): Target {
  try {
    new Function(`return (${expression}\n)`);
  } catch (error) {
    throw new UsageError(
      `Cannot run as -e must be a function in JavaScript: received ${
        quote(expression)
      } (${(error as Error).message})`,
    );
  }
  const digest = digestOf(expression);
  return { url: "-e", name: "-e", title: "-e", digest };
}

function digestOf(text: string | Uint8Array): string {
  return hash("sha256", text, "hex").slice(0, 32);
}
