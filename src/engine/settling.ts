/**
 * What an answer, or the end of a worker, means for each task it had.
 *
 * @module
 */

import type { Codec } from "../wire/codec.ts";
import type { Packing } from "../wire/packing.ts";
import type { DoneMessage } from "../wire/protocol.ts";
import type { Failure } from "./failures.ts";
import type { Sent } from "./in_flight.ts";

/** Why a worker is lost: what is known, and the tasks it was at. */
export interface Loss {
  code?: number;
  error?: unknown;
  /** Serial numbers of the suspects. */
  at: number[];
  /** Set when the suspects ran too long. */
  timeout?: number;
  /** Whether each suspect is known to be at fault. */
  sure?: boolean;
}

/**
 * Settles the tasks of a chunk that was answered.
 *
 * @param sent The chunk.
 * @param answer The answer.
 * @param worker Number of the worker.
 * @param wire What turns messages into values.
 */
export function settle(
  sent: Sent,
  answer: DoneMessage,
  worker: number,
  wire: { codec: Codec; packing: Packing },
): void {
  const { chunk, refused } = sent;
  const { run, first } = chunk;
  const values = wire.packing.unpack(answer.values);
  if (values.length > 0) {
    run.learn(values.length, answer.ms, Math.max(sent.bytes, answer.bytes));
  }
  if (answer.times !== undefined) tell(sent, answer, worker);
  // Stretches of results between the tasks that failed or were not sent.
  const failures = new Map(answer.failures.map((f) => [f.offset, f]));
  const gaps = [...failures.keys(), ...refused.keys()].sort((a, b) => a - b);
  let from = 0;
  for (const offset of gaps) {
    run.put(first + from, part(values, from, offset));
    from = offset + 1;
    const failed = failures.get(offset);
    if (failed === undefined) continue; // failed when it was to be sent
    const error = wire.codec.decode(failed.error);
    const failure: Failure = failed.refused === undefined
      ? { why: "threw", error }
      : {
        why: "unsendable",
        what: "result",
        refusal: { reason: failed.refused, cause: error },
      };
    run.fail(chunk, first + offset, failure, worker);
  }
  run.put(first + from, part(values, from, values.length));
}

function part(
  values: ArrayLike<unknown>,
  from: number,
  to: number,
): ArrayLike<unknown> {
  if (from === 0 && to === values.length) return values;
  return (values as unknown[]).slice(from, to);
}

function tell(sent: Sent, answer: DoneMessage, worker: number): void {
  const { chunk: { run, first }, number: chunk } = sent;
  const times = answer.times!;
  const from = new Float64Array(times.length / 2);
  const to = new Float64Array(from.length);
  for (let i = 0; i < from.length; i++) {
    from[i] = times[2 * i] - performance.timeOrigin;
    to[i] = times[2 * i + 1] - performance.timeOrigin;
  }
  run.emit({
    type: "chunk-done",
    run: run.number,
    chunk,
    worker,
    first,
    from,
    to,
    failed: answer.failures.map(({ offset }) => first + offset),
    cpu: answer.cpu,
    at: performance.now(),
  });
}

/**
 * Finds out who ended a worker, and sends the others again.
 *
 * @param sent What it had in flight.
 * @param loss How it ended.
 * @param worker Its number.
 * @returns Whether a task was at fault or is suspect.
 */
export function judge(sent: Sent[], loss: Loss, worker: number): boolean {
  const { at, timeout, code, error, sure = at.length === 1 } = loss;
  let found = false;
  for (const { chunk, serial, refused, moved } of sent) {
    const { run, first, values } = chunk;
    for (let offset = 0; offset < values.length; offset++) {
      if (refused.has(offset)) continue;
      const suspect = at.includes(serial + offset);
      found ||= suspect;
      if ((suspect && sure) || moved) {
        const failure: Failure = suspect && timeout !== undefined
          ? { why: "timeout", timeout }
          : { why: "lost", code, error, moved };
        run.fail(chunk, first + offset, failure, worker);
      } else run.giveBack(chunk, first + offset, suspect);
    }
  }
  return found;
}
