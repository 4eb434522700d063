/**
 * One seat of a pool: the life of one worker after another.
 *
 * @module
 */

import type { RunEvent } from "../events.ts";
import type { Backend, WorkerEnd, WorkerHandle } from "../runtime/runtime.ts";
import type { Codec } from "../wire/codec.ts";
import type { FromWorker, StartMessage } from "../wire/protocol.ts";
import { Deadline } from "./deadline.ts";
import { InFlight } from "./in_flight.ts";
import type { Chunk, Run } from "./run.ts";
import type { Loss } from "./settling.ts";
import type { SendingHost } from "./sending.ts";
import { sendChunk } from "./sending.ts";
import { judge, settle } from "./settling.ts";

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
  #inFlight = new InFlight();
  #closing = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #deadline = new Deadline({
    ping: () => {
      if (this.#state.at === "up") {
        this.#state.handle.post({ type: "ping" }, []);
      }
    },
    onOverdue: (loss) => this.end(loss),
  });
  #ready = Promise.withResolvers<void>();
  #gone = Promise.withResolvers<void>();

  constructor(number: number, host: SlotHost) {
    this.number = number;
    this.#host = host;
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
    const from = performance.now();
    this.#gone = Promise.withResolvers();
    const handle = backend.start({
      onMessage: (message) => {
        try {
          this.#hear(message);
        } catch (error) { // a message that makes no sense must not hang a run
          this.end({ error, at: [] });
        }
      },
      onEnd: (end) => this.#onEnd(end),
    });
    this.#state = { at: "up", handle, backend };
    handle.post(this.#host.startMessage(this.number), []);
    const to = performance.now();
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
    if (this.#state.at === "up" && this.idle) this.#state.handle.setBusy(false);
  }

  #hear(message: FromWorker): void {
    if (this.#state.at !== "up") return;
    if (message === null) return; // a task has posted something of its own
    if (message.type === "done") {
      const sent = this.#inFlight.remove(message.serial);
      if (sent === undefined) return;
      this.#host.onProgress();
      settle(sent, message, this.number, this.#host);
      this.#rest();
    } else if (message.type === "pong") {
      this.#deadline.pong();
    } else if (message.type === "ready") {
      const { number: worker } = this;
      this.#host.emit({ type: "worker-ready", worker, at: performance.now() });
      this.#ready.resolve();
      if (this.#inFlight.chunks === 0) this.#state.handle.setBusy(false);
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

  /** After an answer: the worker has less to do, or nothing. */
  #rest(): void {
    if (this.#state.at !== "up") return;
    if (this.#inFlight.chunks === 0) {
      clearTimeout(this.#timer);
      this.#deadline.stop();
      this.#state.handle.setBusy(false);
      if (this.#closing || this.left < 1) this.end(undefined);
    }
    this.#host.onChange();
  }

  /** The run is over: its tasks get a moment to end, then the worker is ended. */
  release(run: Run): void {
    if (this.run !== run || this.#state.at !== "up") return;
    this.#deadline.stop();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.end(undefined), GRACE_MS);
  }

  /** Ends the worker. */
  end(loss: Loss | undefined): void {
    if (this.#state.at !== "up") return;
    const { handle } = this.#state;
    const index = this.#inFlight.indexAt();
    this.#deadline.stop();
    clearTimeout(this.#timer);
    this.#state = { at: "ending", loss };
    handle.terminate();
    if (this.#state.at !== "ending") return; // it is gone already
    this.#timer = setTimeout(() => {
      this.#host.warn(
        `worker ${this.number} cannot be stopped: ` +
          (index === undefined ? "it" : `the task of input ${index}`) +
          " still runs, and keeps this process from ending. Deno does not " +
          "stop a Web Worker in a synchronous loop: look at " +
          'context.aborted in the loop, or set "timeout" or "backend": ' +
          '"threads".',
      );
      this.#onEnd({});
    }, GONE_MS);
  }

  #onEnd(end: WorkerEnd): void {
    if (this.#state.at === "empty") return; // given up before
    const state = this.#state;
    this.#deadline.stop();
    clearTimeout(this.#timer);
    const wanted = state.at === "ending" && state.loss === undefined;
    const loss: Loss = state.at === "ending" && state.loss !== undefined
      ? { ...end, ...state.loss }
      : { ...end, at: this.#inFlight.at() };
    this.#state = { at: "empty" };
    const { number: worker } = this;
    const at = performance.now();
    this.#host.emit({ type: "worker-end", worker, lost: !wanted, at });
    this.#ready.reject(loss.error ?? new Error("The worker ended"));
    this.#ready = Promise.withResolvers();
    this.#ready.promise.catch(() => {});
    this.#gone.resolve();
    const sent = this.#inFlight.clear();
    this.#inFlight = new InFlight();
    if (!wanted && !judge(sent, loss, this.number)) {
      this.#host.onFruitlessEnd(loss);
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
