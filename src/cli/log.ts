/**
 * `--joblog` and `--resume`: the job log as the command uses it.
 *
 * @module
 */

import type { TaskOutcome } from "../../mod.ts";
import type { JobLog, LogNote, SettledAsTheyCome } from "../joblog/mod.ts";
import { JobLogError, openJobLog } from "../joblog/mod.ts";
import { plural } from "../words/units.ts";
import type { Settings } from "./command.ts";
import { say, UsageError } from "./messages.ts";
import type { Done, Sent } from "./worker_side.ts";

/** What became of an input; `kept` if an earlier run had the result. */
export type Outcome = TaskOutcome<Sent, Done> & { kept?: boolean };

/** Maps inputs as a settled stream does. */
export type Run = (
  inputs: AsyncIterable<Sent>,
  options: SettledAsTheyCome,
) => AsyncIterable<TaskOutcome<Sent, Done>>;

/**
 * Opens the log, if one is asked for.
 *
 * @param settings Of the job.
 * @returns The log.
 * @throws {UsageError} When it cannot be this one.
 */
export async function openLog(
  { log, target, json, dryRun }: Settings,
): Promise<JobLog | undefined> {
  if (log === undefined || (dryRun && !log.resume)) return undefined;
  const { file, resume } = log;
  const header = { pmap: 1, function: target.title, json };
  let opened: JobLog;
  try {
    opened = await openJobLog(file, { header, readOnly: dryRun });
  } catch (error) {
    if (!(error instanceof JobLogError)) throw error;
    const { message } = error;
    throw new UsageError(
      message.replace("Cannot open job log as it", "Cannot run as --joblog"),
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
