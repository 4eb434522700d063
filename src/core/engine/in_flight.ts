/**
 * The book of one worker: what it has been sent and has not answered, and which
 * task it is at. An *index* counts the inputs of a run, a *serial* number the
 * tasks of a worker, from 1, an *offset* those of a chunk.
 *
 * @module
 */

import type { Clock } from "../runtime/clock.ts";
import type { Board, BoardMemory } from "../wire/board.ts";
import { allotBoard, createBoard, LAST_SERIAL } from "../wire/board.ts";
import type { Parcel } from "../wire/packing.ts";
import type {
  AtMessage,
  ChunkMessage,
  TakeBackMessage,
} from "../wire/protocol.ts";
import { announcementOf } from "./announcement.ts";
import { canPass, type Sight } from "./deadline.ts";
import { type Chunk, part } from "./chunk.ts";
import type { Run } from "./run.ts";
import {
  type Back,
  doneSerials,
  hasSerial,
  type Sent,
  serialsOf,
} from "./sent.ts";

/** What one worker has in flight. */
export class InFlight {
  /** The run whose function the worker has. */
  run: Run | undefined;
  readonly #clock: Clock;
  readonly #sharesMemory: boolean;
  readonly #sent: Sent[] = [];
  /** Runs that the worker has got the data of. */
  readonly #brought = new Set<Run>();
  #serial = 1;
  #tasks = 0;
  #tasksBack = 0; // how many were taken back
  #isFull = false; // the worker has more memory than it may keep
  /** The memory that is shared with this worker, once it has had a run. */
  #board: Board | undefined;
  #lanes = 0; // how many have a place there
  #epoch = 0;
  /** What it last said it is at, and when that was heard. */
  #noted: AtMessage & { at: number } | undefined;
  /** Whose results it was seen to make ready to send, and since when. */
  #sending = { serials: "", since: 0 };

  constructor(clock: Clock, sharesMemory: boolean) {
    this.#clock = clock;
    this.#sharesMemory = sharesMemory;
  }

  /** How many chunks. */
  get chunks(): number {
    return this.#sent.length;
  }

  /** How many tasks. */
  get tasks(): number {
    return this.#tasks;
  }

  /** Whether it may be sent more of its run while it has some. */
  get hasRoom(): boolean {
    const { run } = this;
    if (run === undefined || run.over || this.alone) return false;
    return this.#tasks < (run.options.concurrency ?? 1) ||
      (this.chunks < 2 && run.prefetches);
  }

  /**
   * How many tasks this worker may still be sent.
   *
   * @param most How many it may have in all; those that were taken back do not
   * count.
   */
  tasksLeft(most: number): number {
    if (this.#isFull) return 0;
    const sent = this.#serial - 1;
    return Math.min(most - (sent - this.#tasksBack), LAST_SERIAL - sent);
  }

  /** Whether a suspect task is in flight, which must be the only one. */
  get alone(): boolean {
    return this.#sent.some(({ chunk }) => chunk.alone);
  }

  #now(): number {
    return this.#clock.origin + this.#clock.now();
  }

  /**
   * Makes the message of a chunk, and notes it once it was posted.
   *
   * @param chunk The chunk.
   * @param parcel Its values, packed.
   * @returns The message, and what to call when it was posted.
   */
  send(
    chunk: Chunk,
    { packed: values, refused, bytes, gone }: Parcel,
  ): { message: ChunkMessage; note(number: number): void } {
    const { run, first, attempt } = chunk;
    const serial = this.#serial;
    const tasks = { serial, first, attempt, values };
    const message: ChunkMessage = { type: "chunk", ...tasks };
    if (refused.size > 0) message.skip = [...refused.keys()];
    if (run.timed) message.timed = true;
    const isNew = this.run !== run;
    const noteRun = isNew ? this.#announce(run, message) : undefined;
    return {
      message,
      note: (number) => {
        const forgets = noteRun?.();
        const sent = { chunk, number, serial, bytes, refused, gone };
        this.#sent.push({ ...sent, whole: true, forgets });
        this.#serial += chunk.values.length;
        this.#tasks += chunk.values.length;
      },
    };
  }

  /**
   * Lets a message bring the run along that it is of.
   *
   * @returns What to call when it was posted; says which runs the worker was
   * told to forget.
   */
  #announce(run: Run, message: ChunkMessage): () => readonly Run[] {
    const announcement = announcementOf(run);
    message.run = announcement;
    const { concurrency = 1 } = announcement;
    // The worker has nothing to do: nobody writes there now.
    let board: BoardMemory | undefined;
    if (concurrency <= this.#lanes) this.#board!.clear();
    else if (this.#sharesMemory) {
      board = { bytes: allotBoard(concurrency), epoch: this.#now() };
      announcement.board = board;
    }
    const brings = run.data !== undefined && !this.#brought.has(run);
    if (brings) announcement.data = run.data;
    const over = [...this.#brought].filter((run) => run.over);
    if (over.length > 0) announcement.forget = over.map(({ number }) => number);
    return () => {
      this.run = run;
      if (board !== undefined) {
        this.#board = createBoard(board);
        this.#epoch = board.epoch;
        this.#lanes = concurrency;
      }
      this.#noted = undefined;
      for (const run of over) this.#brought.delete(run);
      if (brings) this.#brought.add(run);
      return over;
    };
  }

  /** Takes out the chunk that was answered. */
  remove(
    { serial, tasks, full }: { serial: number; tasks?: number; full?: boolean },
  ): Sent | undefined {
    if (full) this.#isFull = true;
    const at = this.#sent.findIndex((sent) => sent.serial === serial);
    if (at < 0) return undefined;
    const sent = this.#sent.splice(at, 1)[0]!;
    const { length } = sent.chunk.values;
    this.#tasks -= length;
    // It did not begin the others. What a task posted may say any number.
    if (tasks !== undefined && tasks >= 0) {
      this.#tasksBack += Math.max(0, length - tasks);
    }
    return sent;
  }

  /** Whether there may be tasks not begun that can be sent elsewhere. */
  get canGoElsewhere(): boolean {
    const { run } = this;
    if (this.#tasks < 2 || run?.options.chunkSize !== undefined) return false;
    if (this.#board !== undefined && this.#board.next() >= this.#serial) {
      return false; // all are begun
    }
    // Tasks whose buffers were moved cannot be sent again.
    return this.#sent.every(({ gone }) => gone.size === 0);
  }

  /** The run is over: the worker is to begin no more tasks of it. */
  stop(): void {
    this.#board?.stop();
  }

  /**
   * Takes back what the worker has not begun, if it is at a task: one that has
   * begun none may be on its way there.
   *
   * @returns What each chunk loses; or, where no memory is shared, the message
   * that asks the worker to answer with what it has.
   */
  takeBack(): Back[] | TakeBackMessage {
    const end = this.#serial;
    if (this.#board === undefined) return { type: "take-back", end };
    if (this.#board.next() <= this.#sent[0]!.serial) return [];
    const first = this.#board.takeBack(end);
    const back: Back[] = [];
    for (const [at, sent] of this.#sent.entries()) {
      const { chunk, serial } = sent;
      const { length } = chunk.values;
      const from = Math.max(0, first - serial);
      if (from >= length) continue;
      back.push({ sent, from });
      this.#sent[at] = { ...sent, chunk: part(chunk, 0, from), whole: false };
      this.#tasks -= length - from;
      this.#tasksBack += length - from;
    }
    return back;
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
    const running = this.#running();
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

  /** Takes out all. */
  clear(): Sent[] {
    this.#tasks = 0;
    return this.#sent.splice(0);
  }

  /**
   * Takes out all, which the worker could not read: if a run came with it, the
   * worker knows nothing of that one.
   */
  clearUnread(): Sent[] {
    const { run } = this;
    const all = this.clear();
    for (const { forgets } of all) {
      if (forgets === undefined) continue;
      this.forget();
      this.#brought.delete(run!);
      for (const run of forgets) this.#brought.add(run);
      this.#board = undefined;
      this.#lanes = 0;
    }
    return all;
  }

  /** Forgets the run, whose function the worker could not get. */
  forget(): Run | undefined {
    const { run } = this;
    this.clear();
    this.run = undefined;
    return run;
  }

  /** Serial numbers of all tasks that were sent and not answered. */
  all(): number[] {
    return this.#sent.flatMap(serialsOf);
  }

  #has(serial: number): boolean {
    return this.#sent.some((sent) => hasSerial(sent, serial));
  }

  /** Serial number of the task that holds the thread, if that can be told. */
  #running(): number | undefined {
    const serial = this.#board?.running() ?? this.#noted?.folds ?? 0;
    return this.#has(serial) ? serial : undefined;
  }

  /**
   * Serial numbers of the tasks the worker is at, or about to answer: one, if it
   * can be told. Where no memory is shared, all that were not answered, or, with
   * `timeout`, all that may have begun.
   */
  at(): number[] {
    const running = this.#running();
    if (running !== undefined) return [running];
    if (this.#board !== undefined) {
      const at = this.#board.serials().filter((serial) => this.#has(serial));
      return at.concat(this.#done(at));
    }
    if (this.#noted === undefined) return []; // it has no function yet
    if (!canPass(this.run?.options.timeout)) return this.all();
    const { tasks, unknown } = this.#lookAtNotes();
    const serials = tasks.map(({ serial }) => serial).concat(unknown.serials);
    return serials.length > 0 ? serials : this.#done([]);
  }

  /** Serial numbers of what it is about to answer, beside those it is at. */
  #done(at: readonly number[]): number[] {
    const next = this.#board?.next() ?? (this.#noted?.begun ?? 0) + 1;
    return doneSerials(this.#sent, next, at);
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
    const seen = { tasks, running: this.#running(), ping };
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
