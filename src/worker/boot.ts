/**
 * The source text of a worker, put together from self-contained functions.
 *
 * @module
 */

import { createCodec } from "../wire/codec.ts";
import { createColumns } from "../wire/columns.ts";
import { createInspect } from "../wire/inspection.ts";
import { keptNames } from "../wire/kept_names.ts";
import { createPacking } from "../wire/packing.ts";
import { createRows } from "../wire/rows.ts";
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
  const source = [
    `const codec = (${createCodec})();`,
    `const columns = (${createColumns})();`,
    `const rows = (${createRows})(columns);`,
    `const inspect = (${createInspect})();`,
    `const packing = (${createPacking})(codec, inspect, { columns, rows });`,
    // A text, as compilers rewrite import(): TypeScript, for one, to a call of
    // a function in its file ("rewriteRelativeImportExtensions").
    `const loader = (${createLoader})((url) => import(url), true);`,
    `const readCpu = (${createCpuMeter})();`,
    `(${workerMain})((${openPort})(), { codec, packing, loader, readCpu });`,
  ].join("\n");
  return keptNames(source) + source;
}
