/**
 * Which tasks a worker is at, as far as it can be told: by the memory that it
 * shares with its slot, or by what it says. docs/workers.md says what follows.
 *
 * @module
 */

import type { Clock } from "../runtime/clock.ts";
import type { Board, BoardMemory } from "../wire/board.ts";
import { allotBoard, createBoard } from "../wire/board.ts";
import type { AtMessage } from "../wire/protocol.ts";
import type { Sight } from "./deadline.ts";
import { doneSerials, findSent, type Sent, serialsOf } from "./sent.ts";

/** What can be seen of one worker. */
export class Whereabouts {
  readonly #clock: Clock;
  /** What the worker was sent and has not answered, as its book changes it. */
  readonly #sent: readonly Sent[];
  #board: Board | undefined;
  #lanes = 0; // how many have a place there
  #epoch = 0;
  /** What it last said it is at, and when that was heard. */
  #noted: AtMessage & { at: number } | undefined;
  /** Whose results it was seen to make ready to send, and since when. */
  #sending = { serials: "", since: 0 };

  constructor(clock: Clock, sent: readonly Sent[]) {
    this.#clock = clock;
    this.#sent = sent;
  }

  /** The memory that is shared with this worker, once it has had a run. */
  get board(): Board | undefined {
    return this.#board;
  }

  #now(): number {
    return this.#clock.origin + this.#clock.now();
  }

  /**
   * The worker has nothing to do, and gets another run: nobody writes to its
   * memory now.
   *
   * @param lanes How many lanes that run has.
   * @returns Memory that has place for them, if what there is has not.
   */
  allot(lanes: number): BoardMemory | undefined {
    this.#board?.clear();
    return lanes > this.#lanes
      ? { bytes: allotBoard(lanes), epoch: this.#now() }
      : undefined;
  }

  /** That was posted: from now on, it is what the worker writes to. */
  begin(memory: BoardMemory | undefined, lanes: number): void {
    this.#noted = undefined;
    if (memory === undefined) return;
    this.#board = createBoard(memory);
    this.#epoch = memory.epoch;
    this.#lanes = lanes;
  }

  /** It was posted, and not read. */
  forget(): void {
    this.#board = undefined;
    this.#lanes = 0;
  }

  /** The worker says what it is at, as it shares no memory. */
  hear(message: AtMessage): void {
    this.#noted = { ...message, at: this.#clock.now() };
  }

  /**
   * What it has said that it is at, and what may have begun since then: it says
   * when it begins a chunk, and now and then in it.
   */
  #lookAtNotes(): {
    tasks: Sight["tasks"];
    unknown: NonNullable<Sight["unknown"]>;
  } {
    const { tasks, begun, at } = this.#noted ?? { tasks: [], begun: 0, at: 0 };
    const since = this.#clock.now() - at;
    const begunChunk = this.#sent.findLast(({ serial }) => serial <= begun);
    const running = this.running();
    if (running !== undefined) {
      const tasks = [{ serial: running, ran: since }];
      return { tasks, unknown: { serials: [], ran: since } };
    }
    return {
      tasks: tasks.filter(({ serial }) => this.#has(serial))
        .map(({ serial, ran }) => ({ serial, ran: ran + since })),
      unknown: {
        serials: begunChunk === undefined ? [] : serialsOf(begunChunk)
          .filter((serial) => serial > begun),
        ran: since,
      },
    };
  }

  #has(serial: number): boolean {
    return findSent(this.#sent, serial) >= 0;
  }

  /** Serial number of the task that holds the thread, if that can be told. */
  running(): number | undefined {
    const serial = this.#board?.running() ?? this.#noted?.folds ?? 0;
    return this.#has(serial) ? serial : undefined;
  }

  /**
   * Serial numbers of the tasks the worker is at, or about to answer: one, if it
   * can be told. Where no memory is shared, all that were not answered, or, with
   * `timeout`, all that may have begun.
   */
  at(): number[] {
    const running = this.running();
    if (running !== undefined) return [running];
    if (this.#board !== undefined) {
      const at = this.#board.serials().filter((serial) => this.#has(serial));
      return at.concat(this.#done(at));
    }
    if (this.#noted === undefined) return []; // it has no function yet
    const timeout = this.#sent[0]?.chunk.run.options.timeout;
    if (timeout === undefined) return this.#sent.flatMap(serialsOf);
    const { tasks, unknown } = this.#lookAtNotes();
    const serials = tasks.map(({ serial }) => serial).concat(unknown.serials);
    return serials.length > 0 ? serials : this.#done([]);
  }

  /** Whether a task has begun, as far as that is known. */
  hasBegun(serial: number): boolean {
    return serial < this.#next();
  }

  #next(): number {
    return this.#board?.next() ?? (this.#noted?.begun ?? 0) + 1;
  }

  /** Serial numbers of what it is about to answer, beside those it is at. */
  #done(at: readonly number[]): number[] {
    return doneSerials(this.#sent, this.#next(), at);
  }

  /** Index of the first task the worker is at; undefined if at none. */
  indexAt(): number | undefined {
    const [serial = 0] = this.at();
    const sent = this.#sent.findLast((sent) => sent.serial <= serial);
    return sent && sent.chunk.first + serial - sent.serial;
  }

  /** What can be seen of its tasks now. */
  look(ping: Sight["ping"]): Sight {
    if (this.#board === undefined) {
      const seen = { ...this.#lookAtNotes(), running: undefined, ping };
      return { ...seen, sending: this.#lookAtSending(seen) };
    }
    const now = Math.floor(this.#now() - this.#epoch);
    const lanes = this.#board.lanes();
    const tasks = lanes.filter(({ serial }) => this.#has(serial))
      .map(({ serial, since = now }) => ({ serial, ran: now - since | 0 }));
    const seen = { tasks, running: this.running(), ping };
    return { ...seen, sending: this.#lookAtSending(seen) };
  }

  /** Whose results it may be making ready to send, and how long it was seen so. */
  #lookAtSending({ tasks, running }: Sight): Sight["sending"] {
    const at = tasks.map(({ serial }) => serial);
    const serials = running === undefined
      ? this.#done(at)
      : [running].filter((serial) => !at.includes(serial));
    const now = this.#clock.now();
    const key = `${serials}`;
    if (key !== this.#sending.serials) {
      this.#sending = { serials: key, since: now };
    }
    return { serials, ran: now - this.#sending.since };
  }
}
