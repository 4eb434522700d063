/**
 * Calls the function for one task of a chunk after another: what most tasks are
 * on their way for is over in less time than all that is around it here.
 *
 * @module
 */

import type { Codec } from "../wire/codec.ts";
import type { Packing } from "../wire/packing.ts";
import type { TaskContext } from "../api/options.ts";
import type { Contexts, Surroundings } from "./task_context.ts";
import type { Work, WorkerRun } from "./work.ts";

/** What it is made with. */
export interface TaskLoopParts {
  codec: Codec;
  packing: Packing;
  contexts: Contexts;
  now(): number;
}

/** What runs tasks. */
export interface TaskLoop {
  /**
   * Runs tasks of a chunk in a lane: until one waits, or no more are to be begun.
   * Not async, as engines are slower with a loop that may wait.
   *
   * @returns Settled when the task that waits is; undefined if none does.
   */
  runTasks(run: WorkerRun, work: Work, lane: number): Promise<void> | undefined;
  /**
   * Lets lanes go on without their tasks, which fail.
   *
   * @param tell Told first which of them wait: what hears their signals may
   * throw, or end the worker.
   */
  abandon(
    around: Surroundings,
    serials: number[],
    tell: (serials: number[]) => void,
  ): void;
}

/**
 * Makes it. Self-contained: workers get this function by its source.
 *
 * @param parts What it is made with.
 * @returns What runs tasks.
 */
export function createTaskLoop(
  { codec, packing, contexts, now }: TaskLoopParts,
): TaskLoop {
  const { Context, setWaiting } = contexts;
  // Bytes of copies of results until the rest of their chunk goes elsewhere, and
  // how many results there are from one look at that to the next.
  const MOST_KEPT = 1 << 24;
  const LOOK = 8;
  const { min } = Math; // as user code may change its globals
  let keptResults = 0;

  function isThenable(value: unknown): value is PromiseLike<unknown> {
    return value !== null &&
      (typeof value === "object" || typeof value === "function") &&
      typeof (value as PromiseLike<unknown>).then === "function";
  }

  const ABANDONED = Symbol("abandoned");

  function fail(
    { announcement: { transfer, lastAttempt } }: WorkerRun,
    work: Work,
    offset: number,
    thrown: unknown,
  ): void {
    const error = thrown === ABANDONED
      ? undefined
      : codec.encodeThrown(thrown, (whole) => {
        work.failureBytes += bytesOf(whole);
        return whole;
      });
    // Each has a copy of its own. As of results, below.
    if (work.failureBytes > MOST_KEPT) work.enough = transfer !== true;
    work.failures.push({ offset, folded: 0, error, refused: undefined });
    // It ends the run: nothing begins after it, and nothing is waited for.
    if (lastAttempt === undefined) return;
    if (work.message.attempt < lastAttempt && !work.gone?.has(offset)) return;
    work.enough = work.hurries = work.fails = true;
    work.failsAt = min(work.failsAt, offset);
  }

  /** What hangs on an error may say anything of its size, or throw. */
  function bytesOf(whole: object): number {
    try {
      const { buffer, byteLength } = whole as Partial<Uint8Array>;
      const bytes = Number(buffer?.byteLength ?? byteLength);
      return bytes > 0 && bytes < Infinity ? bytes : 0;
    } catch {
      return 0;
    }
  }

  /** Settles as the result of a task does, or when the task is abandoned. */
  function unlessAbandoned(
    around: Surroundings,
    serial: number,
    index: number,
    result: PromiseLike<unknown>,
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      around.waiting!.set(serial, () => {
        reject(ABANDONED);
        contexts.abandon(around, index);
      });
      Promise.resolve(result).then(resolve, reject);
    });
  }

  /** Whether a result is an object: the tasks after it may change it. */
  function isObject(result: unknown): result is object {
    return typeof result === "object" && result !== null;
  }

  /** Keeps such a result as it is now. */
  function keep(run: WorkerRun, work: Work, offset: number, result: object) {
    try {
      const since = work.kept === undefined ? now() : undefined;
      const kept = work.kept ?? openKept(run, work);
      const listed = kept.add(offset, result);
      if (listed !== undefined) (work.results as unknown[])[offset] = listed;
      // The first time takes 2 ms on each runtime, which are no task's.
      if (since !== undefined) work.began! += now() - since;
      if (++keptResults % LOOK === 0 && kept.bytes > MOST_KEPT) {
        // Values whose buffers were moved cannot be sent to another worker.
        work.enough = run.announcement.transfer !== true;
      }
    } catch (error) { // too little memory, or a task has replaced a built-in
      fail(run, work, offset, error);
    }
  }

  function openKept({ announcement: { transfer } }: WorkerRun, work: Work) {
    return work.kept = packing.open(work.count, transfer ?? false);
  }

  async function wait(
    run: WorkerRun,
    work: Work,
    lane: number,
    offset: number,
    result: PromiseLike<unknown>,
    context: TaskContext | undefined,
  ): Promise<void> {
    const { board, aborts, waiting } = run.around;
    const isShared = run.announcement.output !== undefined;
    const { results, times, message } = work;
    const index = message.first + offset;
    const serial = message.serial + offset;
    let kept: object | undefined;
    if (context !== undefined) setWaiting(context, true);
    try {
      const settled = await (waiting === undefined
        ? result
        : unlessAbandoned(run.around, serial, index, result));
      if (work.keeps && isObject(settled)) {
        kept = settled;
        // In shared memory, that of another try may be there already.
      } else if (!isShared || !board.isOver()) {
        (results as unknown[])[offset] = settled;
      }
    } catch (error) {
      fail(run, work, offset, error);
    }
    if (context !== undefined) setWaiting(context, false);
    aborts.delete(index);
    waiting?.delete(serial);
    board.leave(lane); // at no task: an end now is nobody's fault
    if (times !== undefined) times[2 * offset + 1] = now();
    if (kept !== undefined) {
      if (work.count === 1) board.noteAnswer(serial); // it is not late from here on
      board.setRunning(serial);
      keep(run, work, offset, kept);
      board.setRunning(0);
    }
    work.settled++;
  }

  function abandon(
    { waiting }: Surroundings,
    serials: number[],
    tell: (serials: number[]) => void,
  ): void {
    const found = serials.filter((serial) => waiting?.has(serial));
    tell(found);
    for (const serial of found) waiting!.get(serial)!();
  }

  function runTasks(run: WorkerRun, work: Work, lane: number) {
    const { fn, seesContext, around, announcement } = run;
    const { watched, output } = announcement;
    const mayBeLate = output !== undefined;
    const { board, aborts } = around;
    const { values, times, count, message, skips } = work;
    const keepsNow = work.keeps && count > 1; // else it is answered in this turn
    const { serial, first, attempt } = message;
    const results = work.results as unknown[];
    let offset = work.next;
    let waits: PromiseLike<unknown> | undefined;
    let waiter: TaskContext | undefined;
    for (; offset < count && !work.enough; offset++) {
      if (!board.claim(serial + offset)) break;
      if (skips !== undefined && skips.has(offset)) {
        work.settled++;
        continue;
      }
      work.began ??= now();
      if (times !== undefined) times[2 * offset] = now();
      // The lane of a task that does not wait is of interest only to a clock.
      if (watched) board.enter(lane, serial + offset, now());
      board.setRunning(serial + offset);
      let kept: object | undefined;
      try {
        // Used after the call only if the task waits: so Bun 1.4.5 makes none for
        // a function that does not look at it, which saves 12 ns a task.
        const context = seesContext
          ? new Context(first + offset, attempt, around)
          : undefined;
        // Not fn(…): V8 15 (Deno 2.9.5) would inline a small function with its
        // loop here, in code of its middle tier, 1.5 times slower (bench row
        // "skew").
        const result = fn.call(undefined, values[offset], context);
        if (isThenable(result)) {
          waits = result;
          waiter = context;
          break;
        }
        // In shared memory, a BigInt64Array takes nothing but a bigint.
        if (keepsNow && isObject(result)) kept = result;
        else if (!mayBeLate || !board.isOver()) results[offset] = result;
      } catch (error) {
        fail(run, work, offset, error);
      }
      // The task is not late by what keeps its result, but at fault if that does
      // not end.
      if (watched) board.leave(lane);
      if (aborts.size > 0) aborts.delete(first + offset);
      if (times !== undefined) times[2 * offset + 1] = now();
      if (kept !== undefined) {
        contexts.at = 0; // what has a getter may read a signal
        keep(run, work, offset, kept);
      }
      if (watched) board.setRunning(0);
      work.settled++;
    }
    work.next = offset;
    contexts.at = 0;
    if (waits === undefined) {
      board.setRunning(0); // at no task: an end now is nobody's fault
      return undefined;
    }
    work.next++;
    if (!watched) board.enter(lane, serial + offset, undefined);
    board.setRunning(0);
    return wait(run, work, lane, offset, waits, waiter);
  }

  return { runTasks, abandon };
}
