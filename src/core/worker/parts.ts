/**
 * What the program of a worker is made of, as functions of this thread.
 *
 * @module
 */

import { createBoard } from "../wire/board.ts";
import { openCallData } from "../wire/call_data.ts";
import { createWire } from "../wire/wire.ts";
import { createAnswering } from "./answering.ts";
import { createCpuMeter } from "./cpu_meter.ts";
import { foldResults } from "./folding.ts";
import { createLanes } from "./lanes.ts";
import { createLoader } from "./loader.ts";
import { createMemoryMeter } from "./memory_meter.ts";
import { createContexts } from "./task_context.ts";
import { createTaskLoop } from "./task_loop.ts";
import type { WorkerParts } from "./worker_main.ts";

/** Imports a module by its URL. */
type Load = (url: string) => Promise<Record<string, unknown>>;

/**
 * Makes the parts for a worker in this thread. In any other, `programSource`
 * puts the same together as text.
 *
 * @param load Imports a module.
 * @param wire How values cross.
 */
export function createParts(
  load: Load = (url) => import(url),
  wire: Pick<WorkerParts, "codec" | "packing" | "views"> = createWire(),
): WorkerParts {
  return {
    ...wire,
    createBoard,
    openCallData,
    loader: createLoader(load, false),
    createAnswering,
    createTaskLoop,
    createLanes,
    foldResults,
    contexts: createContexts(),
    readCpu: createCpuMeter(),
    readMemory: createMemoryMeter(),
  };
}
