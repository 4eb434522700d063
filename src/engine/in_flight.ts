/**
 * What one worker has been sent and has not answered, and which task it is at.
 *
 * @module
 */

import type { Clock } from "../runtime/clock.ts";
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
  /** Offsets of tasks that cannot be sent again: their buffers were moved. */
  readonly gone: ReadonlySet<number>;
}

/** What one worker has in flight. */
export class InFlight {
  /** The run whose function the worker has. */
  run: Run | undefined;
  readonly #clock: Clock;
  readonly #sent: Sent[] = [];
  #serial = 1;
  #tasks = 0;
  #cell: Int32Array = new Int32Array(0);
  #epoch = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

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
    const cell = new SharedArrayBuffer(4 + 8 * concurrency);
    this.run = run;
    this.#cell = new Int32Array(cell);
    this.#epoch = this.#clock.origin + this.#clock.now();
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

  /** Serial numbers of all tasks that were sent and not answered. */
  all(): number[] {
    return this.#sent.flatMap(({ serial, chunk, refused }) =>
      Array.from(chunk.values, (_, offset) => offset)
        .filter((offset) => !refused.has(offset))
        .map((offset) => serial + offset)
    );
  }

  /** Serial numbers of the tasks the worker is at: one, if it can be told. */
  at(): number[] {
    const running = this.#load(0);
    if (this.#has(running)) return [running];
    return this.#lanes().map(({ serial }) => serial);
  }

  #load(at: number): number {
    return at < this.#cell.length ? Atomics.load(this.#cell, at) : 0;
  }

  /** The lanes that are at a task; `started` in ms after the epoch. */
  #lanes(): { serial: number; started: number | undefined }[] {
    const lanes = [];
    for (let at = 1; at < this.#cell.length; at += 2) {
      const serial = this.#load(at);
      if (!this.#has(serial)) continue;
      const started = this.#load(at + 1);
      // The time is another task's if the lane went on in between.
      const same = this.#load(at) === serial;
      lanes.push({ serial, started: same ? started : undefined });
    }
    return lanes;
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
    const now = Math.floor(
      this.#clock.origin + this.#clock.now() - this.#epoch,
    );
    const serials: number[] = [];
    let again = timeout;
    for (const { serial, started = now } of this.#lanes()) {
      // Both are whole ms modulo 2^32: exact for the 24 days a timer can wait.
      const left = timeout - (now - started | 0);
      if (left <= 0) serials.push(serial);
      else again = Math.min(again, left);
    }
    return { serials, again: Math.max(1, again) };
  }
}
