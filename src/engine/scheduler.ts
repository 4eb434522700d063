/**
 * Feeds the tasks of the runs to the slots, and starts workers as they are
 * needed.
 *
 * @module
 */

import type { RunEvent } from "../events.ts";
import type { Backend, WorkerEnd } from "../runtime/runtime.ts";
import { lastTurn, nextTurn } from "../runtime/runtime.ts";
import type { StartMessage } from "../wire/protocol.ts";
import { createWire } from "../wire/wire.ts";
import { nameThrown } from "./failures.ts";
import type { Chunk, Run } from "./run.ts";
import type { SlotHost } from "./slot.ts";
import { Slot } from "./slot.ts";

/** Workers lost in a row, with no task to blame, before the runs give up. */
const MOST_FRUITLESS_ENDS = 3;

/** Makes workers. */
export interface WorkerMaker {
  /** How many there may be; 0 for none but the caller's thread. */
  readonly workers: number;
  /** The backend for a run: one that stops loops, if the run needs that. */
  backend(stopsLoops: boolean): Backend;
  /** The first message to a worker. */
  startMessage(worker: number): StartMessage;
}

/** What a scheduler is made of. */
export interface SchedulerSetup {
  crew: WorkerMaker;
  maxTasksPerWorker: number;
  onEvent: ((event: RunEvent) => void) | undefined;
  /** Whether to close when the last run is over. */
  oneShot: boolean;
}

/** What a call is told that was pending when its pool was closed. */
export function closedError(): DOMException {
  return new DOMException("The pool was closed", "AbortError");
}

/** Feeds slots. */
export class Scheduler {
  readonly #setup: SchedulerSetup;
  readonly #host: SlotHost;
  readonly #slots: Slot[] = [];
  #runs: Run[] = [];
  #chunks = 0;
  #fruitless = 0;
  #pumping = false;
  #pumpAgain = false;
  #startedOne = false;
  #closed: Promise<void> | undefined;

  constructor(setup: SchedulerSetup) {
    this.#setup = setup;
    this.#host = {
      ...createWire(),
      maxTasksPerWorker: setup.maxTasksPerWorker,
      startMessage: (worker) => setup.crew.startMessage(worker),
      nextChunk: () => ++this.#chunks,
      emit: (event) => this.#emit(event),
      onChange: () => this.pump(),
      onStartFailure: (error) => this.#refuseAll(error),
      onFruitlessEnd: (end) => this.#onFruitlessEnd(end),
      onProgress: () => this.#fruitless = 0,
      warn: (text) => console.error(`@parallel/map: ${text}`),
    };
  }

  /** A slot without a worker; a new one, if there may be more. */
  #emptySlot(): Slot | undefined {
    const slot = this.#slots.find((slot) => slot.empty);
    if (
      slot !== undefined ||
      this.#slots.length >= Math.max(1, this.#setup.crew.workers)
    ) {
      return slot;
    }
    const added = new Slot(this.#slots.length, this.#host);
    this.#slots.push(added);
    return added;
  }

  /** Whether it takes no more runs. */
  get closed(): boolean {
    return this.#closed !== undefined;
  }

  /** Adds a run, whose tasks are then sent. */
  add(run: Run): void {
    this.#runs.push(run);
    this.pump();
  }

  /** Takes out a run that is over. */
  remove(run: Run): void {
    this.#runs = this.#runs.filter((other) => other !== run);
    for (const slot of this.#slots) slot.release(run);
    if (this.#setup.oneShot) void this.close();
    else this.pump();
  }

  /** Starts every worker. */
  async start(): Promise<void> {
    for (let slot; !this.closed && (slot = this.#emptySlot());) {
      slot.start(this.#setup.crew.backend(false));
    }
    await Promise.all(this.#slots.map((slot) => slot.ready));
  }

  /** Gives work to whoever can take it. */
  pump(): void {
    this.#pumpAgain = true;
    if (this.#pumping) return; // seen by the loop below
    this.#pumping = true;
    try {
      while (this.#pumpAgain) {
        this.#pumpAgain = false;
        while (this.#runs.length > 0 && !this.closed && this.#feedOne());
      }
    } finally {
      this.#pumping = false;
    }
  }

  /** Sends one chunk: to an idle worker, a new one, or a busy one with room. */
  #feedOne(): boolean {
    for (const slot of this.#slots) {
      if (slot.idle && this.#feed(slot)) return true;
    }
    const empty = this.#emptySlot();
    if (empty !== undefined) {
      // No task waits in one worker while another could be started for it.
      return !this.#startedOne && this.#feed(empty);
    }
    for (const slot of this.#slots) {
      const chunk = slot.hasRoom && slot.run?.take(slot.left, false);
      if (!chunk) continue;
      this.#send(slot, chunk);
      return true;
    }
    return false;
  }

  /** Gives a slot without work the next chunk of whichever run has one. */
  #feed(slot: Slot): boolean {
    for (const run of [...this.#runs]) {
      if (!slot.fits(run)) {
        slot.retire();
        return true;
      }
      const chunk = run.take(slot.left, true);
      if (chunk === undefined) continue;
      // To the end of the line: runs take turns.
      this.#runs = this.#runs.filter((other) => other !== run).concat(run);
      this.#send(slot, chunk);
      return true;
    }
    return false;
  }

  #send(slot: Slot, chunk: Chunk): void {
    try {
      slot.send(chunk, () => {
        const { timeout } = chunk.run.options;
        const backend = this.#setup.crew.backend(timeout !== undefined);
        if (backend.startBlocks) this.#startNextLater();
        return backend;
      });
    } catch (cause) { // the runtime would not make a worker
      const message = `the runtime must make a worker: received ${cause}`;
      chunk.run.refuse(new Error(message, { cause }));
    }
  }

  /** One blocking start a turn, so that answers are heard in between. */
  #startNextLater(): void {
    this.#startedOne = true;
    nextTurn(() => {
      this.#startedOne = false;
      this.pump();
    });
  }

  #emit(event: RunEvent): void {
    try {
      this.#setup.onEvent?.(event);
      for (const run of this.#runs) run.hear(event);
    } catch (error) {
      for (const run of [...this.#runs]) run.stop(error);
    }
  }

  #refuseAll(error: unknown): void {
    for (const run of [...this.#runs]) run.refuse(error);
  }

  #onFruitlessEnd(end: WorkerEnd): void {
    if (++this.#fruitless < MOST_FRUITLESS_ENDS) return;
    this.#fruitless = 0;
    const { code, error: cause } = end;
    const how = cause !== undefined
      ? `, the last of ${nameThrown(cause)}`
      : code !== undefined
      ? `, the last with code ${code}`
      : "";
    this.#refuseAll(
      new Error(
        `a worker must stay alive: received ${MOST_FRUITLESS_ENDS} ends in a row before any task${how}`,
        { cause },
      ),
    );
  }

  /**
   * Ends all runs and workers.
   *
   * @returns Settled when no worker is left.
   */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  async #close(): Promise<void> {
    await Promise.resolve(); // #closed is set from here on
    for (const run of [...this.#runs]) run.stop(closedError());
    await Promise.all(this.#slots.map((slot) => slot.close()));
    await lastTurn();
  }
}
