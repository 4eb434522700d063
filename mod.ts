/**
 * Data-parallel map for Deno, Bun, Node.js and browsers: every input goes through one
 * function in workers, and the results come back in input order.
 *
 * @example Usage
 * ```ts
 * import { parallelMap } from "@parallel/map";
 * import { assertEquals } from "@std/assert";
 *
 * const add = ([a, b]: [number, number]) => a + b;
 * const pairs: [number, number][] = [[10, 1], [3, 3], [4, 3]];
 * assertEquals(await parallelMap(add, pairs, { workers: 2 }), [11, 6, 7]);
 * ```
 *
 * @module
 */

export {
  parallelMap,
  parallelMapSettled,
  parallelMapStream,
  parallelReduce,
} from "./src/core/calls/parallel_map.ts";
export { Pool } from "./src/core/calls/pool.ts";
export {
  TaskError,
  type TaskErrorOptions,
  TaskTimeoutError,
  WorkerLostError,
  WorkerStartError,
} from "./src/core/api/errors.ts";
export type { Progress, RunEvent } from "./src/core/api/events.ts";
export type {
  BareName,
  CloseOptions,
  DataOption,
  ExportContext,
  ExportInput,
  ExportName,
  ExportOptions,
  ExportResult,
  InitData,
  Inputs,
  KnownName,
  MapFunction,
  MapOptions,
  MapOutput,
  MapResults,
  ModuleSpecifier,
  Needed,
  NoOptions,
  OnlyNames,
  OutputArray,
  PermissionLists,
  Permissions,
  PoolOptions,
  ReduceOptions,
  RunOptions,
  SettledResult,
  StreamItem,
  StreamOptions,
  TaskContext,
  TaskOutcome,
  TypedArray,
  TypedArrayConstructor,
  WeightFunction,
} from "./src/core/api/options.ts";
