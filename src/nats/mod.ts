/**
 * `@parallel/map` on more than one machine, on NATS with JetStream: the same
 * calls, done by whichever machine serves the pool.
 *
 * @module
 */

export { NatsPool, type Remote } from "./nats_pool.ts";
export {
  type RunningWorker,
  runWorker,
  type WorkerCloseOptions,
} from "./run_worker.ts";
export type {
  ClusterOptions,
  ConnectOptions,
  LocalOptions,
  WorkerOptions,
} from "./options.ts";
export type { MachineInfo } from "./messages.ts";
export type {
  CloseOptions,
  ExportInput,
  ExportName,
  ExportResult,
  InitData,
  Inputs,
  KnownName,
  MapFunction,
  MapOptions,
  MapOutput,
  MapResults,
  ModuleSpecifier,
  OnlyNames,
  OutputArray,
  PermissionLists,
  Permissions,
  PoolOptions,
  Progress,
  ReduceOptions,
  RunEvent,
  RunOptions,
  SettledResult,
  StreamItem,
  StreamOptions,
  TaskContext,
  TaskError,
  TaskOutcome,
  TypedArray,
  TypedArrayConstructor,
  WeightFunction,
} from "@parallel/map";
