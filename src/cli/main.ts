#!/usr/bin/env bun
/**
 * `pmap`: maps one function over the inputs of a file, in parallel.
 *
 * ```sh
 * deno run -A jsr:@parallel/map/cli ./work.ts#norm < in.ndjson > out.ndjson
 * ```
 *
 * `--help` says everything else.
 *
 * @module
 */

import { writeFileSync } from "node:fs";
import process from "node:process";
import { WorkerStartError } from "../../mod.ts";
import type { Settings } from "./command.ts";
import { readCommand } from "./command.ts";
import { dryRun } from "./dry_run.ts";
import { HELP, VERSION } from "./help.ts";
import type { Watchers } from "./job.ts";
import { Job } from "./job.ts";
import { openLog } from "./log.ts";
import type { Ending, Stop } from "./messages.ts";
import { conclude, say, SIGNALS, UsageError } from "./messages.ts";

async function main(args: string[]): Promise<number> {
  try {
    const command = readCommand(args);
    if (command.to === "run") return await run(command.settings);
    console.log(command.to === "help" ? HELP : VERSION);
    return 0;
  } catch (error) {
    const [text, status] = describe(error);
    say(text);
    return status;
  }
}

async function run(settings: Settings): Promise<number> {
  if (settings.dryRun) return await dryRun(settings) > 0 ? 1 : 0;
  let stop: ((stop: Stop) => void) | undefined;
  for (const name of Object.keys(SIGNALS) as (keyof typeof SIGNALS)[]) {
    process.on(name, () => {
      // There is no job yet, or it was told to stop and has not ended.
      if (stop === undefined) process.exit(SIGNALS[name]);
      stop({ by: "signal", name });
      stop = undefined;
    });
  }
  const log = await openLog(settings);
  let ending: Ending | undefined;
  try {
    const watchers = await openWatchers(settings);
    const job = new Job(settings, { log, watchers });
    stop = (reason) => job.stop(reason);
    ending = await job.run();
  } finally {
    const closed = log?.close(); // with all that is to be written
    // Workers that were stopped are not waited for.
    if (ending?.stop === undefined) await closed;
    else closed?.catch(() => {});
  }
  return conclude(ending, log !== undefined);
}

/** Loads the bar and the timeline only if they were asked for. */
async function openWatchers(
  { bar, timeline: file }: Settings,
): Promise<Watchers> {
  const timeline = file === undefined
    ? undefined
    : new (await import("../timeline/mod.ts")).Timeline();
  return {
    onEvent: timeline && ((event) => timeline.record(event)),
    onProgress: bar
      ? (await import("../progress/mod.ts")).progressBar()
      : undefined,
    close() {
      if (timeline !== undefined) writeFileSync(file!, timeline.toHtml());
    },
  };
}

/** What to say of an error, and with which exit status to end. */
function describe(error: unknown): [text: string, status: number] {
  if (error instanceof UsageError) return [error.message, 2];
  if (error instanceof WorkerStartError) {
    const { cause } = error;
    const text = cause instanceof Error ? cause.message : String(cause);
    return text.startsWith("Cannot run ")
      ? [text, 2]
      : [`Cannot run as MODULE must load: received ${text}`, 2];
  }
  return [error instanceof Error ? error.message : String(error), 1];
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
