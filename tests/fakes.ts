// A clock and workers that do nothing by themselves: a test takes each step by
// hand, in whichever order, without a thread and without waiting. The workers
// keep the protocol as src/core/worker/worker_main.ts does.
import type { Calls } from "../src/core/calls/calls.ts";
import { callsHere } from "../src/core/calls/calls_here.ts";
import { Paces } from "../src/core/engine/paces.ts";
import type { PoolOptions, TypedArray } from "../src/core/api/options.ts";
import type { Clock } from "../src/core/runtime/clock.ts";
import type {
  Backend,
  WorkerEnd,
  WorkerHandle,
  WorkerListener,
} from "../src/core/runtime/runtime.ts";
import type {
  ChunkMessage,
  FromWorker,
  RunAnnouncement,
  StartMessage,
  TaskFailure,
  ToWorker,
} from "../src/core/wire/protocol.ts";
import { allotBoard, type Board, createBoard } from "../src/core/wire/board.ts";
import { createWire } from "../src/core/wire/wire.ts";
import { foldResults } from "../src/core/worker/folding.ts";

/** A clock that goes on when it is told. */
export class FakeClock implements Clock {
  readonly origin = 1_600_000_000_000;
  #now = 0;
  #count = 0;
  #timers: { at: number; order: number; callback: () => void }[] = [];
  readonly #turns: (() => void)[] = [];

  now(): number {
    return this.#now;
  }

  stepped(): number {
    return 0;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, order: this.#count++, callback };
    this.#timers.push(timer);
    return () => this.#timers = this.#timers.filter((one) => one !== timer);
  }

  turn(callback: () => void): void {
    this.#turns.push(callback);
  }

  settled(): Promise<void> {
    return Promise.resolve();
  }

  /** How many timers run, and how many turns are to come. */
  get timers(): number {
    return this.#timers.length;
  }
  get turns(): number {
    return this.#turns.length;
  }

  /** Lets the turn come that was asked for first. */
  takeTurn(): void {
    this.#turns.shift()?.();
  }

  /** Goes on to the next timer, and lets it ring. */
  ring(): void {
    const next =
      this.#timers.toSorted((a, b) => a.at - b.at || a.order - b.order)[0];
    if (next === undefined) return;
    this.#timers = this.#timers.filter((one) => one !== next);
    this.#now = Math.max(this.#now, next.at);
    next.callback();
  }

  /** So many ms pass while the thread is taken: nothing rings. */
  pass(ms: number): void {
    this.#now += ms;
  }

  /** Goes on by so many ms; what is due rings. */
  advance(ms: number): void {
    const until = this.#now + ms;
    while (this.#timers.some(({ at }) => at <= until)) this.ring();
    this.#now = until;
  }
}

/** A task in a fake worker. */
export interface FakeTask {
  serial: number;
  index: number;
  attempt: number;
  value: unknown;
  /** When it began, by the clock. */
  since: number;
}

/** A chunk that a fake worker has. */
interface Work {
  message: ChunkMessage;
  values: ArrayLike<unknown>;
  results: unknown[];
  failures: TaskFailure[];
  next: number;
  open: number; // tasks not settled yet
  hurries: boolean; // what is done is told before the rest is
}

/** What a fake backend can do. */
export interface FakePowers {
  sharesMemory?: boolean;
  stopsLoops?: boolean;
  startBlocks?: boolean;
  delaysTimers?: boolean;
  /** How long a start blocks the caller's thread, in ms. */
  startMs?: number;
  /** What its workers do when they are asked to dispose what they hold. */
  disposes?: FakeWorker["disposes"];
  /** How long a chunk takes, as its answer says, in ms: shorter, larger ones. */
  chunkMs?: number;
  /** Whether a value can be read there; a message with another is lost. */
  reads?: (value: unknown) => boolean;
  /** With how many answers a worker has more memory than it may keep. */
  fillsWith?: number | undefined;
}

/** Starts fake workers. */
export class FakeBackend implements Backend {
  readonly sharesMemory: boolean;
  readonly stopsLoops: boolean;
  readonly startBlocks: boolean;
  readonly delaysTimers: boolean;
  /** All that were started, also those that ended. */
  readonly workers: FakeWorker[] = [];
  readonly #clock: FakeClock;
  readonly #disposes: FakeWorker["disposes"];
  readonly #startMs: number;
  readonly #chunkMs: number;
  readonly #fillsWith: number;
  readonly #reads: (value: unknown) => boolean;

  constructor(clock: FakeClock, powers: FakePowers = {}) {
    this.#chunkMs = powers.chunkMs ?? 1;
    this.#fillsWith = powers.fillsWith ?? Infinity;
    this.#reads = powers.reads ?? (() => true);
    this.#clock = clock;
    this.#disposes = powers.disposes ?? "no";
    this.#startMs = powers.startMs ?? 0;
    this.sharesMemory = powers.sharesMemory ?? true;
    this.stopsLoops = powers.stopsLoops ?? true;
    this.startBlocks = powers.startBlocks ?? false;
    this.delaysTimers = powers.delaysTimers ?? false;
  }

  start(listener: WorkerListener): WorkerHandle {
    this.#clock.pass(this.#startMs);
    const worker = new FakeWorker(listener, this.#clock);
    worker.disposes = this.#disposes;
    worker.chunkMs = this.#chunkMs;
    worker.sharesMemory = this.sharesMemory;
    worker.reads = this.#reads;
    worker.answersToFull = this.#fillsWith;
    this.workers.push(worker);
    return worker;
  }

  /** Those that have not ended. */
  get alive(): FakeWorker[] {
    return this.workers.filter((worker) => worker.alive);
  }
}

/** How the fake workers fold results, each in a list of its own. */
export function concat(one: unknown, other: unknown): unknown {
  return [...one as unknown[], ...other as unknown[]];
}

/** A board that nobody else sees. */
function ownBoard(lanes = 1): Board {
  return createBoard({ bytes: allotBoard(lanes), epoch: 0 });
}

/** A worker that takes a step when it is told. */
export class FakeWorker implements WorkerHandle {
  alive = true;
  /** Whether the engine ended it, and `leave` is to follow. */
  ending = false;
  busy = true;
  /** Whether it wants to be asked before it is ended, and what it does then. */
  disposes: "no" | "at once" | "never" = "no";
  chunkMs = 1;
  /** When its tasks began and ended, by its own clock, if that is told. */
  chunkTimes: Float64Array | undefined;
  sharesMemory = true;
  reads: (value: unknown) => boolean = () => true;
  answersToFull = Infinity;
  /** How many tasks it had and did not begin, though their run went on. */
  lostTasks = 0;
  /** How often it answered a part of a chunk before the rest. */
  toldParts = 0;
  inbox: ToWorker[] = [];
  outbox: unknown[] = [];
  /** The task of each lane; undefined where there is none. */
  lanes: (FakeTask | undefined)[] = [];
  readonly #listener: WorkerListener;
  readonly #clock: FakeClock;
  readonly #wire = createWire();
  #start: StartMessage | undefined;
  #board = ownBoard();
  #works: Work[] = [];
  #inputs: TypedArray | undefined;
  #output: TypedArray | undefined;
  #folds = false;
  #lastAttempt = Infinity;
  /** Whether it says which tasks it is at, as no memory is shared. */
  #notes = false;
  #begun = 0;

  constructor(listener: WorkerListener, clock: FakeClock) {
    this.#listener = listener;
    this.#clock = clock;
  }

  post(message: ToWorker, moved: Transferable[]): void {
    this.inbox.push(structuredClone(message, { transfer: moved }));
  }

  terminate(): void {
    this.ending = true;
  }

  setBusy(busy: boolean): void {
    this.busy = busy;
  }

  /** Number of its slot. */
  get number(): number | undefined {
    return this.#start?.worker;
  }

  /** Takes the next message of the caller. */
  receive(): ToWorker | undefined {
    const message = this.inbox.shift();
    if (message?.type === "start") {
      this.#start = message;
      this.say({ type: "ready", disposes: this.disposes !== "no" });
    } else if (message?.type === "dispose") {
      if (this.disposes === "at once") {
        this.say({ type: "disposed", error: undefined });
      }
    } else if (message?.type === "hurry") {
      this.#hurry(message.end);
    } else if (message?.type === "abandon") {
      this.#abandon(message.serials);
    } else if (message?.type === "ping") {
      if (this.#notes) this.note();
      this.say({ type: "pong" });
    } else if (message?.type === "chunk") {
      if (!this.#canRead(message)) {
        this.say({ type: "unreadable" });
        return message;
      }
      if (message.run !== undefined) this.#open(message.run);
      const values = this.#wire.packing.unpack(message.values, this.#inputs);
      const { length } = values;
      const skipped = message.skip?.length ?? 0;
      this.#works.push({
        message,
        values,
        results: new Array(length).fill(undefined),
        failures: [],
        next: 0,
        open: length - skipped,
        hurries: false,
      });
    }
    return message;
  }

  /** A message that cannot be read is not known in any part. */
  #canRead({ values }: ChunkMessage): boolean {
    if (values.as === "shared") return true;
    return Array.from(this.#wire.packing.unpack(structuredClone(values)))
      .every((value) => this.reads(value));
  }

  #open({ board, ...run }: RunAnnouncement): void {
    if (board !== undefined) this.#board = createBoard(board);
    else if (!this.sharesMemory) this.#board = ownBoard(run.concurrency);
    this.#notes = !this.sharesMemory && run.watched === true;
    if (!this.sharesMemory) this.note();
    this.lanes = new Array(run.concurrency ?? 1).fill(undefined);
    this.#works = [];
    this.#folds = run.combine !== undefined;
    this.#lastAttempt = run.lastAttempt ?? Infinity;
    this.#inputs = run.inputs && this.#wire.views.open(run.inputs);
    this.#output = run.output && this.#wire.views.open(run.output);
  }

  /** Takes all messages. */
  receiveAll(): this {
    while (this.inbox.length > 0) this.receive();
    return this;
  }

  /** Whether a task can begin. */
  get canBegin(): boolean {
    return this.lanes.includes(undefined) &&
      this.#works.some(({ next, values }) => next < values.length);
  }

  /**
   * Begins the next task, in a lane that is free. A chunk whose rest was taken
   * back is answered with what it has.
   *
   * @param stuck Whether its synchronous part goes on: the thread is taken.
   * @returns The task; undefined when there is none.
   */
  begin(
    stuck: boolean | ((task: FakeTask) => boolean) = false,
  ): FakeTask | undefined {
    const lane = this.lanes.indexOf(undefined);
    if (lane < 0) return undefined;
    for (const work of [...this.#works]) {
      const { message, values } = work;
      while (work.next < values.length) {
        const serial = message.serial + work.next;
        if (!this.#board.claim(serial)) {
          this.#cut(work);
          break;
        }
        const offset = work.next++;
        if (message.skip?.includes(offset)) continue;
        const index = message.first + offset;
        const { attempt } = message;
        const since = this.#clock.now();
        const task = { serial, index, attempt, value: values[offset], since };
        this.lanes[lane] = task;
        const now = this.#clock.origin + since;
        this.#board.enter(lane, serial, now);
        const taken = typeof stuck === "boolean" ? stuck : stuck(task);
        if (taken) this.#board.setRunning(serial);
        this.#begun = serial;
        if (this.#notes) this.note();
        return task;
      }
    }
    return undefined;
  }

  /**
   * Settles a task; with the last of its chunk, the answer goes out.
   *
   * @param task The task.
   * @param outcome What it returned or threw.
   */
  settle(
    task: FakeTask,
    outcome: { value: unknown } | { error: unknown },
  ): void {
    this.#end(task, outcome);
  }

  #end(
    task: FakeTask,
    outcome: { value: unknown } | { error: unknown } | { abandoned: true },
  ): void {
    const lane = this.lanes.indexOf(task);
    this.lanes[lane] = undefined;
    this.#board.setRunning(0);
    this.#board.leave(lane);
    const work = this.#workOf(task.serial);
    const offset = task.serial - work.message.serial;
    if ("value" in outcome) {
      work.results[offset] = outcome.value;
      if (this.#output !== undefined) {
        this.#output[work.message.first + offset] = outcome.value as number;
      }
    } else {
      const error = "error" in outcome
        ? this.#wire.codec.encodeThrown(outcome.error)
        : undefined;
      work.failures.push({ offset, folded: 0, error, refused: undefined });
      if (work.message.attempt >= this.#lastAttempt) {
        work.hurries = true;
        this.#leaveRest(work);
      }
    }
    if (--work.open > 0) {
      if (work.hurries) this.#tell(work);
      return;
    }
    this.#pass(work);
    this.#answer(work);
  }

  /** Passes by the rest, which is skipped: a worker claims that as well. */
  #pass({ message, values, next, results }: Work): void {
    while (next < values.length && this.#board.claim(message.serial + next)) {
      next++;
    }
    // #cut() has made it shorter, if it was cut before.
    results.length = Math.min(results.length, next);
  }

  /** Serial number of the first task of the chunk in which one came. */
  chunkOf({ serial }: FakeTask): number {
    return this.#workOf(serial).message.serial;
  }

  #workOf(serial: number): Work {
    return this.#works.find(({ message, values }) =>
      serial >= message.serial && serial < message.serial + values.length
    )!;
  }

  /** Goes on without those of these tasks that it is at. */
  #abandon(serials: readonly number[]): void {
    const tasks = this.lanes.filter((task) => task !== undefined)
      .filter(({ serial }) => serials.includes(serial));
    if (tasks.length === 0) return;
    const found = tasks.map(({ serial }) => serial);
    this.say({ type: "abandoned", serials: found });
    for (const task of tasks) this.#end(task, { abandoned: true });
  }

  #answer(work: Work): void {
    this.#works = this.#works.filter((other) => other !== work);
    const { message: { serial, skip = [] }, results, failures } = work;
    const tasks = results.length;
    const gaps = [...failures.map(({ offset }) => offset), ...skip];
    const list = this.#folds
      ? foldResults(
        concat,
        results.map((result) => [result]),
        gaps.filter((offset) => offset < tasks),
        () => {},
      ).values
      : results;
    const sent = this.#output === undefined ? list : [];
    const { packed: values, bytes } = this.#wire.packing.pack(sent, false);
    const { chunkMs: ms } = this;
    const { chunkTimes: times } = this;
    const cpu = undefined;
    const answer = { serial, tasks, values, failures, ms, bytes, times, cpu };
    const full = --this.answersToFull <= 0;
    this.say({ type: "done", ...answer, ...(full && { full }) });
  }

  /** Begins no more up to a serial number, and tells what is done. */
  #hurry(end: number | undefined): void {
    const first = end === undefined ? Infinity : this.#board.takeBack(end);
    if (first < end!) this.say({ type: "taken-back", first, end: end! });
    for (const work of this.#works) work.hurries = true;
    this.tellDone();
  }

  /** Tells what is done of each chunk that it is at. */
  tellDone(): void {
    for (const work of this.#works) this.#tell(work);
  }

  #tell({ message: { serial }, results, failures, next }: Work): void {
    const tasks = Math.min(next, results.length);
    const failed = new Set(failures.map(({ offset }) => offset));
    const at = new Set(this.lanes.map((task) => task?.serial));
    const waits = Array.from({ length: tasks }, (_, offset) => offset)
      .filter((offset) =>
        at.has(serial + offset) || (this.#folds && !failed.has(offset))
      );
    if (waits.length === tasks) return;
    this.toldParts++;
    const isList = !this.#folds && this.#output === undefined;
    const sent = isList ? results.slice(0, tasks) : [];
    const { packed: values, bytes } = this.#wire.packing.pack(sent, false);
    const told = { serial, tasks, waits, values, bytes, ms: 0 };
    this.say({ type: "done", ...told, failures: structuredClone(failures) });
    if (isList) results.fill(undefined, 0, tasks);
    for (const failure of failures) failure.error = undefined;
  }

  /** Answers with what it has, as a worker does: the rest was taken back. */
  #cut(work: Work): void {
    this.#leaveRest(work);
    if (work.open === 0) this.#answer(work);
  }

  #leaveRest(work: Work): void {
    const { next, values, message: { skip = [] } } = work;
    for (let i = next; i < values.length; i++) {
      if (skip.includes(i)) continue;
      work.open--;
      if (!this.#board.isOver()) this.lostTasks++;
    }
    work.results.length = Math.min(work.results.length, next);
    work.next = values.length;
  }

  /** Says which tasks it is at. */
  note(): void {
    const at = this.lanes.filter((task) => task !== undefined);
    const now = this.#clock.now();
    const tasks = at.map(({ serial, since }) => ({ serial, ran: now - since }));
    const begun = this.#begun;
    this.say({ type: "at", tasks, begun, folds: undefined });
  }

  /** Says something to the caller. */
  say(message: FromWorker): void {
    this.outbox.push([this.#start?.tag, message]);
  }

  /** Lets the next message of its own arrive. */
  deliver(): void {
    this.#listener.onMessage(structuredClone(this.outbox.shift()));
  }

  /** Lets a message arrive that cannot be read. */
  garble(): void {
    this.#listener.onUnreadable();
  }

  /** Lets all of them arrive. */
  deliverAll(): this {
    while (this.outbox.length > 0) this.deliver();
    return this;
  }

  /** Ends: what it said arrives, unless it was ended by the engine. */
  leave(end: WorkerEnd = {}): void {
    if (!this.alive) return;
    this.alive = false;
    if (!this.ending) this.deliverAll();
    this.#listener.onEnd(end);
  }
}

/** A pool whose workers and clock are fakes. */
export class FakeWorld {
  readonly clock = new FakeClock();
  readonly backend: FakeBackend;
  readonly calls: Calls;

  /**
   * Makes one.
   *
   * @param options Of the pool, checked before.
   * @param powers What its workers can do.
   * @param oneShot Whether it is for one call.
   * @param paces What is known of functions.
   */
  constructor(
    options: PoolOptions = {},
    powers: FakePowers = {},
    oneShot = false,
    paces: Paces = new Paces(),
  ) {
    this.backend = new FakeBackend(this.clock, powers);
    const { workers = 2 } = options;
    let tag = 0;
    const plan = {
      workers,
      cores: 2,
      runtime: "fake",
      place: { entry: undefined, inline: false },
      restricts: false,
      cannotTime: false,
      divides: false,
      enter() {},
      leave() {},
      backend: () => this.backend,
      startMessage: (worker: number): StartMessage => ({
        type: "start",
        tag: ++tag,
        worker,
        cores: 1,
        depth: 1,
        timed: false,
        stepped: 0,
        workerData: { value: undefined, errors: [] },
        init: undefined,
      }),
    };
    const all = { workers, ...options };
    this.calls = callsHere(all, oneShot, this.clock, plan, paces);
  }

  /** The worker that was started n-th. */
  worker(n: number): FakeWorker {
    return this.backend.workers[n];
  }

  /** Lets promises come to their ends. */
  async flush(): Promise<void> {
    for (let i = 0; i < 30; i++) await undefined;
  }

  /**
   * Plays on until a promise settles: every task returns what `fn` gives, every
   * worker that is ended leaves.
   *
   * @param promise What to wait for.
   * @param fn Instead of the function of the call.
   * @returns What became of it.
   */
  async finish<T>(
    promise: Promise<T>,
    fn: (value: unknown) => unknown = (value) => value,
  ): Promise<PromiseSettledResult<T>> {
    let result: PromiseSettledResult<T> | undefined;
    promise.then(
      (value) => result = { status: "fulfilled", value },
      (reason) => result = { status: "rejected", reason },
    );
    for (let steps = 0; steps < 10_000; steps++) {
      await this.flush();
      if (result !== undefined) return result;
      let moved = false;
      for (const worker of this.backend.alive) {
        moved ||= worker.ending ||
          worker.inbox.length + worker.outbox.length > 0;
        if (worker.ending) {
          worker.leave();
          continue;
        }
        worker.receiveAll();
        for (let task; (task = worker.begin());) {
          worker.settle(task, { value: fn(task.value) });
          moved = true;
        }
        worker.deliverAll();
      }
      if (this.clock.turns > 0) this.clock.takeTurn();
      else if (!moved) this.clock.ring();
    }
    throw new Error("The call does not settle");
  }
}
