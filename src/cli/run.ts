/**
 * One run of the command: what is opened before the job, and its exit status.
 *
 * @module
 */

import type { JobLog } from "../joblog/mod.ts";
import { plural } from "../words/units.ts";
import type { Settings } from "./command.ts";
import { dryRun } from "./dry_run.ts";
import type { SignalName } from "./exit_status.ts";
import { SIGNALS, STATUS } from "./exit_status.ts";
import { describe } from "./failures.ts";
import { checkFiles } from "./files.ts";
import type { Ending } from "./job.ts";
import { Job } from "./job.ts";
import { openLog } from "./log.ts";
import { allSaid, say } from "./messages.ts";
import type { ResultFiles } from "./result_files.ts";
import { openResultFiles } from "./result_files.ts";
import type { Cluster } from "./seam.ts";
import { endBySignal, forgetExit, hearExit, hearSignals } from "./signals.ts";
import type { Stop } from "./stops.ts";
import type { Plan } from "./target.ts";
import { findTarget, isEdited } from "./target.ts";
import { openWatchers } from "./watchers.ts";

/**
 * Runs what a command line asks for, and says on standard error what is to be
 * said.
 *
 * @param settings What it asks for.
 * @returns The exit status.
 */
export async function run(settings: Settings): Promise<number> {
  const { on } = settings;
  let cluster: Cluster | undefined;
  try {
    checkFiles(settings);
    // Not for jobs of this machine: they are to start soon.
    cluster = on &&
      await (await import("./cluster.ts")).openCluster(settings, on);
    const target = findTarget(settings, cluster);
    const plan: Plan = { ...settings, target, cluster };
    if (!plan.dryRun) return await runJob(plan);
    return await dryRun(plan) > 0 ? STATUS.failed : STATUS.good;
  } catch (error) {
    const [text, status] = describe(error, { on: on !== undefined });
    say(text);
    return status;
  } finally {
    await cluster?.close();
    await allSaid();
  }
}

async function runJob(plan: Plan): Promise<number> {
  const around = await openAround(plan);
  const { watchers, files, log } = around;
  let hear: (name: SignalName) => void = endBySignal; // what a signal does by now
  let late: SignalName | undefined; // came when the job was over
  // Without workers, a function that computes keeps this thread from hearing
  // anything: a signal then does what it does by default, and ends the process.
  if (plan.workers === 0) hearExit();
  else hearSignals((name) => hear(name));
  const errors: unknown[] = [];

  /** Does one step: if it fails, no other is left out. */
  async function attempt<T>(
    step: () => T | Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await step();
    } catch (error) {
      errors.push(error);
      return undefined;
    }
  }

  const ending = await attempt(() => {
    const job = new Job(plan, around);
    hear = (name) => job.stop({ by: "signal", name });
    return job.run();
  });
  const stop = ending?.stop;
  forgetExit();
  hear = (name) => late = name;
  await attempt(() => watchers.close());
  await attempt(() => close(log, stop));
  const isGood = errors.length === 0 && stop === undefined &&
    ending?.failed === 0;
  await attempt(() => files.close(isGood));
  // What ended the job comes first. Nothing that went wrong is left unsaid, and
  // none of it makes a job that was ended by a signal another one.
  if (stop?.by === "error") errors.unshift(stop.error);
  const isOn = plan.on !== undefined;
  const told = errors.map((error) =>
    describe(error, { on: isOn, begun: ending?.begun })
  );

  for (const [text] of told) say(text);
  if (log !== undefined && isEdited(plan.target)) {
    say(
      `${plan.target.title} was edited during the job: results in the log may be of its new text`,
    );
  }
  const status = ending === undefined
    ? STATUS.good
    : conclude(ending, log !== undefined);
  const signal = stop?.by === "signal" ? stop.name : late;
  if (signal !== undefined) {
    await plan.cluster?.close();
    await allSaid();
    endBySignal(signal);
  }
  hear = endBySignal; // all is written
  return status > STATUS.failed ? status : told[0]?.[1] ?? status;
}

/** Opens what records and watches a job. */
async function openAround(plan: Plan) {
  // A pipe that nobody reads is waited for here: a signal ends that.
  const watchers = await openWatchers(plan);
  let files: ResultFiles | undefined;
  try {
    files = openResultFiles(plan);
    const log = await openLog(plan); // last, as it is written when it is opened
    return { watchers, files, log };
  } catch (error) {
    try {
      files?.close(false);
    } finally {
      watchers.drop();
    }
    throw error;
  }
}

/** Closes the log, with all that is to be written. */
async function close(
  log: JobLog | undefined,
  stop: Stop | undefined,
): Promise<void> {
  const closed = log?.close();
  if (stop === undefined) return await closed;
  // Workers that were stopped are not waited for, but an error is heard.
  await Promise.race([closed, new Promise((wake) => setImmediate(wake))]);
}

/**
 * Says how a job ended, unless all went well or an error tells of it. Gives the
 * exit status, as far as no error has one.
 */
function conclude(ending: Ending, logged: boolean): number {
  const { stop, done, failed, kept } = ending;
  if (stop?.by === "error") return STATUS.good; // that of the error counts
  if (stop?.by === "reader") return failed > 0 ? STATUS.failed : STATUS.good;
  const finished = plural(done + failed + kept, "input");
  if (stop?.by === "signal") {
    const cure = logged ? "; go on with --resume" : "";
    say(`ended by ${stop.name} after ${finished}${cure}`);
    return SIGNALS[stop.name];
  }
  if (stop?.by === "halt") {
    say(`stopped by --halt after ${plural(failed, "failure")} of ${finished}`);
    return STATUS.failed;
  }
  if (failed === 0) return STATUS.good;
  say(`${failed} of ${finished} failed`);
  return STATUS.failed;
}
