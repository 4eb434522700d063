/**
 * The source text of a worker, put together from self-contained functions.
 *
 * @module
 */

import { keptNames } from "../../words/kept_names.ts";
import { makesCode } from "../wire/function_ref.ts";
import { programSource } from "./program.ts";
import type { WorkerPort } from "./worker_main.ts";

/** How a worker's program is put together. */
export interface BootOptions {
  /**
   * Whether all of it is code, and no part a text; by default where no text may
   * become code.
   */
  whole?: boolean | undefined;
  /** How values cross, as source text, if not as structured clone takes them. */
  crossing?: string;
}

/**
 * Writes what a worker runs.
 *
 * @param openPort Self-contained; opens the worker's end of the line.
 * @param portParts What it is given: self-contained functions, or source text.
 * @param options How it is put together.
 * @returns JavaScript, a module without imports.
 */
export function bootSource(
  openPort: (...parts: never[]) => WorkerPort,
  portParts: readonly unknown[],
  { whole = !makesCode(), crossing = "undefined" }: BootOptions = {},
): string {
  const source = `const crossing = ${crossing};
${programSource(whole)}
main((${openPort})(${portParts.join(", ")}));`;
  return keptNames(source) + source;
}
