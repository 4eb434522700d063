/**
 * What the scheduler needs of whoever plans its workers.
 *
 * @module
 */

import type { Backend } from "../runtime/runtime.ts";
import type { StartMessage } from "../wire/protocol.ts";

/** Makes workers. */
export interface WorkerMaker {
  /** How many there may be, from 1. */
  readonly workers: number;
  /** The backend for a run: one that stops loops, if the run needs that. */
  backend(stopsLoops: boolean): Backend;
  /** The first message to a worker. */
  startMessage(worker: number): StartMessage;
}
