/**
 * The engine of a pool on NATS: sends the chunks of its runs to whichever
 * machine has a slot, and takes the answers. Nothing it sends is lost: what the
 * server has forgotten, it sends again.
 *
 * @module
 */

import type { RunEvent, RunOptions } from "@parallel/map";
import {
  type Chunk,
  type ChunkTimes,
  type Clock,
  closedError,
  type Engine,
  type Parcel,
  part,
  type Run,
  Runs,
  VainSends,
} from "@parallel/map/seam";
import { ClientRun, type OpenChunk } from "./client_run.ts";
import type { Connection } from "./connection.ts";
import { Inbox } from "./inbox.ts";
import { Machines } from "./machines.ts";
import type { AnswerMessage, ChunkMessage, LinesMessage } from "./messages.ts";
import { writeParcel } from "./parcels.ts";
import { Posts } from "./posts.ts";
import { Upkeep } from "./upkeep.ts";

/**
 * How many chunks fill the lanes of a slot at first, at most. Less, and more tasks
 * wait for the slowest of their chunk; more, and the first chunks alone, of which
 * each costs a ms, take longer than the tasks. No bench.
 */
const GROUPS = 16;

/**
 * How long chunks should be, in ms: one costs about a ms of each program on its
 * way. With several lanes, there are as many times the tasks to be fed.
 */
function timesOf({ concurrency = 1 }: RunOptions): ChunkTimes {
  const first = Math.max(1, concurrency / GROUPS);
  return { target: 50, feed: concurrency, least: 10, cheap: 5, first };
}

/** What the engine is made of. */
export interface NatsEngineSetup {
  connection: Connection;
  clock: Clock;
  /** Id of this client. */
  client: string;
  /** ms that a call waits for a machine. */
  workerTimeout: number;
  onEvent: ((event: RunEvent) => void) | undefined;
  /** What its runs are, if their inputs are lines. */
  lines: LinesMessage | undefined;
}

/** Has tasks done by the machines of a pool. */
export class NatsEngine implements Engine {
  readonly times = timesOf;
  readonly machines: Machines;
  readonly #setup: NatsEngineSetup;
  readonly #inbox: Inbox;
  readonly #posts: Posts;
  readonly #upkeep: Upkeep;
  readonly #vain: VainSends;
  readonly #runs: Runs;
  readonly #books = new Map<string, ClientRun>();
  #chunks = 0;
  #numbers = 0;
  #working = false;
  #closed: Promise<void> | undefined;

  /** Listens to machines; sends nothing yet. */
  constructor(setup: NatsEngineSetup) {
    const { connection, clock, client } = setup;
    this.#setup = setup;
    this.#runs = new Runs(setup.onEvent);
    this.#vain = new VainSends(clock, () => this.#work());
    this.machines = new Machines({
      connection,
      clock,
      emit: (event) => this.#runs.emit(event),
      onChange: () => this.#touchAll(),
    });
    this.#inbox = new Inbox({
      connection,
      client,
      describe: (run) =>
        this.#books.get(run)?.describe(this.machines.fingerprints[0]) ??
          { type: "over" },
      hear: (run, answer) => this.#hear(run, answer),
    });
    this.#posts = new Posts({
      connection,
      client,
      books: this.#books,
      onTaken: () => this.#upkeep.speaks(),
      onEnd: (run) => this.touch(run),
    });
    this.#upkeep = new Upkeep({
      ...setup,
      machines: this.machines,
      books: this.#books,
      forget: (key, chunk) => this.#posts.forget(key, chunk),
      send: (key, chunk) => void this.#posts.post(key, chunk),
      refuse: (error) => {
        this.#runs.refuse(error);
        this.#work();
      },
      onGivenUp: () => this.#touchAll(),
    });
  }

  /** Begins to listen to answers. */
  async open(): Promise<void> {
    await this.#inbox.open();
  }

  get closed(): boolean {
    return this.#closed !== undefined;
  }

  get atRest(): boolean {
    return [...this.#books.values()].every(({ open }) => open.size === 0);
  }

  /**
   * Whether a suspect is on its way. No other goes until it is answered: it
   * would wait for its turn on a machine that the first one may end.
   */
  get #alone(): boolean {
    return [...this.#books.values()].some(({ alone }) => alone);
  }

  async start(): Promise<void> {
    await this.#upkeep.waitForMachine(() => this.closed);
  }

  add(run: Run): void {
    const key = String(run.number);
    const { clock: { origin, now }, lines } = this.#setup;
    const book = new ClientRun({
      run,
      lines,
      numberOf: (machine, worker) => this.machines.numberOf(machine, worker),
      nextNumber: () => ++this.#numbers,
      now,
      origin,
    });
    this.#books.set(key, book);
    this.#runs.add(run);
    const over = () => this.#end(key, book);
    run.done.then(over, over);
    this.#upkeep.begin();
    this.touch(run);
  }

  touch(run: Run): void {
    this.#runs.touched.add(run);
    this.#work();
  }

  close(finish = false): Promise<void> {
    const closed = this.#closed ??= this.#close(finish);
    if (!finish) this.#stopAll();
    return closed;
  }

  async #close(finish: boolean): Promise<void> {
    await Promise.resolve(); // #closed is set from here on
    if (finish) {
      await Promise.allSettled([...this.#runs.all].map((r) => r.done));
    }
    this.#stopAll();
    await Promise.resolve(); // those that ended are told
    this.#upkeep.end();
    this.machines.close();
    await this.#inbox.close();
    await this.#setup.connection.close();
    const { thrown } = this.#runs;
    if (thrown !== undefined) throw thrown.error;
  }

  #stopAll(): void {
    this.#runs.stop(closedError());
    this.#work();
  }

  #touchAll(): void {
    for (const run of this.#runs.all) this.#runs.touched.add(run);
    this.#work();
  }

  /** Whether enough is under way: each slot is full, and finds what fills it next. */
  get #isFull(): boolean {
    const { slots } = this.machines;
    let filled = 0;
    for (const book of this.#books.values()) filled += book.filled;
    return slots === 0 || filled >= 2 * slots + 2;
  }

  #work(): void {
    if (this.#working) return; // seen by the loop below
    this.#working = true;
    try {
      do {
        for (const run of this.#runs.touched) {
          this.#runs.touched.delete(run);
          if (!this.#runs.all.has(run)) continue;
          if (run.over) this.#runs.remove(run);
          else this.#runs.ready.add(run);
        }
      } while (this.#feedOne() || this.#runs.touched.size > 0);
    } finally {
      this.#working = false;
    }
  }

  /** Sends the next chunk of whichever run has one. */
  #feedOne(): boolean {
    if (this.#vain.hold || this.#isFull) return false;
    for (const run of this.#runs.ready) {
      this.#runs.ready.delete(run); // until it is touched
      const chunk = run.take(Infinity, !this.#alone);
      if (run.over) this.#runs.touched.add(run); // its inputs ended it
      if (chunk === undefined) continue;
      this.#runs.ready.add(run); // at the end of the line: runs take turns
      this.#send(chunk);
      return true;
    }
    return false;
  }

  /** Sends a chunk; of what is too large for one message, the first half. */
  #send(chunk: Chunk): void {
    const { run, values, first, attempt, alone, reading } = chunk;
    const from = this.#setup.clock.now();
    const number = ++this.#chunks;
    const messageOf = (parcel: Parcel): ChunkMessage => ({
      ...{ type: "chunk", number, first, attempt, alone },
      skip: skippedIn(parcel),
      values: parcel.packed,
    });
    const { parcel, body } = writeParcel(values, messageOf);
    if (body.length > this.#setup.connection.limit && values.length > 1) {
      const half = values.length >> 1;
      run.takeBack(chunk, half, values.length);
      return this.#send(part(chunk, 0, half, { reading }));
    }
    this.#runs.touched.add(run);
    const skip = skippedIn(parcel);
    const book = this.#books.get(String(run.number))!;
    if (skip.length < values.length) {
      const { bytes } = parcel;
      const to = this.#setup.clock.now();
      const way = { from, to, at: "here" as const, sends: 0, large: false };
      const open: OpenChunk = { chunk, number, body, skip, bytes, ...way };
      book.add(open);
      void this.#posts.post(String(run.number), open);
    } else this.#vain.note();
    for (const [offset, refusal] of parcel.refused) {
      const failure = { why: "unsendable", what: "input", refusal } as const;
      run.fail(chunk, offset, failure, undefined, false);
    }
  }

  #hear(key: string, answer: AnswerMessage): void {
    this.#upkeep.heard();
    const book = this.#books.get(key);
    if (book === undefined) return; // it is over
    const { number } = answer;
    const open = book.open.get(number);
    if (open !== undefined) this.#posts.forget(key, open);
    book.settle(answer);
    this.#runs.touched.add(book.run);
    if (open?.chunk.alone) this.#touchAll(); // the next suspect may go
    else this.#work();
  }

  /** Tells the machines that a run is over: they drop what comes of it. */
  #end(key: string, book: ClientRun): void {
    const { connection, client } = this.#setup;
    this.#books.delete(key);
    const chunks = [...book.open.values()];
    book.open.clear();
    for (const chunk of chunks) this.#posts.forget(key, chunk);
    if (this.#books.size === 0) this.#upkeep.end();
    if (chunks.some(({ chunk }) => chunk.alone)) this.#touchAll();
    else this.#work();
    this.#inbox.forget(key);
    const { nc, down } = connection;
    if (nc.isClosed() || down > 0) return; // machines ask, and hear it then
    nc.publish(connection.subject("over"), `${client}.${key}`);
  }
}

/** Offsets of tasks that are not sent, in order. */
function skippedIn({ refused }: Parcel): number[] {
  return [...refused.keys()].sort((a, b) => a - b);
}
