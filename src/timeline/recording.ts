/**
 * What was recorded, in the order of the events: runs, workers, chunks, and
 * calls that were timed by hand. Recording must take next to no time, as it
 * happens during the run. tracks.ts sorts the records afterwards.
 *
 * @module
 */

import type { RunEvent } from "../../mod.ts";

/** An event of one type. */
type EventOf<T extends RunEvent["type"]> = Extract<RunEvent, { type: T }>;

/** One `map` or `stream`. */
export interface RunRecord extends Omit<EventOf<"run-start">, "type"> {
  from: number;
  /** When it ended; undefined while it goes on. */
  to: number | undefined;
  /** Whether every task settled. */
  ok: boolean;
}

/** One life of one worker. */
export interface WorkerRecord {
  worker: number;
  /** Which pool it was of, counted from 0: each has workers of its own. */
  pool: number;
  from: number;
  /** When starting it no longer blocked the caller's thread. */
  to: number;
  ready: number | undefined;
  end: number | undefined;
  lost: boolean;
}

/** One message of tasks, and its answer. */
export interface ChunkRecord
  extends Omit<EventOf<"chunk-send">, "type" | "to"> {
  /** Position of its run in the recording. */
  run: number;
  /** The worker that it was sent to, in that life. */
  life: WorkerRecord;
  /** When sending it no longer blocked the caller's thread. */
  sent: number;
  /** When it was answered, or its worker ended; undefined until then. */
  to: number | undefined;
  /** Start and end of each task that ran; empty without an answer. */
  began: Float64Array;
  ended: Float64Array;
  failed: readonly number[];
  /** CPU time that its worker reported with the answer, in ms. */
  cpu: number | undefined;
}

/** A task that its worker did not answer. */
export interface FailureRecord extends Omit<EventOf<"task-fail">, "type"> {
  /** Position of its run in the recording. */
  run: number;
}

/** A call in the caller's own thread. */
export interface CallRecord {
  from: number;
  to: number;
  failed: boolean;
}

/**
 * Which events were recorded: "all" events of the workers; a "part" of them, as
 * the pool had other runs as well; or those of "two pools" at the same time,
 * which nothing distinguishes.
 */
export type Heard = "all" | "part" | "two pools";

const NONE = new Float64Array(0);

/** Which input a task is of, by the index of the task. */
export type InputOf = (index: number) => number;

/** Records events. */
export class Recording {
  /** Undefined where they have the same index. */
  readonly inputOf: InputOf | undefined;
  readonly runs: RunRecord[] = [];
  readonly workers: WorkerRecord[] = [];
  readonly chunks: ChunkRecord[] = [];
  readonly failures: FailureRecord[] = [];
  readonly calls: CallRecord[] = [];
  heard: Heard = "all";
  /** When the last event happened. */
  last = -Infinity;
  readonly #runAt = new Map<number, number>(); // number in the pool → position
  readonly #lives = new Map<number, WorkerRecord>(); // the living one in a slot
  readonly #out = new Map<number, ChunkRecord>(); // chunks not answered
  /** Slots whose worker of the pool before may still say something. */
  readonly #left = new Set<number>();
  #event: RunEvent | undefined; // the last event
  #pool = 0; // how many pools there were before
  #run = 0; // number of the last run in its pool
  #open = 0; // runs in progress
  #chunk = 0; // number of the last chunk in its pool

  /**
   * Makes a recording of nothing.
   *
   * @param inputOf Which input a task is of, if not that of the same index.
   */
  constructor(inputOf?: InputOf) {
    this.inputOf = inputOf;
  }

  /**
   * Records an event.
   *
   * @param event What happened.
   */
  hear(event: RunEvent): void {
    if (event === this.#event) return; // it came by onEvent of pool and run
    this.#event = event;
    if ("at" in event) this.last = event.at;
    switch (event.type) {
      case "run-start":
        return this.#startRun(event);
      case "run-end": {
        const position = this.#runAt.get(event.run);
        if (position === undefined) return; // its run-start was not recorded
        const run = this.runs[position]!;
        run.to = event.at;
        run.ok = event.ok;
        this.#open--;
        // What its workers have not begun, or cannot load, is never answered.
        return this.#close(event.at, (chunk) => chunk.run === position);
      }
      case "worker-start":
        return this.#startLife(event.worker, event.from, event.to);
      case "worker-ready": {
        const life = this.#lives.get(event.worker);
        if (life !== undefined) life.ready = event.at;
        return;
      }
      case "worker-end":
        // If it was lost, it is one that had something to do.
        if (this.#left.delete(event.worker) && !event.lost) return;
        return this.#endLife(event.worker, event.lost, event.at);
      case "chunk-send":
        return this.#send(event);
      case "chunk-done": {
        const chunk = this.#out.get(event.chunk);
        // After an abort, an answer of the pool before may arrive in this one.
        if (chunk?.worker !== event.worker || chunk.first !== event.first) {
          return;
        }
        if (this.#left.has(event.worker)) {
          const { from } = this.runs[chunk.run]!;
          if (!event.from.some((began) => began >= from)) return;
        }
        this.#out.delete(event.chunk);
        chunk.to = event.at;
        chunk.began = event.from;
        chunk.ended = event.to;
        chunk.failed = event.failed;
        chunk.cpu = event.cpu;
        return;
      }
      case "task-fail": {
        if (event.why === "threw") return; // chunk-done says so as well
        const run = this.#runAt.get(event.run);
        if (run === undefined) return; // its run-start was not recorded
        this.failures.push({ ...event, run });
        // Nor is answered what a worker could not read.
        const { why, worker, index, at } = event;
        if (why !== "unsendable") return;
        this.#close(
          at,
          (chunk) =>
            chunk.worker === worker && chunk.first <= index &&
            index < chunk.first + chunk.tasks,
        );
      }
    }
  }

  /**
   * Records a call that was timed by hand.
   *
   * @param call When it was, and whether it threw.
   */
  addCall(call: CallRecord): void {
    this.calls.push(call);
    this.last = call.to;
  }

  #startRun(event: EventOf<"run-start">): void {
    const { run, at: from } = event;
    if (run <= this.#run) this.#startPool(from);
    if (run !== this.#run + 1) this.#missed();
    this.#run = run;
    this.#open++;
    this.#runAt.set(run, this.runs.length);
    this.runs.push({ ...event, from, to: undefined, ok: true });
  }

  /** A pool counts its runs upwards, so a lower number is of another pool. */
  #startPool(at: number): void {
    if (this.#open > 0) this.heard = "two pools";
    // Nobody may have recorded how the workers of the pool before ended. Those
    // that were started after its last run belong to the new pool.
    const over = this.runs.at(-1)?.to ?? at;
    this.#pool++;
    for (let n = this.workers.length - 1; n >= 0; n--) {
      const life = this.workers[n]!;
      if (life.from < over) break;
      life.pool = this.#pool;
    }
    for (const [worker, life] of this.#lives) {
      if (life.pool === this.#pool) continue;
      this.#endLife(worker, false, at);
      this.#left.add(worker);
    }
    this.#close(at, () => true);
    this.#out.clear();
    this.#runAt.clear();
    this.#run = 0;
    this.#chunk = 0;
  }

  /** A number is missing: a run or chunk that was not recorded has it. */
  #missed(): void {
    if (this.heard === "all") this.heard = "part";
  }

  #startLife(worker: number, from: number, to: number): void {
    this.#endLife(worker, false, from); // if no event said that it ended
    const life: WorkerRecord = {
      worker,
      pool: this.#pool,
      from,
      to,
      ready: undefined,
      end: undefined,
      lost: false,
    };
    this.#lives.set(worker, life);
    this.workers.push(life);
  }

  #endLife(worker: number, lost: boolean, at: number): void {
    const life = this.#lives.get(worker);
    if (life !== undefined) {
      life.end = at;
      life.lost = lost;
      this.#lives.delete(worker);
    }
    this.#close(at, (chunk) => chunk.worker === worker);
  }

  /** No answer is to come to some chunks. */
  #close(at: number, which: (chunk: ChunkRecord) => boolean): void {
    for (const chunk of this.#out.values()) if (which(chunk)) chunk.to ??= at;
  }

  /** Of a worker that goes on, what is closed would be kept for ever. */
  #forget(worker: number): void {
    for (const [number, chunk] of this.#out) {
      if (chunk.worker === worker && chunk.to !== undefined) {
        this.#out.delete(number);
      }
    }
  }

  #send(event: EventOf<"chunk-send">): void {
    if (event.chunk !== this.#chunk + 1) this.#missed();
    this.#chunk = event.chunk;
    const run = this.#runAt.get(event.run);
    if (run === undefined) return; // its run-start was not recorded
    if (!this.#lives.has(event.worker)) { // no event said that it started
      const known = this.workers.some(({ pool, worker }) =>
        pool === this.#pool && worker === event.worker
      );
      const from = known ? event.from : this.runs[run]!.from;
      this.#startLife(event.worker, from, from);
    }
    // It gets more of a run that goes on, or has nothing left to answer.
    this.#forget(event.worker);
    const chunk: ChunkRecord = {
      ...event,
      run,
      life: this.#lives.get(event.worker)!,
      sent: event.to,
      to: undefined,
      began: NONE,
      ended: NONE,
      failed: [],
      cpu: undefined,
    };
    this.#out.set(event.chunk, chunk);
    this.chunks.push(chunk);
  }
}
