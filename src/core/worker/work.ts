/**
 * A run, announced and begun, and a chunk, as their worker has them.
 *
 * @module
 */

import type { TypedArray } from "../api/options.ts";
import type { Board } from "../wire/board.ts";
import type { OpenParcel } from "../wire/packing.ts";
import type {
  ChunkMessage,
  HurryMessage,
  RunAnnouncement,
  TaskFailure,
} from "../wire/protocol.ts";
import type { Surroundings } from "./task_context.ts";

/** The run that was last announced: its function may be on its way still. */
export interface AnnouncedRun {
  announcement: RunAnnouncement;
  /** Opened when it came: the run may be over before its function is there. */
  board: Board;
  /** If they are shared. */
  inputs: TypedArray | undefined;
  output: TypedArray | undefined;
  /** What is to be done once a task has begun. */
  hurry: HurryMessage | undefined;
}

/** A run whose function is there. */
export interface WorkerRun {
  announcement: RunAnnouncement;
  fn: (value: unknown, context: unknown) => unknown;
  /** Whether `fn` can see its context: else none is made. */
  seesContext: boolean;
  combine: ((one: unknown, other: unknown) => unknown) | undefined;
  around: Surroundings;
  idleLanes: number[];
}

/** A chunk, as its worker has it. */
export interface Work {
  message: ChunkMessage;
  values: ArrayLike<unknown>;
  /** One a task: a list, or the part of the output where they belong. */
  results: unknown[] | TypedArray;
  /**
   * Whether a result that is an object must be kept, if it is not answered at once:
   * its neighbours see it.
   */
  keeps: boolean;
  /** Where those are kept, once there is one. */
  kept: OpenParcel | undefined;
  /** Whether what is kept is so much that it is to be answered. */
  enough: boolean;
  /** Whether what is done is wanted before the rest is: see lanes.ts. */
  hurries: boolean;
  /** Whether a task has failed so that it ends the run, and that is not told. */
  fails: boolean;
  /** Offset of the first that has; Infinity if none has. */
  failsAt: number;
  failures: TaskFailure[];
  /** Bytes of what hangs on them. */
  failureBytes: number;
  times: Float64Array | undefined;
  /** Offsets of tasks that are not tried again. */
  gone: ReadonlySet<number> | undefined;
  /** Offsets of tasks not to run: to find one in a list takes its length. */
  skips: ReadonlySet<number> | undefined;
  count: number;
  next: number; // offset of the task to start next
  settled: number;
  told: number; // how many were settled when some were answered before the rest
  toldFailures: number; // how many of the failures were answered then
  answered: boolean;
  /**
   * When the first of its tasks began: not before, as all that is around a task
   * is slow when it runs for the first time, 0.3 ms on each runtime.
   */
  began: number | undefined;
}
