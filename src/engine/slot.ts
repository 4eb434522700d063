/**
 * One seat of a pool: the life of one worker after another.
 *
 * @module
 */

import type { RunEvent } from "../events.ts";
import type { Backend, WorkerEnd, WorkerHandle } from "../runtime/runtime.ts";
import type { Codec } from "../wire/codec.ts";
import type { FromWorker, StartMessage, Tagged } from "../wire/protocol.ts";
import { Deadline } from "./deadline.ts";
import { InFlight } from "./in_flight.ts";
import type { Chunk, Run } from "./run.ts";
import type { Loss } from "./settling.ts";
import type { SendingHost } from "./sending.ts";
import { sendChunk } from "./sending.ts";
import { failAll, judge, settle } from "./settling.ts";

/** How long the tasks of a run that is over may clean up, in ms. */
const GRACE_MS = 100;

/** How long a worker may take to be gone once it was ended, in ms. */
const GONE_MS = 1000;

/** What a slot needs of its pool. */
export interface SlotHost extends SendingHost {
  readonly codec: Codec;
  /** Tasks after which a worker is replaced. */
  readonly maxTasksPerWorker: number;
  /** The first message to the worker in a slot. */
  startMessage(worker: number): StartMessage;
  emit(event: RunEvent): void;
  /** The slot may take more, or is empty. */
  onChange(): void;
  /** The worker is useless: its module or `init` failed. */
  onStartFailure(error: unknown): void;
  /** A worker was lost and no task was to blame. */
  onFruitlessEnd(end: WorkerEnd): void;
  /** A worker did something. */
  onProgress(): void;
  /** Tells the user what no error can tell. */
  warn(text: string): void;
}

type SlotState =
  | { at: "empty" }
  | { at: "up"; handle: WorkerHandle; backend: Backend }
  | { at: "ending"; loss: Loss | undefined };

/** One seat of a pool. */
export class Slot {
  /** Its number in the pool, from 0: `context.worker`. */
  readonly number: number;
  readonly #host: SlotHost;
  #state: SlotState = { at: "empty" };
  #inFlight: InFlight;
  #tag = 0;
  #closing = false;
  /** Whether this worker has had nothing to do: it can live without a task. */
  #rested = false;
  #cancel = () => {}; // calls off the timer that runs
  readonly #deadline: Deadline;
  #ready = Promise.withResolvers<void>();
  #gone = Promise.withResolvers<void>();

  constructor(number: number, host: SlotHost) {
    this.number = number;
    this.#host = host;
    this.#inFlight = new InFlight(host.clock);
    this.#deadline = new Deadline({
      clock: host.clock,
      ping: () => {
        if (this.#state.at === "up") {
          this.#state.handle.post({ type: "ping" }, []);
        }
      },
      onOverdue: (loss) => this.end(loss),
    });
    this.#ready.promise.catch(() => {}); // told by the runs as well
  }

  /** Whether there is no worker, and one may be started. */
  get empty(): boolean {
    return this.#state.at === "empty" && !this.#closing;
  }

  /** Whether the worker has nothing to do. */
  get idle(): boolean {
    return this.#state.at === "up" && this.#inFlight.chunks === 0;
  }

  /** The run whose tasks the worker has. */
  get run(): Run | undefined {
    return this.#inFlight.chunks > 0 ? this.#inFlight.run : undefined;
  }

  /** How many tasks the worker may still be sent before it is replaced. */
  get left(): number {
    return this.#host.maxTasksPerWorker - this.#inFlight.tasksSent;
  }

  /** Whether a busy worker may be sent more of its run. */
  get hasRoom(): boolean {
    const { run, tasks, chunks, alone } = this.#inFlight;
    if (this.#state.at !== "up" || this.#closing) return false;
    if (run === undefined || run.ended || alone || this.left < 1) return false;
    return tasks < (run.options.concurrency ?? 1) ||
      (chunks < 2 && run.prefetches);
  }

  /** Whether the worker can be stopped in any loop, if the run needs that. */
  fits(run: Run): boolean {
    return this.#state.at !== "up" || run.options.timeout === undefined ||
      this.#state.backend.stopsLoops;
  }

  /** Starts a worker. Only an empty slot can. */
  start(backend: Backend): void {
    const from = this.#host.clock.now();
    const start = this.#host.startMessage(this.number);
    this.#tag = start.tag;
    this.#gone = Promise.withResolvers();
    this.#rested = false;
    const handle = backend.start({
      onMessage: (message) => {
        // What else arrives was posted by a task, and means nothing here.
        if (!Array.isArray(message) || message[0] !== this.#tag) return;
        try {
          this.#hear((message as Tagged)[1]);
        } catch (error) { // a message that makes no sense must not hang a run
          this.end({ error, at: [] });
        }
      },
      onUnreadable: () => this.#onUnreadable("result"),
      onEnd: (end) => {
        // One that was given up may end when the next is up.
        if (start.tag === this.#tag) this.#onEnd(end);
      },
    });
    this.#state = { at: "up", handle, backend };
    handle.post(start, []);
    const to = this.#host.clock.now();
    this.#host.emit({ type: "worker-start", worker: this.number, from, to });
  }

  /** Settles when the worker has loaded its module and run `init`. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Sends a chunk; what cannot be cloned fails, by its index. */
  send(chunk: Chunk, start: () => Backend): void {
    sendChunk(chunk, this.number, this.#host, () => {
      if (this.#state.at === "empty") this.start(start());
      if (this.#state.at !== "up") throw new Error("no worker is up");
      this.#state.handle.setBusy(true);
      return { handle: this.#state.handle, inFlight: this.#inFlight };
    });
    if (this.#inFlight.chunks === 1) this.#deadline.watch(this.#inFlight);
    if (this.idle) this.#setIdle();
  }

  #hear(message: FromWorker): void {
    if (this.#state.at !== "up") return;
    if (message.type === "done") {
      const sent = this.#inFlight.remove(message.serial);
      if (sent === undefined) return;
      this.#host.onProgress();
      settle(sent, message, this.number, this.#host);
      this.#rest();
    } else if (message.type === "unread") {
      const sent = this.#inFlight.remove(message.serial);
      if (sent === undefined) return;
      const cause = this.#host.codec.decode(message.error);
      failAll(sent, "input", cause, this.number);
      this.#rest();
    } else if (message.type === "unreadable") {
      this.#onUnreadable("input");
    } else if (message.type === "pong") {
      this.#deadline.pong();
    } else if (message.type === "ready") {
      const { number: worker } = this;
      this.#host.emit({
        type: "worker-ready",
        worker,
        at: this.#host.clock.now(),
      });
      this.#ready.resolve();
      if (this.idle) this.#setIdle();
    } else if (message.type === "refused") {
      const { run } = this.#inFlight;
      this.#inFlight.clear();
      this.#inFlight.run = undefined;
      run?.refuse(this.#host.codec.decode(message.error));
      this.#rest();
    } else if (message.type === "failed") {
      const error = this.#host.codec.decode(message.error);
      this.#ready.reject(error);
      this.#host.onStartFailure(error);
      this.end(undefined);
    } else if (message.type === "stray") {
      const error = this.#host.codec.decode(message.error);
      this.end({ error, at: message.at });
    }
  }

  /**
   * A message was lost, as it could not be read. Of several tasks in flight,
   * any may have been in it: each goes again alone.
   */
  #onUnreadable(what: "input" | "result"): void {
    const error = new Error("a message that could not be read");
    if (this.#inFlight.tasks !== 1) {
      return this.end({ error, at: this.#inFlight.all(), sure: false });
    }
    for (const sent of this.#inFlight.clear()) {
      failAll(sent, what, error, this.number);
    }
    if (what === "result") this.end(undefined); // it is not heard any more
    this.#rest();
  }

  /** After an answer: the worker has less to do, or nothing. */
  #rest(): void {
    if (this.#state.at !== "up") return;
    if (this.#inFlight.chunks === 0) {
      this.#cancel();
      this.#deadline.stop();
      this.#setIdle();
      if (this.#closing || this.left < 1) this.end(undefined);
    }
    this.#host.onChange();
  }

  #setIdle(): void {
    if (this.#state.at !== "up") return;
    this.#rested = true;
    this.#state.handle.setBusy(false);
  }

  /** The run is over: its tasks get a moment to end, then the worker is ended. */
  release(run: Run): void {
    if (this.run !== run || this.#state.at !== "up") return;
    this.#deadline.stop();
    this.#cancel();
    this.#cancel = this.#host.clock.after(
      GRACE_MS,
      () => this.end(undefined),
    );
  }

  /** Ends the worker. */
  end(loss: Loss | undefined): void {
    if (this.#state.at !== "up") return;
    const { handle } = this.#state;
    const index = this.#inFlight.indexAt();
    this.#deadline.stop();
    this.#cancel();
    this.#state = { at: "ending", loss };
    handle.terminate();
    if (this.#state.at !== "ending") return; // it is gone already
    this.#cancel = this.#host.clock.after(GONE_MS, () => {
      this.#host.warn(
        `worker ${this.number} cannot be stopped: ` +
          (index === undefined ? "it" : `the task of input ${index}`) +
          " still runs, and keeps this process from ending. Deno does not " +
          "stop a Web Worker in a synchronous loop: look at " +
          'context.aborted in the loop, or set "timeout" or "backend": ' +
          '"threads".',
      );
      this.#onEnd({});
    });
  }

  #onEnd(end: WorkerEnd): void {
    if (this.#state.at === "empty") return; // given up before
    const state = this.#state;
    this.#deadline.stop();
    this.#cancel();
    const wanted = state.at === "ending" && state.loss === undefined;
    const loss: Loss = state.at === "ending" && state.loss !== undefined
      ? { ...end, ...state.loss }
      : { ...end, at: this.#inFlight.at() };
    this.#state = { at: "empty" };
    const { number: worker } = this;
    const at = this.#host.clock.now();
    this.#ready.reject(loss.error ?? new Error("The worker ended"));
    this.#ready = Promise.withResolvers();
    this.#ready.promise.catch(() => {});
    this.#gone.resolve();
    const sent = this.#inFlight.clear();
    this.#inFlight = new InFlight(this.#host.clock);
    // Only now: a listener may have the next worker started in this slot.
    this.#host.emit({ type: "worker-end", worker, lost: !wanted, at });
    // One that ended while it was idle, before it was known, counts for nothing.
    if (!wanted && !judge(sent, loss, this.number) && !this.#rested) {
      this.#host.onFruitlessEnd(end);
    }
    this.#host.onChange();
  }

  /** Ends the worker when it has nothing to do, and waits until it is gone. */
  close(): Promise<void> {
    this.#closing = true;
    if (this.#state.at === "empty") return Promise.resolve();
    if (this.idle) this.end(undefined);
    return this.#gone.promise;
  }

  /** Replaces an idle worker of the wrong kind. */
  retire(): void {
    if (this.idle) this.end(undefined);
  }
}
