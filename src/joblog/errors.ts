/**
 * The error of a log that cannot be opened.
 *
 * @module
 */

/**
 * Says why a job log cannot be opened, and what helps: it is of another
 * version, no log at all, open already, or cannot be written. The
 * file is left as it is.
 *
 * @example Usage
 * ```ts
 * import { JobLogError, openJobLog } from "@parallel/map/joblog";
 * import { assert } from "@std/assert";
 * import { mkdtempSync, writeFileSync } from "node:fs";
 * import { tmpdir } from "node:os";
 *
 * const path = `${mkdtempSync(`${tmpdir()}/job-`)}/some.log`;
 * writeFileSync(path, "Not a log\n");
 * const error = await openJobLog(path).catch((error) => error);
 * assert(error instanceof JobLogError);
 * ```
 */
export class JobLogError extends Error {
  /** The class as text, for logs. */
  override readonly name: string = "JobLogError";
}
