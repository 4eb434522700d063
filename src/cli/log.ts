/**
 * `--joblog` and `--resume`: the job log as the command uses it.
 *
 * @module
 */

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

/** What the results of a log are of. */
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
  if (log === undefined) return undefined;
  const { file, resume } = log;
  let opened: JobLog;
  try {
    const header = headerFor(plan);
    const accepts = resume
      ? (there: Record<string, unknown>) => mayGoOn(there, header, log)
      : undefined;
    opened = await openJobLog(file, { header, accepts, readOnly: dryRun });
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
  if (opened.older > 0) {
    say(
      `kept ${
        plural(opened.older, "result")
      } of another function, or of this one before its text changed`,
    );
  }
  return opened;
}

/** What the log of a job must be of. */
function headerFor({ target, json, batch, flat }: Plan): Header {
  return {
    pmap: 2,
    function: target.title,
    module: target.url,
    digest: target.digest ?? null,
    json,
    batch: batch !== undefined,
    flat,
  };
}

/** Whether a job may go on with the log of another header. */
function mayGoOn(
  there: Record<string, unknown>,
  header: Header,
  { file, resume }: NonNullable<Plan["log"]>,
): boolean {
  // Of other inputs nothing would be found again, or in another form.
  const forms = ["pmap", "json", "batch", "flat"];
  if (forms.some((form) => there[form] !== header[form])) return false;
  if (resume === "changed") return true;
  const { module, function: name } = there;
  const what = name !== header.function || module !== header.module
    ? `one of ${quote(`${module}#${String(name).split("#").at(-1)}`)}`
    : `one of ${name} as it was before its text changed`;
  throw new UsageError(
    `Cannot run as --joblog must be the log of this function: received "${file}", ${what} (--resume-changed goes on with it; to run everything again, give another path or delete it)`,
  );
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
