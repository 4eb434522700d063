/**
 * What a slot tells the scheduler, what it is made of, and what it is at.
 *
 * @module
 */

import type { Clock } from "../runtime/clock.ts";
import type { Backend, WorkerHandle } from "../runtime/runtime.ts";
import type { Codec } from "../wire/codec.ts";
import type { DoneMessage, StartMessage } from "../wire/protocol.ts";
import type { Run } from "./run.ts";
import type { Abandoned, Back, Sent } from "./sent.ts";
import type { Loss } from "./settling.ts";
import type { Slot } from "./slot.ts";

/** What a slot has to say. */
export type Report =
  /** The worker is up, has run `init`, and can take tasks. */
  | { type: "ready" }
  /** A chunk was answered. */
  | { type: "answer"; sent: Sent; answer: DoneMessage }
  /** These tasks waited in a worker for long, and were taken back. */
  | { type: "back"; back: Back[] }
  /** These tasks waited for longer than they may: the worker goes on without. */
  | { type: "abandoned"; tasks: Abandoned[] }
  /** Values of these tasks, or their results, could not be read over there. */
  | { type: "unread"; sent: Sent[]; what: "input" | "result"; error: unknown }
  /** The worker could not get the function of a run. */
  | { type: "refused"; run: Run | undefined; error: unknown }
  /** The worker is useless: its module or `init` failed. */
  | { type: "useless"; error: unknown }
  /**
   * The worker ended; `sent` is what it had. `loss` if nobody wanted that;
   * `canLive` if it had idled or answered, so that its end says nothing of `init`
   * or the module.
   */
  | { type: "ended"; sent: Sent[]; loss: Loss | undefined; canLive: boolean };

/** What a slot is made of. */
export interface SlotSetup {
  readonly clock: Clock;
  readonly codec: Codec;
  /** Tasks after which a worker is replaced. */
  readonly maxTasksPerWorker: number;
  /** The first message to the worker in a slot. */
  startMessage(worker: number): StartMessage;
  /** Takes what a slot has to say. */
  report(slot: Slot, report: Report): void;
  /** Whether any worker has nothing to do. */
  anyIdle(): boolean;
  /** Says what no error can say. */
  warn(text: string): void;
}

/** A worker that was started, and by what. */
export interface BackendWorker {
  handle: WorkerHandle;
  backend: Backend;
}

/** What a slot is at. */
export type SlotState =
  | { at: "empty" }
  | ({ at: "up"; disposes: boolean } & BackendWorker)
  /** It was asked to dispose what it holds, and will be ended. */
  | ({ at: "parting" } & BackendWorker)
  | { at: "ending"; loss: Loss | undefined };
