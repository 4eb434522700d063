/**
 * What a run is made of.
 *
 * @module
 */

import type { RunEvent } from "../api/events.ts";
import type { RunOptions } from "../api/options.ts";
import type { Clock } from "../runtime/clock.ts";
import type { CallData } from "../wire/call_data.ts";
import type { FunctionRef } from "../wire/function_ref.ts";
import type { SharedArray } from "../wire/views.ts";
import type { ChunkTimes, Pace } from "./chunking.ts";
import type { CallSite } from "./call_site.ts";
import { InputsInOrder, type NextInputs } from "./next_inputs.ts";
import type { RefillWatch } from "./refilled.ts";
import { ListSink, type Sink } from "./sink.ts";

/** What of a run is in memory that its workers share with the caller. */
export interface SharedParts {
  /** Its inputs, read where they are. */
  inputs?: SharedArray | undefined;
  /** Where its results are written. */
  output?: SharedArray | undefined;
}

/** What a failure of a task does to its run. */
export interface Failing {
  /** From which attempt on it ends that; undefined if it never does. */
  lastAttempt: number | undefined;
  /** Whether it comes in its turn: what comes before it is wanted all the same. */
  inTurn: boolean;
}

/** What a run is made of. */
export interface RunSetup {
  /** Number of the run in its pool, from 1. */
  number: number;
  fn: FunctionRef;
  /** Folds the results of a chunk in the worker; undefined for one a task. */
  combine: FunctionRef | undefined;
  /** What the call brings along. */
  data: CallData | undefined;
  options: RunOptions;
  clock: Clock;
  inputs: NextInputs;
  sink: Sink;
  failing: Failing;
  /** What of it the workers find in shared memory. */
  shared: SharedParts;
  /** Knows which of its inputs was filled again. */
  refills?: RefillWatch | undefined;
  site: CallSite;
  /** Says whether its workers may do less than the program. */
  restricts?: (() => boolean) | undefined;
  /** What is known of the function from other runs. */
  pace?: Pace | undefined;
  /** How long chunks should be, if not as on this machine. */
  times?: ChunkTimes | undefined;
  /** How many workers may serve it, from 1. */
  workers: number;
  /** The pool's listener. */
  onEvent: ((event: RunEvent) => void) | undefined;
}

/** Where nothing goes any more, and nothing comes from. */
export const NOWHERE: Pick<RunSetup, "inputs" | "sink"> = {
  inputs: new InputsInOrder(
    { total: undefined, take: () => undefined, close() {} },
    new ListSink(0),
  ),
  sink: new ListSink(0),
};
