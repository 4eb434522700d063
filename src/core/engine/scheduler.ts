/**
 * The engine of this machine: feeds the tasks of the runs to the slots, starts
 * workers as they are needed, and decides what each report of a slot means.
 *
 * Whatever happens, reports are taken one after another and never within each
 * other, so that no step sees another half done. How it closes stands in
 * docs/closing.md.
 *
 * @module
 */

import type { RunEvent } from "../api/events.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Backend } from "../runtime/runtime.ts";
import { createWire, type Wire } from "../wire/wire.ts";
import type { Engine } from "./engine.ts";
import { closedError } from "./engine.ts";
import { nameThrown } from "./failures.ts";
import type { Chunk } from "./chunk.ts";
import type { Report, SlotSetup } from "./report.ts";
import type { Run } from "./run.ts";
import { Runs } from "./runs.ts";
import { packChunk, postChunk } from "./sending.ts";
import { failAll, failLate, judge, sendElsewhere, settle } from "./settling.ts";
import type { Slot } from "./slot.ts";
import { Slots } from "./slots.ts";
import { Turns } from "./turns.ts";
import type { WorkerMaker } from "./worker_maker.ts";

/** What a scheduler is made of. */
export interface SchedulerSetup {
  maker: WorkerMaker;
  clock: Clock;
  maxTasksPerWorker: number;
  onEvent: ((event: RunEvent) => void) | undefined;
}

/** Feeds slots. */
export class Scheduler implements Engine {
  readonly #setup: SchedulerSetup;
  readonly #tools: Wire & { clock: Clock };
  readonly #slots: Slots;
  readonly #runs: Runs;
  readonly #turns: Turns;
  readonly #reports: [Slot, Report][] = [];
  #working = false;
  #chunks = 0;
  #closed: Promise<void> | undefined;
  #ended = false; // closed, and no run goes on

  constructor(setup: SchedulerSetup) {
    this.#setup = setup;
    this.#runs = new Runs(setup.onEvent);
    this.#turns = new Turns(setup.clock);
    const { crossing } = setup.maker;
    this.#tools = { ...createWire(undefined, crossing), clock: setup.clock };
    const slotSetup: SlotSetup = {
      clock: setup.clock,
      codec: this.#tools.codec,
      maxTasksPerWorker: setup.maxTasksPerWorker,
      startMessage: (worker) => setup.maker.startMessage(worker),
      report: (slot, report) => {
        this.#reports.push([slot, report]);
        this.#work();
      },
      anyIdle: () => this.#slots.anyIdle,
      warn: (text) => console.error(`@parallel/map: ${text}`),
    };
    this.#slots = new Slots(slotSetup, setup.maker, () => this.#work());
  }

  get closed(): boolean {
    return this.#closed !== undefined;
  }

  get atRest(): boolean {
    return this.#slots.atRest;
  }

  add(run: Run): void {
    this.#runs.add(run);
    this.#slots.called();
    this.touch(run);
  }

  touch(run: Run): void {
    this.#runs.touched.add(run);
    this.#work();
  }

  async start(): Promise<void> {
    await this.#startAll();
    await this.#startAll(); // in place of those that were just being ended
    if (this.closed) throw closedError();
  }

  /** Starts all that may be, and waits until none is being started or ended. */
  async #startAll(): Promise<void> {
    while (!this.closed && this.#slots.mayStart) {
      const needs = { stopsLoops: false, imports: false };
      this.#start(this.#slots.empty(), this.#setup.maker.backend(needs));
    }
    this.#work();
    await Promise.all(this.#slots.all.map((slot) => slot.ready));
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
    this.#ended = true;
    this.#stopAll();
    await Promise.all(this.#slots.all.map((slot) => slot.close()));
    await this.#tools.clock.settled();
    const { thrown } = this.#runs;
    if (thrown !== undefined) throw thrown.error;
  }

  #stopAll(): void {
    this.#runs.stop(closedError());
    this.#work();
  }

  /** Takes all reports, then gives work to whoever can take it. */
  #work(): void {
    if (this.#working) return; // seen by the loop below
    this.#working = true;
    this.#slots.begin();
    try {
      do {
        for (let next; (next = this.#reports.shift()) !== undefined;) {
          this.#take(...next);
        }
        for (const run of this.#runs.touched) this.#look(run);
      } while (
        this.#feedOne() || this.#reports.length > 0 ||
        this.#runs.touched.size > 0
      );
    } finally {
      this.#working = false;
    }
  }

  /** Decides what a report means. */
  #take(slot: Slot, report: Report): void {
    const { number: worker } = slot;
    const { clock } = this.#tools;
    if (report.type === "answer") {
      const { run } = report.sent.chunk;
      this.#slots.heard(report.answer.ms);
      settle(report.sent, report.answer, worker, this.#tools);
      this.#runs.answered(run);
      this.#runs.touched.add(run);
    } else if (report.type === "back") {
      for (const { sent, from } of report.back) {
        sendElsewhere(sent, from);
        this.#runs.touched.add(sent.chunk.run);
      }
    } else if (report.type === "abandoned") {
      for (const task of report.tasks) {
        failLate(task, worker);
        this.#runs.touched.add(task.sent.chunk.run);
      }
    } else if (report.type === "unread") {
      for (const one of report.sent) {
        failAll(one, report.what, report.error, worker);
        this.#runs.touched.add(one.chunk.run);
      }
    } else if (report.type === "ready") {
      this.#slots.ready();
      this.#runs.emit({ type: "worker-ready", worker, at: clock.now() });
    } else if (report.type === "refused") {
      const { run, error } = report;
      if (run !== undefined) this.#runs.refuse(error, [run]);
    } else if (report.type === "useless") this.#runs.refuse(report.error);
    else {
      const { sent, loss, canLive } = report;
      const lost = loss !== undefined;
      this.#runs.emit({ type: "worker-end", worker, lost, at: clock.now() });
      for (const { chunk } of sent) this.#runs.touched.add(chunk.run);
      // One that ended while it was idle, before it was known, counts for
      // nothing.
      if (lost && !judge(sent, loss, worker) && !canLive) {
        this.#runs.countEnd(sent[0]?.chunk.run, loss);
      }
    }
    if (this.#ended && slot.idle) slot.end();
  }

  /** Sees to a run that was touched. */
  #look(run: Run): void {
    this.#runs.touched.delete(run);
    if (!this.#runs.all.has(run)) return;
    // Where no worker is to ask it, nobody would see that there is no more.
    const isAsked = () => this.#runs.all.size === 1 && this.#slots.anyAsk;
    if (!run.over && run.isSettled && !isAsked()) run.readAhead();
    if (!run.over) return void this.#runs.ready.add(run);
    this.#runs.remove(run);
    for (const slot of this.#slots.all) slot.release(run);
    if (this.#runs.all.size === 0) this.#slots.rest();
  }

  /** Sends one chunk: to an idle worker, a new one, or a busy one with room. */
  #feedOne(): boolean {
    if (this.#runs.ready.size === 0 || this.#ended) return false;
    if (this.#slots.holds) return false;
    for (const slot of this.#slots.idle()) {
      const { atRest } = this.#slots;
      if (!this.#feed(slot)) continue;
      if (atRest) this.#slots.heard();
      return true;
    }
    const { mayStart } = this.#slots;
    if (mayStart) {
      if (this.#slots.starting) return false;
      if (this.#slots.pays(this.#runs.msLeft)) {
        return this.#feed(this.#slots.empty());
      }
    }
    for (const first of this.#slots.all) {
      const { run, load } = first;
      // A run that is not ready: a worker that idles has just asked it in vain.
      // What comes next is for that worker: here it might wait behind a long task.
      if (load === Infinity || !run || !this.#runs.ready.has(run)) continue;
      const slot = this.#slots.lightest(first);
      // No task waits here while one more worker may be started, unless it can
      // be taken back for that.
      const { chunkSize, transfer } = run.options;
      if (mayStart && (chunkSize !== undefined || transfer)) continue;
      // Else it would never idle, and what waits would get no turn.
      if (this.#turns.isOver(slot.number) && this.#runs.othersWait(run)) {
        continue;
      }
      if (this.#sendNext(slot, run, false)) return true;
    }
    return false;
  }

  /** Gives a slot without work the next chunk of whichever run has one. */
  #feed(slot: Slot): boolean {
    for (const run of this.#runs.ready) {
      if (!this.#slots.fits(slot, run)) {
        slot.end();
        return true;
      }
      this.#runs.ready.delete(run); // until it is touched
      if (this.#sendNext(slot, run, true)) return true;
    }
    return false;
  }

  /** Sends the next chunk of a run, if there is one. */
  #sendNext(slot: Slot, run: Run, idle: boolean): boolean {
    const chunk = run.take(slot.tasksLeft, idle);
    if (run.over) this.#runs.touched.add(run); // its inputs ended it
    if (chunk === undefined) return false;
    this.#runs.sent(run);
    if (idle) this.#turns.begin(slot.number);
    this.#send(slot, chunk);
    return true;
  }

  /** Sends a chunk. What cannot be sent fails, by its index. */
  #send(slot: Slot, chunk: Chunk): void {
    const { run, values } = chunk;
    this.#runs.touched.add(run);
    let parcel = packChunk(chunk, this.#tools.packing);
    if (parcel.refused.size < values.length) { // else nothing is left to send
      if (slot.empty && !this.#startFor(slot, run)) return;
      if (run.over) return; // a listener ended it
      parcel = postChunk(slot, chunk, parcel, this.#chunks + 1, this.#tools);
    }
    if (parcel.refused.size < values.length) this.#chunks++;
    else this.#slots.vain.note();
    for (const [offset, refusal] of parcel.refused) {
      const failure = { why: "unsendable", what: "input", refusal } as const;
      run.fail(chunk, offset, failure, undefined, false);
    }
  }

  /** Starts a worker for a run; says whether the runtime would. */
  #startFor(slot: Slot, run: Run): boolean {
    try {
      this.#start(slot, this.#slots.backendFor(run));
      return true;
    } catch (cause) {
      const received = nameThrown(cause);
      const what = `the runtime must make a worker: received ${received}`;
      run.refuse(new Error(what, { cause }));
      return false;
    }
  }

  #start(slot: Slot, backend: Backend): void {
    const { clock } = this.#tools;
    const from = clock.now();
    this.#slots.start(slot, backend);
    const { number: worker } = slot;
    this.#runs.emit({ type: "worker-start", worker, from, to: clock.now() });
  }
}
