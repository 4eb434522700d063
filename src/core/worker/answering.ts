/**
 * Answers a chunk whose tasks are settled: one message, without what cannot be
 * sent.
 *
 * @module
 */

import type { Codec, Encoded } from "../wire/codec.ts";
import type { Refusal } from "../wire/explanation.ts";
import type { Packing, Parcel } from "../wire/packing.ts";
import type { DoneMessage, FromWorker } from "../wire/protocol.ts";
import type { CpuMeter } from "./cpu_meter.ts";
import type { Folded, foldResults } from "./folding.ts";
import type { Work, WorkerRun } from "./work.ts";

/** What an answer is made with. */
export interface AnsweringParts {
  codec: Codec;
  packing: Packing;
  foldResults: typeof foldResults;
  readCpu: CpuMeter;
  now(): number;
  /** Whether the worker has more memory than it may keep. */
  isFull(): boolean;
  post(message: FromWorker, moved: ArrayBuffer[]): void;
}

/** What answers. */
export interface Answering {
  /**
   * Answers a chunk; the lane is the one that settled the last task, at the time
   * that is given.
   */
  answer(run: WorkerRun, work: Work, lane: number, ended: number): void;
  /** Answers what is done of a chunk, while others wait; says whether anything was. */
  answerDone(run: WorkerRun, work: Work): boolean;
}

/**
 * Makes what answers. Self-contained: workers get this function by its source.
 *
 * @param parts What an answer is made with.
 * @returns What answers.
 */
export function createAnswering(
  { codec, packing, foldResults, readCpu, now, isFull, post }: AnsweringParts,
): Answering {
  function answer(
    run: WorkerRun,
    work: Work,
    lane: number,
    ended: number,
    waits?: number[],
  ): void {
    const { announcement: { transfer = false, watched }, around } = run;
    const { message: { serial }, results, failures, times, count } = work;
    if (Array.isArray(results)) results.length = count;
    const folded = fold(run, work, lane);
    if (folded !== undefined) ended = now();
    const ms = ended - (work.began ?? ended);
    const cpu = times === undefined ? undefined : readCpu();
    const failed = new Map<number, Refusal>();
    if (folded === undefined) {
      for (const { offset } of failures) failed.set(offset, { reason: "" });
    } else {
      for (const [at, error] of folded.thrown) {
        fail(at, undefined, codec.encodeThrown(error));
      }
    }
    // To pack a large result takes long, and no task is late by that. What is
    // done beside others that wait is kept in a form that takes no time.
    if (watched && waits === undefined) {
      around.board.noteAnswer(serial + work.values.length - 1);
    }
    // What is packed here and not kept before is mostly one result.
    if (count === 1) around.board.setRunning(serial);
    const values = Array.isArray(results) ? folded?.values ?? results : [];
    let parcel = pack(work, values, transfer, failed);
    try {
      send();
    } catch (cause) {
      try {
        // Of results that are kept, records are all that there is.
        const { as } = parcel.packed;
        if (work.kept !== undefined && as !== "list") throw cause;
        parcel = packing.repack(values, parcel, cause);
        send();
      } catch (cause) { // nobody knows why: then it is all of them
        parcel = refuse(values, cause);
        for (const failure of failures) failure.error &&= bare(failure.error);
        send();
      }
    }
    around.board.setRunning(0);

    function send(): void {
      for (const [at, { reason, cause }] of parcel.refused) {
        if (failed.has(at)) continue;
        const error = cause === undefined
          ? undefined
          : codec.encodeThrown(cause);
        fail(at, reason, error);
      }
      const { packed: values, moved } = parcel;
      let { bytes } = parcel;
      // Moving costs the same at any size, but 5 of 8 MB that are held until
      // the answer make V8 collect garbage: 3 times in 64 tasks of Deno 2.9.5.
      if (parcel.gone.size > 0) {
        for (const { byteLength } of moved) bytes += byteLength;
      }
      const tasks = count;
      const done: DoneMessage = {
        type: "done",
        serial,
        tasks,
        values,
        ms,
        bytes,
      };
      // With the times of a chunk, all that failed in it.
      const isPart = waits !== undefined && times === undefined;
      const told = failures.slice(isPart ? work.toldFailures : 0);
      if (told.length > 0) done.failures = told;
      if (times !== undefined) {
        done.times = times;
        done.cpu = cpu;
      }
      if (waits !== undefined) done.waits = waits;
      else if (isFull()) done.full = true;
      post(done, moved);
    }

    function fail(
      at: number,
      refused: string | undefined,
      error: Encoded | undefined,
    ): void {
      failed.set(at, { reason: refused ?? "" });
      const { offset, tasks } = folded?.stretches[at] ??
        { offset: at, tasks: 0 };
      if (waits?.includes(offset)) return; // its result is not in this message
      failures.push({ offset, folded: tasks, error, refused });
    }
  }

  function answerDone(run: WorkerRun, work: Work): boolean {
    const isNew = run.combine === undefined && work.settled > work.told;
    if (!isNew && !work.fails) return false;
    const { message: { serial }, next: count, results, failures } = work;
    const at = new Set(run.around.board.serials());
    const failed = new Set(failures.map(({ offset }) => offset));
    const folds = run.combine !== undefined;
    const offsets = Array.from({ length: count }, (_, offset) => offset);
    const running = offsets.filter((offset) => at.has(serial + offset));
    // What is folded goes when all of it is there.
    const waits = folds
      ? offsets.filter((offset) => !failed.has(offset))
      : running;
    const done = { ...work, count, times: timesTold(run, work, running) };
    work.told = work.settled;
    work.kept = undefined;
    work.fails = false;
    if (folds) done.results = [];
    else if (Array.isArray(results)) {
      done.results = results.slice(0, count);
      results.fill(undefined, 0, count);
    }
    answer({ ...run, combine: undefined }, done, 0, work.began ?? 0, waits);
    for (const failure of failures.slice(work.toldFailures)) {
      failure.error = failure.refused = undefined; // once is enough
    }
    work.toldFailures = failures.length;
    return true;
  }

  /**
   * What is told of times, once for each chunk: when it is answered, or before that,
   * as after a failure that ends the run nobody may hear the rest.
   */
  function timesTold(
    { announcement: { inTurn = false } }: WorkerRun,
    work: Work,
    running: readonly number[],
  ): Float64Array | undefined {
    const { times, failsAt } = work;
    if (times === undefined || failsAt === Infinity) return undefined;
    // What comes before the failure is wanted, and told with the rest.
    if (inTurn && running.some((offset) => offset < failsAt)) return undefined;
    work.times = undefined;
    const told = times.slice();
    for (const offset of running) told.fill(NaN, 2 * offset, 2 * offset + 2);
    return told;
  }

  return { answer, answerDone };

  /** What was thrown, without what hangs on it. */
  function bare({ value, errors: [first] }: Encoded): Encoded {
    return first === undefined
      ? { value: Object(value) === value ? "[object]" : value, errors: [] }
      : { value: first.place, errors: [{ ...first, hidden: [], shown: [] }] };
  }

  /** Whatever that throws, the worker is not to be lost for it. */
  function pack(
    { kept }: Work,
    values: unknown[],
    transfer: boolean,
    failed: ReadonlyMap<number, Refusal>,
  ): Parcel {
    try {
      return kept?.end(values) ?? packing.pack(values, transfer, failed);
    } catch (cause) {
      return refuse(values, cause);
    }
  }

  function refuse(values: ArrayLike<unknown>, cause: unknown): Parcel {
    const refusal = { reason: "what cannot be sent", cause };
    return {
      packed: { as: "list", values: [] },
      moved: [],
      gone: new Set(),
      bytes: 0,
      refused: new Map(Array.from(values, (_, at) => [at, refusal])),
    };
  }

  /** Folds the results of a chunk, if its run wants that. */
  function fold(
    { combine, around: { board }, announcement: { watched } }: WorkerRun,
    { message: { serial, skip = [] }, results, failures, count }: Work,
    lane: number,
  ): Folded | undefined {
    if (combine === undefined) return undefined;
    const gaps = [...failures.map(({ offset }) => offset), ...skip];
    try {
      // If it does not come back from there, one of these tasks is to blame.
      return foldResults(
        (one, other) => combine.call(undefined, one, other),
        results as unknown[],
        gaps.filter((offset) => offset < count),
        ({ offset }) =>
          board.enterFold(lane, serial + offset, watched ? now() : undefined),
      );
    } finally {
      board.setRunning(0);
      board.leave(lane);
    }
  }
}
