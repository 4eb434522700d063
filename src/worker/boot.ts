/**
 * The source text of a worker, put together from self-contained functions.
 *
 * @module
 */

import { createBoard } from "../wire/board.ts";
import { wireSource } from "../wire/wire.ts";
import { createCpuMeter } from "./cpu_meter.ts";
import { createLoader } from "./loader.ts";
import type { WorkerPort } from "./worker_main.ts";
import { workerMain } from "./worker_main.ts";

/**
 * Writes the program of a worker.
 *
 * @param openPort Self-contained; opens the worker's end of the line.
 * @returns JavaScript, a module without imports.
 */
export function bootSource(openPort: () => WorkerPort): string {
  return [
    // esbuild with --keep-names wraps functions in this helper of its own.
    "const __name = (f) => f;",
    `const { codec, packing } = ${wireSource()};`,
    `const loader = (${createLoader})(true);`,
    `const createBoard = ${createBoard};`,
    `const readCpu = (${createCpuMeter})();`,
    `(${workerMain})((${openPort})(), { codec, packing, createBoard, loader, readCpu });`,
  ].join("\n");
}
