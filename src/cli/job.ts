/**
 * One job: its inputs through the function, its results to standard output,
 * and everything that can end it.
 *
 * @module
 */

import type { Progress, RunEvent, TaskOutcome } from "../../mod.ts";
import { parallelMapStream } from "../../mod.ts";
import type { JobLog, LogNote, SettledAsTheyCome } from "../joblog/mod.ts";
import { Turnstile } from "../joblog/turnstile.ts";
import { EarlyResults } from "./early_results.ts";
import { withEarlyResults } from "./early_stream.ts";
import type { Failure } from "./failures.ts";
import { wordFailure } from "./failures.ts";
import { mustHalt } from "./halt.ts";
import { Inputs } from "./inputs.ts";
import type { Outcome } from "./log.ts";
import { textOf, throughLog } from "./log.ts";
import type { Ending, Stop } from "./messages.ts";
import { say } from "./messages.ts";
import { openOutbox } from "./outbox.ts";
import { Output } from "./output.ts";
import type { Plan } from "./target.ts";
import { awaitLoading, checkTarget, setupOf } from "./worker_check.ts";
import type { Done, Sent, Setup } from "./worker_side.ts";
import { callFunction, HALTED, openWorker } from "./worker_side.ts";

/** What watches a job. */
export interface Watchers {
  onEvent: ((event: RunEvent) => void) | undefined;
  onProgress: ((progress: Progress) => void) | undefined;
  /** Writes what they saw; throws when it cannot be written. */
  close(): void;
}

/** A job reads inputs; or it only waits for the calls that run; or it is over. */
type Phase = "running" | "draining" | "over";

/** One job. */
export class Job {
  readonly #plan: Plan;
  readonly #log: JobLog | undefined;
  readonly #watchers: Watchers;
  readonly #output: Output;
  readonly #turnstile: Turnstile<string | undefined>;
  readonly #inputs: Inputs;
  readonly #setup: Setup;
  readonly #stopped = Promise.withResolvers<Stop>();
  #phase: Phase = "running";
  #early: EarlyResults | undefined;
  /** Ends the wait for the module to load. */
  #loaded: (() => void) | undefined;
  #done = 0;
  #failed = 0;
  #kept = 0;

  /**
   * Makes a job.
   *
   * @param plan What to run.
   * @param around What records and watches it.
   */
  constructor(
    plan: Plan,
    around: { log: JobLog | undefined; watchers: Watchers },
  ) {
    this.#plan = plan;
    this.#setup = setupOf(plan);
    this.#log = around.log;
    this.#watchers = around.watchers;
    this.#output = new Output(1, (error) => {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === "EPIPE") return this.stop({ by: "reader" });
      const why =
        `Cannot write results as standard output must take them: received an error (${message})`;
      this.stop({ by: "error", error: new Error(why, { cause: error }) });
    });
    this.#turnstile = new Turnstile(plan.ordered, (text) => {
      if (text !== undefined) this.#output.write(text);
    });
    this.#inputs = new Inputs(plan, {
      indexed: this.#log !== undefined && this.#log.results > 0,
      taken: plan.log === undefined
        ? (input) => this.#onSent(input)
        : undefined, // it may have a result in the log
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
      if (stop === undefined) {
        const drained = this.#output.drained().then(() => undefined);
        stop = await Promise.race([drained, this.#stopped.promise]);
      }
      if (stop !== undefined && stop.by !== "reader") {
        await this.#output.drainedIfRead();
      }
    } finally {
      this.#early?.stop();
      this.#phase = "over";
      this.#loaded?.();
    }
    const [done, failed, kept] = [this.#done, this.#failed, this.#kept];
    return { stop, done, failed, kept };
  }

  async #pump(): Promise<Stop | undefined> {
    const { target } = this.#plan;
    // A timeline shows this name. The source that is sent stays the same.
    Object.defineProperty(callFunction, "name", { value: target.name });
    const { workers, chunkSize, concurrency, timeout, retries } = this.#plan;
    const { onProgress, onEvent } = this.#watchers;
    const engine = (
      rest: AsyncIterable<Sent>,
      options: SettledAsTheyCome = { settled: true, ordered: false },
    ) =>
      parallelMapStream(callFunction, rest, {
        ...options,
        workers,
        chunkSize,
        concurrency,
        timeout,
        retries,
        workerData: this.#setup,
        init: openWorker,
        data: { openOutbox },
        onProgress,
        onEvent,
      });
    const { outboxes } = this.#setup;
    if (this.#log === undefined) {
      // The same without a log, and without the generators that a log needs.
      const early = this.#early = new EarlyResults(
        outboxes,
        (outcome) => this.#take(outcome),
      );
      for await (const outcome of engine(this.#inputs)) {
        if (this.#phase === "over") break;
        if (!early.isNews(outcome.index)) continue;
        this.#take(outcome);
        if (this.#output.full) await this.#output.drained();
      }
    } else {
      const outcomes = throughLog(
        this.#log,
        this.#inputs,
        (rest, options) =>
          withEarlyResults(rest, {
            outboxes,
            sent: (input) => this.#onSent(input),
            run: (rest) => engine(rest, options),
          }),
        (outcome) => this.#note(outcome),
      );
      for await (const outcome of outcomes) {
        if (this.#phase === "over") break;
        this.#take(outcome);
        if (this.#output.full) await this.#output.drained();
      }
    }
    if (this.#loaded === undefined && this.#kept === 0) {
      await checkTarget(this.#plan); // no input: nobody has looked at it
    }
    return this.#phase === "draining" ? { by: "halt" } : undefined;
  }

  /** An input is sent. With the first of them, the module begins to load. */
  #onSent(input: Sent): void {
    this.#early?.sent(input);
    this.#loaded ??= awaitLoading(
      this.#plan,
      this.#setup,
      (error) => this.stop({ by: "error", error }),
    );
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
    return wordFailure(reason, { name, text: textOf(input) }, this.#plan);
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
    const { halt } = this.#plan;
    say(this.#word(outcome).message);
    this.#failed++;
    const finished = this.#done + this.#failed;
    if (!mustHalt(halt, this.#failed, finished)) return;
    if (halt.when === "now") this.stop({ by: "halt" });
    else if (this.#phase === "running") {
      this.#phase = "draining";
      Atomics.store(new Int32Array(this.#setup.flags), HALTED, 1);
    }
  }
}

/** The outcome of an input that failed. */
type Rejected = Outcome & { status: "rejected" };
