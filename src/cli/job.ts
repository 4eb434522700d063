/**
 * One job: its inputs through the function, its results to standard output,
 * and everything that can end it.
 *
 * @module
 */

import type { Progress, RunEvent } from "../../mod.ts";
import { parallelMapStream } from "../../mod.ts";
import type { Settings } from "./command.ts";
import type { Failure } from "./failures.ts";
import { Losses, lostFailure, mustHalt, repliedFailure } from "./failures.ts";
import { Feed } from "./feed.ts";
import type { Input } from "./inputs.ts";
import { openInputs } from "./inputs.ts";
import type { JobLog } from "./job_log.ts";
import type { Ending, Stop } from "./messages.ts";
import { say } from "./messages.ts";
import { Output, Turnstile } from "./output.ts";
import type { Caller, Reply, Sent, Setup } from "./worker_side.ts";
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

/**
 * How many attempts more than those of the user the engine is given. A stream
 * ends at its first failed task, and a job must go on: in such a spare attempt
 * the worker does not call the function, but replies `given up`. It is needed
 * when a worker has died, and cannot reply itself. A thousand, as a spare
 * attempt may lose its worker as well, to another task. It has no bench.
 */
const SPARE_ATTEMPTS = 1000;

/** One job. */
export class Job {
  readonly #settings: Settings;
  readonly #log: JobLog | undefined;
  readonly #watchers: Watchers;
  readonly #output: Output;
  readonly #turnstile: Turnstile;
  readonly #feed: Feed;
  readonly #losses = new Losses();
  readonly #halted = new SharedArrayBuffer(4);
  readonly #stopped = Promise.withResolvers<Stop>();
  #phase: Phase = "running";
  #done = 0;
  #failed = 0;

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
    this.#turnstile = new Turnstile(
      settings.ordered,
      (text) => this.#output.write(text),
    );
    this.#feed = new Feed({
      inputs: openInputs(settings),
      kept: around.log?.kept,
      onKept: (index, text) => this.#turnstile.put(index, text),
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
    const { kept } = this.#feed;
    return { stop, done: this.#done, failed: this.#failed, kept };
  }

  async #pump(): Promise<Stop | undefined> {
    const { target, json, retries, timeout } = this.#settings;
    const { workers, chunkSize, concurrency } = this.#settings;
    const { onProgress, onEvent } = this.#watchers;
    const setup: Setup = {
      url: target.url,
      name: target.name,
      json,
      retries,
      detailed: this.#log !== undefined,
      halted: this.#halted,
    };
    // A timeline shows this name. The source that is sent stays the same.
    Object.defineProperty(callFunction, "name", { value: target.name });
    const replies = parallelMapStream<Sent, Reply, Caller>(
      callFunction,
      this.#feed,
      {
        workers,
        chunkSize,
        concurrency,
        timeout,
        retries: retries + SPARE_ATTEMPTS,
        workerData: setup,
        init: openWorker as (workerData: never) => Promise<Caller>,
        ordered: false,
        // To the engine, a reply that tells of a failure is a success.
        onProgress: onProgress &&
          ((progress) => onProgress({ ...progress, failed: this.#failed })),
        // Only if needed, as the engine then measures every task.
        onEvent: timeout === undefined && onEvent === undefined
          ? undefined
          : (event) => {
            this.#losses.record(event);
            onEvent?.(event);
          },
      },
    );
    for await (const reply of replies) {
      if (this.#phase === "over") break;
      this.#take(reply);
      if (this.#output.full) await this.#output.drained();
    }
    return this.#phase === "draining" ? { by: "halt" } : undefined;
  }

  #take(reply: Reply): void {
    const cut = typeof reply === "string" ? reply.indexOf(" ") : 0;
    const index = typeof reply === "string"
      ? Number(reply.slice(0, cut))
      : reply.index;
    const input = this.#feed.inFlight.take(index);
    if (typeof reply === "string") {
      this.#done++;
      this.#turnstile.put(index, reply.slice(cut + 1));
    } else if (reply.was === "done") {
      const { text, call } = reply;
      this.#log?.add({ index, key: input.key!, call, ok: true, text });
      this.#done++;
      this.#turnstile.put(index, text);
    } else {
      this.#turnstile.put(index, undefined);
      if (reply.was === "not started") return;
      this.#fail(
        input,
        reply.was === "failed"
          ? repliedFailure(reply, input, this.#settings)
          : lostFailure(this.#losses.take(reply.task), input, this.#settings),
      );
    }
  }

  #fail({ index, key }: Input, failure: Failure): void {
    const { halt } = this.#settings;
    const { message, error, stack, call } = failure;
    say(message);
    this.#log?.add({ index, key: key!, call, ok: false, error, stack });
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
