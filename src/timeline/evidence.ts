/**
 * What the times of tasks and messages prove, on a machine whose cores other
 * programs may use: pure, from the tracks.
 *
 * @module
 */

import type { Worked } from "./shares.ts";

/** CPU time of tasks, as far as it is known, in ms. */
export interface CpuTime {
  /** What they certainly had. */
  least: number;
  /** What they can have had at most. */
  most: number;
  /** How long their workers were in a task. */
  inTask: number;
}

/**
 * A worker reads its CPU clock at the start and at the end of a chunk, but not
 * within 10 ms of the last reading: src/worker/cpu_meter.ts. What came with a
 * chunk may have been used so long before it.
 */
const BEFORE_CHUNK_MS = 10;

/** Fewer messages than this prove nothing about the cost of one. */
const LEAST_MESSAGES = 10;

/** Which of the messages, from the quickest on, is not slow by accident. */
const QUICK = 0.1;

/**
 * Works out how much CPU time the tasks had. Of what a worker told, the time
 * outside of any task is taken away as if it was all computing (packing,
 * start-up, tasks of a run that nobody recorded): what is left was in tasks.
 *
 * @param all What happened in each worker.
 * @returns The bounds; undefined if no worker told any CPU time.
 */
export function cpuTime(all: readonly Worked[]): CpuTime | undefined {
  let told = false;
  const sum: CpuTime = { least: 0, most: 0, inTask: 0 };
  for (const { track: { answers, lost }, atOnce, inTask } of all) {
    const total = inTask(-Infinity, Infinity);
    let known = 0; // time in tasks for which the clock was read
    let most = 0; // what they can have had in it
    let readAt = -Infinity;
    for (const answer of answers.toSorted((a, b) => a.ended - b.ended)) {
      const { began, ended, cpu } = answer;
      if (cpu === undefined) continue;
      told = true;
      const since = Math.max(readAt, began - BEFORE_CHUNK_MS);
      const inside = inTask(since, ended);
      const outside = ended - since - inside;
      sum.least += Math.min(inside, Math.max(0, cpu - outside));
      most += Math.min(inside, Math.max(0, cpu));
      known += inTask(Math.max(readAt, began), ended);
      readAt = ended;
    }
    // Where tasks overlap, the start of one takes a reading from the others.
    const readable = atOnce < 2 && lost.length === 0;
    const unread = readable ? total - known : total;
    sum.most += Math.min(total, most + Math.max(0, unread));
    sum.inTask += total;
  }
  if (!told) return undefined;
  return { ...sum, most: Math.max(sum.least, sum.most) };
}

/**
 * Works out what a message costs: from the end of one chunk in a worker to the
 * start of the next, as long as one of them was on its way. The first chunk of
 * a run does not count, as the worker loads the function for it. Of all
 * messages a quick one counts: the others may have met other programs on the
 * cores, or this thread at something else.
 *
 * @param all What happened in each worker.
 * @returns Milliseconds for each task; 0 with too few messages to tell.
 */
export function transportPerTask(all: readonly Worked[]): number {
  const costs: number[] = [];
  for (const { track: { answers, startUp } } of all) {
    answers.forEach((next, i) => {
      const last = answers[i - 1];
      if (last?.run !== next.run) return;
      if (startUp.some(({ from }) => last.ended <= from && from < next.began)) {
        return; // another worker
      }
      const idle = Math.max(0, next.from - last.to);
      const cost = next.began - last.ended - idle;
      costs.push(Math.max(0, cost) / next.tasks);
    });
  }
  if (costs.length < LEAST_MESSAGES) return 0;
  return costs.sort((a, b) => a - b)[Math.floor(QUICK * costs.length)];
}
