/**
 * The book of one worker: what it has been sent and has not answered.
 *
 * @module
 */

import type { Clock } from "../runtime/clock.ts";
import { LAST_SERIAL } from "../wire/board.ts";
import type { Parcel } from "../wire/packing.ts";
import type {
  ChunkMessage,
  DoneMessage,
  HurryMessage,
} from "../wire/protocol.ts";
import { announcementOf } from "./announcement.ts";
import type { Chunk } from "./chunk.ts";
import { Loading } from "./loading.ts";
import type { Run } from "./run.ts";
import type { Loss } from "./settling.ts";
import {
  type Abandoned,
  type Back,
  cutSent,
  findSent,
  type Sent,
  serialsOf,
  splitDone,
} from "./sent.ts";
import { Whereabouts } from "./whereabouts.ts";

/** What one worker has in flight. */
export class InFlight {
  /** The run whose function the worker has. */
  run: Run | undefined;
  /** Which of its tasks the worker is at. */
  readonly where: Whereabouts;
  /** Whether it may still load for a run that is over. */
  readonly loading: Loading;
  readonly #sharesMemory: boolean;
  readonly #sent: Sent[] = [];
  /** Numbers of runs that the worker has got the data of. */
  readonly #brought = new Set<number>();
  /** Those of them that are over. */
  readonly #stale = new Set<number>();
  #serial = 1;
  #tasks = 0;
  #tasksBack = 0; // how many were taken back
  #hurriedTo = 0; // up to which serial it was told to hurry
  #empty = 0; // chunks of which nothing is left
  #stopped = false; // its run is over
  #retires = false; // the worker is to be sent nothing more
  #abandons = false; // it goes on without tasks that it has begun
  #answered = false; // a chunk of this run

  constructor(clock: Clock, sharesMemory: boolean) {
    this.where = new Whereabouts(clock, this.#sent);
    this.loading = new Loading(clock);
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

  /** Whether a message that nobody could read was surely of one task. */
  get isOne(): boolean {
    return this.chunks === 1 && this.#tasks < 2 && !this.loading.goesOn;
  }

  /**
   * Serial number of the first task, if the worker has begun nothing of what it
   * was sent though it has nothing to load: it has the function, or left the ping
   * before the run unanswered. Undefined if it has begun something, or may be
   * loading.
   */
  get waitsAt(): number | undefined {
    const serial = this.#sent[0]?.serial;
    if (serial === undefined) return undefined;
    if (!this.#answered && this.loading.mayBegin) return undefined;
    return this.where.hasBegun(serial) ? undefined : serial;
  }

  /** Whether it may be sent more of its run while it has some. */
  get hasRoom(): boolean {
    const { run } = this;
    if (run === undefined || run.over || this.alone) return false;
    const { concurrency = 1 } = run.options;
    return this.#tasks < concurrency || (this.chunks < 2 && run.prefetches) ||
      this.#unsettled < concurrency;
  }

  /**
   * Whether lanes may come free that nobody tells of: with several, a chunk is
   * answered when the slowest of its tasks is done.
   */
  get hasLanes(): boolean {
    return (this.run?.options.concurrency ?? 1) > 1 && this.chunks > 0 &&
      this.where.board !== undefined;
  }

  /** How many tasks are not done, as far as that is known. */
  get #unsettled(): number {
    if (!this.hasLanes) return this.#tasks;
    const board = this.where.board!;
    const next = Math.max(board.next(), this.#sent[0]!.serial);
    return this.#serial - next + board.busyLanes();
  }

  /**
   * How many tasks this worker may still be sent.
   *
   * @param most How many it may have in all; those that were taken back do not
   * count.
   */
  tasksLeft(most: number): number {
    if (this.#retires) return 0;
    const sent = this.#serial - 1;
    return Math.min(most - (sent - this.#tasksBack), LAST_SERIAL - sent);
  }

  /** Whether a suspect task is in flight: nothing else is, and nothing is to be. */
  get alone(): boolean {
    return this.#sent[0]?.chunk.alone === true;
  }

  /**
   * Makes the message of a chunk, and notes it once it was posted.
   *
   * @param chunk The chunk.
   * @param parcel Its values, packed.
   * @param number Its number in the pool.
   * @returns The message, and what to call when it was posted.
   */
  send(
    chunk: Chunk,
    { packed: values, refused, bytes, gone }: Parcel,
    number: number,
  ): { message: ChunkMessage; note(): void } {
    const { run, first, attempt } = chunk;
    const serial = this.#serial;
    const tasks = { serial, first, attempt, values };
    const message: ChunkMessage = { type: "chunk", ...tasks };
    if (refused.size > 0) message.skip = [...refused.keys()];
    if (run.options.retries && gone.size > 0) message.gone = [...gone];
    if (run.timed) message.timed = true;
    const isNew = this.run !== run;
    const noteRun = isNew ? this.#announce(run, message) : undefined;
    return {
      message,
      note: () => {
        const forgets = noteRun?.();
        const settled = new Set(refused.keys());
        const sent = { chunk, number, serial, bytes, settled, gone };
        this.#sent.push({ ...sent, whole: true, told: 0, forgets });
        this.#serial += chunk.values.length;
        this.#tasks += chunk.values.length;
      },
    };
  }

  /**
   * Lets a message bring the run along that it is of.
   *
   * @returns What to call when it was posted; gives the numbers of the runs that
   * the worker was told to forget.
   */
  #announce(run: Run, message: ChunkMessage): () => readonly number[] {
    const announcement = announcementOf(run);
    message.run = announcement;
    const { concurrency = 1 } = announcement;
    this.run = undefined; // on the board it is over; if this is not posted, it comes anew
    const board = this.#sharesMemory
      ? this.where.allot(concurrency)
      : undefined;
    if (board !== undefined) announcement.board = board;
    const brings = run.data !== undefined && !this.#brought.has(run.number);
    if (brings) announcement.data = run.data;
    const stale = [...this.#stale];
    if (stale.length > 0) announcement.forget = stale;
    return () => {
      this.run = run;
      this.#stopped = this.#answered = false;
      this.where.begin(board, concurrency);
      this.#stale.clear();
      if (brings) this.#brought.add(run.number);
      return stale;
    };
  }

  /**
   * Takes out the chunk that was answered, or, where others of its tasks wait, notes
   * what is done of it.
   *
   * @returns What is answered; undefined if it was dropped.
   */
  answered(
    { serial, tasks, waits, full }: Partial<Omit<DoneMessage, "type">>,
  ): Sent | undefined {
    const at = this.#sent.findIndex((sent) => sent.serial === serial);
    const sent = this.#sent[at];
    if (sent === undefined) return undefined;
    this.loading.hearAnswer();
    this.#answered = true;
    if (full) this.#retires = true;
    const part = waits && splitDone(sent, tasks, waits);
    if (part !== undefined) {
      this.#sent[at] = part.left;
      this.#tasks -= part.left.told - sent.told;
      return part.done;
    }
    this.#sent.splice(at, 1);
    this.#letGo();
    const { length } = sent.chunk.values;
    if (length === 0) this.#empty--;
    this.#tasks -= length - sent.told;
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
    const { board } = this.where;
    if (board !== undefined && board.next() >= this.#serial) {
      return false; // all are begun
    }
    return this.canRepeat;
  }

  /** Whether all can be sent again: tasks whose buffers were moved cannot. */
  get canRepeat(): boolean {
    return this.#sent.every(({ gone }) => gone.size === 0);
  }

  /**
   * A run is over: the worker is to forget its data, and to stop.
   *
   * @returns What `stop` says; undefined if the worker has another run, or none.
   */
  release(run: Run): boolean | undefined {
    if (this.#brought.delete(run.number)) this.#stale.add(run.number);
    return this.run === run ? this.stop() : undefined;
  }

  /**
   * The run is over: the worker is to begin no more tasks of it.
   *
   * @returns Whether it may have begun any of what it was sent, or has had long
   * enough for that.
   */
  stop(): boolean {
    const first = this.where.board?.stop() ?? Infinity;
    this.#stopped = true;
    this.#letGo();
    const begun = first > (this.#sent[0]?.serial ?? 0);
    return begun || this.loading.isLate || this.#answered; // or it loads nothing
  }

  /** A worker that idles keeps nothing of a run that is over. */
  #letGo(): void {
    if (this.#stopped && this.chunks === 0) this.run = undefined;
  }

  /** Takes out all that the worker has not begun and never will. */
  drop(): void {
    this.#tasksBack += this.#tasks;
    this.loading.drop();
    this.forget();
    this.where.forget(); // what stands there is stopped
  }

  /** Whether what is done may wait for a task that is not, and was not asked for. */
  get canHurry(): boolean {
    const chunks = this.chunks - this.#empty;
    return this.#tasks > chunks && this.#hurriedTo < this.#serial;
  }

  /**
   * Says that what is done is wanted.
   *
   * @param end Up to which serial number tasks are taken back.
   * @returns The message to the worker.
   */
  hurry(end?: number): HurryMessage {
    this.#hurriedTo = this.#serial;
    return { type: "hurry", ...(end !== undefined && { end }) };
  }

  /**
   * Takes back what the worker has not begun, if it is at a task: one that has
   * begun none may be on its way there.
   *
   * @returns What each chunk loses, unless the worker is to say it, as no memory is
   * shared; and the message that asks the worker for what it has, unless it may
   * have begun none.
   */
  takeBack(): { back: Back[]; message: HurryMessage | undefined } {
    const end = this.#serial;
    const { board } = this.where;
    const isBeginning = board && board.next() <= this.#sent[0]!.serial;
    if (isBeginning) return { back: [], message: undefined };
    const back = board ? this.cut({ first: board.takeBack(end), end }) : [];
    return { back, message: this.hurry(end) };
  }

  /**
   * The worker will begin no more, from one serial number up to another.
   *
   * @returns What each chunk loses.
   */
  cut({ first, end }: { first: number; end: number }): Back[] {
    const back = cutSent(this.#sent, first, end);
    for (const { sent: { chunk }, from } of back) {
      if (from === 0) this.#empty++;
      this.#tasks -= chunk.values.length - from;
      this.#tasksBack += chunk.values.length - from;
    }
    return back;
  }

  /**
   * The worker goes on without tasks that it has begun: it is to be sent nothing
   * more.
   *
   * @param serials Their serial numbers.
   * @returns Where each was.
   */
  abandon(serials: readonly number[]): Abandoned[] {
    const tasks: Abandoned[] = [];
    for (const serial of serials) {
      const at = findSent(this.#sent, serial);
      if (at < 0) continue;
      const sent = this.#sent[at]!;
      const offset = serial - sent.serial;
      tasks.push({ sent, offset });
      sent.settled.add(offset);
    }
    if (tasks.length > 0) this.#retires = this.#abandons = true;
    return tasks;
  }

  /**
   * Says which tasks a loss may be the fault of, by default those it is at. Where
   * tasks were abandoned, which may go on, only one that is seen to hold the
   * thread is sure to be at fault.
   */
  suspect({ at = this.where.at(), ...loss }: Partial<Loss>): Loss {
    const isSeen = at.length === 1 && this.where.running() === at[0];
    const isUnsure = this.#abandons && !isSeen;
    return { ...loss, at, ...(isUnsure && { sure: false }) };
  }

  /** Takes out all. */
  clear(): Sent[] {
    this.#tasks = this.#empty = 0;
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
      this.#brought.delete(run!.number);
      for (const number of forgets) this.#stale.add(number);
      this.where.forget();
    }
    return all;
  }

  /**
   * Forgets the run, whose function the worker could not get.
   *
   * @param number Of which run the worker says so, if it does.
   * @returns That run, if it is the one it was sent last.
   */
  forget(number: number | undefined = this.run?.number): Run | undefined {
    const { run } = this;
    if (run?.number !== number) return undefined;
    this.clear();
    this.run = undefined;
    return run;
  }

  /** Serial numbers of all tasks that were sent and not answered. */
  all(): number[] {
    return this.#sent.flatMap(serialsOf);
  }
}
