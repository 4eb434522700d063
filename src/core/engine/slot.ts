/**
 * One seat of a pool: the life of one worker after another. It decides nothing:
 * it reports, and the scheduler says what follows. How a worker ends stands in
 * docs/workers.md, how a pool closes in docs/closing.md.
 *
 * @module
 */

import type { Backend, WorkerEnd } from "../runtime/runtime.ts";
import type { Parcel } from "../wire/packing.ts";
import type { FromWorker, Tagged, ToWorker } from "../wire/protocol.ts";
import {
  disposeWarning,
  endsError,
  nameThrown,
  stuckWarning,
  unreadableError,
} from "./failures.ts";
import { InFlight } from "./in_flight.ts";
import type { Chunk } from "./chunk.ts";
import type { Run } from "./run.ts";
import { type Loss, readError } from "./settling.ts";
import { Patience } from "./patience.ts";
import type { BackendWorker, Report, SlotSetup, SlotState } from "./report.ts";
import { canServe, type Needs } from "./staffing.ts";
import { Watch } from "./watch.ts";

/** How long the tasks of a run that is over may clean up, in ms. */
const GRACE_MS = 100;

/** How long a worker may take to dispose what its `init` returned, in ms. */
const DISPOSE_MS = 1000;

/** One seat of a pool. */
export class Slot {
  /** Its number in the pool, from 0: `context.worker`. */
  readonly number: number;
  readonly #setup: SlotSetup;
  #state: SlotState = { at: "empty" };
  #inFlight: InFlight;
  #tag = 0;
  /** Whether this worker has had nothing to do, or has answered. */
  #canLive = false;
  #cancel = () => {}; // calls off the end of the worker
  readonly #watch: Watch;
  readonly #patience: Patience;
  #ready = Promise.withResolvers<void>();
  #gone = Promise.withResolvers<void>();

  constructor(number: number, setup: SlotSetup) {
    this.number = number;
    this.#setup = setup;
    this.#inFlight = new InFlight(setup.clock, false);
    this.#watch = new Watch({
      clock: setup.clock,
      ping: () => this.#post({ type: "ping" }),
      abandon: (serials) => this.#post({ type: "abandon", serials }),
      end: (loss) => this.#endAsLost(loss),
    });
    this.#patience = new Patience({
      ...setup,
      ask: (message) => this.#post(message),
      giveAway: (back) => this.#report({ type: "back", back }),
    });
  }

  #post(message: ToWorker): void {
    if (this.#state.at === "up") this.#state.handle.post(message, []);
  }

  /** Whether there is no worker, and one may be started. */
  get empty(): boolean {
    return this.#state.at === "empty";
  }

  /** Whether the worker has nothing to do. */
  get idle(): boolean {
    return this.#state.at === "up" && this.#inFlight.chunks === 0;
  }

  /** Whether the worker still loads for a run that is over. */
  get loads(): boolean {
    return this.#inFlight.loading.goesOn;
  }

  /** The run whose tasks the worker has. */
  get run(): Run | undefined {
    return this.#inFlight.chunks > 0 ? this.#inFlight.run : undefined;
  }

  /** How many tasks the worker may still be sent before it is replaced. */
  get tasksLeft(): number {
    return this.#inFlight.tasksLeft(this.#setup.maxTasksPerWorker);
  }

  /** How many tasks a busy worker has that may be sent more; else Infinity. */
  get load(): number {
    const isOpen = this.#state.at === "up" && this.tasksLeft > 0;
    return isOpen && this.#inFlight.hasRoom ? this.#inFlight.tasks : Infinity;
  }

  /** Whether the worker can do what a run needs of it. */
  fits(needs: Needs): boolean {
    return this.#state.at !== "up" || canServe(this.#state.backend, needs);
  }

  /** Settles when the worker is up and has run `init`, or has been ended. */
  get ready(): Promise<void> {
    const ends = ["parting", "ending"].includes(this.#state.at);
    return (ends ? this.#gone : this.#ready).promise;
  }

  /** Starts a worker. Only an empty slot can. */
  start(backend: Backend): void {
    const start = this.#setup.startMessage(this.number);
    const handle = backend.start({
      onMessage: (message) => {
        // What else arrives was posted by a task, and means nothing here.
        if (!Array.isArray(message) || message[0] !== start.tag) return;
        if (start.tag === this.#tag) this.#hear((message as Tagged)[1]);
      },
      onUnreadable: () => start.tag === this.#tag && this.#lose("result"),
      // One that was given up may end when the next is up.
      onEnd: (end) => start.tag === this.#tag && this.#onEnd(end),
    });
    this.#tag = start.tag;
    this.#canLive = false;
    this.#ready = Promise.withResolvers();
    this.#ready.promise.catch(() => {}); // the runs hear it as well
    this.#gone = Promise.withResolvers();
    this.#inFlight = new InFlight(this.#setup.clock, backend.sharesMemory);
    this.#state = { at: "up", handle, backend, disposes: false };
    handle.post(start, []);
  }

  /**
   * Posts a chunk.
   *
   * @param chunk The chunk.
   * @param parcel Its values, packed.
   * @param number Its number in the pool.
   * @throws What structured clone throws; then nothing was sent.
   */
  post(chunk: Chunk, parcel: Parcel, number: number): void {
    if (this.#state.at !== "up") throw new Error("no worker is up");
    const inFlight = this.#inFlight;
    this.#state.handle.setBusy(true);
    const { message, note } = inFlight.send(chunk, parcel, number);
    if (message.run && this.#canLive) this.#watch.ask(inFlight, chunk.run);
    try {
      this.#state.handle.post(message, parcel.moved);
      note();
    } finally {
      if (inFlight.chunks === 0) this.#state.handle.setBusy(false);
    }
    if (inFlight.chunks === 1) this.#watch.begin(inFlight);
    this.#patience.goOn(inFlight);
  }

  #hear(message: FromWorker): void {
    const { at } = this.#state;
    if (at !== "up" && at !== "parting") return;
    const error = "error" in message
      ? readError(message.error, this.#setup.codec)
      : undefined;
    if (at === "parting") {
      if (message.type !== "disposed") return;
      return this.#part(message.error && nameThrown(error));
    }
    if (message.type === "done" || message.type === "unread") {
      const sent = this.#inFlight.answered(message);
      if (sent === undefined) return;
      this.#canLive = true;
      if (!("waits" in message)) this.#patience.begin(this.#inFlight);
      this.#answer(
        message.type === "done"
          ? { type: "answer", sent, answer: message }
          : { type: "unread", sent: [sent], what: "input", error },
      );
    } else if (message.type === "unreadable") this.#lose("input");
    else if (message.type === "pong") this.#watch.answered(this.#inFlight);
    else if (message.type === "at") this.#inFlight.where.hear(message);
    else if (message.type === "taken-back") {
      this.#report({ type: "back", back: this.#inFlight.cut(message) });
    } else if (message.type === "abandoned") this.#abandon(message.serials);
    else if (message.type === "ready") {
      this.#state.disposes = message.disposes;
      this.#ready.resolve();
      if (this.idle) this.#setIdle();
      this.#report({ type: "ready" });
    } else if (message.type === "refused") {
      const run = this.#inFlight.forget(message.number);
      this.#answer({ type: "refused", run, error });
    } else if (message.type === "failed") {
      this.#ready.reject(error);
      this.end();
      this.#report({ type: "useless", error });
    } else if (message.type === "stray") this.#endAsLost({ ...message, error });
  }

  /**
   * A message was lost, as it could not be read. Of several tasks in flight,
   * any may have been in it: each goes again alone. So does one beside a chunk
   * whose tasks were all taken back, or dropped, which may be what was lost.
   */
  #lose(what: "input" | "result"): void {
    const error = unreadableError();
    if (!this.#inFlight.isOne) {
      return this.#endAsLost({ error, at: this.#inFlight.all(), sure: false });
    }
    const sent = this.#inFlight.clearUnread();
    if (what === "result") this.end(); // it is not heard any more
    this.#answer({ type: "unread", sent, what, error });
  }

  /**
   * The worker goes on without tasks that wait for too long. They may go on as
   * well: so it does what it has begun besides, and is replaced then.
   */
  #abandon(serials: readonly number[]): void {
    const tasks = this.#inFlight.abandon(serials);
    if (tasks.length === 0) return;
    this.#canLive = true;
    if (this.#inFlight.canRepeat) this.#patience.end(this.#inFlight);
    this.#report({ type: "abandoned", tasks });
  }

  #stopTimers(): void {
    this.#watch.stop();
    this.#patience.stop();
    this.#cancel();
  }

  #report(report: Report): void {
    this.#setup.report(this, report);
  }

  /**
   * Reports what the worker has answered: it has less to do, or nothing. One that
   * has done all it may is ended then.
   */
  #answer(report: Report): void {
    if (this.idle) {
      this.#stopTimers();
      this.#setIdle();
    }
    this.#report(report);
    if (this.idle && this.tasksLeft < 1) this.end();
  }

  #setIdle(): void {
    if (this.#state.at !== "up") return;
    this.#canLive = true;
    this.#state.handle.setBusy(false);
  }

  /** The run is over: its tasks get a moment to end, then the worker is ended. */
  release(run: Run): void {
    const begun = this.#inFlight.release(run);
    if (begun === undefined || this.#state.at !== "up") return;
    // What tasks have left behind can see it as well: on the board, or by this.
    if (!this.idle || !this.#inFlight.where.board) this.#post({ type: "over" });
    if (this.idle) return;
    this.#stopTimers();
    if (!begun) { // for the next run it goes on with `init`, or the module
      this.#inFlight.drop();
      return this.tasksLeft < 1 ? this.end() : this.#setIdle();
    }
    this.#cancel = this.#setup.clock.after(GRACE_MS, () => this.end());
  }

  /**
   * Ends the worker. One that has nothing to do may dispose what it holds
   * before, for a while.
   */
  end(): void {
    if (this.#state.at !== "up") return;
    const { handle, backend, disposes } = this.#state;
    if (!disposes || !this.idle) return this.#terminate(this.#state, undefined);
    this.#cancel();
    handle.setBusy(true);
    handle.post({ type: "dispose" }, []);
    this.#state = { at: "parting", handle, backend };
    const late = () => this.#part(`no end within ${DISPOSE_MS} ms`);
    this.#cancel = this.#setup.clock.after(DISPOSE_MS, late);
  }

  /** Ends the worker, though nobody wanted that: `loss` says why. */
  #endAsLost(loss: Partial<Loss>): void {
    if (this.#state.at !== "up") return;
    this.#terminate(this.#state, this.#inFlight.suspect(loss));
  }

  /** The worker disposed what it held, or could not. */
  #part(problem: string | undefined): void {
    if (this.#state.at !== "parting") return;
    if (problem === undefined) this.#state.handle.setBusy(false);
    else this.#setup.warn(disposeWarning(problem));
    this.#terminate(this.#state, undefined);
  }

  #terminate({ handle, backend }: BackendWorker, loss: Loss | undefined): void {
    // Some runtimes stop no loop: when it ends, no other task is to begin.
    this.#inFlight.stop();
    const index = this.#inFlight.where.indexAt();
    this.#stopTimers();
    const state: SlotState = this.#state = { at: "ending", loss };
    handle.terminate();
    if (this.#state !== state) return; // it is gone already
    const { clock, warn } = this.#setup;
    const giveUp = () => {
      if (this.#state !== state) return;
      warn(stuckWarning(this.number, index, backend));
      handle.setBusy(false); // it keeps nobody up either
      this.#onEnd({});
    };
    // If this thread was taken for so long, the news may wait in a later turn.
    // What no loop holds up is only late where others have the cores; `init` may
    // loop as well.
    const isIdle = index === undefined && this.#canLive && !this.loads;
    const { goneMs = backend.stopsLoops || isIdle ? 5000 : 1000 } = backend;
    this.#cancel = clock.after(goneMs, () => clock.turn(giveUp));
  }

  #onEnd(end: WorkerEnd): void {
    const state = this.#state;
    if (state.at === "empty") return;
    this.#stopTimers();
    // How it ended, if this side ended it, says nothing.
    const ours = state.at === "ending" ? state.loss : undefined;
    const loss = state.at === "up" ? this.#inFlight.suspect(end) : ours;
    // What it loads for a run that is over may end it, as it may for the next.
    if (state.at === "up" && this.loads) this.#canLive = false;
    const sent = this.#inFlight.clear();
    this.#inFlight = new InFlight(this.#setup.clock, false);
    this.#state = { at: "empty" };
    this.#tag = 0;
    // One that was ended on purpose is replaced, or the pool is closed.
    if (loss === undefined) this.#ready.resolve();
    else this.#ready.reject(loss.error ?? endsError(1, loss));
    this.#gone.resolve();
    this.#report({ type: "ended", sent, loss, canLive: this.#canLive });
  }

  /**
   * Ends the worker if it has nothing to do.
   *
   * @returns Settled when there is no worker any more.
   */
  close(): Promise<void> {
    if (this.idle) this.end();
    return this.empty ? Promise.resolve() : this.#gone.promise;
  }
}
