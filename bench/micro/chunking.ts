/**
 * The chunk policy: all its decisions in a run of 100,000 tasks, by how long a
 * task takes. How good they are is in bench/rows/chunk_size.ts.
 *
 * @module
 */

import { bench, do_not_optimize, group } from "mitata";
import { ChunkSizer } from "../../src/core/engine/chunking.ts";

const TASKS = 100_000;

/** Cuts a run into chunks, each answered before the next. */
function cut(msPerTask: number, workers: number): number {
  const sizer = new ChunkSizer(undefined, workers);
  let chunks = 0;
  for (let left = TASKS; left > 0; chunks++) {
    const tasks = Math.min(left, sizer.next(left));
    left -= tasks;
    sizer.learn(tasks, tasks * msPerTask, 8 * tasks);
  }
  return chunks;
}

for (const workers of [2, 64]) {
  group(`a run of ${TASKS} tasks, ${workers} workers`, () => {
    for (const msPerTask of [0.00001, 0.001, 0.1, 10]) {
      const chunks = cut(msPerTask, workers);
      bench(
        `of ${msPerTask} ms: ${chunks} chunks`,
        () => do_not_optimize(cut(msPerTask, workers)),
      );
    }
  });
}
