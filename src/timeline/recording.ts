/**
 * What was recorded, as it came: runs, workers, chunks, and calls timed by
 * hand. Writing down must cost next to nothing; reading it is tracks.ts.
 *
 * @module
 */

import type { RunEvent } from "../../mod.ts";

/** One `map` or `stream`. */
export interface RunRecord {
  name: string;
  total: number | undefined;
  workers: number;
  cores: number;
  runtime: string;
  from: number;
  /** When it ended; undefined while it goes on. */
  to: number | undefined;
  /** Whether every task settled. */
  ok: boolean;
}

/** One life of one worker. */
export interface WorkerRecord {
  worker: number;
  from: number;
  /** When the caller had its thread back. */
  to: number;
  ready: number | undefined;
  end: number | undefined;
  lost: boolean;
}

/** One message of tasks, and its answer. */
export interface ChunkRecord {
  /** Position of its run in the recording. */
  run: number;
  worker: number;
  first: number;
  tasks: number;
  attempt: number;
  /** How long reading its inputs took, in ms. */
  reading: number;
  /** When sending it began. */
  from: number;
  /** When the caller went on. */
  sent: number;
  /** When it was answered or given up; undefined while it is out. */
  to: number | undefined;
  /** Start and end of each task that ran; empty without an answer. */
  began: Float64Array;
  ended: Float64Array;
  failed: readonly number[];
}

/** A task that its worker did not answer. */
export interface FailureRecord {
  run: number;
  worker: number | undefined;
  index: number;
  why: "lost" | "timeout" | "unsendable";
  at: number;
}

/** A call in the caller's own thread. */
export interface CallRecord {
  from: number;
  to: number;
  failed: boolean;
}

const NONE = new Float64Array(0);

/** Writes down events. */
export class Recording {
  readonly runs: RunRecord[] = [];
  readonly workers: WorkerRecord[] = [];
  readonly chunks: ChunkRecord[] = [];
  readonly failures: FailureRecord[] = [];
  readonly calls: CallRecord[] = [];
  /** CPU time of the workers, in ms; undefined while nobody told any. */
  cpu: number | undefined;
  /** When the last event was told. */
  last = -Infinity;
  readonly #runAt = new Map<number, number>(); // number in the pool → position
  readonly #lives = new Map<number, WorkerRecord>(); // the living one in a slot
  readonly #out = new Map<number, ChunkRecord>(); // chunks not answered

  /**
   * Writes an event down.
   *
   * @param event What happened.
   */
  hear(event: RunEvent): void {
    if ("at" in event) this.last = event.at;
    switch (event.type) {
      case "run-start": {
        const { run, name, total, workers, cores, runtime, at } = event;
        this.#runAt.set(run, this.runs.length);
        const open = { to: undefined, ok: true };
        this.runs.push({
          name,
          total,
          workers,
          cores,
          runtime,
          from: at,
          ...open,
        });
        return;
      }
      case "run-end": {
        const position = this.#runAt.get(event.run);
        if (position === undefined) return; // its start was not heard
        const run = this.runs[position];
        run.to = event.at;
        run.ok = event.ok;
        return;
      }
      case "worker-start": {
        const { worker, from, to } = event;
        const rest = { ready: undefined, end: undefined, lost: false };
        const life: WorkerRecord = { worker, from, to, ...rest };
        this.#lives.set(worker, life);
        this.workers.push(life);
        return;
      }
      case "worker-ready": {
        const life = this.#lives.get(event.worker);
        if (life !== undefined) life.ready = event.at;
        return;
      }
      case "worker-end":
        return this.#end(event.worker, event.lost, event.at);
      case "chunk-send": {
        const { worker, first, tasks, attempt, reading, from, to: sent } =
          event;
        const run = this.#position(event.run);
        const chunk: ChunkRecord = {
          ...{ run, worker, first, tasks, attempt, reading, from, sent },
          ...{ to: undefined, began: NONE, ended: NONE, failed: [] },
        };
        this.#out.set(event.chunk, chunk);
        this.chunks.push(chunk);
        return;
      }
      case "chunk-done": {
        const chunk = this.#out.get(event.chunk);
        if (chunk === undefined) return;
        this.#out.delete(event.chunk);
        chunk.to = event.at;
        chunk.began = event.from;
        chunk.ended = event.to;
        chunk.failed = event.failed;
        if (event.cpu !== undefined) this.cpu = (this.cpu ?? 0) + event.cpu;
        return;
      }
      case "task-fail": {
        const { worker, index, why, at } = event;
        if (why === "threw") return; // told by chunk-done as well
        const run = this.#position(event.run);
        this.failures.push({ run, worker, index, why, at });
      }
    }
  }

  /**
   * Writes down a call that was timed by hand.
   *
   * @param call When it was, and whether it threw.
   */
  addCall(call: CallRecord): void {
    this.calls.push(call);
    this.last = call.to;
  }

  #position(run: number): number {
    return this.#runAt.get(run) ?? 0;
  }

  #end(worker: number, lost: boolean, at: number): void {
    const life = this.#lives.get(worker);
    if (life !== undefined) {
      life.end = at;
      life.lost = lost;
      this.#lives.delete(worker);
    }
    for (const [number, chunk] of this.#out) {
      if (chunk.worker !== worker) continue;
      chunk.to = at;
      this.#out.delete(number);
    }
  }
}
