/**
 * The recording by place: one track for each worker, and one for the caller's
 * own thread if calls were timed there.
 *
 * @module
 */

import type { ChunkRecord, FailureRecord, Recording } from "./recording.ts";
import { intersect, type Span, subtract, union } from "./spans.ts";

/** Everything that happened in one place. */
export interface Track {
  /** As in `worker 0`. */
  name: string;
  /** Number of the worker; undefined for the caller's thread. */
  worker: number | undefined;
  /** Tasks that ran here, by their start; the next five go with them. */
  index: Float64Array;
  from: Float64Array;
  to: Float64Array;
  /** 1 where the task failed. */
  failed: Uint8Array;
  /** Position of the run in the recording. */
  run: Uint32Array;
  attempt: Uint16Array;
  /** Tasks that began and never came back. */
  lost: (FailureRecord & Span)[];
  /** Ends of workers that nobody wanted. */
  deaths: number[];
  /** Time in which a worker was started. */
  startUp: Span[];
  /** Time in which tasks were on their way, waited here, or ran. */
  inFlight: Span[];
  /** Time in which there was something to share in, and a worker here. */
  present: Span[];
}

/**
 * Sorts a recording by place.
 *
 * @param recording What was recorded.
 * @returns The caller's thread if it has calls, then the workers.
 */
export function tracks(recording: Recording): Track[] {
  const active = activeTime(recording);
  const numbers = new Set([
    ...recording.workers.map(({ worker }) => worker),
    ...recording.chunks.map(({ worker }) => worker),
  ]);
  const workers = [...numbers].sort((a, b) => a - b).map((worker) =>
    workerTrack(recording, worker, active)
  );
  return recording.calls.length > 0
    ? [callerTrack(recording), ...workers]
    : workers;
}

/** Time in which a run went on, a worker was started, or a call was timed. */
export function activeTime(recording: Recording): Span[] {
  const { runs, workers, calls, last } = recording;
  return union([
    ...runs.map(({ from, to = last }) => ({ from, to })),
    ...workers.map(({ from, to, ready = to }) => ({ from, to: ready })),
    ...callsTime(calls),
  ]);
}

/** From the first call to the end of the last. */
export function callsTime(calls: readonly Span[]): Span[] {
  if (calls.length === 0) return [];
  const to = calls.reduce((last, call) => Math.max(last, call.to), 0);
  return [{ from: calls[0].from, to }];
}

function callerTrack({ calls }: Recording): Track {
  const time = callsTime(calls);
  return {
    name: "this thread",
    worker: undefined,
    index: Float64Array.from(calls, (_, index) => index),
    from: Float64Array.from(calls, ({ from }) => from),
    to: Float64Array.from(calls, ({ to }) => to),
    failed: Uint8Array.from(calls, ({ failed }) => Number(failed)),
    run: new Uint32Array(calls.length),
    attempt: new Uint16Array(calls.length).fill(1),
    lost: [],
    deaths: [],
    startUp: [],
    inFlight: time,
    present: time,
  };
}

function workerTrack(
  recording: Recording,
  worker: number,
  active: Span[],
): Track {
  const { last } = recording;
  const chunks = recording.chunks.filter((chunk) => chunk.worker === worker);
  const lives = recording.workers.filter((life) => life.worker === worker);
  const tasks = tasksOf(chunks);
  // Heard late when the caller was busy: a task that ran shows it was earlier.
  const startUp = lives.map(({ from, to, ready = to, end = last }) => {
    const first = tasks.from.find((began) => began >= from) ?? Infinity;
    return { from, to: Math.max(from, Math.min(ready, first, end)) };
  });
  const known = lives.length > 0
    ? lives.map(({ from, end = last }) => ({ from, to: end }))
    : [{ from: active[0]?.from ?? 0, to: last }]; // started before
  const lost = recording.failures.filter((failure) =>
    failure.worker === worker && failure.why !== "unsendable"
  )
    .map((failure) => ({
      ...failure,
      from: lostFrom(failure, chunks, startUp),
      to: failure.at,
    }));
  return {
    name: `worker ${worker}`,
    worker,
    ...tasks,
    lost,
    deaths: lives.filter(({ lost }) => lost).map(({ end }) => end!),
    startUp: union(startUp),
    inFlight: subtract(
      union(chunks.map(({ from, to = last }) => ({ from, to }))),
      union(startUp),
    ),
    present: intersect(union(known), active),
  };
}

type Tasks = Pick<
  Track,
  "index" | "from" | "to" | "failed" | "run" | "attempt"
>;

function tasksOf(chunks: readonly ChunkRecord[]): Tasks {
  const most = chunks.reduce((sum, { ended }) => sum + ended.length, 0);
  const index = new Float64Array(most);
  const from = new Float64Array(most);
  const to = new Float64Array(most);
  const failed = new Uint8Array(most);
  const run = new Uint32Array(most);
  const attempt = new Uint16Array(most);
  let n = 0;
  let sorted = true;
  for (const chunk of chunks) {
    const failures = new Set(chunk.failed);
    for (let i = 0; i < chunk.ended.length; i++) {
      if (!(chunk.ended[i] >= chunk.began[i])) continue; // NaN: it never ran
      index[n] = chunk.first + i;
      from[n] = chunk.began[i];
      to[n] = chunk.ended[i];
      failed[n] = Number(failures.has(index[n]));
      run[n] = chunk.run;
      attempt[n] = chunk.attempt;
      sorted &&= n === 0 || from[n] >= from[n - 1];
      n++;
    }
  }
  const order = sorted ? undefined : new Uint32Array(n);
  order?.forEach((_, i) => order[i] = i);
  order?.sort((a, b) => from[a] - from[b]);
  return {
    index: inOrder(index, order, n),
    from: inOrder(from, order, n),
    to: inOrder(to, order, n),
    failed: inOrder(failed, order, n),
    run: inOrder(run, order, n),
    attempt: inOrder(attempt, order, n),
  };
}

function inOrder<
  A extends Float64Array | Uint8Array | Uint16Array | Uint32Array,
>(
  values: A,
  order: Uint32Array | undefined,
  count: number,
): A {
  const sorted = values.slice(0, count) as A;
  order?.forEach((from, to) => sorted[to] = values[from]);
  return sorted;
}

/** A task that never came back began after all that did, at the earliest. */
function lostFrom(
  { at, index, run }: FailureRecord,
  chunks: readonly ChunkRecord[],
  startUp: readonly Span[],
): number {
  const chunk = chunks.findLast(({ first, tasks, from, ...chunk }) =>
    chunk.run === run && from <= at && first <= index && index < first + tasks
  );
  if (chunk === undefined) return at;
  let from = chunk.sent;
  for (const { to } of startUp) if (to <= at) from = Math.max(from, to);
  for (const { ended } of chunks) {
    for (const end of ended) if (end <= at) from = Math.max(from, end);
  }
  return from;
}
