/**
 * The program of every worker: one self-contained function, shipped as its own
 * source, so that no worker file has to be found at run time (a file breaks for
 * offline JSR use, for bundles and for JSR's npm build).
 *
 * @module
 */

import type { Board, BoardMemory } from "../wire/board.ts";
import type { openCallData } from "../wire/call_data.ts";
import type { Codec, Encoded } from "../wire/codec.ts";
import type { Packing } from "../wire/packing.ts";
import type {
  ChunkMessage,
  FromWorker,
  HurryMessage,
  RunAnnouncement,
  StartMessage,
  Tagged,
  ToWorker,
} from "../wire/protocol.ts";
import type { Views } from "../wire/views.ts";
import type { createAnswering } from "./answering.ts";
import type { CpuMeter } from "./cpu_meter.ts";
import type { foldResults } from "./folding.ts";
import type { createLanes } from "./lanes.ts";
import type { Loader } from "./loader.ts";
import type { MemoryMeter } from "./memory_meter.ts";
import type { Contexts } from "./task_context.ts";
import type { createTaskLoop } from "./task_loop.ts";
import type { AnnouncedRun, WorkerRun } from "./work.ts";

/** The worker's end of the line to the caller. */
export interface WorkerPort {
  /** Sends a message; throws when it cannot be cloned. */
  post(message: Tagged, moved: ArrayBuffer[]): void;
  /** Hears every message, and of those that could not be read. */
  listen(
    listener: (message: ToWorker) => void,
    onUnreadable: () => void,
  ): void;
  /** Hears of errors that nobody caught, and keeps the worker alive. */
  onStray(listener: (error: unknown) => void): void;
  /** Hears that a task ends the worker, where other tasks may run until then. */
  onExit?(listener: (code: number | undefined) => void): void;
  /** Loads a module, where the caller is to know of that. */
  load?<T>(load: () => Promise<T>): Promise<T>;
}

/** The self-contained parts a worker is made of. */
export interface WorkerParts {
  codec: Codec;
  packing: Packing;
  views: Views;
  createBoard(memory: BoardMemory): Board;
  openCallData: typeof openCallData;
  foldResults: typeof foldResults;
  createAnswering: typeof createAnswering;
  createLanes: typeof createLanes;
  createTaskLoop: typeof createTaskLoop;
  loader: Loader;
  contexts: Contexts;
  readCpu: CpuMeter;
  readMemory: MemoryMeter;
}

/**
 * Runs tasks until the worker ends.
 *
 * @param port The line to the caller.
 * @param parts What loads functions, and turns values into messages and back.
 */
export function workerMain(port: WorkerPort, parts: WorkerParts): void {
  const { codec, packing, views, openCallData } = parts;
  const { loader, contexts, readCpu } = parts;
  // Kept here, as user code may change its globals.
  const { timeOrigin } = performance;
  const clock = performance.now.bind(performance);
  const wallNow = Date.now;
  // A step of the clock of the machine that is less than this, in ms, is not
  // told from the time between two looks at it.
  const LEAST_STEP = 100;
  let step = 0; // by which that clock was set between the caller's start and ours
  const now = () => timeOrigin + clock() - step;
  let [tag, worker] = [0, 0];
  let maxBytes = Infinity;
  let state: unknown;
  const brought = new Map<number, Promise<{ data: unknown }>>();
  let run: WorkerRun | undefined;
  let announced: AnnouncedRun | undefined;
  let memory: BoardMemory | undefined; // where to note what it is at
  let started: Promise<unknown> = Promise.resolve();

  function post(message: FromWorker, moved: ArrayBuffer[] = []): void {
    port.post([tag, message], moved);
  }

  /** Whether it has more memory than it may keep. */
  function isFull(): boolean {
    return maxBytes < Infinity && parts.readMemory() > maxBytes;
  }

  const answering = parts.createAnswering({ ...parts, now, post, isFull });
  const { runTasks, abandon } = parts.createTaskLoop({ ...parts, now });
  const lanes = parts.createLanes({ ...parts, runTasks, answering, now });

  async function start(message: StartMessage): Promise<void> {
    try {
      tag = message.tag;
      worker = message.worker;
      maxBytes = (message.maxMemory ?? Infinity) * 1e6;
      const ownStep = wallNow() - timeOrigin - clock();
      step = message.stepped - ownStep;
      if (!(Math.abs(step) >= LEAST_STEP)) step = 0;
      loader.begin(message);
      if (message.timed) readCpu(); // the first reading is slow: not in a task
      const { value, errors } = message.workerData;
      // Without errors the codec is not even read: that costs a cold start.
      state = errors.length > 0 ? codec.decode(message.workerData) : value;
      if (message.init !== undefined) {
        const init = await loader.load(message.init);
        try {
          state = await loader.within(init, state);
        } catch (cause) {
          // The caller puts what was thrown into words.
          const error = new Error('"init" must not throw', { cause });
          throw Object.assign(error, { init: message.init.from });
        }
      }
      const disposes = message.init !== undefined && disposer() !== undefined;
      post({ type: "ready", disposes });
    } catch (error) {
      post({ type: "failed", error: codec.encodeThrown(error) });
      await new Promise(() => {}); // takes no more work
    }
  }

  /** What disposes the state, if it can be. */
  function disposer(): (() => unknown) | undefined {
    try {
      const found = state as Partial<AsyncDisposable & Disposable>;
      const own = found?.[Symbol.asyncDispose] ?? found?.[Symbol.dispose];
      return typeof own === "function" ? own : undefined;
    } catch {
      return undefined; // a getter that throws
    }
  }

  async function dispose(): Promise<void> {
    let error: Encoded | undefined;
    try {
      await loader.within(() => disposer()?.call(state));
    } catch (thrown) {
      error = codec.encodeThrown(thrown);
    }
    post({ type: "disposed", error });
  }

  /** A chunk of another run than before: the function is for the next ones too. */
  function announce(announcement: RunAnnouncement): void {
    // Its tasks are settled: what they have left behind is to end.
    if (run !== undefined) run.around.isLeft = true;
    run = announced = undefined;
    // Chunks that were under way when a run was refused: nobody waits for them.
    lanes.clear();
    memory = announcement.board ?? memory;
    // The times in it are read by this thread alone, whose clock is not the
    // caller's.
    if (announcement.board?.own) announcement.board.epoch -= step;
    const { inputs, output } = announcement;
    const its: AnnouncedRun = {
      announcement,
      inputs: inputs && views.open(inputs),
      output: output && views.open(output),
      board: parts.createBoard(memory!), // the first run has brought it
      hurry: undefined,
    };
    announced = its;
    void started.then(() => begin(its)); // not after one that is stuck
  }

  async function begin(its: AnnouncedRun): Promise<void> {
    const { announcement, board } = its;
    const { number, data, forget = [] } = announcement;
    try {
      for (const number of forget) brought.delete(number);
      if (data !== undefined) {
        brought.set(number, openCallData(data, codec, loader.load));
      }
      const held = await brought.get(number);
      const combine = announcement.combine &&
        await loader.load(announcement.combine);
      // The last: what it sees on the globals depends on how it came.
      const fn = await loader.load(announcement.fn);
      // The next one may have been announced while this one was loaded: what
      // is in the queue is not for this function then.
      if (announced !== its) return;
      const { concurrency = 1, watched } = announcement;
      const numbers = Array.from({ length: concurrency }, (_, i) => i);
      announcement.board?.own?.onOpen(board);
      run = {
        announcement,
        fn,
        seesContext: contexts.isSeenBy(fn),
        combine,
        around: {
          worker,
          state,
          data: held?.data,
          board,
          isLeft: false,
          aborts: new Map(),
          waiting: watched && concurrency > 1 ? new Map() : undefined,
          abandoned: new Set(),
        },
        idleLanes: numbers.reverse(),
      };
      lanes.wake(run);
      if (its.hurry !== undefined) hurry(run, its.hurry);
    } catch (error) {
      if (announced !== its) return;
      lanes.clear();
      post({ type: "refused", number, error: codec.encodeThrown(error) });
    }
  }

  function receive(message: ChunkMessage): void {
    const { first } = message;
    const { announcement, inputs, output } = announced ?? {};
    const values = packing.unpack(message.values, inputs);
    const count = values.length;
    lanes.add({
      message,
      values,
      count,
      results: output?.subarray(first, first + count) ?? new Array(count),
      keeps: (count > 1 || (announcement?.concurrency ?? 1) > 1) &&
        !output && announcement?.combine === undefined,
      kept: undefined,
      enough: false,
      hurries: false,
      fails: false,
      failsAt: Infinity,
      failures: [],
      failureBytes: 0,
      times: message.timed ? new Float64Array(2 * count).fill(NaN) : undefined,
      gone: message.gone && new Set(message.gone),
      skips: message.skip && new Set(message.skip),
      next: 0,
      settled: 0,
      told: 0,
      toldFailures: 0,
      answered: false,
      began: undefined,
    });
    if (run !== undefined) lanes.wake(run);
  }

  /** What is done is wanted; what has not begun is not, up to a serial number. */
  function hurry(run: WorkerRun, { end }: HurryMessage): void {
    const { board } = run.around;
    // What came after it, while the function was loaded, may have begun.
    if (end !== undefined && board.next() < end) {
      post({ type: "taken-back", first: board.takeBack(end), end });
    }
    lanes.hurry(run, end);
  }

  // From then on, this worker is not to be trusted any more. A task that waits
  // may have listened to what the one that has the thread does.
  port.onStray((error) => {
    const board = run?.around.board;
    const at = new Set(board?.serials());
    if (board?.running()) at.add(board.running());
    post({ type: "stray", error: codec.encodeThrown(error), at: [...at] });
  });
  port.onExit?.((code) => {
    const board = run?.around.board;
    const at = board?.running() ? [board.running()] : board?.serials() ?? [];
    // At none, what is done and not answered is to blame: that the caller sees.
    // No function is loaded yet: then it is no task at all.
    post({ type: "stray", code, ...((!run || at.length > 0) && { at }) });
  });
  loader.onMisuse((error) =>
    post({ type: "failed", error: codec.encodeThrown(error) })
  );
  port.listen((message) => {
    if (message.type === "chunk") {
      try {
        if (message.run !== undefined) announce(message.run);
        receive(message);
      } catch (error) {
        const { serial } = message;
        post({ type: "unread", serial, error: codec.encodeThrown(error) });
      }
    } else if (message.type === "over") {
      if (run !== undefined) contexts.end(run.around);
    } else if (message.type === "hurry") {
      if (run !== undefined) hurry(run, message);
      else if (announced !== undefined) announced.hurry = message;
    } else if (message.type === "dispose") {
      void dispose();
    } else if (message.type === "abandon") {
      const tell = (serials: number[]) => post({ type: "abandoned", serials });
      if (run !== undefined) abandon(run.around, message.serials, tell);
    } else if (message.type === "ping") {
      post({ type: "pong" });
    } else if (message.type === "start") {
      started = start(message);
    }
  }, () => post({ type: "unreadable" }));
}
