/**
 * What verdicts say, where it depends on more than which of them it is. Pure,
 * from the facts.
 *
 * @module
 */

import type { Facts } from "./facts.ts";
import { duration, factor, percent, plural } from "../words/units.ts";

/** Something that took this share of the time is what took the time. No bench. */
export const MOST = 0.5;

/** What took less of the workers' time than this is not worth a word. No bench. */
const HARDLY = 0.05;

/** Why workers had nothing in flight while inputs were still to be sent. */
export function whatStarved(
  { starved, reading, wall, partial }: Facts,
): string {
  if (reading > MOST * wall) {
    return `Reading the inputs took ${duration(reading)} of the ${
      duration(wall)
    }: the source, or "weight", is slower than the workers`;
  }
  const waited = `The workers waited ${
    percent(starved)
  } of their time for inputs`;
  return partial
    ? waited
    : `${waited}: the source, the reader of a stream, or this thread itself was slower than they`;
}

/** What a task cost beside its work, on average. */
export function onItsWay(facts: Facts, how: string): string {
  const work = duration(facts.work / facts.tasks);
  const way = duration(facts.transportPerTask);
  return `On average a task took ${work} of work and at least ${way} on its way${how}: a plain loop would be faster`;
}

/**
 * What starting the workers cost, and what helps. A Pool is no help where
 * workers were replaced: perhaps a Pool replaced them.
 */
export function start(facts: Facts, loop: boolean): string {
  const { started, restarts, startUp, wall, workers } = facts;
  // Each of several calls may have started workers of its own.
  const what = restarts > 0 || started > workers
    ? `workers ${started + restarts} times`
    : plural(Math.max(1, started), "worker");
  const cost = `Starting ${what} took ${duration(startUp)} of the`;
  const cures = loop ? ["a plain loop would be faster"] : [];
  if (restarts === 0) {
    cures.push("a Pool that is kept for many maps starts its workers once");
  }
  const end = cures.length > 0 ? `: ${cures.join(", and ")}` : "";
  return `${cost} ${duration(wall)}${end}`;
}

/** Why workers had nothing left: one or more of these it was. */
export function reasons(facts: Facts): string {
  const { largestChunk, again, lost, inputs, slowest, runs } = facts;
  const { index, ms } = slowest[0]!;
  const reasons = ["too few tasks"];
  if (ms > slowest.at(-1)!.ms) {
    const which = ` (input ${index} took ${duration(ms)})`;
    reasons.push(`tasks of different length${runs === 1 ? which : ""}`);
  }
  if (largestChunk > 1) reasons.push("chunks too large");
  if (again + lost > 0) reasons.push("second tries");
  if (inputs === undefined) reasons.push("a source that ended late");
  const last = reasons.pop()!;
  return reasons.length > 0 ? `${reasons.join(", ")} or ${last}` : last;
}

/**
 * What the workers did. Compares it with a loop only where the CPU time is
 * known, as a loop needs that as well: of tasks that wait, nobody knows how long
 * they would take one by one.
 */
export function whatWasDone(facts: Facts): string {
  const { used, workers, wall, speedUp, spent, cpu } = facts;
  const who = used < workers
    ? `${used} of ${plural(workers, "worker")}`
    : plural(used, "worker");
  if (speedUp !== undefined) {
    const used = `${duration(speedUp * wall)} of CPU time in ${duration(wall)}`;
    const faster = factor(speedUp);
    return `${who} used ${used}: ${faster} as fast as a loop that needs the same`;
  }
  const share = `${percent(spent.work)} of their time`;
  const busy = facts.tasksInWorker > 1
    ? `${who} had up to ${facts.tasksAtOnce} tasks at once, and any for ${share}`
    : `${who} had a task for ${share}`;
  if (cpu === undefined || cpu.most >= MOST * cpu.inTask) return busy;
  const most = percent(Math.ceil(100 * cpu.most / cpu.inTask) / 100);
  return `${busy}, and a core for at most ${most} of that: the tasks waited, or others had the cores`;
}

/**
 * The end of the sentence: what else took the workers' time, if it is much.
 * Waiting does not count if the workers may have had tasks of other runs.
 */
export function largestLoss({ spent, heard }: Facts): string {
  const losses: [share: number, what: string][] = [
    [spent.startUp, "they were starting"],
    [spent.transport, "they had been sent tasks and ran none"],
    [heard === "all" ? spent.waiting : 0, "they waited"],
  ];
  const [share, what] = losses.toSorted(([a], [b]) => b - a)[0]!;
  return share < HARDLY ? "" : `; for ${percent(share)} of their time ${what}`;
}
