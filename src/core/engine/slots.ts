/**
 * The slots of a pool: how many workers may be up, and when the next starts.
 *
 * @module
 */

import type { Backend } from "../runtime/runtime.ts";
import { Breath } from "./breath.ts";
import type { SlotSetup } from "./report.ts";
import { Slot } from "./slot.ts";
import type { Run } from "./run.ts";
import { canServe, needsOf, type Staff, waitToStart } from "./staffing.ts";
import type { WorkerMaker } from "./worker_maker.ts";
import { VainSends } from "./vain_sends.ts";

/** All slots of a pool. */
export class Slots {
  readonly all: Slot[] = [];
  readonly vain: VainSends;
  readonly #setup: SlotSetup;
  readonly #maker: WorkerMaker;
  readonly #onStartable: () => void;
  readonly #breath: Breath;
  #starting = false;
  #backend: Backend | undefined; // that of the last start
  #last: Staff["last"] = "start";
  #quietSince = 0;
  #worked = 0; // ms of tasks that were answered since a worker was started
  #earlier = 0; // what that was when the latest call began
  #cancelLook: (() => void) | undefined;

  /**
   * Makes none yet.
   *
   * @param setup What each slot is made of.
   * @param maker Says how many there may be.
   * @param onStartable Called when `starting` is false again.
   */
  constructor(setup: SlotSetup, maker: WorkerMaker, onStartable: () => void) {
    this.#setup = setup;
    this.#maker = maker;
    this.#onStartable = onStartable;
    this.#breath = new Breath(setup.clock, onStartable);
    this.vain = new VainSends(setup.clock, onStartable);
  }

  /** Whether the caller's timers have their turn before more is sent. */
  get holds(): boolean {
    return this.vain.hold ||
      (!this.#backend?.delaysTimers && this.#breath.holds);
  }

  /** Chunks are to be sent, in this turn. */
  begin(): void {
    this.#breath.begin();
  }

  /** How many workers are up. */
  get #up(): number {
    let up = 0;
    for (const slot of this.all) if (!slot.empty) up++;
    return up;
  }

  /** Whether there may be one more worker. */
  get mayStart(): boolean {
    return this.#up < this.#maker.workers;
  }

  /**
   * Whether one more worker pays now. If it may do so later, `onStartable` is
   * called then.
   *
   * @param msLeft How much work there is, in ms of one worker, if known.
   * @returns Whether to start one.
   */
  pays(msLeft: number | undefined): boolean {
    const { clock } = this.#setup;
    const quiet = clock.now() - this.#quietSince;
    const ms = waitToStart({
      up: this.#up,
      blocks: this.#backend?.startBlocks ?? false,
      last: this.#last,
      quiet,
      msLeft,
      earlier: this.#earlier,
    });
    // One timer for many answers, each of which puts the start off: it rings
    // too early then, and is set again.
    if (ms > 0 && ms < Infinity) this.#cancelLook ??= this.#lookIn(ms);
    return ms === 0;
  }

  #lookIn(ms: number): () => void {
    return this.#setup.clock.after(ms, () => {
      this.#cancelLook = undefined;
      this.#onStartable();
    });
  }

  /** Whether no worker has anything to do. */
  get atRest(): boolean {
    return this.all.every((slot) => slot.empty || slot.idle);
  }

  /**
   * Whether a run is asked for more at once: by a worker that idles, or one that
   * is started as none is up.
   */
  get anyAsk(): boolean {
    return this.#up === 0 || this.anyIdle;
  }

  /** Whether any worker has nothing to do, and could be given something. */
  get anyIdle(): boolean {
    return this.all.some((slot) => slot.idle && slot.tasksLeft > 0);
  }

  /** Those that have nothing to do; the last are those that still load. */
  *idle(): Generator<Slot> {
    const loading: Slot[] = [];
    for (const slot of this.all) {
      if (!slot.idle || slot.tasksLeft < 1) continue;
      if (slot.loads) loading.push(slot);
      else yield slot;
    }
    yield* loading;
  }

  /**
   * Chooses who is sent more of a run.
   *
   * @param first The first slot that has room for it.
   * @returns That one; with several lanes, where tasks that begin at once cannot
   * be taken back, the one with the fewest tasks of the run.
   */
  lightest(first: Slot): Slot {
    const { run } = first;
    if ((run?.options.concurrency ?? 1) === 1) return first;
    return this.all.reduce(
      (best, slot) => slot.run === run && slot.load < best.load ? slot : best,
      first,
    );
  }

  /** A call begins. */
  called(): void {
    this.#earlier = this.#worked;
  }

  /**
   * A worker answered, or the first of those that idled got work.
   *
   * @param ms How long it took for its tasks.
   */
  heard(ms = 0): void {
    this.#worked += ms;
    this.#listen("answer");
  }

  /** A worker is ready. */
  ready(): void {
    if (this.#last !== "start") return;
    this.#listen("ready");
    this.#stopLooking(); // what waits now waits for less
  }

  #listen(last: Staff["last"]): void {
    this.#last = last;
    this.#quietSince = this.#setup.clock.now();
  }

  #stopLooking(): void {
    this.#cancelLook?.();
    this.#cancelLook = undefined;
  }

  /** Waits for nothing more: there is nothing to do. */
  rest(): void {
    this.#stopLooking();
    this.#breath.rest();
  }

  /** What a worker for a run would be. */
  backendFor(run: Run): Backend {
    return this.#maker.backend(needsOf(run));
  }

  /** Whether a worker can do what a run needs, or as much of it as any could. */
  fits(slot: Slot, run: Run): boolean {
    const needs = needsOf(run);
    return slot.fits(needs) || !canServe(this.#maker.backend(needs), needs);
  }

  /** Whether the next one has to wait for a moment. */
  get starting(): boolean {
    return this.#starting;
  }

  /** A slot without a worker, a new one if need be. */
  empty(): Slot {
    const slot = this.all.find((slot) => slot.empty);
    if (slot !== undefined) return slot;
    const added = new Slot(this.all.length, this.#setup);
    this.all.push(added);
    return added;
  }

  /** Starts a worker in a slot that is empty. */
  start(slot: Slot, backend: Backend): void {
    const first = this.#up === 0;
    slot.start(backend);
    this.#worked = this.#earlier = 0;
    this.#backend = backend;
    // Only from here on is the caller's thread free to hear anything.
    if (first) this.#listen("start");
    const goOn = () => {
      this.#starting = false;
      this.#onStartable();
    };
    // One blocking start a turn, so that answers are heard in between.
    if (backend.startBlocks) this.#setup.clock.turn(goOn);
    // Once all calls of this turn are known, which divide the cores.
    else if (this.#maker.divides) void Promise.resolve().then(goOn);
    else return;
    this.#starting = true;
  }
}
