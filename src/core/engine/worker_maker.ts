/**
 * What the scheduler needs of whoever plans its workers.
 *
 * @module
 */

import type { Backend } from "../runtime/runtime.ts";
import type { Crossing } from "../wire/frames.ts";
import type { StartMessage } from "../wire/protocol.ts";
import type { Needs } from "./staffing.ts";

/** Makes workers. */
export interface WorkerMaker {
  /** How many there may be now, from 1. */
  readonly workers: number;
  /** Whether that depends on what else is called in the same turn. */
  readonly divides: boolean;
  /** How values get to them, if not as structured clone takes them. */
  readonly crossing: Crossing | undefined;
  /** The backend for a run. */
  backend(needs: Needs): Backend;
  /** The first message to a worker. */
  startMessage(worker: number): StartMessage;
}
