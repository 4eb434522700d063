/**
 * The stream of inputs through a log: those that have a result there do not
 * run, and what becomes of the others is written.
 *
 * @module
 */

import type { Inputs, TaskOutcome } from "../../mod.ts";
import { Breath } from "./breath.ts";
import { createKeys } from "./input_keys.ts";
import { inputText } from "./input_text.ts";
import { Copies, handlePromises } from "./inputs.ts";
import type { KeptResults } from "./kept_results.ts";
import type { LogFile } from "./log_file.ts";
import type { LogNote } from "./log_record.ts";
import { formatRecord } from "./log_record.ts";
import type {
  LogFormat,
  LoggedOutcome,
  LogStreamOptions,
  SettledAsTheyCome,
} from "./options.ts";
import { readResult, writeResult } from "./result_text.ts";
import { renumber, RunningInputs } from "./running_inputs.ts";
import { Turnstile } from "./turnstile.ts";

const SETTLED: SettledAsTheyCome = { settled: true, ordered: false };

/**
 * How many outcomes may be ready for the reader. Fewer, and those of a slow
 * reader are logged later; more run in vain when it leaves. No bench.
 */
const MOST_READY = 1000;

/** Inputs on their way through a log. */
export class LoggedStream<T, R> {
  readonly #inputs: Inputs<T | PromiseLike<T>>;
  readonly #copies: Copies;
  readonly #file: LogFile | undefined;
  readonly #kept: KeptResults | undefined;
  readonly #key: ((input: T) => string) | undefined;
  readonly #format: LogFormat<R>;
  readonly #note: (outcome: TaskOutcome<T, R>) => LogNote | undefined;
  readonly #turnstile: Turnstile<LoggedOutcome<T, R>>;
  readonly #running: RunningInputs<T>;
  readonly #breath = new Breath();
  #ready: LoggedOutcome<T, R>[] = [];
  #end: { error?: unknown } | undefined;
  #waiting: (() => void)[] = [];

  /**
   * Makes a stream; nothing is read yet.
   *
   * @param inputs All inputs.
   * @param options How they are known again.
   * @param log Its file, if outcomes are to be written, and what it holds.
   */
  constructor(
    inputs: Inputs<T | PromiseLike<T>>,
    options: LogStreamOptions<T, R>,
    log: { file: LogFile | undefined; kept: KeptResults | undefined },
  ) {
    this.#inputs = inputs;
    this.#copies = new Copies(inputs);
    this.#file = log.file;
    this.#kept = log.kept;
    this.#key = options.key;
    this.#running = new RunningInputs(options.key);
    this.#format = options.format ?? JSON;
    this.#note = options.note ?? (() => ({}));
    this.#turnstile = new Turnstile(
      options.ordered ?? true,
      (outcome) => this.#ready.push(outcome),
    );
  }

  /**
   * Maps the inputs that must run.
   *
   * @param run Maps them.
   * @returns The outcomes of all inputs.
   */
  read(
    run: (
      rest: AsyncIterable<T>,
      options: SettledAsTheyCome,
    ) => AsyncIterable<TaskOutcome<T, R>>,
  ): Outcomes<T, R> {
    const inputs = this.#inputs as Partial<Iterable<T> & AsyncIterable<T>>;
    if (!(inputs?.[Symbol.asyncIterator] ?? inputs?.[Symbol.iterator])) {
      throw new TypeError(
        `Cannot stream as inputs must be iterable or async iterable: received ${typeof inputs}`,
      );
    }
    handlePromises(inputs); // each is awaited in its turn, or never
    const outcomes = run(this.#rest(), SETTLED);
    if (typeof outcomes?.[Symbol.asyncIterator] !== "function") {
      throw wrongOutcome(outcomes);
    }
    return this.#leavable(this.#read(outcomes));
  }

  /**
   * Lets a reader leave also while it waits for an outcome: a generator would only
   * end when that has come, which may be never.
   */
  #leavable(outcomes: Outcomes<T, R>): Outcomes<T, R> {
    const leavable: Outcomes<T, R> = {
      next: () => outcomes.next(),
      return: (value) => {
        this.close({});
        return outcomes.return(value);
      },
      throw: (error) => {
        this.close({});
        return outcomes.throw(error);
      },
      [Symbol.asyncIterator]: () => leavable,
      [Symbol.asyncDispose]: async () => void await leavable.return(undefined),
    };
    return leavable;
  }

  async *#read(
    outcomes: AsyncIterable<TaskOutcome<T, R>>,
  ): Outcomes<T, R> {
    const iterator = outcomes[Symbol.asyncIterator]();
    const taken = this.#take(iterator);
    try {
      for (;;) {
        if (this.#ready.length > 0) {
          // Whoever gets an outcome may end the program there: it must be in the
          // file. One write for all that come at once, however they come.
          await this.#file?.turn();
          const ready = this.#ready;
          this.#ready = [];
          this.#file?.flush();
          this.#change();
          for (const outcome of ready) {
            const isOpen = this.#copies.isOpen(outcome.input);
            if (isOpen || (outcome.kept && this.#breath.isDue)) {
              await this.#breath.take();
            }
            const input = this.#copies.seen(outcome.input);
            yield input === outcome.input ? outcome : { ...outcome, input };
          }
        } else if (this.#end === undefined) await this.#changed();
        else if ("error" in this.#end) throw this.#end.error;
        else return;
      }
    } finally {
      this.close({});
      await iterator.return?.();
      await taken;
    }
  }

  /** Gives out the inputs that have no result, and the results of the others. */
  async *#rest(): AsyncGenerator<T, undefined, undefined> {
    const keyOf = createKeys();
    let index = -1;
    for await (const given of this.#inputs) {
      const input = await given; // an async iterator may give promises as well
      index++;
      // Also where it runs: the stream does not see the others, by which it would
      // know that one object is filled again.
      const own = this.#copies.of(input);
      // Also while the reader gets nothing, as all wait for the first that runs.
      if (this.#breath.isDue) await this.#breath.take();
      while (this.#crowded || (this.#turnstile.full && !this.#end)) {
        await this.#changed();
      }
      if (this.#end !== undefined) return;
      const key = keyOf(inputText(input, index, this.#key));
      if (this.#end !== undefined) return; // what made the text ended it
      const line = this.#kept?.find(key);
      if (line === undefined) {
        this.#running.add({ index, key, input, own });
        yield input;
      } else {
        const value = readResult(line, index, this.#format);
        const [status, kept] = ["fulfilled", true] as const;
        const input = this.#copies.ofKept(own);
        this.#pass({ index, input, status, value, kept }, line.length);
      }
    }
  }

  /** Takes the outcomes as they come, however slowly they are read. */
  async #take(outcomes: AsyncIterator<TaskOutcome<T, R>>): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await outcomes.next();
        if (done || this.#end !== undefined) break;
        this.#log(value);
        while (this.#crowded) await this.#changed();
      }
      if (this.#end === undefined && this.#running.size > 0) {
        throw wrongOutcome("none");
      }
      this.#file?.flush();
      this.close({});
    } catch (error) {
      this.close({ error });
    }
  }

  /** Whether the reader has enough to read. */
  get #crowded(): boolean {
    return this.#ready.length >= MOST_READY && this.#end === undefined;
  }

  #pass(outcome: LoggedOutcome<T, R>, characters: number): void {
    this.#turnstile.put(outcome.index, outcome, characters);
    if (this.#ready.length > 0) this.#change();
  }

  /**
   * Ends the stream: no more will come, or nobody reads on.
   *
   * @param end With an error, if one ended it.
   */
  close(end: { error?: unknown }): void {
    this.#end ??= end;
    this.#change();
  }

  #changed(): Promise<void> {
    return new Promise((wake) => this.#waiting.push(wake));
  }

  #change(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** Writes what became of an input, and passes it on. */
  #log(found: TaskOutcome<T, R>): void {
    const running = this.#running.take(found?.index);
    if (
      running === undefined ||
      (found.status !== "fulfilled" && found.status !== "rejected")
    ) throw wrongOutcome(found);
    const { index, key, own } = running;
    const other = this.#running.otherOf(found.input, running);
    if (other !== undefined) {
      throw wrongOutcome(`that of input ${other.index} for input ${index}`);
    }
    const input = found.input === running.input ? own : found.input;
    const outcome = renumber(found, index, this.#copies.seen(input));
    const note = this.#note(outcome);
    const result = writeResult(outcome, this.#format);
    if (note !== undefined) {
      this.#file?.add(formatRecord({ index, key, note, ...result }));
    }
    // One of the caller's functions above has ended the stream, and may have closed
    // the log: what is given stands in it.
    if (this.#end !== undefined) return;
    if (result.ok) {
      const { text, value } = result;
      this.#pass(
        { index, input, status: "fulfilled", value, kept: false },
        text?.length ?? 0,
      );
    } else {
      const { reason } = result;
      this.#pass({ index, input, status: "rejected", reason, kept: false }, 0);
    }
  }
}

type Outcomes<T, R> = AsyncGenerator<LoggedOutcome<T, R>, undefined, unknown>;

function wrongOutcome(received: unknown): TypeError {
  const what = typeof received === "object"
    ? Object.prototype.toString.call(received)
    : String(received);
  return new TypeError(
    `Cannot log as the stream must give one outcome for each input: received ${what} (give it all inputs as they are, and the options that are handed over, and leave no outcome out)`,
  );
}
