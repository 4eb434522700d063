/**
 * `--joblog` and `--resume`: the job log as the command uses it.
 *
 * @module
 */

import { closeSync, openSync, readSync, statSync } from "node:fs";
import type { TaskOutcome } from "../../mod.ts";
import type { JobLog, LogNote, SettledAsTheyCome } from "../joblog/mod.ts";
import { JobLogError, openJobLog } from "../joblog/mod.ts";
import { plural } from "../words/units.ts";
import { quote, say } from "./messages.ts";
import type { Plan } from "./target.ts";
import { UsageError } from "./values.ts";
import type { Done, Sent } from "./travel.ts";

/** What became of an input; `kept` if an earlier run had the result. */
export type Outcome = TaskOutcome<Sent, Done> & { kept?: boolean };

/** Maps inputs as a settled stream does. */
export type Run = (
  inputs: AsyncIterable<Sent>,
  options: SettledAsTheyCome,
) => AsyncIterable<TaskOutcome<Sent, Done>>;

/** The first line of a log: what its results are of. */
interface Header extends Record<string, unknown> {
  pmap: 2;
  /** File and export. */
  function: string;
  /** Where the module is. */
  module: string;
  /** What tells its text from others; null where it is not known. */
  digest: string | null;
  /** Whether inputs are JSON. */
  json: boolean;
  /** Whether an input is of several lines, and a result of several values. */
  batch: boolean;
  flat: boolean;
}

/**
 * Opens the log, if one is asked for.
 *
 * @param plan The job.
 * @returns The log.
 * @throws {UsageError} When it cannot be this one.
 */
export async function openLog(plan: Plan): Promise<JobLog | undefined> {
  const { log, dryRun } = plan;
  if (log === undefined || (dryRun && !log.resume)) return undefined;
  const { file, resume } = log;
  let opened: JobLog;
  try {
    const header = headerFor(plan, log.resume ? headerIn(file) : undefined);
    opened = await openJobLog(file, { header, readOnly: dryRun });
  } catch (error) {
    if (!(error instanceof JobLogError)) throw error;
    const { message } = error;
    throw new UsageError(
      message.replace("Cannot open job log as it", "Cannot run as --joblog")
        .replace("Cannot write job log as its file", "Cannot run as --joblog"),
    );
  }
  if (!resume && opened.lines > 0) {
    await opened.close();
    throw new UsageError(
      `Cannot run as --joblog must be a new file without --resume, which goes on with an earlier run: received "${file}"`,
    );
  }
  if (opened.damaged > 0) {
    say(`left out ${plural(opened.damaged, "damaged line")} of the log`);
  }
  return opened;
}

/** What the log of a job must start with; the job may accept what it does. */
function headerFor(
  { target, json, log, batch, flat }: Plan,
  there: Header | undefined,
): Header {
  const header: Header = {
    pmap: 2,
    function: target.title,
    module: target.url,
    digest: target.digest ?? null,
    json,
    batch: batch !== undefined,
    flat,
  };
  // Of other inputs nothing would be found again, or in another form.
  const forms = ["json", "batch", "flat"];
  if (
    there === undefined ||
    forms.some((form) => there[form] !== header[form])
  ) return header;
  const what = there.function !== header.function ||
      there.module !== header.module
    ? `one of ${quote(`${there.module}#${there.function.split("#").at(-1)}`)}`
    : there.digest !== header.digest
    ? `one of ${header.function} as it was before its text changed`
    : undefined;
  if (what === undefined || log?.resume === "changed") return there;
  throw new UsageError(
    `Cannot run as --joblog must be the log of this function: received "${log?.file}", ${what} (--resume-changed goes on with it; to run everything again, give another path or delete it)`,
  );
}

/** Bytes that a header may have: paths are shorter. */
const MOST_HEADER = 1 << 16;

/** The header of a log of this command; undefined for all else. */
function headerIn(file: string): Header | undefined {
  let text: string;
  try {
    if (!statSync(file).isFile()) return undefined;
    const opened = openSync(file, "r");
    try {
      const bytes = new Uint8Array(MOST_HEADER);
      const count = readSync(opened, bytes, 0, MOST_HEADER, 0);
      text = new TextDecoder().decode(bytes.subarray(0, count));
    } finally {
      closeSync(opened);
    }
  } catch {
    return undefined; // it is yet to be made; or whoever opens it says why not
  }
  const end = text.indexOf("\n");
  if (end < 0 || !text.startsWith('{"pmap":2,')) return undefined;
  try {
    return JSON.parse(text.slice(0, end));
  } catch {
    return undefined; // whoever opens it says that it is no log
  }
}

/**
 * Maps inputs, those without a result in the log if there is one.
 *
 * @param log The log.
 * @param inputs All inputs.
 * @param run Maps them.
 * @param note Tells what else the log says of an outcome; undefined leaves it
 * out.
 * @returns The outcomes as they come.
 */
export function throughLog(
  log: JobLog | undefined,
  inputs: AsyncIterable<Sent>,
  run: Run,
  note?: (outcome: TaskOutcome<Sent, Done>) => LogNote | undefined,
): AsyncIterable<Outcome> {
  const ordered = false;
  if (log === undefined) return run(inputs, { settled: true, ordered });
  return log.stream(inputs, run, { key: textOf, format, ordered, note });
}

/** The text of an input or of a result. */
export function textOf(value: Sent): string;
export function textOf(value: Done): string | undefined;
export function textOf(value: Done | Sent): string | undefined {
  return typeof value === "object" ? value.text : value;
}

/** Results are JSON already, and come back as that. */
const format = { stringify: textOf, parse: (text: string): Done => text };
