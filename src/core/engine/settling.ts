/**
 * What an answer, or the end of a worker, means for each task it had: who is to
 * blame for an end stands in docs/workers.md.
 *
 * @module
 */

import { isCount } from "../../words/plain_data.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Codec, Encoded } from "../wire/codec.ts";
import type { Packing } from "../wire/packing.ts";
import type { DoneMessage, TaskFailure } from "../wire/protocol.ts";
import type { Failure } from "./failures.ts";
import { nameThrown } from "./failures.ts";
import { type Chunk, sliceOf } from "./chunk.ts";
import type { Run } from "./run.ts";
import type { Abandoned, Sent } from "./sent.ts";

/** Why a worker is lost: what is known, and the tasks it was at. */
export interface Loss {
  code?: number | undefined;
  signal?: string;
  error?: unknown;
  /** Serial numbers of the suspects. */
  at: number[];
  /** Set when the suspects ran too long. */
  timeout?: number;
  /** Set when their results were not ready to be sent after so many ms. */
  sendMs?: number | undefined;
  /** Whether each suspect is known to be at fault. */
  sure?: boolean;
}

/**
 * Settles the tasks of a chunk that was answered.
 *
 * @param sent The chunk.
 * @param answer The answer.
 * @param worker Number of the worker.
 * @param wire What turns messages into values, and the clock.
 */
export function settle(
  sent: Sent,
  answer: DoneMessage,
  worker: number,
  wire: { codec: Codec; packing: Packing; clock: Clock },
): void {
  const { chunk, gone } = sent;
  const { run } = chunk;
  let values: ArrayLike<unknown>;
  try {
    values = wire.packing.unpack(answer.values);
    checkAnswer(answer, values, chunk);
  } catch (cause) {
    return failAll(sent, "result", cause, worker);
  }
  learn(sent, answer);
  if (answer.times !== undefined) {
    tell(sent, answer, answer.times, worker, wire.clock);
  }
  // Stretches of results between the tasks that have none.
  let from = 0;
  let stretch = 0;
  for (const [offset, failed] of failuresIn(sent, answer)) {
    put(offset);
    from = offset + Math.max(1, failed?.folded ?? 0);
    if (failed === undefined) continue;
    const failure = readFailure(failed, run, wire.codec);
    const repeatable = failed.folded === 0 && !gone.has(offset);
    run.fail(chunk, offset, failure, worker, repeatable);
  }
  const { tasks } = answer;
  put(tasks);
  if (tasks < chunk.values.length) sendElsewhere(sent, tasks);

  function put(to: number): void {
    if (to <= from) return;
    const results = run.combine === undefined
      ? sliceOf(values, from, to)
      : sliceOf(values, stretch, ++stretch);
    run.put(chunk, results, from, to);
  }
}

/** Lets a run learn from an answer how long its tasks take. */
function learn(
  { chunk, whole, settled, bytes: sentBytes }: Sent,
  { tasks, failures, ms, bytes }: DoneMessage,
): void {
  const { run, values: { length } } = chunk;
  run.spent(chunk, ms);
  // Not of a part: it may be that of one task that took long after many. Nor
  // with one that was abandoned: that was settled before.
  const abandons = failures?.some(({ offset }) => settled.has(offset));
  if (whole && tasks === length && !abandons) {
    run.learn(chunk, ms, Math.max(sentBytes, bytes));
  }
}

/**
 * The tasks of a chunk that have no result, in order: why; undefined for those
 * that were settled before.
 */
function failuresIn(
  { settled }: Sent,
  { tasks, failures = [] }: DoneMessage,
): [offset: number, failure: TaskFailure | undefined][] {
  const found = new Map<number, TaskFailure | undefined>(
    failures.map((failure) => [failure.offset, failure]),
  );
  for (const offset of settled) {
    if (offset < tasks) found.set(offset, undefined);
  }
  return [...found].sort(([a], [b]) => a - b);
}

/**
 * Checks that an answer is one to its chunk: a task in a process may write what it
 * likes, and the results of others are none of its business.
 *
 * @param answer The answer.
 * @param values What it holds.
 * @param chunk The chunk.
 * @throws {RangeError} When it is not.
 */
function checkAnswer(
  { tasks, failures = [] }: DoneMessage,
  values: ArrayLike<unknown>,
  { run, values: { length } }: Chunk,
): void {
  const isEach = run.combine === undefined && run.shared.output === undefined &&
    failures.length < tasks;
  const isWhole = isEach
    ? values.length === tasks
    : isCount(values.length, 0, tasks);
  const holds = isCount(tasks, 0, length) && isWhole &&
    failures.every(({ offset, folded }) =>
      isCount(offset, 0, tasks - 1) && isCount(folded, 0, tasks - offset)
    );
  if (!holds) throw new RangeError("an answer has its own tasks alone");
}

/**
 * Gives tasks that were not begun back to their run, apart from those that
 * are settled.
 *
 * @param sent Their chunk.
 * @param from Offset of the first; all after it go as well.
 */
export function sendElsewhere({ chunk, settled }: Sent, from: number): void {
  const { run, values: { length } } = chunk;
  run.startSmall();
  let next = from;
  for (const offset of [...settled].sort((a, b) => a - b)) {
    if (offset < from) continue;
    run.takeBack(chunk, next, offset);
    next = offset + 1;
  }
  run.takeBack(chunk, next, length);
}

/**
 * Fails a task that waited for longer than it may, and that its worker goes on
 * without.
 *
 * @param task The task.
 * @param worker Number of the worker.
 */
export function failLate(
  { sent: { chunk, gone }, offset }: Abandoned,
  worker: number,
): void {
  const { run } = chunk;
  const { timeout = Infinity } = run.options;
  const failure = { why: "timeout", timeout, sendMs: undefined } as const;
  run.fail(chunk, offset, failure, worker, !gone.has(offset));
}

/**
 * Puts an error together that a worker sent.
 *
 * @param error What came, if anything did.
 * @param codec What does it.
 * @returns The error; what was thrown instead if it cannot be put together.
 */
export function readError(error: Encoded | undefined, codec: Codec): unknown {
  try {
    return error && codec.decode(error);
  } catch (failure) {
    return failure;
  }
}

/** What became of a task that failed. */
function readFailure(
  { error, refused, folded }: TaskFailure,
  { combine }: Run,
  codec: Codec,
): Failure {
  let cause = readError(error, codec);
  if (refused !== undefined && folded > 1) { // no task returned it
    const text = `${refused}, which combine must not return`;
    cause = new TypeError(text, { cause });
  } else if (refused !== undefined) {
    const refusal = { reason: refused, cause };
    return { why: "unsendable", what: "result", refusal };
  }
  return folded > 0 && combine !== undefined
    ? { why: "unfolded", error: cause, tasks: folded, combine }
    : { why: "threw", error: cause };
}

/**
 * Fails all tasks of a chunk, as their values, or their results, arrived in a
 * state that cannot be read.
 *
 * @param sent The chunk.
 * @param what What could not be read.
 * @param cause Why.
 * @param worker Number of the worker.
 */
export function failAll(
  { chunk, settled }: Sent,
  what: "input" | "result",
  cause: unknown,
  worker: number,
): void {
  const reason = `what the other thread cannot read: ${nameThrown(cause)}`;
  const failure = {
    why: "unsendable",
    what,
    refusal: { reason, cause },
  } as const;
  for (let offset = 0; offset < chunk.values.length; offset++) {
    if (settled.has(offset)) continue;
    chunk.run.fail(chunk, offset, failure, worker, false);
  }
}

function tell(
  sent: Sent,
  { failures = [], cpu }: DoneMessage,
  times: Float64Array,
  worker: number,
  clock: Clock,
): void {
  const { chunk: { run, first }, number: chunk } = sent;
  const from = new Float64Array(times.length / 2);
  const to = new Float64Array(from.length);
  const at = clock.now();
  // A worker's clock may be ahead by some ms: of what has ended, nothing is to
  // end later than it is told.
  const latest = times.reduce((a, b) => b > a ? b : a, -Infinity);
  const origin = Math.max(clock.origin, latest - at);
  for (let i = 0; i < from.length; i++) {
    // Rounded as it is, the difference may be later than `at`.
    from[i] = Math.min(times[2 * i]! - origin, at);
    to[i] = Math.min(times[2 * i + 1]! - origin, at);
  }
  run.emit({
    type: "chunk-done",
    run: run.number,
    chunk,
    worker,
    first,
    from,
    to,
    failed: failures.map(({ offset }) => first + offset),
    cpu,
    at,
  });
}

/**
 * In how many groups suspects go again. More make more messages, fewer more ends
 * of workers, some 50 ms each: of 3,000 tiny tasks it takes three to find the
 * one at fault. No bench.
 */
const GROUPS = 16;

/**
 * Finds out who ended a worker, and sends the others again: suspects in groups,
 * of which each has a worker for itself, until a group is one task.
 *
 * @param sent What it had in flight.
 * @param loss How it ended.
 * @param worker Its number.
 * @returns Whether a task was at fault or is suspect.
 */
export function judge(sent: Sent[], loss: Loss, worker: number): boolean {
  const { timeout, sendMs, code, signal, error } = loss;
  const { at, sure = at.length === 1 } = loss;
  const suspects = new Set(at);
  const groupSize = Math.ceil(at.length / GROUPS);
  let found = false;
  for (const { chunk, serial, settled, gone } of sent) {
    const { run, values: { length } } = chunk;
    const isSuspect = (offset: number) => suspects.has(serial + offset);
    /** Whether it is to blame, or cannot be sent again. */
    const fails = (offset: number) =>
      gone.has(offset) || (sure && isSuspect(offset));
    for (let from = 0, to: number; from < length; from = to) {
      to = from + 1;
      if (settled.has(from)) continue;
      const suspect = isSuspect(from);
      found ||= suspect;
      if (fails(from)) {
        const moved = gone.has(from);
        const failure: Failure = suspect && timeout !== undefined
          ? { why: "timeout", timeout, sendMs }
          : { why: "lost", code, signal, error, moved };
        run.fail(chunk, from, failure, worker, !moved);
        continue;
      }
      // It goes again, with those after it that are like it.
      const most = suspect ? groupSize : length;
      while (
        to < length && to - from < most && !settled.has(to) && !fails(to) &&
        isSuspect(to) === suspect
      ) to++;
      run.takeBack(chunk, from, to, suspect);
    }
  }
  return found;
}
