/**
 * The chunks that a worker has, and its lanes, which take task after task of them:
 * what is answered, and when.
 *
 * @module
 */

import type { Answering } from "./answering.ts";
import type { CpuMeter } from "./cpu_meter.ts";
import type { Loader } from "./loader.ts";
import type { TaskLoop } from "./task_loop.ts";
import type { Work, WorkerRun } from "./work.ts";

/** What they are made with. */
export interface LanesParts {
  loader: Pick<Loader, "within">;
  runTasks: TaskLoop["runTasks"];
  answering: Answering;
  readCpu: CpuMeter;
  now(): number;
}

/** The lanes of a worker, from one run to the next. */
export interface Lanes {
  /** Takes a chunk; its tasks begin once lanes are woken. */
  add(work: Work): void;
  /** Lets lanes that idle begin. */
  wake(run: WorkerRun): void;
  /** Lets go of all chunks: nobody waits for them. */
  clear(): void;
  /**
   * Answers what is done of chunks whose other tasks wait: now, and from then on at
   * once, or 50 ms after the message before.
   *
   * @param run Their run.
   * @param end Up to which serial number those that have not begun were taken back.
   */
  hurry(run: WorkerRun, end: number | undefined): void;
}

/**
 * Makes them. Self-contained: workers get this function by its source.
 *
 * @param parts What they are made with.
 * @returns The lanes.
 */
export function createLanes(
  { loader, runTasks, answering, readCpu, now }: LanesParts,
): Lanes {
  const queue: Work[] = []; // with tasks that have not begun
  const begun = new Set<Work>(); // not answered
  const SOON_MS = 50; // as the caller waits (patience.ts)
  // Kept here, as user code may change its globals. A signal, as Deno 2.9.5 makes
  // its timers when they are first looked at, in some ms.
  const Signal = AbortSignal as unknown as {
    timeout(ms: number): AbortSignal;
  };
  const { timeout } = Signal;
  let callOff: (() => void) | undefined; // of what is to be told soon

  function wake(run: WorkerRun): void {
    while (queue.length > 0 && run.idleLanes.length > 0) {
      void loader.within(runLane, run, run.idleLanes.pop()!);
    }
  }

  /** Takes task after task until none is left. A lane is at one at a time. */
  async function runLane(run: WorkerRun, lane: number): Promise<void> {
    while (queue.length > 0) {
      const work = queue[0]!;
      if (work.next === 0) {
        begun.add(work);
        if (work.times !== undefined) readCpu();
      }
      const waiting = runTasks(run, work, lane);
      // If no more is wanted, the rest is left out.
      if (waiting === undefined) work.count = work.next;
      if (work.next === work.count) queue.shift();
      if (waiting !== undefined) await waiting;
      tell(run, work, lane);
    }
    run.idleLanes.push(lane);
  }

  /** Answers a chunk once it is settled; what is done before, if that is wanted. */
  function tell(run: WorkerRun, work: Work, lane: number): void {
    if (work.answered) return; // other lanes may have settled in the same turn
    const isSettled = work.settled === work.count;
    // To fold its results may take as long as it likes, after a failure that ends
    // the run as well.
    const isFirst = work.fails && (!isSettled || run.combine !== undefined);
    if (isFirst) answering.answerDone(run, work);
    else if (work.hurries && !isSettled && callOff === undefined) {
      // Not a message for each of many.
      if (answering.answerDone(run, work)) tellSoon(run);
    }
    if (!isSettled) return;
    work.answered = true;
    begun.delete(work);
    answering.answer(run, work, lane, now());
    if (begun.size === 0) callOff?.();
  }

  function tellDone(run: WorkerRun): void {
    callOff?.();
    for (const work of begun) {
      if (work.hurries) answering.answerDone(run, work);
    }
  }

  function tellSoon(run: WorkerRun): void {
    const signal = timeout.call(Signal, SOON_MS);
    const listener = () => tellDone(run);
    signal.addEventListener("abort", listener);
    callOff = () => {
      signal.removeEventListener("abort", listener);
      callOff = undefined;
    };
  }

  function hurry(run: WorkerRun, end = 0): void {
    for (const work of [...queue]) {
      if (work.message.serial >= end) break;
      work.count = work.next;
      // One of which nothing has begun is answered after those before it: until
      // then, the caller sends no other in its place.
      if (work.next > 0) queue.shift();
    }
    for (const work of [...queue, ...begun]) work.hurries = true;
    tellDone(run);
  }

  return {
    add(work) {
      queue.push(work);
    },
    wake,
    clear() {
      queue.length = 0;
      begun.clear();
      callOff?.();
    },
    hurry,
  };
}
