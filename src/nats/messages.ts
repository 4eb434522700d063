/**
 * The messages of a pool on NATS: plain data, written as bytes. Whoever reads
 * one checks it, as anybody may have sent it who may speak on these subjects.
 *
 * @module
 */

import type {
  CallData,
  Crossing,
  Encoded,
  FunctionRef,
  Packed,
  Wire,
} from "@parallel/map/seam";
import type { LineRules } from "@parallel/map/cli-seam";
import { createWire } from "@parallel/map/seam";
import { readBytes } from "./byte_reader.ts";
import { writeBytes } from "./byte_writer.ts";

/** The version of all that stands in this file and in the bytes of values. */
export const WIRE_VERSION = 3;

/** What a machine says of itself: as JSON, so that all versions read it. */
export interface MachineInfo {
  /** Known by it to this pool. */
  id: string;
  /** What its operator calls it; by default the name of the host. */
  name: string;
  /** Name of the host. */
  host: string;
  /** Number of its process there. */
  pid: number;
  /** How many tasks it runs at once; none, when it is told to end. */
  slots: number;
  /** Such as `deno 2.9.5`. */
  runtime: string;
  /** Version of the messages it speaks. */
  wire: number;
  /** The module it takes functions from; undefined if it has none. */
  module: string | undefined;
  /** Twelve digits that tell versions of that module apart. */
  fingerprint: string | undefined;
  /** Whether it takes functions that are sent by their source. */
  allowShipped: boolean;
  /** Whether nothing is left of it. */
  ends?: boolean;
}

/** What a function is to a machine: its source, or the name of an export. */
export type SentFunction = Pick<FunctionRef, "name"> & { source?: string };

/** What is called for lines of `pmap`: they are read and written there. */
export interface LinesMessage {
  fn: SentFunction;
  rules: Pick<LineRules, "json" | "batch" | "flat" | "detailed">;
  /** The version of the module that the job is of, where that is known. */
  fingerprint: string | undefined;
}

/** What a machine asks a client of one of its runs. */
export interface Question {
  run: string;
  /**
   * What of it is there: all was read; the store has no more what it was told of;
   * or nothing.
   */
  had: "all" | "lost" | "nothing";
  /** Id of the machine; older ones do not say it. */
  machine?: string;
  /** For how many ms it waits; older ones do not say it, and know no "later". */
  ms?: number;
}

/** What a call is: what a client answers a machine that asks. */
export type CallMessage =
  | { type: "over" }
  /** To a machine that knows the rest. */
  | { type: "on" }
  /** The rest is on its way to the store: to be asked for again. */
  | { type: "later" }
  | {
    type: "call";
    fn: SentFunction;
    combine: SentFunction | undefined;
    /** How its inputs are read, if they are lines. */
    lines: LinesMessage["rules"] | undefined;
    /** What it brings along; the functions in it by their sources. */
    data: CallData | undefined;
    timeout: number | undefined;
    concurrency: number | undefined;
    chunkSize: number | undefined;
    /** From which attempt on a failure ends it, if any does. */
    lastAttempt?: number | undefined;
    /** Whether, of what a failure ends, the tasks before that are wanted. */
    inTurn?: boolean;
    /** Whether anybody wants to know when each task ran. */
    timed: boolean;
    /** The version of the module that the machines were seen to have. */
    fingerprint: string | undefined;
  };

/** Consecutive tasks of a run. */
export interface ChunkMessage {
  type: "chunk";
  /** Number of the chunk in its pool. */
  number: number;
  /** Index of its first task. */
  first: number;
  /** Which try of these tasks this is. */
  attempt: number;
  /** Whether its machine must have nothing else to do: the task is suspect. */
  alone: boolean;
  values: Packed;
  /** Offsets of tasks not to run: their values could not be sent. */
  skip: number[];
}

/** Why a task failed there. */
export type SentFailure =
  | { why: "threw"; error: Encoded }
  | { why: "unfolded"; error: Encoded; tasks: number }
  | {
    why: "lost";
    code: number | undefined;
    signal: string | undefined;
    error: Encoded | undefined;
  }
  | { why: "timeout"; timeout: number; sendMs: number | undefined }
  | {
    why: "unsendable";
    what: "input" | "result";
    reason: string;
    cause: Encoded | undefined;
  };

/** When tasks ran in one worker of a machine. */
export interface Track {
  /** Number of the worker there. */
  worker: number;
  /** Offset of the first. */
  first: number;
  /** When each started, in ms since 1970, by the clock of the machine. */
  from: Float64Array;
  /** When each ended. */
  to: Float64Array;
  /** Offsets of those that failed. */
  failed: number[];
  /** CPU ms of the worker. */
  cpu: number | undefined;
}

/** What became of a chunk. */
export interface DoneMessage {
  type: "done";
  number: number;
  /** Id of the machine. */
  machine: string;
  /** Stretches of tasks that have results: offset of the first, and after it. */
  pieces: [from: number, to: number][];
  /** One result a task, in the order of the pieces; or, folded, one a piece. */
  values: Packed;
  /** Results that could not be sent, by their place in `values`. */
  refused: [at: number, reason: string, cause: Encoded | undefined][];
  /** The worker is undefined if the task never reached one. */
  failures: [
    offset: number,
    failure: SentFailure,
    worker?: number | undefined,
  ][];
  /** ms of one worker that the tasks took. */
  ms: number;
  /** Bytes in the results, roughly. */
  bytes: number;
  tracks: Track[];
}

/** What a machine answers. */
export type AnswerMessage =
  | DoneMessage
  /** The chunk could not be read, or its answer not be delivered. */
  | { type: "unread"; number: number; machine: string; error: Encoded }
  /** So many machines were lost under the chunk. */
  | { type: "lost"; number: number; machine: string; deliveries: number }
  /** The call cannot be served there. */
  | { type: "refused"; number: number; machine: string; problem: Problem };

/** Why a call cannot be served: goes on from "Cannot start workers as ". */
export interface Problem {
  message: string;
  cause: Encoded | undefined;
  /** How the workers got the `init` that threw the cause, if one did. */
  init: FunctionRef["from"] | undefined;
}

/** How values cross between machines. */
export const crossing: Crossing = {
  clone: (value) => readBytes(writeBytes(value)),
};

/** What turns values into plain data and back, for that way. */
export const wire: Wire = createWire(undefined, crossing);

/** What the codec makes of what was thrown. */
export function encodeThrown(thrown: unknown): Encoded {
  return wire.codec.encodeThrown(thrown);
}
