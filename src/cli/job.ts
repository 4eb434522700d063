/**
 * One job: its inputs through the function, its results to standard output,
 * and everything that can end it.
 *
 * @module
 */

import { parallelMapStream } from "../../mod.ts";
import type { Ending, Stop } from "./ending.ts";
import type { Failure } from "./failure.ts";
import { lostFailure, repliedFailure } from "./failure.ts";
import { Feed } from "./feed.ts";
import { mustHalt } from "./halt.ts";
import type { Input } from "./inputs.ts";
import { openInputs } from "./inputs.ts";
import type { JobLog } from "./job_log.ts";
import { Losses } from "./losses.ts";
import { Output } from "./output.ts";
import type { Reply, Sent, Setup } from "./protocol.ts";
import { say } from "./say.ts";
import type { Settings } from "./settings.ts";
import { Turnstile } from "./turnstile.ts";
import type { Watchers } from "./watchers.ts";
import type { Caller } from "./worker_side.ts";
import { callFunction, openWorker } from "./worker_side.ts";

/** Whether a job reads inputs, only waits for calls that run, or is over. */
type Phase = "running" | "draining" | "over";

/**
 * How many attempts the engine has beyond those of the function. They never
 * run it: they carry the news that all others ended with their worker, which
 * would end the stream if the engine itself told it. More than one, as they
 * may lose their worker to something else that runs in it.
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
   * @throws {WorkerStartError} When the function cannot be loaded.
   */
  async run(): Promise<Ending> {
    let stop: Stop | undefined;
    try {
      stop = await Promise.race([this.#pump(), this.#stopped.promise]);
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
    // The name that a timeline shows; the source that is sent stays the same.
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
        // The engine sees no failures: they are replies.
        onProgress: onProgress &&
          ((progress) => onProgress({ ...progress, failed: this.#failed })),
        // Only for who needs it: an engine that is listened to takes times.
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
