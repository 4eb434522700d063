/**
 * What the times of tasks and messages prove, although other programs may have
 * used the same cores: pure, from the tracks.
 *
 * @module
 */

import type { Worked } from "./shares.ts";

/** CPU time of tasks, as far as it is known, in ms. */
export interface CpuTime {
  /** They certainly had this much. */
  least: number;
  /** They cannot have had more. */
  most: number;
  /** How long their workers were in a task, whether on a core or not. */
  inTask: number;
}

/**
 * How long before a chunk the CPU time reported with it may have been used, in
 * ms. A worker reads its CPU clock when a chunk begins and when it ends, but
 * not within 10 ms of the last reading: src/core/worker/cpu_meter.ts.
 */
const BEFORE_CHUNK_MS = 10;

/** How coarse a CPU clock may be, in ms: Deno's in a virtual machine was. */
const TICK_MS = 10;

/** Fewer messages than this do not show what one costs. */
const LEAST_MESSAGES = 10;

/** The share of messages that nothing held up, on however busy a machine. */
const QUICK = 0.1;

/**
 * Works out how much CPU time the tasks had. A worker reports the CPU time of
 * its thread, in which it also packs and unpacks, starts, and runs tasks that
 * were not recorded. So we assume that it computed in all the time outside of
 * the tasks: only CPU time beyond that was certainly in them.
 *
 * @param all What happened in each worker.
 * @returns The bounds; undefined if no worker reported any CPU time.
 */
export function cpuTime(all: readonly Worked[]): CpuTime | undefined {
  let reported = false;
  const sum: CpuTime = { least: 0, most: 0, inTask: 0 };
  for (const { track: { answers, lost }, atOnce, inTask } of all) {
    const total = inTask(-Infinity, Infinity);
    let known = 0; // ms in tasks that readings account for
    let most = 0; // CPU time of these readings
    let readAt = -Infinity;
    for (const answer of answers.toSorted((a, b) => a.ended - b.ended)) {
      const { began, ended, cpu } = answer;
      if (cpu === undefined) continue;
      reported = true;
      const since = Math.max(readAt, began - BEFORE_CHUNK_MS);
      const inside = inTask(since, ended);
      const outside = ended - since - inside;
      sum.least += Math.min(inside, Math.max(0, cpu - outside));
      most += Math.min(inside, Math.max(0, cpu));
      known += inTask(Math.max(readAt, began), ended);
      readAt = ended;
    }
    // When tasks overlap, the start of one discards CPU time of the others.
    const readable = atOnce < 2 && lost.length === 0;
    const unread = readable ? total - known : total;
    const tick = known > 0 ? TICK_MS : 0;
    sum.most += Math.min(total, most + tick + Math.max(0, unread));
    sum.inTask += total;
  }
  if (!reported) return undefined;
  return { ...sum, most: Math.max(sum.least, sum.most) };
}

/**
 * Works out what a message costs: the time from the end of one chunk in a
 * worker to the start of the next, without the time in which neither was on its
 * way. The first chunk of a run is left out, as the worker loads the function
 * in that time. Other programs on the cores, or a caller that was busy, hold up
 * many messages, but not all: so the quickest tenth decides.
 *
 * @param all What happened in each worker.
 * @returns Milliseconds for each task; 0 if the messages were too few.
 */
export function transportPerTask(all: readonly Worked[]): number {
  const costs: number[] = [];
  for (const { track: { answers, startUp } } of all) {
    answers.forEach((next, i) => {
      const last = answers[i - 1];
      if (last?.run !== next.run) return;
      if (startUp.some(({ from }) => last.ended <= from && from < next.began)) {
        return; // the first of another worker
      }
      const idle = Math.max(0, next.from - last.to);
      const cost = next.began - last.ended - idle;
      costs.push(Math.max(0, cost) / next.tasks);
    });
  }
  if (costs.length < LEAST_MESSAGES) return 0;
  return costs.sort((a, b) => a - b)[Math.floor(QUICK * costs.length)];
}
