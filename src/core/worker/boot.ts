/**
 * The source text of a worker, put together from self-contained functions.
 *
 * @module
 */

import { keptNames } from "../../words/kept_names.ts";
import { makesCode } from "../wire/function_ref.ts";
import { programSource } from "./program.ts";
import type { WorkerPort } from "./worker_main.ts";

/**
 * Writes what a worker runs.
 *
 * @param openPort Self-contained; opens the worker's end of the line.
 * @param whole Whether all of it is code, and no part a text; by default where no
 * text may become code.
 * @param before Declares how values cross, and what `openPort` is given.
 * @returns JavaScript, a module without imports.
 */
export function bootSource(
  openPort: (...parts: never[]) => WorkerPort,
  whole: boolean | undefined,
  before: string,
): string {
  const source = `${before}\n${
    programSource(whole ?? !makesCode())
  }\nmain((${openPort})(...portParts));`;
  return keptNames(source) + source;
}
