/**
 * The source text of a worker, put together from self-contained functions.
 *
 * @module
 */

import { createBoard } from "../wire/board.ts";
import { keptNames } from "../wire/kept_names.ts";
import { openCallData } from "../wire/call_data.ts";
import { wireSource } from "../wire/wire.ts";
import { createAnswering } from "./answering.ts";
import { createCpuMeter } from "./cpu_meter.ts";
import { foldResults } from "./folding.ts";
import { createLoader } from "./loader.ts";
import { createContexts } from "./task_context.ts";
import { createTaskLoop } from "./task_loop.ts";
import type { WorkerPort } from "./worker_main.ts";
import { workerMain } from "./worker_main.ts";

/**
 * Writes the program of a worker.
 *
 * @param openPort Self-contained; opens the worker's end of the line.
 * @param whole Whether all of it is code, for a linter.
 * @returns JavaScript, a module without imports.
 */
export function bootSource(
  openPort: () => WorkerPort,
  whole = false,
): string {
  const source = [
    // A text, as compilers rewrite import(): TypeScript, for one, to a call of
    // a function in its file ("rewriteRelativeImportExtensions").
    `const load = (url) => import(url);`,
    `const { codec, packing, views } = ${wireSource(whole)};`,
    `const createBoard = ${createBoard};`,
    `const loader = (${createLoader})(load, true);`,
    `const openCallData = ${openCallData};`,
    `const foldResults = ${foldResults};`,
    `const createAnswering = ${createAnswering};`,
    `const createTaskLoop = ${createTaskLoop};`,
    `const contexts = (${createContexts})();`,
    `const readCpu = (${createCpuMeter})();`,
    `(${workerMain})((${openPort})(), { codec, packing, views, createBoard, openCallData, createAnswering, createTaskLoop, foldResults, loader, contexts, readCpu });`,
  ].join("\n");
  return keptNames(source) + source;
}
