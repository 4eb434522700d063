/**
 * The recording, sorted by place: one track for each worker, and one for the
 * caller's own thread if calls were timed there.
 *
 * @module
 */

import { type Answer, answersOf } from "./answers.ts";
import type {
  ChunkRecord,
  FailureRecord,
  InputOf,
  Recording,
} from "./recording.ts";
import {
  firstAfter,
  intersect,
  type Span,
  subtract,
  sum,
  union,
} from "./spans.ts";

/** Everything that happened in one place. */
export interface Track {
  /** As in `worker 0`. */
  name: string;
  /** Number of the worker; undefined for calls that were timed by hand. */
  worker: number | undefined;
  /** Index of the input of each task that ran here, as they began. */
  index: Float64Array;
  /** When each of them began. */
  from: Float64Array;
  /** When each of them ended. */
  to: Float64Array;
  /** 1 for each of them that failed. */
  failed: Float64Array;
  /** Position of the run of each in the recording. */
  run: Float64Array;
  /** Which try each of them was, from 1. */
  attempt: Float64Array;
  /** Tasks that began, and of which no result ever came back. */
  lost: (Failure & Span)[];
  /** Chunks that came back, in the order in which their first tasks began. */
  answers: Answer[];
  /** When workers were lost. */
  deaths: number[];
  /** Time in which a worker was started. */
  startUp: Span[];
  /** Time from the last answer of a worker to its end. */
  ending: Span[];
  /** Time in which the worker had been sent tasks and had not answered. */
  inFlight: Span[];
  /** Time in which the worker was alive while something was recorded. */
  present: Span[];
}

/**
 * Sorts a recording by place.
 *
 * @param recording What was recorded.
 * @returns The caller's thread if it has calls, then the workers.
 */
export function tracksOf(recording: Recording): Track[] {
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

/** The earliest time in a recording. */
export function firstTime({ runs, workers, calls }: Recording): number {
  let first = Infinity;
  for (const list of [runs, workers, calls]) {
    for (const { from } of list) first = Math.min(first, from);
  }
  return first === Infinity ? 0 : first;
}

/** When the last of what a track shows ended: some tasks outlast their run. */
export function lastTime({ to, lost, inFlight }: Track): number {
  const last = (latest: number, { to }: Span) => Math.max(latest, to);
  const ended = to.reduce((latest, to) => Math.max(latest, to), -Infinity);
  return inFlight.reduce(last, lost.reduce(last, ended));
}

/** From the first call to the end of the last. */
export function callsTime(calls: readonly Span[]): Span[] {
  if (calls.length === 0) return [];
  let { from, to } = calls[0]!;
  for (const call of calls) {
    from = Math.min(from, call.from);
    to = Math.max(to, call.to);
  }
  return [{ from, to }];
}

function callerTrack(recording: Recording): Track {
  // They were recorded when they ended.
  const calls = recording.calls.toSorted((a, b) => a.from - b.from);
  return {
    name: "this thread",
    worker: undefined,
    index: Float64Array.from(calls, (_, index) => index),
    from: Float64Array.from(calls, ({ from }) => from),
    to: Float64Array.from(calls, ({ to }) => to),
    failed: Float64Array.from(calls, ({ failed }) => Number(failed)),
    run: new Float64Array(calls.length),
    attempt: new Float64Array(calls.length).fill(1),
    lost: [],
    answers: [],
    deaths: [],
    startUp: [],
    ending: [],
    inFlight: [], // nothing is sent
    present: callsTime(calls),
  };
}

function workerTrack(
  recording: Recording,
  worker: number,
  active: Span[],
): Track {
  const { runs, last, inputOf = (index) => index } = recording;
  const chunks = recording.chunks.filter((chunk) => chunk.worker === worker);
  const lives = recording.workers.filter((life) => life.worker === worker);
  const failures = withChunks(
    recording.failures.filter((failure) => failure.worker === worker),
    chunks,
  );
  const { answers, ...tasks } = tasksOf(chunks, failures, inputOf);
  // A busy caller learns late that a worker is ready. The worker was ready at
  // the latest when its first task began.
  const startUp = lives.map(({ from, to, ready = to, end = last }) => {
    const first = tasks.from[firstAfter(tasks.from, from)] ?? Infinity;
    return { from, to: Math.max(from, Math.min(ready, first, end)) };
  });
  const sent = union(chunks.map(({ from, to = last }) => ({ from, to })));
  const answered = Float64Array.from(sent, ({ to }) => to);
  const ending = lives.flatMap(({ from, end }) => {
    if (end === undefined) return [];
    const last = answered[firstAfter(answered, end) - 1] ?? from;
    return [{ from: Math.max(from, last), to: end }];
  });
  const ends = tasks.to.toSorted();
  const lost = failures
    .filter(({ why, from }) => why !== "unsendable" || from !== undefined)
    .map((failure) => ({
      from: lostFrom(failure, startUp, ends),
      to: failure.at,
      ...failure,
      index: inputOf(failure.index),
    }));
  const known = lives.map(({ from, end = last }) => ({ from, to: end }));
  return {
    // With `workers: 0` there is one, but it is this thread.
    name: runs.every((run) => run.workers === 0)
      ? "this thread"
      : `worker ${worker}`,
    worker,
    ...tasks,
    lost,
    answers,
    deaths: lives.filter(({ lost }) => lost).map(({ end }) => end!),
    startUp: union(startUp),
    ending: union(ending),
    inFlight: subtract(sent, union(startUp)),
    present: intersect(union([...known, ...sent]), active),
  };
}

type Tasks = Pick<
  Track,
  "index" | "from" | "to" | "failed" | "run" | "attempt" | "answers"
>;

/** A failure, and the chunk in which its task came. */
interface Failure extends FailureRecord, Partial<Span> {
  chunk: ChunkRecord | undefined;
}

/** Of failures that the answer of their chunk tells as well, it notes the time. */
function tasksOf(
  chunks: readonly ChunkRecord[],
  failures: readonly Failure[],
  inputOf: InputOf,
): Tasks {
  const failuresOf = Map.groupBy(failures, ({ chunk }) => chunk);
  const most = sum(chunks, ({ ended }) => ended.length);
  const column = () => new Float64Array(most);
  const [index, from, to] = [column(), column(), column()];
  const [failed, run, attempt] = [column(), column(), column()];
  const answers: Answer[] = [];
  let n = 0;
  let sorted = true;
  for (const { chunk, answer, late } of answersOf(chunks)) {
    answers.push(answer);
    const fails = new Set(chunk.failed);
    const told = new Map(
      failuresOf.get(chunk)?.map((failure) => [failure.index, failure]),
    );
    for (let i = 0; i < chunk.ended.length; i++) {
      if (!(chunk.ended[i]! >= chunk.began[i]!)) continue; // NaN: it never ran
      const task = chunk.first + i;
      from[n] = Math.min(chunk.began[i]! + late, chunk.to!);
      to[n] = Math.min(chunk.ended[i]! + late, chunk.to!);
      const failure = fails.has(task) && told.get(task);
      if (failure) { // its worker went on without it, or could not send its result
        [failure.from, failure.to] = [from[n]!, to[n]!];
        continue;
      }
      index[n] = inputOf(task);
      failed[n] = Number(fails.has(task));
      run[n] = chunk.run;
      attempt[n] = chunk.attempt;
      sorted &&= n === 0 || from[n]! >= from[n - 1]!;
      n++;
    }
  }
  answers.sort((a, b) => a.began - b.began);
  const order = Uint32Array.from({ length: sorted ? 0 : n }, (_, i) => i)
    .sort((a, b) => from[a]! - from[b]!);
  const inOrder = (column: Float64Array) =>
    sorted
      ? column.subarray(0, n)
      : Float64Array.from(order, (i) => column[i]!);
  return {
    index: inOrder(index),
    from: inOrder(from),
    to: inOrder(to),
    failed: inOrder(failed),
    run: inOrder(run),
    attempt: inOrder(attempt),
    answers,
  };
}

/**
 * Finds the chunks in which tasks came that failed: the last before that. Both are
 * in the order of time: from the end, each would be as long a way as there are
 * chunks.
 */
function withChunks(
  failures: readonly FailureRecord[],
  chunks: readonly ChunkRecord[],
): Failure[] {
  let sent = 0;
  return failures.map((failure) => {
    const { at, index, run } = failure;
    while (sent < chunks.length && chunks[sent]!.from <= at) sent++;
    for (let n = sent - 1; n >= 0; n--) {
      const chunk = chunks[n]!;
      const holds = chunk.run === run && chunk.from <= at &&
        chunk.first <= index && index < chunk.first + chunk.tasks;
      if (holds) return { ...failure, chunk };
    }
    return { ...failure, chunk: undefined };
  });
}

/**
 * When a task that never came back began, at the earliest: once it was sent, its
 * worker had started, and the last task that came back from there had ended.
 */
function lostFrom(
  { at, chunk }: Failure,
  startUp: readonly Span[],
  ends: Float64Array,
): number {
  if (chunk === undefined) return at;
  let from = Math.min(chunk.sent, at);
  for (const { to } of startUp) if (to <= at) from = Math.max(from, to);
  return Math.max(from, ends[firstAfter(ends, at) - 1] ?? from);
}
