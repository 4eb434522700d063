/**
 * A job log: what became of each input stands in a file, so that the next run
 * goes on where this one broke off, after a crash, Ctrl-C or a power cut. An
 * input runs **at least once, not exactly once**: what was running at a crash
 * runs again, and so does what failed. What has a result in the log does not.
 *
 * @example Usage
 * ```ts
 * import { parallelMapStream } from "@parallel/map";
 * import { openJobLog } from "@parallel/map/joblog";
 * import { assertEquals } from "@std/assert";
 * import { mkdtempSync } from "node:fs";
 * import { tmpdir } from "node:os";
 *
 * const path = `${mkdtempSync(`${tmpdir()}/job-`)}/squares.log`;
 * let ran = 0;
 *
 * async function squares(inputs: number[]): Promise<number[]> {
 *   const results: number[] = [];
 *   await using log = await openJobLog(path, { version: "1" });
 *   const outcomes = log.stream(
 *     inputs,
 *     (rest, options) => parallelMapStream((n) => n * n, rest, options),
 *   );
 *   for await (const outcome of outcomes) {
 *     if (outcome.status === "rejected") throw outcome.reason;
 *     results.push(outcome.value);
 *     if (!outcome.kept) ran++;
 *   }
 *   return results;
 * }
 *
 * assertEquals(await squares([1, 2, 3]), [1, 4, 9]);
 * assertEquals(await squares([4, 3, 2, 1]), [16, 9, 4, 1]);
 * assertEquals(ran, 4); // 3, and only the new one at the second time
 * ```
 *
 * @module
 */

export { JobLog, openJobLog } from "./job_log.ts";
export { JobLogError } from "./errors.ts";
export type { LogNote } from "./log_record.ts";
export type {
  JobLogOptions,
  LogFormat,
  LoggedOutcome,
  LogStreamOptions,
  SettledAsTheyCome,
} from "./options.ts";
