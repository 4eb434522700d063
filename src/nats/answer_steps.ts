/**
 * What an answer says of the tasks of its chunk, step by step.
 *
 * @module
 */

import { type Failure, isCount, sliceOf } from "@parallel/map/seam";
import { numberIf } from "./failures.ts";
import type { DoneMessage, SentFailure } from "./messages.ts";

/** What became of consecutive tasks: results, or a failure. */
export type Step =
  & { from: number; to: number }
  & (
    | { values: ArrayLike<unknown>; failure?: undefined }
    | {
      values?: undefined;
      failure: SentFailure;
      /** Number of its worker there; undefined if it never reached one. */
      worker: number | undefined;
    }
  );

/**
 * Puts what became of the tasks of a chunk in their order.
 *
 * @param answer The answer.
 * @param values The results in it, one a task, or folded, one a piece.
 * @param folded Whether they are folded.
 * @returns The steps.
 * @throws {RangeError} When there are other results than it says.
 */
export function stepsOf(
  answer: DoneMessage,
  values: ArrayLike<unknown>,
  folded: boolean,
): Step[] {
  const { pieces, refused, failures, tracks } = answer;
  const steps: Step[] = [];
  const fails = refused.length + failures.length > 0;
  const workers = fails ? workersOf(answer) : undefined;
  const main = Number(tracks[0]?.worker ?? 0); // if nobody knows
  const workerOf = (offset: number) => workers?.get(offset) ?? main;
  const bad = new Map(refused.map((one) => [one[0], one]));
  let next = 0;
  for (const [from, to] of pieces) {
    const count = folded ? 1 : to - from;
    if (!(count > 0 && next + count <= values.length)) throw misfit();
    let begin = 0; // of the results that are not put yet
    const put = (end: number) => {
      if (end <= begin) return;
      const list = sliceOf(values, next + begin, next + end);
      const until = folded ? to : from + end;
      steps.push({ from: from + begin, to: until, values: list });
    };
    for (let i = 0; bad.size > 0 && i < count; i++) {
      const one = bad.get(next + i);
      if (one === undefined) continue;
      put(i);
      begin = i + 1;
      const [, reason, cause] = one;
      const failure = { why: "unsendable", what: "result", reason, cause };
      const at = { from: from + i, to: from + i + 1 };
      steps.push({ ...at, failure, worker: workerOf(at.from) } as Step);
    }
    put(count);
    next += count;
  }
  if (next !== values.length) throw misfit();
  for (const [offset, failure, ...told] of failures) {
    // Older machines do not tell it. A worker that ended has no track.
    const worker = told.length === 0 ? workerOf(offset) : numberIf(told[0]);
    steps.push({ from: offset, to: offset + 1, failure, worker });
  }
  return steps.sort((a, b) => a.from - b.from);
}

function misfit(): RangeError {
  return new RangeError("an answer has a result for each task");
}

/**
 * Says in which worker of its machine each task of a chunk began.
 *
 * @param answer The answer: it tells that of a run that somebody listens to.
 * @returns Numbers of workers there, by the offsets of tasks.
 */
function workersOf({ tracks }: DoneMessage): Map<number, number> {
  const workers = new Map<number, number>();
  for (const { worker, first, from } of tracks) {
    for (const [i, began] of from.entries()) {
      // What went elsewhere before it was begun is in the track of both.
      if (!Number.isNaN(began)) workers.set(first + i, Number(worker));
    }
  }
  return workers;
}

/**
 * Whether a failure is of results that cannot be folded, or sent as they are
 * folded: of many tasks, so that it ends a reduction, and the rest does not matter.
 *
 * @param failure The failure.
 */
export function endsFold({ why }: Pick<Failure, "why">): boolean {
  return why === "unfolded" || why === "unsendable";
}

/**
 * Sees to it that each task has one outcome, whoever wrote the answer; where a
 * failure in it ends the run, one at most: what ran beside that was not waited for.
 *
 * @param steps What the answer says.
 * @param skip Offsets of tasks that were not sent, in order.
 * @param length How many tasks the chunk has.
 * @param ends Whether one of them ends the run.
 * @returns Stretches of tasks that were sent and have no outcome.
 * @throws {RangeError} When one has none, or several.
 */
export function checkSteps(
  steps: Step[],
  skip: number[],
  length: number,
  ends: boolean,
): [from: number, to: number][] {
  const gaps: [from: number, to: number][] = [];
  let next = 0;
  let at = 0; // in `skip`: there may be as many as tasks
  /** Goes on to where the next outcome begins. */
  const goTo = (offset: number) => {
    for (; next < offset; next++) {
      if (skip[at] === next) {
        at++;
        continue;
      }
      if (!ends) throw new RangeError("an answer has all outcomes");
      const last = gaps.at(-1);
      if (last?.[1] === next) last[1]++;
      else gaps.push([next, next + 1]);
    }
  };
  for (const { from, to } of steps) {
    const isNext = isCount(from, next, length);
    if (isNext) goTo(from);
    if (!isNext || !isCount(to, from + 1, skip[at] ?? length)) {
      throw new RangeError("an answer has one outcome for each task");
    }
    next = to;
  }
  goTo(length);
  return gaps;
}
