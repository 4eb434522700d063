/**
 * The error of a command line that cannot be run.
 *
 * @module
 */

/** Says which flag or argument is wrong and what it must be. */
export class UsageError extends Error {
  /** The class as text, for logs. */
  override readonly name: string = "UsageError";
}
