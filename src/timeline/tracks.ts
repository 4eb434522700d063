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

function tasksOf(chunks: readonly ChunkRecord[]) {
  const order: [began: number, chunk: ChunkRecord, offset: number][] = [];
  let sorted = true;
  for (const chunk of chunks) {
    for (let i = 0; i < chunk.ended.length; i++) {
      if (!(chunk.ended[i] >= chunk.began[i])) continue; // NaN: it never ran
      sorted &&= chunk.began[i] >= (order.at(-1)?.[0] ?? -Infinity);
      order.push([chunk.began[i], chunk, i]);
    }
  }
  if (!sorted) order.sort(([a], [b]) => a - b);
  const failures = new Map(
    chunks.map((chunk) => [chunk, new Set(chunk.failed)]),
  );
  return {
    index: Float64Array.from(order, ([, { first }, i]) => first + i),
    from: Float64Array.from(order, ([began]) => began),
    to: Float64Array.from(order, ([, { ended }, i]) => ended[i]),
    failed: Uint8Array.from(
      order,
      ([, chunk, i]) => Number(failures.get(chunk)!.has(chunk.first + i)),
    ),
    run: Uint32Array.from(order, ([, { run }]) => run),
    attempt: Uint16Array.from(order, ([, { attempt }]) => attempt),
  };
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
