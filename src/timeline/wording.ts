/**
 * What the verdict says, where that takes more than a line: pure, from the
 * facts.
 *
 * @module
 */

import type { Facts } from "./facts.ts";
import { duration, factor, percent, plural } from "../words/units.ts";

/** With a core for less of their time than this, tasks did not just compute. */
const HALF = 0.5;

/** Something that took less of the time than this is not worth a word. */
const LITTLE = 0.05;

/**
 * What a task cost beside its work, on average.
 *
 * @param facts The numbers.
 * @param how What else is known of the messages.
 * @returns A sentence.
 */
export function onItsWay(facts: Facts, how: string): string {
  const { work, tasks, transportPerTask } = facts;
  return `On average a task took ${
    duration(work / tasks)
  } of work and at least ${
    duration(transportPerTask)
  } on its way${how}: a plain loop would be faster`;
}

/**
 * What starting the workers cost, and what helps. That a Pool does is left out
 * where workers were replaced, which a Pool may have done.
 *
 * @param facts The numbers.
 * @param loop Whether a loop would be faster.
 * @returns A sentence.
 */
export function start(facts: Facts, loop: boolean): string {
  const { started, restarts, startUp, wall } = facts;
  const what = restarts > 0
    ? `workers ${started + restarts} times`
    : plural(Math.max(1, started), "worker");
  const cures = [];
  if (loop) cures.push("a plain loop would be faster");
  if (restarts === 0) {
    cures.push("a Pool that is kept for many maps starts its workers once");
  }
  return `Starting ${what} took ${duration(startUp)} of the ${duration(wall)}${
    cures.length > 0 ? ": " : ""
  }${cures.join(", and ")}`;
}

/**
 * Why workers had nothing left: one or more of these it was.
 *
 * @param facts The numbers.
 * @returns A list.
 */
export function reasons(facts: Facts): string {
  const { largestChunk, again, inputs, slowest, runs } = facts;
  const [first] = slowest;
  const reasons = ["too few tasks"];
  if (first.ms > slowest.at(-1)!.ms) {
    reasons.push(
      runs === 1
        ? `tasks of different length (input ${first.index} took ${
          duration(first.ms)
        })`
        : "tasks of different length",
    );
  }
  if (largestChunk > 1) reasons.push("chunks too large");
  if (again > 0) reasons.push("second tries");
  if (inputs === undefined) reasons.push("a source that ended late");
  const last = reasons.pop()!;
  return reasons.length > 0 ? `${reasons.join(", ")} or ${last}` : last;
}

/**
 * Speaks of a loop only if the CPU time does: it is what a loop needs as well.
 * Of tasks that wait nobody knows how long they would take one by one.
 *
 * @param facts The numbers.
 * @returns A sentence.
 */
export function whatWasDone(facts: Facts): string {
  const { used, workers, wall, speedUp, spent, cpu } = facts;
  const who = used < workers
    ? `${used} of ${plural(workers, "worker")}`
    : plural(used, "worker");
  if (speedUp !== undefined) {
    return `${who} used ${duration(speedUp * wall)} of CPU time in ${
      duration(wall)
    }: ${factor(speedUp)} as fast as a loop that needs the same`;
  }
  const share = `${percent(spent.work)} of their time`;
  const busy = facts.tasksInWorker > 1
    ? `${who} had up to ${facts.tasksAtOnce} tasks at once, and any for ${share}`
    : `${who} had a task for ${share}`;
  return cpu !== undefined && cpu.most < HALF * cpu.inTask
    ? `${busy}, and a core for at most ${
      percent(Math.ceil(100 * cpu.most / cpu.inTask) / 100)
    } of that: the tasks waited, or others had the cores`
    : busy;
}

/**
 * What else took the workers' time. Waiting may have been for other runs, of
 * which nothing was heard.
 *
 * @param facts The numbers.
 * @returns The end of a sentence; empty if it is little.
 */
export function largestLoss({ spent, heard }: Facts): string {
  const losses: [share: number, what: string][] = [
    [spent.startUp, "they were starting"],
    [spent.transport, "they had been sent tasks and ran none"],
    [heard === "all" ? spent.waiting : 0, "they waited"],
  ];
  const [share, what] = losses.toSorted(([a], [b]) => b - a)[0];
  return share < LITTLE ? "" : `; for ${percent(share)} of their time ${what}`;
}
