/**
 * The book of one run whose tasks are done elsewhere: what was sent and is not
 * answered, and what an answer means.
 *
 * @module
 */

import type { RunEvent } from "@parallel/map";
import {
  type Chunk,
  type Failure,
  nameThrown,
  type Run,
} from "@parallel/map/seam";
import { checkSteps, endsFold, stepsOf } from "./answer_steps.ts";
import { decodeCause, decodeFailure } from "./failures.ts";
import { checkPacked } from "./message_checks.ts";
import {
  type AnswerMessage,
  type CallMessage,
  type DoneMessage,
  type LinesMessage,
  type SentFunction,
  wire,
} from "./messages.ts";

/** A chunk that is not answered. */
export interface OpenChunk {
  readonly chunk: Chunk;
  readonly number: number;
  /** What was sent, to be sent again if it is lost. */
  readonly body: Uint8Array;
  /** Offsets of tasks that were not sent, in order. */
  readonly skip: number[];
  /** Size of its values in bytes, roughly. */
  readonly bytes: number;
  readonly from: number;
  readonly to: number;
  /** Where it is: the server is known to have had what was sent. */
  at: "here" | "leaving" | "sent";
  /** How often it was sent. */
  sends: number;
  /** Whether the store of the server has it. */
  large: boolean;
}

/** Sends of a chunk that nobody answers, until its tasks count as lost. */
const MOST_SENDS = 10;

/**
 * In how many groups suspects go again, each with a machine for itself. No bench:
 * as in src/core/engine/settling.ts.
 */
const GROUPS = 16;

/** What the book is made with. */
export interface ClientRunSetup {
  run: Run;
  /** What it is, if its inputs are lines. */
  lines: LinesMessage | undefined;
  /** Number of a worker of a machine, for events. */
  numberOf(machine: string, worker: number): number;
  /** Number of a chunk, for events. */
  nextNumber(): number;
  now(): number;
  /** ms since 1970 at which `now` was 0. */
  origin: number;
}

/** The book of one run. */
export class ClientRun {
  readonly run: Run;
  readonly open: Map<number, OpenChunk> = new Map();
  readonly #setup: ClientRunSetup;
  #lanes = 0; // that these fill
  #suspects = 0; // chunks of them that are

  /** Has sent nothing yet. */
  constructor(setup: ClientRunSetup) {
    this.run = setup.run;
    this.#setup = setup;
  }

  /** What a machine is told that asks what the run is. */
  describe(fingerprint: string | undefined): CallMessage {
    const { run } = this;
    if (run.over) return { type: "over" };
    const { timeout, concurrency, chunkSize } = run.options;
    const { fn, combine, data, timed, failing } = run;
    const { lines } = this.#setup;
    const isExport = fn.from === "module";
    return {
      type: "call",
      fn: lines?.fn ?? sentFunction(fn),
      lines: lines?.rules,
      combine: combine && sentFunction(combine),
      data,
      timeout,
      concurrency,
      chunkSize,
      ...failing,
      timed,
      fingerprint: lines !== undefined
        ? lines.fingerprint
        : isExport
        ? fingerprint
        : undefined,
    };
  }

  get #concurrency(): number {
    return this.run.options.concurrency ?? 1;
  }

  /** How many slots the chunks fill: each as many lanes as it has tasks. */
  get filled(): number {
    return this.#lanes / this.#concurrency;
  }

  /** Whether one of them is suspect. */
  get alone(): boolean {
    return this.#suspects > 0;
  }

  /** A chunk is to be sent. */
  add(open: OpenChunk): void {
    this.open.set(open.number, open);
    this.#count(open, 1);
  }

  #remove(open: OpenChunk): void {
    this.open.delete(open.number);
    this.#count(open, -1);
  }

  #count({ chunk: { values, alone } }: OpenChunk, by: 1 | -1): void {
    this.#lanes += by * Math.min(values.length, this.#concurrency);
    if (alone) this.#suspects += by;
  }

  /** Takes an answer; one that was answered before is dropped. */
  settle(answer: AnswerMessage): void {
    const open = this.open.get(answer.number);
    if (open === undefined) return;
    this.#remove(open);
    try {
      this.#read(open, answer);
    } catch (cause) { // whoever wrote it
      if (this.run.over) return;
      this.#failAll(open, undefined, unreadable(cause));
    }
  }

  #read(open: OpenChunk, answer: AnswerMessage): void {
    if (answer.type === "done") return this.#take(open, answer);
    const worker = this.#setup.numberOf(String(answer.machine), 0);
    if (answer.type === "refused") {
      const { message, cause, init } = answer.problem;
      const problem = new Error(String(message));
      const known = cause && { cause: decodeCause(cause) };
      const how = typeof init === "string" ? { init } : {};
      this.run.refuse(Object.assign(problem, known, how));
    } else if (answer.type === "unread") {
      this.#failAll(open, worker, unreadable(decodeCause(answer.error)));
    } else if (answer.type === "lost") {
      this.#lose(open, worker, Number(answer.deliveries));
    } else throw new TypeError("an answer says what became of a chunk");
  }

  /** Takes the outcomes of a chunk; all of them are looked at before. */
  #take(open: OpenChunk, answer: DoneMessage): void {
    const { run } = this;
    const { chunk, skip } = open;
    const { length } = chunk.values;
    checkPacked(answer.values);
    const values = wire.packing.unpack(answer.values);
    const steps = stepsOf(answer, values, run.combine !== undefined);
    const failures = steps.map((step) =>
      step.values ? undefined : decodeFailure(step.failure, run.combine)
    );
    const { lastAttempt = Infinity } = run.failing;
    const isEnd = (failure: Failure | undefined) =>
      failure !== undefined && (chunk.attempt >= lastAttempt ||
        (run.combine !== undefined && endsFold(failure)));
    const gaps = checkSteps(steps, skip, length, failures.some(isEnd));
    const { numberOf } = this.#setup;
    const machine = String(answer.machine);
    const { ms, bytes } = answer;
    if (!(ms >= 0 && ms < Infinity && bytes >= 0 && bytes < Infinity)) {
      throw new RangeError("an answer says how long its tasks took");
    }
    // The time of what was abandoned, or lost with its worker, is not in it.
    if (!failures.some((failure) => failure && isUntimed(failure))) {
      run.learn(chunk, Number(ms), Math.max(open.bytes, Number(bytes)));
    }
    if (run.timed) this.#tell(open, answer);
    for (const [i, step] of steps.entries()) {
      if (step.values !== undefined) {
        run.put(chunk, step.values, step.from, step.to);
        continue;
      }
      const failure = failures[i]!;
      const own = step.worker;
      const worker = own === undefined ? own : numberOf(machine, own);
      const again = run.combine === undefined || !endsFold(failure);
      run.fail(chunk, step.from, failure, worker, again);
    }
    // Mostly nobody wants them any more.
    for (const [from, to] of gaps) run.takeBack(chunk, from, to);
  }

  /** Machines were lost under a chunk: whose fault is that? */
  #lose(open: OpenChunk, worker: number, machines: number): void {
    const { run } = this;
    const { chunk } = open;
    const { values: { length }, alone } = chunk;
    const most = Math.ceil(length / GROUPS);
    for (const [begin, end] of sentOf(open)) {
      for (let from = begin; from < end; from += most) {
        if (!alone || length > 1) { // or what ran beside it
          run.takeBack(chunk, from, Math.min(from + most, end), true);
          continue;
        }
        const error = new Error(`${machines} machines ended under it in a row`);
        run.fail(chunk, from, lost(error), worker, true);
      }
    }
    run.startSmall();
  }

  /** Takes back what was sent so often that nobody will answer. */
  giveUp(open: OpenChunk): boolean {
    if (open.sends < MOST_SENDS) return false;
    this.#remove(open);
    const error = new Error(`no answer came to ${open.sends} messages`);
    this.#failAll(open, undefined, lost(error));
    return true;
  }

  #failAll(
    open: OpenChunk,
    worker: number | undefined,
    failure: Failure,
  ): void {
    const { chunk } = open;
    for (const [from, to] of sentOf(open)) {
      for (let offset = from; offset < to; offset++) {
        this.run.fail(chunk, offset, failure, worker, false);
      }
    }
  }

  /** Tells when the tasks of a chunk ran. */
  #tell(open: OpenChunk, { machine, tracks }: DoneMessage): void {
    const { run } = this;
    const { now, origin, nextNumber, numberOf } = this.#setup;
    const { chunk: { first: start, attempt }, from, to } = open;
    let { reading } = open.chunk; // told once, whoever had the tasks
    for (const track of tracks) {
      const worker = numberOf(String(machine), Number(track.worker));
      const number = nextNumber();
      const tasks = track.from.length;
      const first = start + track.first;
      const at = { run: run.number, chunk: number, worker, first };
      const send: RunEvent = {
        ...{ type: "chunk-send", ...at, tasks, attempt, reading, from, to },
      };
      run.emit(send);
      reading = 0;
      run.emit({
        type: "chunk-done",
        ...at,
        from: track.from.map((ms) => ms - origin),
        to: track.to.map((ms) => ms - origin),
        failed: track.failed.map((offset) => start + offset),
        cpu: track.cpu,
        at: now(),
      });
    }
  }
}

/** Stretches of tasks of a chunk that were sent. */
function* sentOf(
  { chunk: { values: { length } }, skip }: OpenChunk,
): Generator<[from: number, to: number]> {
  let from = 0;
  for (const offset of skip) {
    if (offset > from) yield [from, offset];
    from = offset + 1;
  }
  if (length > from) yield [from, length];
}

function isUntimed({ why }: Failure): boolean {
  return why === "timeout" || why === "lost";
}

function unreadable(cause: unknown): Failure {
  const text = cause instanceof Error ? cause.message : nameThrown(cause);
  const reason = `what cannot be read: ${text}`;
  return { why: "unsendable", what: "result", refusal: { reason, cause } };
}

function lost(error: Error): Failure {
  const nothing = { code: undefined, signal: undefined, moved: false };
  return { why: "lost", ...nothing, error };
}

function sentFunction(
  ref: { name: string; from: string; source?: string },
): SentFunction {
  return ref.from === "source"
    ? { name: ref.name, source: ref.source! }
    : { name: ref.name };
}
