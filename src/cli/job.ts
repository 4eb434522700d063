/**
 * One job: its inputs through the function, its results to standard output,
 * and everything that can end it.
 *
 * @module
 */

import type { Progress, RunEvent, TaskOutcome } from "../../mod.ts";
import { parallelMapStream } from "../../mod.ts";
import type { JobLog, LogNote } from "../joblog/mod.ts";
import { Turnstile } from "../joblog/turnstile.ts";
import type { Settings } from "./command.ts";
import type { Failure } from "./failures.ts";
import { mustHalt, wordFailure } from "./failures.ts";
import { Inputs } from "./inputs.ts";
import type { Outcome, Run } from "./log.ts";
import { textOf, throughLog } from "./log.ts";
import type { Ending, Stop } from "./messages.ts";
import { say } from "./messages.ts";
import { Output } from "./output.ts";
import type { Done, Sent, Setup } from "./worker_side.ts";
import { callFunction, openWorker } from "./worker_side.ts";

/** What watches a job. */
export interface Watchers {
  onEvent: ((event: RunEvent) => void) | undefined;
  onProgress: ((progress: Progress) => void) | undefined;
  /** Writes what they saw. */
  close(): void;
}

/** A job reads inputs; or it only waits for the calls that run; or it is over. */
type Phase = "running" | "draining" | "over";

/** One job. */
export class Job {
  readonly #settings: Settings;
  readonly #log: JobLog | undefined;
  readonly #watchers: Watchers;
  readonly #output: Output;
  readonly #turnstile: Turnstile<string | undefined>;
  readonly #inputs: Inputs;
  readonly #halted = new SharedArrayBuffer(4);
  readonly #stopped = Promise.withResolvers<Stop>();
  #phase: Phase = "running";
  #done = 0;
  #failed = 0;
  #kept = 0;

  /**
   * Makes a job.
   *
   * @param settings What to run.
   * @param around What records and watches it.
   */
  constructor(
    settings: Settings,
    around: { log: JobLog | undefined; watchers: Watchers },
  ) {
    this.#settings = settings;
    this.#log = around.log;
    this.#watchers = around.watchers;
    this.#output = new Output(1, (error) => {
      const { code } = error as NodeJS.ErrnoException;
      this.stop(code === "EPIPE" ? { by: "reader" } : { by: "error", error });
    });
    this.#turnstile = new Turnstile(settings.ordered, (text) => {
      if (text !== undefined) this.#output.write(text);
    });
    this.#inputs = new Inputs(settings, {
      indexed: this.#log !== undefined && this.#log.results > 0,
      ended: () => this.#phase !== "running",
      full: () => this.#turnstile.full || this.#output.full,
      room: async () => {
        await this.#output.drained();
        await this.#turnstile.room();
      },
    });
  }

  /**
   * Ends the job at once; what has come is still written.
   *
   * @param stop Why. The first reason counts.
   */
  stop(stop: Stop): void {
    this.#phase = "over";
    this.#stopped.resolve(stop);
  }

  /**
   * Runs the job.
   *
   * @returns How it ended. If it was stopped, workers may still be at it.
   */
  async run(): Promise<Ending> {
    let stop: Stop | undefined;
    try {
      const pumped = this.#pump()
        .catch((error): Stop => ({ by: "error", error }));
      stop = await Promise.race([pumped, this.#stopped.promise]);
      if (stop?.by !== "reader") {
        const stopped = stop === undefined ? [this.#stopped.promise] : [];
        const drained = this.#output.drained().then(() => stop);
        stop = await Promise.race([drained, ...stopped]);
      }
    } finally {
      this.#phase = "over";
      this.#watchers.close();
    }
    const [done, failed, kept] = [this.#done, this.#failed, this.#kept];
    return { stop, done, failed, kept };
  }

  async #pump(): Promise<Stop | undefined> {
    const { target, json } = this.#settings;
    const setup: Setup = {
      url: target.url,
      name: target.name,
      json,
      detailed: this.#log !== undefined,
      halted: this.#halted,
    };
    // A timeline shows this name. The source that is sent stays the same.
    Object.defineProperty(callFunction, "name", { value: target.name });
    const { workers, chunkSize, concurrency, timeout, retries } =
      this.#settings;
    const { onProgress, onEvent } = this.#watchers;
    const run: Run = (rest, options) =>
      parallelMapStream(callFunction, rest, {
        ...options,
        workers,
        chunkSize,
        concurrency,
        timeout,
        retries,
        workerData: setup,
        init: openWorker,
        onProgress,
        onEvent,
      });
    const outcomes = throughLog(
      this.#log,
      this.#inputs,
      run,
      (outcome) => this.#note(outcome),
    );
    for await (const outcome of outcomes) {
      if (this.#phase === "over") break;
      this.#take(outcome);
      if (this.#output.full) await this.#output.drained();
    }
    return this.#phase === "draining" ? { by: "halt" } : undefined;
  }

  /** What the log says of an outcome beside the result. */
  #note(outcome: TaskOutcome<Sent, Done>): LogNote | undefined {
    if (outcome.status === "rejected") {
      const { error, stack, call } = this.#word(outcome);
      return { ...call, error, stack };
    }
    if (typeof outcome.value !== "object") return undefined; // not called
    const { start, ms, worker, attempt } = outcome.value;
    return { start, ms, worker, attempt };
  }

  #word({ index, reason, input }: Rejected): Failure {
    const name = this.#inputs.nameOf(index);
    return wordFailure(reason, { name, text: textOf(input) }, this.#settings);
  }

  #take(outcome: Outcome): void {
    const { index } = outcome;
    if (outcome.status === "rejected") {
      this.#turnstile.put(index, undefined, 0);
      return this.#fail(outcome);
    }
    const text = textOf(outcome.value);
    this.#turnstile.put(index, text, text?.length ?? 0);
    if (outcome.kept) this.#kept++;
    else if (text !== undefined) this.#done++;
  }

  #fail(outcome: Rejected): void {
    const { halt } = this.#settings;
    say(this.#word(outcome).message);
    this.#failed++;
    const finished = this.#done + this.#failed;
    if (!mustHalt(halt, this.#failed, finished)) return;
    if (halt.when === "now") this.stop({ by: "halt" });
    else if (this.#phase === "running") {
      this.#phase = "draining";
      Atomics.store(new Int32Array(this.#halted), 0, 1);
    }
  }
}

/** The outcome of an input that failed. */
type Rejected = Outcome & { status: "rejected" };
