/**
 * What one worker has been sent and has not answered, and which task it is at.
 *
 * @module
 */

import type { Refusal } from "../wire/packing.ts";
import type { RunMessage } from "../wire/protocol.ts";
import type { Chunk, Run } from "./run.ts";

/** A chunk that was sent. */
export interface Sent {
  readonly chunk: Chunk;
  /** Number of the chunk in its pool, for events. */
  readonly number: number;
  /** Serial number of its first task in this worker, from 1. */
  readonly serial: number;
  /** Size of its values in bytes, roughly. */
  readonly bytes: number;
  /** Offsets of tasks that were not sent. */
  readonly refused: ReadonlyMap<number, Refusal>;
  /** Whether its buffers were moved, so that it cannot be sent again. */
  readonly moved: boolean;
}

/** What one worker has in flight. */
export class InFlight {
  /** The run whose function the worker has. */
  run: Run | undefined;
  readonly #sent: Sent[] = [];
  #serial = 1;
  #tasks = 0;
  #cell: Int32Array = new Int32Array(0);
  #epoch = 0;

  /** How many chunks. */
  get chunks(): number {
    return this.#sent.length;
  }

  /** How many tasks. */
  get tasks(): number {
    return this.#tasks;
  }

  /** How many tasks this worker was sent in all. */
  get tasksSent(): number {
    return this.#serial - 1;
  }

  /** Whether a suspect task is in flight, which must be the only one. */
  get alone(): boolean {
    return this.#sent.some(({ chunk }) => chunk.alone);
  }

  /**
   * Makes the message that announces a run, and the cell for its tasks.
   *
   * @param run The run of the next chunks.
   * @returns The message.
   */
  announce(run: Run): RunMessage {
    const { concurrency = 1, transfer = false, timeout } = run.options;
    const cell = new SharedArrayBuffer(8 * concurrency);
    this.run = run;
    this.#cell = new Int32Array(cell);
    this.#epoch = performance.timeOrigin + performance.now();
    return {
      type: "run",
      fn: run.fn,
      concurrency,
      transfer,
      over: run.over,
      cell,
      watched: timeout !== undefined && timeout < Infinity,
      epoch: this.#epoch,
    };
  }

  /** The serial number the next chunk gets. */
  get nextSerial(): number {
    return this.#serial;
  }

  /** Notes a chunk that was sent. */
  add(sent: Sent): void {
    this.#sent.push(sent);
    this.#serial += sent.chunk.values.length;
    this.#tasks += sent.chunk.values.length;
  }

  /** Takes out the chunk with that serial number, which was answered. */
  remove(serial: number): Sent | undefined {
    const at = this.#sent.findIndex((sent) => sent.serial === serial);
    if (at < 0) return undefined;
    const [sent] = this.#sent.splice(at, 1);
    this.#tasks -= sent.chunk.values.length;
    return sent;
  }

  /** Takes out all. */
  clear(): Sent[] {
    this.#tasks = 0;
    return this.#sent.splice(0);
  }

  /** Serial numbers of the tasks the worker is at. */
  at(): number[] {
    const serials: number[] = [];
    for (let lane = 0; lane < this.#cell.length; lane += 2) {
      const serial = Atomics.load(this.#cell, lane);
      if (this.#has(serial)) serials.push(serial);
    }
    return serials;
  }

  /** Index of the first task the worker is at; undefined if at none. */
  indexAt(): number | undefined {
    const [serial] = this.at();
    const sent = this.#sent.findLast((sent) => sent.serial <= serial);
    return sent && sent.chunk.first + serial - sent.serial;
  }

  #has(serial: number): boolean {
    return this.#sent.some((sent) =>
      serial >= sent.serial && serial < sent.serial + sent.chunk.values.length
    );
  }

  /**
   * Finds the tasks that have run too long.
   *
   * @param timeout The limit in ms.
   * @returns Their serial numbers, and in how many ms to look again.
   */
  overdue(timeout: number): { serials: number[]; again: number } {
    const now = performance.timeOrigin + performance.now() - this.#epoch;
    const serials: number[] = [];
    let again = timeout;
    for (let lane = 0; lane < this.#cell.length; lane += 2) {
      const serial = Atomics.load(this.#cell, lane);
      if (!this.#has(serial)) continue;
      const started = Atomics.load(this.#cell, lane + 1) / 10;
      // The worker writes the serial number, then the time: read in between,
      // the time is an older task's. Look again before judging.
      if (now - started < timeout) {
        again = Math.min(again, timeout - (now - started));
      } else if (Atomics.load(this.#cell, lane) === serial) {
        serials.push(serial);
      }
    }
    return { serials, again: Math.max(1, again) };
  }
}
