/**
 * The messages between the caller's thread and a worker: tagged unions of
 * plain data. What there is not has no key: each costs a short call on its way.
 * The first chunk of a run that a worker gets brings the run along; a chunk is
 * answered by one message.
 *
 * @module
 */

import type { BoardMemory } from "./board.ts";
import type { CallData } from "./call_data.ts";
import type { Encoded } from "./codec.ts";
import type { FunctionRef } from "./function_ref.ts";
import type { Packed } from "./packing.ts";
import type { SharedArray } from "./views.ts";

/** The first message to a worker. */
export interface StartMessage {
  type: "start";
  /** A number nobody else knows, which marks what this worker itself says. */
  tag: number;
  /** Number of the worker's slot. */
  worker: number;
  /** How many threads the calls that it makes should start by default. */
  cores: number;
  /** How many workers lie one within another: 1 where the program is its caller. */
  depth: number;
  /**
   * Whether its pool has a listener: then the first look at the CPU's time, which
   * is slow, is taken before any task.
   */
  timed: boolean;
  /** ms by which the clock of the machine was set since the caller began. */
  stepped: number;
  /**
   * Millions of bytes that it may have; undefined for no limit. A process is
   * ended by then, any other worker says that it is full.
   */
  maxMemory?: number | undefined;
  /** What `init` gets. */
  workerData: Encoded;
  init: FunctionRef | undefined;
}

/**
 * Says which function a chunk and those after it are for, and where to note
 * progress.
 */
export interface RunAnnouncement {
  /** Number of the run in its pool. */
  number: number;
  /** What the call brings along, if this worker has not got it yet. */
  data?: CallData | undefined;
  /** Numbers of runs that are over: what they brought along can go. */
  forget?: number[];
  fn: FunctionRef;
  /** Folds the results of a chunk to one; undefined sends one a task. */
  combine?: FunctionRef;
  /** Tasks in flight at once: the number of lanes, by default 1. */
  concurrency?: number;
  /** Whether buffers in results are moved. */
  transfer?: boolean;
  /**
   * Where the worker notes what it is at, if it is not where it did before. Where
   * none is shared, the worker's end of the line adds one of its own (notes.ts).
   */
  board?: BoardMemory;
  /** The inputs, if the worker reads them where they are. */
  inputs?: SharedArray;
  /** Where the worker writes the results, instead of sending them. */
  output?: SharedArray;
  /** Whether the start of each task must be noted there. */
  watched?: boolean;
  /** From which try on a failure ends the run, if any does. */
  lastAttempt?: number;
  /** Whether, of a run that a failure ends, the tasks before that are wanted. */
  inTurn?: boolean;
}

/** Consecutive tasks. */
export interface ChunkMessage {
  type: "chunk";
  /**
   * Their run, if the chunk before was of another: not a message of its own, as
   * a short call takes a tenth less time so.
   */
  run?: RunAnnouncement;
  /** Serial number of the first task in this worker, from 1. */
  serial: number;
  /** Index of the first task. */
  first: number;
  /** Which try of these tasks this is. */
  attempt: number;
  values: Packed;
  /** Offsets of tasks not to run: their values could not be sent. */
  skip?: number[];
  /** Offsets of tasks that are not tried again, as their buffers were moved. */
  gone?: number[];
  /** Whether the times of each task are wanted. */
  timed?: boolean;
}

/**
 * What is done of chunks whose other tasks wait is wanted: the worker answers that
 * as soon as its thread is free, and from then on what is done after it (lanes.ts).
 */
export interface HurryMessage {
  type: "hurry";
  /**
   * Of what it was sent it is to begin no more, up to this serial number. Where
   * memory is shared, that is taken back already.
   */
  end?: number;
}

/** What the caller sends. */
export type ToWorker =
  | StartMessage
  | ChunkMessage
  | HurryMessage
  /** The run of the last chunk is over, and tasks of it are not settled. */
  | { type: "over" }
  /** These tasks wait for too long: their lanes are to go on. */
  | { type: "abandon"; serials: number[] }
  /** Is answered as soon as the thread is free. */
  | { type: "ping" }
  /** The worker will be ended: what `init` returned can be disposed. */
  | { type: "dispose" };

/** A task that failed, by its offset in the chunk. */
export interface TaskFailure {
  offset: number;
  /**
   * 0: the task itself failed. Else the results of so many tasks from there on
   * were to be folded to one: `combine` threw, or what it gave cannot be sent.
   */
  folded: number;
  /**
   * What it, or `combine`, threw, or what its result threw when it was read;
   * undefined if it was abandoned, which the caller knows.
   */
  error: Encoded | undefined;
  /** Why the result cannot be sent, in words; undefined when the task threw. */
  refused: string | undefined;
}

/**
 * What a worker whose memory is its own is at: with `timeout`, now and then, and
 * always before results are folded.
 */
export interface AtMessage {
  type: "at";
  /** The tasks that its lanes are at, and for how many ms. */
  tasks: { serial: number; ran: number }[];
  /** The highest serial number of a task that has begun. */
  begun: number;
  /** Serial number of the first task whose results are folded now. */
  folds: number | undefined;
}

/** The answer to a chunk. */
export interface DoneMessage {
  type: "done";
  /** Serial number of the chunk's first task. */
  serial: number;
  /** How many tasks were settled: the rest of the chunk was not begun. */
  tasks: number;
  /**
   * Set if the chunk is answered again, as these of its tasks, by their offsets,
   * wait: then `tasks` have begun, and the rest may begin. What was answered before
   * has no value here; where `times` are told, or all is, a failure is told once more,
   * without its error.
   */
  waits?: number[];
  /**
   * One result a task, undefined where it failed; or, folded, one for each
   * stretch of tasks between those that failed or were not sent; none if they
   * were written to shared memory.
   */
  values: Packed;
  /** The tasks that failed, if any did. */
  failures?: TaskFailure[];
  /**
   * ms from the start of the first task to the end of the last, without what it
   * takes to keep the first result (task_loop.ts).
   */
  ms: number;
  /** Bytes in the results, roughly. */
  bytes: number;
  /** Start and end of each task in ms since 1970, if `timed`. */
  times?: Float64Array;
  /** CPU ms of this thread since it last said so, if `timed` and known. */
  cpu?: number | undefined;
  /** Set if the worker has more than `maxMemory`: it is to be replaced. */
  full?: true;
}

/**
 * What arrives from a worker: a message with its tag before it. Anything else
 * was posted by a task, or by a library in it, and is not for us.
 */
export type Tagged = [tag: number, message: FromWorker];

/** What a worker sends. */
export type FromWorker =
  /** It can take tasks; `disposes` if it wants to be asked before it is ended. */
  | { type: "ready"; disposes: boolean }
  /** What `init` returned is disposed; `error` is what that threw. */
  | { type: "disposed"; error: Encoded | undefined }
  | { type: "pong" }
  | AtMessage
  /**
   * Of what it was sent up to `end`, it will begin none from `first` on, both
   * serial numbers.
   */
  | { type: "taken-back"; first: number; end: number }
  /** Those of the tasks to abandon that were not settled before. */
  | { type: "abandoned"; serials: number[] }
  /** A message came that the worker could not read. */
  | { type: "unreadable" }
  /** The module, or `init`, failed: this worker will do nothing. */
  | { type: "failed"; error: Encoded }
  /** The function of the run with that number could not be had. */
  | { type: "refused"; number: number; error: Encoded }
  /** The values of a chunk could not be read: none of its tasks ran. */
  | { type: "unread"; serial: number; error: Encoded }
  /**
   * An error that nobody caught, or without one a task that ends the worker, with
   * its exit code if it gave one; and the tasks it was at.
   */
  | { type: "stray"; error?: Encoded; code?: number | undefined; at?: number[] }
  | DoneMessage;
