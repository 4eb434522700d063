/**
 * One job: its inputs through the function, its results to standard output,
 * and everything that can end it.
 *
 * @module
 */

import type { TaskOutcome } from "../../mod.ts";
import type { JobLog, LogNote } from "../joblog/mod.ts";
import { Turnstile } from "../joblog/turnstile.ts";
import { isOneTaskEach } from "./command.ts";
import { EarlyResults } from "./early_results.ts";
import { estimate } from "./estimate.ts";
import type { Failure } from "./failures.ts";
import { wordFailure } from "./failures.ts";
import { mustHalt } from "./halt.ts";
import { Inputs } from "./inputs.ts";
import { JobOutput, type Written } from "./job_output.ts";
import type { JobSetup } from "./job_setup.ts";
import { setupOf } from "./job_setup.ts";
import { resultLines } from "./lines.ts";
import type { Outcome } from "./log.ts";
import { textOf, throughLog } from "./log.ts";
import { mapChunks, mapEarly } from "./mapping.ts";
import { say } from "./messages.ts";
import type { Stop } from "./stops.ts";
import { Stops } from "./stops.ts";
import type { Plan } from "./target.ts";
import type { Done, Sent } from "./travel.ts";
import { HALTED, LOADED } from "./travel.ts";
import type { Watchers } from "./watchers.ts";
import { awaitLoading, checkTarget } from "./worker_check.ts";

/** Characters of an input that failed in its record: enough to know it. */
const MOST_TEXT = 200;

/** A job reads inputs; or it only takes what still comes; or it is over. */
type Phase = "running" | "draining" | "over";

/** How a job ended. */
export interface Ending {
  stop: Stop | undefined;
  /** Whether a call may have been made, or a result was written. */
  begun: boolean;
  /** How many inputs succeeded in this run. */
  done: number;
  /** How many inputs failed. */
  failed: number;
  /** How many results an earlier run had left. */
  kept: number;
}

/** One job. */
export class Job {
  readonly #plan: Plan;
  readonly #log: JobLog | undefined;
  readonly #watchers: Watchers;
  readonly #output: JobOutput;
  readonly #turnstile: Turnstile<string | undefined>;
  readonly #inputs: Inputs;
  readonly #setup: JobSetup;
  readonly #stops = new Stops();
  #phase: Phase = "running";
  /** Gives late results where each input is one task; else `mapEarly` does. */
  readonly #early: EarlyResults | undefined;
  /** Ends the wait for the module to load. */
  #endWait: (() => void) | undefined;
  #sent = 0;
  #again = 0;
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
    around: { log: JobLog | undefined; watchers: Watchers; files: Written },
  ) {
    this.#plan = plan;
    this.#setup = setupOf(plan);
    this.#log = around.log;
    this.#watchers = around.watchers;
    this.#output = new JobOutput(
      plan,
      around.files,
      (stop) => this.stop(stop),
    );
    this.#turnstile = new Turnstile(plan.ordered, (text) => {
      if (text !== undefined) this.#output.write(text);
    });
    // The short way, without the generators that a log and delays need.
    this.#early = isOneTaskEach(plan)
      ? new EarlyResults(
        this.#setup.outboxes,
        (outcome) => this.#take(outcome),
      )
      : undefined;
    this.#inputs = new Inputs(plan, {
      indexed: plan.retries.by === "job" ||
        (this.#log !== undefined && this.#log.results > 0),
      taken: this.#early && ((input) => this.#onSent(input)),
      ended: () => this.#phase !== "running",
      full: () => this.#turnstile.full || this.#output.full,
      room: async () => {
        await this.#output.room();
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
    if (!this.#stops.add(stop)) return;
    this.#drain();
    if (stop.by === "reader") this.#end();
  }

  /** Reads no more, and has workers begin no other call. */
  #drain(): void {
    if (this.#phase !== "running") return;
    this.#phase = "draining";
    Atomics.store(new Int32Array(this.#setup.flags), HALTED, 1);
    this.#inputs.end();
    this.#stops.end();
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
      stop = await Promise.race([pumped, this.#stops.first]);
      const drained = () => this.#output.allDrained();
      stop ??= await Promise.race([drained(), this.#stops.first]);
      if (stop !== undefined) stop = await this.#finish(stop);
    } finally {
      this.#end();
      this.#endWait?.();
    }
    const [done, failed, kept] = [this.#done, this.#failed, this.#kept];
    const isLoaded =
      Atomics.load(new Int32Array(this.#setup.flags), LOADED) !== 0;
    const begun = isLoaded || done + failed + kept > 0;
    return { stop, begun, done, failed, kept };
  }

  /** Takes no more outcomes. */
  #end(): void {
    this.#phase = "over";
    this.#early?.stop();
  }

  /** Writes what has come before the job was stopped; says what stopped it. */
  async #finish(stop: Stop): Promise<Stop> {
    this.stop(stop);
    if (stop.by !== "reader") await this.#takeRest();
    this.#end(); // what comes later is not counted, as it would not be written
    this.#turnstile.flush(); // for a reader that has left, it is dropped
    if (stop.by !== "signal") {
      const drained = this.#output.allDrained();
      const later = await Promise.race([drained, this.#stops.later]);
      if (later === undefined) return stop;
      if (stop.by !== "error" && later.by !== "reader") stop = later;
    }
    await this.#output.drainedIfRead();
    return stop;
  }

  /** Takes outcomes until the event loop has brought none. */
  async #takeRest(): Promise<void> {
    this.#early?.lookAgain();
    for (let before = -1; before < this.#done + this.#failed;) {
      before = this.#done + this.#failed;
      // A log gives none before the turn has ended in which it got them, and those
      // that it kept in turns of their own.
      for (let turn = 0; turn < 4; turn++) {
        await new Promise((wake) => setImmediate(wake));
      }
    }
  }

  async #pump(): Promise<Stop | undefined> {
    await this.#map();
    const isIdle = this.#sent === 0 && this.#kept === 0;
    if (isIdle && this.#phase === "running") {
      await checkTarget(this.#plan); // no input: nobody has looked at it
    }
    return this.#phase === "draining" ? { by: "halt" } : undefined;
  }

  async #map(): Promise<void> {
    const { outboxes } = this.#setup;
    const { onEvent, onProgress: tell } = this.#watchers;
    let total = this.#inputs.total; // before the job is stopped
    const run = mapChunks(this.#plan, this.#setup, {
      // A run that reads no more was stopped, whether its last tasks end or not.
      onEvent: onEvent && ((event) => {
        const isStopped = event.type === "run-end" && this.#phase !== "running";
        onEvent(isStopped ? { ...event, ok: false } : event);
      }),
      onProgress: tell && ((progress) => {
        const goesOn = this.#phase === "running";
        if (goesOn) total = this.#inputs.total;
        // What was read is not all, and to be done with it is no end.
        const state = progress.state === "done" ? "stopped" : progress.state;
        const stopped = { ...progress, state, total: undefined };
        tell(estimate(goesOn ? progress : stopped, {
          total,
          sent: this.#sent,
          again: this.#again,
          kept: this.#log?.results ?? 0,
        }));
      }),
    });
    if (this.#early !== undefined) {
      const options = { settled: true, ordered: false } as const;
      for await (const outcome of run(this.#inputs, options)) {
        if (this.#phase === "over") break;
        if (!this.#early.isFirst(outcome.index)) continue;
        this.#take(outcome);
        await this.#room();
      }
      return;
    }
    const outcomes = throughLog(
      this.#log,
      this.#inputs,
      mapEarly(this.#plan, outboxes, {
        run,
        sent: (input) => this.#onSent(input),
        retried: (more) => this.#again += more,
        stops: this.#stops,
      }),
      (outcome) => this.#note(outcome),
    );
    for await (const outcome of outcomes) {
      if (this.#phase === "over") break;
      this.#take(outcome);
      await this.#room();
    }
  }

  /** Waits for a slow reader; once the job is stopped, for none. */
  async #room(): Promise<void> {
    if (!this.#output.full) return;
    await Promise.race([this.#output.room(), this.#stops.first]);
  }

  /** An input is sent. With the first of them, the module begins to load. */
  #onSent(input: Sent): void {
    if (typeof input === "string" || input.attempt === undefined) this.#sent++;
    if (typeof input === "object") this.#watchers.onSent?.(input.index);
    this.#early?.sent(input);
    this.#endWait ??= awaitLoading(
      this.#plan,
      this.#setup,
      (error) => this.stop({ by: "error", error }),
    );
  }

  /** What the log says of an outcome beside the result. */
  #note(outcome: TaskOutcome<Sent, Done>): LogNote | undefined {
    if (outcome.status === "rejected") {
      const { error, stack, call } = this.#word(outcome);
      const text = textOf(outcome.input).slice(0, MOST_TEXT);
      return { ...call, text, error, stack };
    }
    if (typeof outcome.value !== "object") return undefined; // not called
    const { text: _, ...call } = outcome.value;
    return call;
  }

  #word({ index, reason, input }: Rejected): Failure {
    const name = this.#inputs.nameOf(index);
    return wordFailure(reason, { name, text: textOf(input) }, this.#plan);
  }

  #take(outcome: Outcome): void {
    const { index } = outcome;
    this.#output.begin();
    if (outcome.status === "rejected") {
      this.#turnstile.put(index, undefined, 0);
      this.#fail(outcome);
      return this.#inputs.settled(index);
    }
    this.#inputs.settled(index);
    const text = textOf(outcome.value);
    const lines = text === undefined
      ? undefined
      : resultLines(text, { index, text: textOf(outcome.input) }, this.#plan);
    this.#turnstile.put(index, lines, lines?.length ?? 0);
    if (outcome.kept) this.#kept++;
    else if (text !== undefined) this.#done++;
  }

  #fail(outcome: Rejected): void {
    const { halt } = this.#plan;
    say(this.#word(outcome).message);
    this.#failed++;
    this.#output.keep(textOf(outcome.input));
    if (!mustHalt(halt, this.#failed, this.#done + this.#failed)) return;
    if (halt.when === "now") this.stop({ by: "halt" });
    else this.#drain();
  }
}

/** The outcome of an input that failed. */
type Rejected = Outcome & { status: "rejected" };
