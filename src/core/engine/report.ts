/**
 * What a slot tells the scheduler.
 *
 * @module
 */

import type { DoneMessage } from "../wire/protocol.ts";
import type { Sent } from "./in_flight.ts";
import type { Run } from "./run.ts";
import type { Loss } from "./settling.ts";

/** What a slot has to say. */
export type Report =
  /** The worker loaded its module, ran `init`, and can take tasks. */
  | { type: "ready" }
  /** A chunk was answered. */
  | { type: "answer"; sent: Sent; answer: DoneMessage }
  /** Values of these tasks, or their results, could not be read over there. */
  | { type: "unread"; sent: Sent[]; what: "input" | "result"; error: unknown }
  /** The worker could not get the function of a run. */
  | { type: "refused"; run: Run | undefined; error: unknown }
  /** The worker is useless: its module or `init` failed. */
  | { type: "useless"; error: unknown }
  /** The worker ended; `sent` is what it had. `loss` if nobody wanted that. */
  | { type: "ended"; sent: Sent[]; loss: Loss | undefined; rested: boolean };
