/**
 * The program of a worker but for its port, as source text: the same on every
 * runtime. What is published has this text ready made (`scripts/build.ts`).
 *
 * @module
 */

import { createBoard } from "../wire/board.ts";
import { openCallData } from "../wire/call_data.ts";
import { wireSource } from "../wire/wire.ts";
import { createAnswering } from "./answering.ts";
import { createCpuMeter } from "./cpu_meter.ts";
import { foldResults } from "./folding.ts";
import { createLanes } from "./lanes.ts";
import { createLoader } from "./loader.ts";
import { createMemoryMeter } from "./memory_meter.ts";
import { createContexts } from "./task_context.ts";
import { createTaskLoop } from "./task_loop.ts";
import { workerMain } from "./worker_main.ts";

/**
 * Writes the program.
 *
 * @param whole Whether all of it is code, for a linter.
 * @param shrink Makes the code of a part shorter.
 * @returns JavaScript without imports; declares `main`, which takes the port.
 */
export function programSource(
  whole = false,
  shrink?: (source: string) => string,
): string {
  return [
    // A text, as compilers rewrite import(): TypeScript, for one, to a call of
    // a function in its file ("rewriteRelativeImportExtensions").
    `const load = (url) => import(url);`,
    `const { codec, packing, views } = ${wireSource(whole, shrink)};`,
    `const createBoard = ${createBoard};`,
    `const openCallData = ${openCallData};`,
    `const foldResults = ${foldResults};`,
    `const createAnswering = ${createAnswering};`,
    `const createTaskLoop = ${createTaskLoop};`,
    `const createLanes = ${createLanes};`,
    `const contexts = (${createContexts})();`,
    `const readCpu = (${createCpuMeter})();`,
    `const readMemory = (${createMemoryMeter})();`,
    `const loaderFor = (port) => (${createLoader})(port.load ? (url) => port.load(() => load(url)) : load, true);`,
    `const main = (port) => (${workerMain})(port, { codec, packing, views, createBoard, openCallData, createAnswering, createTaskLoop, createLanes, foldResults, loader: loaderFor(port), contexts, readCpu, readMemory });`,
  ].join("\n");
}
