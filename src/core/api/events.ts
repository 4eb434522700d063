/**
 * What happened in a run, as plain data: for a progress bar, a timeline, or
 * your own eyes. This file knows no console.
 *
 * @module
 */

/**
 * One thing that happened. Every `at`, `from` and `to` is in milliseconds on
 * the caller's `performance.now()` line, also where a worker's clock told it.
 */
export type RunEvent =
  | {
    /** A run began: one call. */
    type: "run-start";
    /** Number of the run in its pool, from 1. */
    run: number;
    /** How many inputs there are, where that can be known. */
    total: number | undefined;
    /** Name of the function. */
    name: string;
    /** How many workers the pool may start. */
    workers: number;
    /** How many of them can compute at once: the cores of the machine. */
    cores: number;
    /** Which runtime: `deno`, `bun`, … */
    runtime: string;
    /** When. */
    at: number;
  }
  | {
    /** A run ended: every task settled, or it was stopped. */
    type: "run-end";
    /** Number of the run in its pool. */
    run: number;
    /** Whether all tasks settled. */
    ok: boolean;
    /** When. */
    at: number;
  }
  | {
    /** A worker is being started; `to` is when the caller had its thread back. */
    type: "worker-start";
    /** Number of the worker's slot in its pool, from 0. */
    worker: number;
    /** When the start began. */
    from: number;
    /** When the caller went on. */
    to: number;
  }
  | {
    /** A worker is up, has run `init`, and can take tasks. */
    type: "worker-ready";
    /** Number of the worker's slot. */
    worker: number;
    /** When. */
    at: number;
  }
  | {
    /** A worker ended. */
    type: "worker-end";
    /** Number of the worker's slot. */
    worker: number;
    /** Whether it was lost: it ended by itself, or in a task that was too long. */
    lost: boolean;
    /** When. */
    at: number;
  }
  | {
    /** Consecutive tasks were sent in one message. */
    type: "chunk-send";
    /** Number of the run in its pool. */
    run: number;
    /** Number of the chunk in its pool, from 1. */
    chunk: number;
    /** Number of the worker's slot. */
    worker: number;
    /** Index of the first task. */
    first: number;
    /** How many tasks. */
    tasks: number;
    /** Which try of these tasks this is, from 1. */
    attempt: number;
    /** How long the caller took to read their values, and to weigh them, in ms. */
    reading: number;
    /** When cloning and sending began. */
    from: number;
    /** When the caller went on. */
    to: number;
  }
  | {
    /**
     * A chunk came back: each of its tasks settled, was dropped, or went
     * elsewhere before it was begun, in another chunk.
     */
    type: "chunk-done";
    /** Number of the run in its pool. */
    run: number;
    /** Number of the chunk in its pool. */
    chunk: number;
    /** Number of the worker's slot. */
    worker: number;
    /** Index of the first task. */
    first: number;
    /** When each task started in the worker, in the order of the inputs. */
    from: Float64Array;
    /** When each task ended in the worker; NaN for one that did not run there. */
    to: Float64Array;
    /** Indexes of the tasks that failed. */
    failed: number[];
    /**
     * CPU time the worker used since it last said so, in ms: little of it when
     * tasks sleep. Undefined when it was asked a moment ago, or cannot tell.
     */
    cpu: number | undefined;
    /** When the caller had read the message. */
    at: number;
  }
  | {
    /** A task did not return; it may be tried again. */
    type: "task-fail";
    /** Number of the run in its pool. */
    run: number;
    /** Number of the worker's slot; undefined if it never reached one. */
    worker: number | undefined;
    /** Index of the task. */
    index: number;
    /** What happened to it. */
    why: "lost" | "timeout" | "unsendable" | "threw";
    /** Whether it will be tried again. */
    again: boolean;
    /** When. */
    at: number;
  };

/** How far a run has come; counts completions, not dispatch. */
export interface Progress {
  /**
   * `running` from the first call on; the last call says `done` when every
   * task settled, or `stopped` after a failure or an abort, and of a stream that
   * was left.
   */
  state: "running" | "done" | "stopped";
  /** Tasks that settled, failed ones included. */
  done: number;
  /** Tasks that failed for good. */
  failed: number;
  /** How many inputs there are; undefined while that is unknown. */
  total: number | undefined;
  /** Milliseconds since the run began. */
  elapsed: number;
  /** Settled tasks per second since the run began. */
  rate: number;
  /**
   * Estimated milliseconds until the end; undefined while that is unknown, and of
   * a run that was stopped.
   */
  eta: number | undefined;
}
