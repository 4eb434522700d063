// Random histories of the engine: a seeded generator takes the steps of fake
// workers, of their clock, of sources, readers and listeners in any order.
// Every call must settle, once, with what its tasks say, in order, and with
// nothing left in the books.
import { concat, FakeWorld } from "./fakes.ts";
import type { FakeTask, FakeWorker } from "./fakes.ts";
import {
  TaskError,
  TaskTimeoutError,
  WorkerLostError,
  WorkerStartError,
} from "../mod.ts";
import type {
  RunOptions,
  StreamOptions,
  TaskOutcome,
} from "../src/core/api/options.ts";
import { seeded } from "./seeded.ts";

/** What a task does, at each of its attempts or only at its first. */
type Deed =
  | "returns"
  | "throws"
  | "throws once"
  | "ends its worker"
  | "ends its worker once"
  | "never returns" // its thread is taken
  | "waits for ever" // its thread is free
  | "is slow" // it waits, may be late, and returns then
  | "cannot be sent"
  | "cannot be read"; // by the worker, and all of its message with it

/** Why a call may reject, apart from its tasks. */
const OWN = {
  source: new Error("the source's own"),
  listener: new Error("the listener's own"),
  abort: new Error("the signal's reason"),
  weight: new Error("the weight's own"),
};

/** One call, with all that is to happen to it. */
interface Plan {
  kind: "map" | "settled" | "stream" | "reduce";
  deeds: Deed[];
  options: RunOptions & StreamOptions<boolean>;
  source: "list" | "sync" | "async" | "promises";
  /** At which value the source throws; Infinity for never. */
  breaksAt: number;
  /** At which value the source itself aborts its call; Infinity for never. */
  abortsAt: number;
  /** After which value the reader leaves; Infinity for never. */
  leavesAt: number;
  /** At which call a listener does what. */
  listener:
    | { at: number; deed: "throws" | "aborts" | "closes" | "calls again" }
    | undefined;
}

/** A call in progress. */
interface Call {
  plan: Plan;
  ending: AbortController;
  /** Whether it was aborted, or its pool closed, or its listener threw. */
  excuses: Set<unknown>;
  settled: number;
  outcome: { results: unknown } | { error: unknown } | undefined;
  seen: unknown[]; // what a reader got: values, or those of its outcomes
  outcomes: TaskOutcome[]; // the outcomes it got, of a settled stream
  left: boolean; // the reader left
  states: string[];
  done: number[];
}

/** A random history. */
export class History {
  readonly world: FakeWorld;
  readonly #random: () => number;
  readonly #log: string[] = [];
  readonly #calls: Call[] = [];
  readonly #deeds = new Map<number, Deed>();
  readonly #running = new Map<FakeWorker, Set<FakeTask>>();
  /** Which worker began a value, for each try. */
  readonly #tries = new Map<unknown, Map<number, FakeWorker>>();
  readonly #pulls: (() => void)[] = [];
  readonly #oneShot: boolean;
  readonly #sharesMemory: boolean;
  #deaths = 0; // of workers that were at no task
  #values = 0;
  #closed = false;
  #closing = false; // or it will be closed when its calls have ended
  #open = 0; // generators that have begun and not ended

  /**
   * Plans one.
   *
   * @param seed The same seed is the same history.
   */
  constructor(seed: number) {
    this.#random = seeded(seed);
    this.#oneShot = this.#chance(0.3);
    this.#sharesMemory = this.#chance(0.85);
    this.world = new FakeWorld(
      {
        workers: this.#whole(1, 3),
        maxTasksPerWorker: this.#chance(0.2) ? this.#whole(1, 4) : undefined,
      },
      {
        sharesMemory: this.#sharesMemory,
        stopsLoops: this.#chance(0.7),
        startBlocks: this.#chance(0.5),
        startMs: this.#pick([0, 20] as const),
        disposes: this.#chance(0.7)
          ? "no"
          : this.#pick(["at once", "never"] as const),
        chunkMs: this.#pick([1, 0.01] as const),
        fillsWith: this.#chance(0.15) ? this.#whole(1, 3) : undefined,
        reads: (value) => this.#deeds.get(value as number) !== "cannot be read",
      },
      this.#oneShot,
    );
  }

  #chance(share: number): boolean {
    return this.#random() < share;
  }

  #whole(from: number, to: number): number {
    return from + Math.floor(this.#random() * (to - from + 1));
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#whole(0, list.length - 1)];
  }

  /** How many tasks were taken back from workers that had not begun them. */
  get taken(): number {
    return this.world.backend.workers
      .reduce((sum, { lostTasks }) => sum + lostTasks, 0);
  }

  /** How often a part of a chunk was answered before the rest. */
  get told(): number {
    return this.world.backend.workers
      .reduce((sum, { toldParts }) => sum + toldParts, 0);
  }

  /** The steps that were taken, for the report of a failure. */
  get log(): string {
    return this.#log.join("\n");
  }

  /**
   * Plays it to its end.
   *
   * @throws {Error} When something is not as promised.
   */
  async play(): Promise<void> {
    const calls = this.#oneShot ? 1 : this.#whole(1, 3);
    const warn = console.error;
    console.error = () => {}; // of workers that cannot be stopped
    try {
      for (let i = 0; i < calls; i++) this.#call(this.#plan());
      for (let steps = 0; steps < 600; steps++) {
        await this.#flush();
        if (this.#calls.every((call) => call.outcome)) break;
        if (this.#chance(0.005)) this.#close(this.#chance(0.3));
        if (!this.#step()) break;
      }
      await this.#end();
    } finally {
      console.error = warn;
    }
    for (const call of this.#calls) this.#check(call);
    await this.#checkBooks();
  }

  async #flush(turns = 12): Promise<void> {
    for (let i = 0; i < turns; i++) await undefined;
  }

  #plan(): Plan {
    // Of many tasks there are large chunks, of which workers lose a part.
    const many = this.#chance(0.25);
    const length = this.#whole(0, many ? 40 : 12);
    const deeds = Array.from({ length }, (): Deed => {
      if (this.#chance(many ? 0.97 : 0.75)) return "returns";
      return this.#pick(
        [
          "throws",
          "throws once",
          "ends its worker",
          "ends its worker once",
          "never returns",
          "waits for ever",
          "is slow",
          "is slow",
          "cannot be sent",
          "cannot be read",
        ] as const,
      );
    });
    const never = (deed: Deed) =>
      deed === "never returns" || deed === "waits for ever" ||
      deed === "is slow";
    const options: Plan["options"] = {};
    // What never returns needs a limit, or nothing would end it.
    if (deeds.some(never) || this.#chance(many ? 0 : 0.2)) {
      options.timeout = 100;
    }
    if (this.#chance(many ? 0.1 : 0.5)) options.chunkSize = this.#whole(1, 5);
    if (this.#chance(0.4)) options.concurrency = this.#whole(1, 3);
    if (this.#chance(0.4)) options.retries = this.#whole(0, 2);
    if (this.#chance(0.3)) options.weight = this.#weight();
    const kind = this.#pick(["map", "settled", "stream", "reduce"] as const);
    if (kind === "stream") {
      if (this.#chance(0.4)) options.ordered = false;
      if (this.#chance(0.4)) options.settled = true;
      if (this.#chance(0.4)) options.bufferSize = this.#whole(1, 6);
    }
    const breaks = this.#chance(0.15);
    const leaves = kind === "stream" && this.#chance(0.3);
    const deed = this.#pick(
      ["throws", "aborts", "closes", "calls again"] as const,
    );
    return {
      kind,
      deeds,
      options,
      source: this.#pick(["list", "sync", "async", "promises"] as const),
      breaksAt: breaks ? this.#whole(0, deeds.length) : Infinity,
      abortsAt: this.#chance(0.05) ? this.#whole(0, deeds.length) : Infinity,
      leavesAt: leaves ? this.#whole(0, deeds.length) : Infinity,
      listener: this.#chance(0.15)
        ? { at: this.#whole(0, 30), deed }
        : undefined,
    };
  }

  /** Weighs inputs, in no order; now and then it throws. */
  #weight(): (value: unknown) => number {
    const most = this.#pick([1, 10, 1000] as const);
    let weighed = 0;
    const throwsAt = this.#chance(0.1) ? this.#whole(0, 12) : Infinity;
    return (value) => {
      if (weighed++ === throwsAt) throw OWN.weight;
      return typeof value === "number" ? (value * 7919) % most : most;
    };
  }

  /** The inputs of a call: a number for each task. */
  #inputs(call: Call): Iterable<unknown> | AsyncIterable<unknown> {
    const { plan } = call;
    const values = plan.deeds.map((deed) => {
      const value = this.#values++;
      this.#deeds.set(value, deed);
      return deed === "cannot be sent" ? { value, f() {} } : value;
    });
    const { breaksAt, abortsAt, source } = plan;
    if (source === "list" && breaksAt === Infinity) return values;
    const step = (i: number) => {
      if (i === breaksAt) throw OWN.source;
      if (i === abortsAt) this.#abort(call);
    };
    function* sync() {
      for (let i = 0; i <= values.length; i++) {
        step(i);
        if (i < values.length) yield values[i];
      }
    }
    const count = (change: number) => this.#open += change;
    function* counted() {
      count(1);
      try {
        yield* sync();
      } finally {
        count(-1);
      }
    }
    if (source === "list" || source === "sync") return counted();
    const pulls = this.#pulls;
    const pull = () => new Promise<void>((resolve) => pulls.push(resolve));
    if (source === "promises") {
      const list = values.map((value) =>
        this.#chance(0.5) ? pull().then(() => value) : value
      );
      const broken = pull().then(() => Promise.reject(OWN.source));
      broken.catch(() => {}); // that of a call that is refused is nobody's
      if (breaksAt < Infinity) list.splice(breaksAt, 1, broken);
      return list;
    }
    return (async function* () {
      for (const value of sync()) {
        await pull();
        yield value;
      }
    })();
  }

  #call(plan: Plan): void {
    const ending = new AbortController();
    const call: Call = {
      plan,
      ending,
      excuses: new Set(),
      settled: 0,
      outcome: undefined,
      seen: [],
      outcomes: [],
      left: false,
      states: [],
      done: [],
    };
    this.#calls.push(call);
    let heard = 0;
    const hear = () => {
      const { listener } = plan;
      if (heard++ !== listener?.at) return;
      this.#log.push(`listener ${listener.deed}`);
      if (listener.deed === "throws") {
        call.excuses.add(OWN.listener);
        throw OWN.listener;
      }
      if (listener.deed === "aborts") this.#abort(call);
      else if (listener.deed === "closes") this.#close();
      else if (!this.#oneShot && !this.#closing && this.#calls.length < 5) {
        this.#call(this.#plan());
      }
    };
    const options = {
      ...plan.options,
      signal: ending.signal,
      onEvent: hear,
      onProgress: ({ state, done }: { state: string; done: number }) => {
        call.states.push(state);
        call.done.push(done);
        hear();
      },
    };
    const { calls } = this.world;
    const fn = (value: unknown) => value;
    const inputs = this.#inputs(call);
    const end = (outcome: Call["outcome"]) => {
      call.settled++;
      call.outcome = outcome;
    };
    const promise = plan.kind === "stream"
      ? this.#read(call, () => calls.stream(fn, inputs, options, History))
      : plan.kind === "settled"
      ? calls.mapSettled(fn, inputs, options, History)
      : plan.kind === "reduce"
      ? calls.reduce(fn, concat, inputs, { ...options, initial: [] }, History)
      : calls.map(fn, inputs, options, History);
    promise.then((results) => end({ results }), (error) => end({ error }));
  }

  async #read(
    call: Call,
    open: () => AsyncGenerator<unknown>,
  ): Promise<unknown> {
    const stream = open();
    const { leavesAt } = call.plan;
    if (leavesAt === 0) {
      call.left = true;
      return await stream.return(undefined);
    }
    for await (const value of stream) {
      if (call.plan.options.settled === true) {
        const outcome = value as TaskOutcome;
        call.outcomes.push(outcome);
        call.seen.push(this.#firstValue(call) + outcome.index);
      } else call.seen.push(value);
      if (call.seen.length < leavesAt) continue;
      call.left = true;
      break;
    }
    return call.seen;
  }

  #abort(call: Call): void {
    call.excuses.add(OWN.abort);
    call.ending.abort(OWN.abort);
  }

  /** Closes the pool, at once or when its calls have ended. */
  #close(finish = false): void {
    if (this.#closed) return;
    this.#closed = !finish;
    this.#closing = true;
    this.#log.push(finish ? "close, but finish" : "close");
    void this.world.calls.close(finish).catch(() => {});
  }

  /** Takes one step of all that are possible. */
  #step(): boolean {
    const { clock, backend } = this.world;
    const steps: [name: string, take: () => void][] = [];
    let working = false; // in no time, so that only what is stuck is late
    for (const worker of backend.alive) {
      const { number } = worker;
      const tasks = this.#running.get(worker) ?? new Set();
      for (const task of tasks) {
        if (!worker.lanes.includes(task)) tasks.delete(task); // abandoned
      }
      const stuck = [...tasks].find((task) =>
        this.#deed(task) === "never returns"
      );
      if (worker.ending) {
        if (stuck === undefined || backend.stopsLoops) {
          steps.push([`${number} leaves`, () => worker.leave()]);
        }
      } else if (worker.outbox.length > 0) {
        steps.push([`${number} says`, () => worker.deliver()]);
      }
      // Without shared memory, what is late is known by messages alone: these
      // take no time either.
      const travels = worker.outbox.length > 0 ||
        (stuck === undefined && worker.inbox.length > 0);
      if (!this.#sharesMemory && travels) working = true;
      if (stuck !== undefined) continue;
      // After three in a row the calls give up, and rightly.
      const dies = this.#sharesMemory && this.#deaths < 2;
      if (dies && tasks.size === 0 && this.#chance(0.02)) {
        steps.push([`${number} dies`, () => {
          this.#deaths++;
          worker.leave({ code: 9 });
        }]);
      }
      if (worker.inbox.length > 0) {
        steps.push([`${number} hears`, () => worker.receive()]);
      }
      if (worker.canBegin) {
        steps.push([`${number} begins`, () => this.#begin(worker)]);
      }
      // At any time, as a worker does when it is told to hurry.
      if (tasks.size > 0 && this.#chance(0.3)) {
        steps.push([`${number} tells`, () => worker.tellDone()]);
      }
      for (const task of tasks) {
        if (this.#deed(task) === "waits for ever") continue;
        if (this.#deed(task) !== "is slow") working = true;
        else if (this.#chance(0.7)) continue;
        const name = `${number} ends ${task.index}`;
        steps.push([name, () => this.#settle(worker, task)]);
      }
    }
    if (clock.turns > 0) steps.push(["turn", () => clock.takeTurn()]);
    if (this.#pulls.length > 0) {
      const next = this.#whole(0, this.#pulls.length - 1);
      steps.push(["source", () => this.#pulls.splice(next, 1)[0]()]);
    }
    const limited = this.#calls.some(({ plan }) => plan.options.timeout);
    const late = !working || !limited; // no task can be late by mistake
    const rings = steps.length === 0 || (late && this.#chance(0.2));
    if (clock.timers > 0 && rings) {
      steps.push(["timer", () => clock.ring()]);
    }
    if (steps.length === 0) return false;
    const call = this.#pick(this.#calls);
    if (this.#chance(0.004) && call.outcome === undefined) {
      steps.push(["abort", () => this.#abort(call)]);
    }
    const [name, take] = this.#pick(steps);
    this.#log.push(name);
    take();
    return true;
  }

  #deed({ value }: FakeTask): Deed {
    return this.#deeds.get(value as number)!;
  }

  #begin(worker: FakeWorker): void {
    const stuck = (task: FakeTask) => this.#deed(task) === "never returns";
    const task = worker.begin(stuck);
    if (task === undefined) return;
    const tasks = this.#running.get(worker) ?? new Set();
    this.#running.set(worker, tasks.add(task));
    // Once for each of its tries, unless the worker is no more.
    const tries = this.#tries.get(task.value) ?? new Map();
    const before = tries.get(task.attempt) as FakeWorker | undefined;
    if (before?.alive && !before.ending) {
      throw new Error(`the value ${task.value} runs twice`);
    }
    this.#tries.set(task.value, tries.set(task.attempt, worker));
  }

  #settle(worker: FakeWorker, task: FakeTask): void {
    this.#running.get(worker)!.delete(task);
    const deed = this.#deed(task);
    const once = deed.endsWith("once") && task.attempt === 1;
    if (
      deed === "ends its worker" || (deed === "ends its worker once" && once)
    ) {
      this.#running.delete(worker);
      return worker.leave({ code: 1 });
    }
    const throws = deed === "throws" || (deed === "throws once" && once);
    worker.settle(
      task,
      throws ? { error: new Error("thrown") } : { value: task.value },
    );
  }

  /** After the last step: what never ends by itself is closed. */
  async #end(): Promise<void> {
    for (let steps = 0; steps < 10_000; steps++) {
      await this.#flush();
      if (this.#calls.every((call) => call.outcome)) return;
      if (this.#step()) continue;
      await this.#flush(500); // a reader has several for each item
      if (this.#calls.every((call) => call.outcome)) return;
      if (!this.#step()) break; // not even after that
    }
    if (this.#calls.every((call) => call.outcome)) return;
    throw new Error("a call does not settle");
  }

  #check(call: Call): void {
    const { plan, outcome, excuses } = call;
    if (call.settled !== 1) throw new Error(`settled ${call.settled} times`);
    const last = call.states.findIndex((state) => state !== "running");
    if (last >= 0 && last < call.states.length - 1) {
      throw new Error(`told ${call.states} after the last word`);
    }
    if (call.done.some((done, i) => i > 0 && done < call.done[i - 1])) {
      throw new Error(`progress went back: ${call.done}`);
    }
    const first = this.#firstValue(call);
    if ("error" in outcome!) {
      return this.#checkError(call, outcome.error, first);
    }
    this.#checkOutcomes(call, first);
    const { results } = outcome!;
    if (excuses.has(OWN.listener) && !call.left) {
      throw new Error("a throw was not heard");
    }
    if (call.left) return this.#checkRead(call, first);
    if (plan.breaksAt !== Infinity) {
      throw new Error("the source's error is lost");
    }
    if (plan.kind === "settled") {
      const list = results as PromiseSettledResult<unknown>[];
      if (list.length !== plan.deeds.length) throw new Error("wrong length");
      for (const [i, deed] of plan.deeds.entries()) {
        this.#checkOutcome(plan, deed, list[i], first + i);
      }
      return;
    }
    const list = results as unknown[];
    if (list.length !== plan.deeds.length) throw new Error("wrong length");
    const lenient = plan.options.settled === true;
    if (
      !lenient &&
      plan.deeds.some((deed) => this.#fails(plan, deed) === "surely")
    ) {
      throw new Error("a failure is lost");
    }
    if (plan.kind === "stream") return this.#checkRead(call, first);
    for (const [i, value] of list.entries()) {
      if (value !== first + i) throw new Error(`${value} at ${i}`);
    }
  }

  /** The value of its first task. */
  #firstValue(call: Call): number {
    let first = 0;
    for (const other of this.#calls) {
      if (other === call) break;
      first += other.plan.deeds.length;
    }
    return first;
  }

  /** What a reader got is what it may get, in order. */
  #checkRead({ plan, seen }: Call, first: number): void {
    const values = plan.options.ordered === false
      ? (seen as number[]).toSorted((a, b) => a - b)
      : seen;
    const all = new Set(seen);
    if (all.size !== seen.length) throw new Error(`twice: ${seen}`);
    for (const [i, value] of values.entries()) {
      const wanted = plan.options.ordered === false || value === first + i;
      if (!wanted) throw new Error(`out of order: ${seen}`);
      const at = (value as number) - first;
      if (!(at >= 0 && at < plan.deeds.length)) {
        throw new Error(`alien ${value}`);
      }
    }
  }

  /** Each outcome that a reader got is that of its task, with its input. */
  #checkOutcomes({ plan, outcomes }: Call, first: number): void {
    for (const outcome of outcomes) {
      const { index, input } = outcome;
      const value = first + index;
      const given = typeof input === "number"
        ? input
        : (input as { value: number }).value;
      if (given !== value) throw new Error(`${given} was the input ${value}`);
      this.#checkOutcome(plan, plan.deeds[index], outcome, value);
    }
  }

  /** Whether a task fails. */
  #fails({ options }: Plan, deed: Deed): "surely" | "maybe" | "no" {
    const retries = options.retries ?? 0;
    if (deed === "returns") return "no";
    if (deed === "is slow") return options.timeout ? "maybe" : "no";
    if (deed.endsWith("once")) {
      // A task that lost its worker among others is not always at fault.
      return retries > 0 ? "no" : deed === "throws once" ? "surely" : "maybe";
    }
    return "surely";
  }

  #checkOutcome(
    plan: Plan,
    deed: Deed,
    result: PromiseSettledResult<unknown>,
    value: number,
  ): void {
    const fails = this.#fails(plan, deed);
    if (result.status === "fulfilled") {
      if (fails === "surely") throw new Error(`"${deed}" came back`);
      if (result.value !== value) {
        throw new Error(`${result.value} for ${value}`);
      }
      return;
    }
    if (fails === "no") throw new Error(`"${deed}" failed: ${result.reason}`);
    this.#checkReason(deed, result.reason);
  }

  #checkReason(deed: Deed, reason: unknown): void {
    const Kind = deed.startsWith("ends its worker")
      ? WorkerLostError
      : deed === "never returns" || deed === "waits for ever" ||
          deed === "is slow"
      ? TaskTimeoutError
      : TaskError;
    if (!(reason instanceof Kind)) throw new Error(`"${deed}" gave ${reason}`);
  }

  #checkError(call: Call, error: unknown, first: number): void {
    const { plan, excuses } = call;
    if (plan.kind === "stream") this.#checkRead(call, first);
    this.#checkOutcomes(call, first);
    if (excuses.has(error)) return;
    if (error === OWN.weight && plan.options.weight !== undefined) return;
    if (error === OWN.source) {
      if (plan.breaksAt === Infinity) {
        throw new Error("an alien source's error");
      }
      const sure = plan.options.settled === true ||
        plan.deeds.slice(0, plan.breaksAt)
          .every((deed) => this.#fails(plan, deed) === "no");
      if (
        plan.kind === "stream" && sure && call.seen.length !== plan.breaksAt
      ) {
        throw new Error(`a stream gave ${call.seen.length} before the error`);
      }
      return;
    }
    if (error instanceof DOMException && error.name === "AbortError") {
      if (!this.#closed) throw new Error("closed by nobody");
      return;
    }
    if (this.#closed && /the pool is closed$/.test(`${error}`)) return;
    if (error instanceof WorkerStartError) {
      throw new Error(`workers could start: ${error.message}`);
    }
    if (plan.kind === "settled" || plan.options.settled === true) {
      throw new Error(`settled rejected: ${error}`);
    }
    if (!(error instanceof TaskError)) {
      throw new Error(`an odd error: ${error}`);
    }
    const deed = plan.deeds[error.index];
    if (deed === undefined || this.#fails(plan, deed) === "no") {
      throw new Error(`"${deed}" at ${error.index} failed: ${error}`);
    }
    this.#checkReason(deed, error);
  }

  /** Once the pool is closed, nothing is left. */
  async #checkBooks(): Promise<void> {
    const { calls, backend, clock } = this.world;
    let closed = false;
    void calls.close().catch(() => {}).then(() => closed = true);
    const warn = console.error;
    console.error = () => {};
    for (let steps = 0; steps < 200; steps++) {
      await this.#flush();
      if (closed) break;
      if (this.#step()) continue;
      await this.#flush(500);
      if (closed || !this.#step()) break;
    }
    console.error = warn;
    await this.#flush();
    if (!closed) throw new Error("the pool does not close");
    const left = backend.alive.filter(({ ending }) => !ending);
    if (left.length > 0) throw new Error(`${left.length} workers are left`);
    if (clock.timers > 0) throw new Error(`${clock.timers} timers are left`);
    if (this.#open > 0) throw new Error("a generator is left open");
  }
}

/**
 * Plays the history of a seed.
 *
 * @param seed The seed.
 * @returns How many tasks were taken back from a worker, to be sent elsewhere; and
 * how many parts of chunks were answered before the rest.
 * @throws {Error} When something is not as promised; it names the seed, and has
 * the steps.
 */
export async function playHistory(
  seed: number,
): Promise<{ taken: number; told: number }> {
  const history = new History(seed);
  try {
    await history.play();
    return { taken: history.taken, told: history.told };
  } catch (error) {
    const steps = history.log;
    throw new Error(`history ${seed}: ${(error as Error).message}\n${steps}`, {
      cause: error,
    });
  }
}
