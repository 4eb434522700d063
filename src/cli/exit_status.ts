/**
 * The exit statuses, and the signals that end a job.
 *
 * @module
 */

/** The exit statuses, beside those of signals. */
export const STATUS = {
  good: 0,
  /** Some input failed. */
  failed: 1,
  /** Wrong usage: nothing was run. */
  usage: 2,
  /** The job could not go on, as where a file could not be read or written. */
  broken: 3,
} as const;

/** The signals that end a job, with its exit status: 128 + the signal's number. */
export const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** The name of such a signal. */
export type SignalName = keyof typeof SIGNALS;
