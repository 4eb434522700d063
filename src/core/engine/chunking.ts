/**
 * How many tasks go in the next message: pure policy, without clock or worker.
 *
 * @module
 */

/**
 * How long a chunk should take in its worker, in milliseconds. Less, and the
 * message (40 µs on Deno, 18 µs on Bun) shows; more, and a failure, an abort or
 * the end of the run waits longer for the chunk.
 *
 * Source: bench/rows/chunk_size.ts.
 */
const TARGET_MS = 5;

/**
 * What a chunk costs the caller's thread, in milliseconds, sent and heard. With
 * so many workers that it could not feed all while one is at a chunk, chunks are
 * longer: from 13 workers on towards the end and while they grow, from 126 on
 * throughout. Less, and the caller is what all wait for; more, and they wait for
 * the last chunk.
 *
 * Source: bench/simulate.ts (docs/chunks.md has its answer).
 */
const FEED_MS = 0.04;

/**
 * How short a chunk may get near the end, in milliseconds: below this, another
 * message costs more than the idle worker it feeds.
 */
const LEAST_MS = 0.5;

/**
 * Chunks double at most, lest one lucky task mislead; but up to this many times
 * while they are expected to take less than `CHEAP_MS`, as a wrong guess then
 * costs little, and in a cold process each message on the way from 1 takes about
 * 1 ms (bench row "first").
 */
const STEEPEST = 16;

/** What a chunk may be expected to take when it grows faster, in ms. */
const CHEAP_MS = 2;

/** What a task takes at least, in ms: a clock may not see it. */
const LEAST_TASK_MS = 1e-6;

/** Tasks in a chunk at most: beyond this, the message is no longer felt. */
const MOST_TASKS = 32_768;

/** Bytes in a chunk at most: 256 MB in one message are slower than 32 of 8 MB. */
const MOST_BYTES = 1 << 20;

/** A second chunk waits in a worker only when the first takes less, in ms. */
const PREFETCH_MS = 10;

/**
 * Tasks in the first chunk of a run at most, whatever is known of another run:
 * its inputs may be larger, or take longer.
 */
const MOST_FIRST = 64;

/** How long chunks should be, in ms: that depends on what a message costs. */
export interface ChunkTimes {
  /** How long a chunk should take in its worker. */
  readonly target: number;
  /** What a chunk costs the caller's thread, sent and heard. */
  readonly feed: number;
  /** How short a chunk may get near the end. */
  readonly least: number;
  /** What a chunk may be expected to take when it grows faster. */
  readonly cheap: number;
  /** Tasks in a chunk while nothing is known of them, from 1. */
  readonly first: number;
}

/** The same on this machine. */
const HERE: ChunkTimes = {
  target: TARGET_MS,
  feed: FEED_MS,
  least: LEAST_MS,
  cheap: CHEAP_MS,
  first: 1,
};

/**
 * How long the tasks of a run that were heard of have to have taken, in ms, before
 * a worker is started for the others. Less, and one is started for 1,000 numbers:
 * the first takes 0.03 ms, as its code was never run before, and the thousandth
 * 0.0001 (bench row "first"). More, and those that compute wait for workers.
 */
const SURE_MS = 5;

/** What is known of the tasks of a function. */
export interface Pace {
  /** How long one takes in its worker, in ms; undefined before an answer. */
  msPerTask: number | undefined;
  /** How large its value or its result is, whichever is more. */
  bytesPerTask: number;
}

/** Learns from the chunks that came back how large the next should be. */
export class ChunkSizer {
  readonly #fixed: number | undefined;
  readonly #workers: number;
  readonly #pace: Pace;
  readonly #times: ChunkTimes;
  #size: number;
  #msPerTask: number | undefined;
  #bytesPerTask: number;
  #known = false; // from another run
  #heard = false; // of a task of this run
  #tasksHeard = 0; // in the last chunk
  #msHeard = 0; // in all

  /**
   * Makes the sizer of one run.
   *
   * @param fixed Tasks in each chunk; undefined adapts.
   * @param workers How many share the tasks.
   * @param pace What other runs of the function have told; this one adds to it.
   * @param times How long chunks should be.
   */
  constructor(
    fixed: number | undefined,
    workers: number,
    pace: Pace = { msPerTask: undefined, bytesPerTask: 0 },
    times: ChunkTimes = HERE,
  ) {
    this.#fixed = fixed;
    this.#workers = workers;
    this.#pace = pace;
    this.#times = times;
    this.#size = times.first;
    this.#msPerTask = pace.msPerTask;
    this.#bytesPerTask = pace.bytesPerTask;
    if (this.#msPerTask === undefined) return;
    this.#known = true;
    const cheap = times.cheap / Math.max(this.#msPerTask, LEAST_TASK_MS);
    this.#size = Math.max(times.first, Math.min(cheap, MOST_FIRST));
  }

  /** So many ms, or as many as the caller takes to feed all workers. */
  #atLeast(ms: number): number {
    return Math.max(ms, this.#times.feed * this.#workers);
  }

  /**
   * Says how many tasks the next chunk should have.
   *
   * @param left Tasks not yet sent; undefined if unknown.
   * @returns A whole number from 1.
   */
  next(left: number | undefined): number {
    if (this.#fixed !== undefined) return this.#fixed;
    let size = Math.min(this.#size, MOST_TASKS);
    if (this.#bytesPerTask > 0) {
      size = Math.min(size, MOST_BYTES / this.#bytesPerTask);
    }
    if (left !== undefined) {
      // Towards the end ever smaller, so that the workers finish together.
      const least = this.#heard
        ? this.#atLeast(this.#times.least) / this.#msPerTask!
        : 1;
      size = Math.min(size, Math.max(least, left / (2 * this.#workers)));
    }
    return Math.max(1, Math.floor(size));
  }

  /**
   * How long a task takes in its worker, in ms; undefined while too little was
   * heard to start workers for it.
   */
  get msPerTask(): number | undefined {
    const sure = !this.#heard || this.#known || this.#msHeard >= SURE_MS;
    const ms = sure ? this.#msPerTask : undefined;
    return ms === undefined ? undefined : Math.max(ms, LEAST_TASK_MS);
  }

  /** Whether a second chunk may wait in a worker that has one. */
  get prefetches(): boolean {
    if (this.#msPerTask === undefined) return false;
    return this.#msPerTask * (this.#fixed ?? this.#size) < PREFETCH_MS;
  }

  /**
   * Learns that a chunk took so long that the rest of it goes elsewhere. What
   * was known of its tasks is not true of those that are left: they are tried one
   * by one again, lest one waits behind another.
   */
  startAgain(): void {
    this.#size = 1;
    this.#msPerTask = this.#pace.msPerTask = undefined;
    this.#heard = this.#known = false;
    this.#tasksHeard = this.#msHeard = 0;
  }

  /**
   * Learns from one chunk.
   *
   * @param tasks How many it had.
   * @param ms How long it took in its worker.
   * @param bytes How large its values or results were, whichever was more.
   */
  learn(tasks: number, ms: number, bytes: number): void {
    // The mean of the last and what was known: one odd task must not decide,
    // and a change must be seen soon. But tasks that were faster, and not fewer,
    // are what there is to know: the first ones are slow, as their code was never
    // run before.
    const last = ms / tasks;
    if (!(last >= 0)) return; // the clock of a worker may be that of a test
    const known = this.#msPerTask ?? last;
    const faster = last < known && tasks >= this.#tasksHeard;
    this.#msPerTask = faster ? last : (known + last) / 2;
    this.#heard = true;
    this.#tasksHeard = tasks;
    this.#msHeard += ms;
    this.#bytesPerTask = (this.#bytesPerTask + bytes / tasks) / 2;
    this.#pace.msPerTask = this.#msPerTask;
    this.#pace.bytesPerTask = this.#bytesPerTask;
    const msPerTask = Math.max(this.#msPerTask, LEAST_TASK_MS);
    const fit = this.#atLeast(this.#times.target) / msPerTask;
    const grown = Math.max(
      2 * tasks,
      Math.min(STEEPEST * tasks, this.#atLeast(this.#times.cheap) / msPerTask),
    );
    this.#size = Math.max(1, Math.min(fit, Math.max(this.#size, grown)));
  }
}
