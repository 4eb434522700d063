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
 * How short a chunk may get near the end, in milliseconds: below this, another
 * message costs more than the idle worker it feeds.
 */
const LEAST_MS = 0.5;

/**
 * Chunks double at most, lest one lucky task mislead; but up to this many times
 * while they are expected to take less than `CHEAP_MS`, as a wrong guess then
 * costs little and the climb from 1 by doubling takes 5 ms of 100,000 numbers.
 */
const STEEPEST = 16;

/** What a chunk may be expected to take when it grows faster, in ms. */
const CHEAP_MS = 0.5;

/** Tasks in a chunk at most: beyond this, the message is no longer felt. */
const MOST_TASKS = 32_768;

/** Bytes in a chunk at most: 256 MB in one message are slower than 32 of 8 MB. */
const MOST_BYTES = 1 << 20;

/** A second chunk waits in a worker only when the first takes less, in ms. */
const PREFETCH_MS = 10;

/** Learns from the chunks that came back how large the next should be. */
export class ChunkSizer {
  readonly #fixed: number | undefined;
  #size = 1;
  #msPerTask: number | undefined;
  #bytesPerTask = 0;

  /**
   * Makes the sizer of one run.
   *
   * @param fixed Tasks in each chunk; undefined adapts.
   */
  constructor(fixed: number | undefined) {
    this.#fixed = fixed;
  }

  /**
   * Says how many tasks the next chunk should have.
   *
   * @param left Tasks not yet sent; undefined if unknown.
   * @param workers How many share them.
   * @returns A whole number from 1.
   */
  next(left: number | undefined, workers: number): number {
    if (this.#fixed !== undefined) return this.#fixed;
    let size = Math.min(this.#size, MOST_TASKS);
    if (this.#bytesPerTask > 0) {
      size = Math.min(size, MOST_BYTES / this.#bytesPerTask);
    }
    if (left !== undefined) {
      // Towards the end ever smaller, so that the workers finish together.
      const least = LEAST_MS / (this.#msPerTask ?? LEAST_MS);
      size = Math.min(size, Math.max(least, left / (2 * workers)));
    }
    return Math.max(1, Math.floor(size));
  }

  /** How long a task takes in its worker, in ms; undefined before an answer. */
  get msPerTask(): number | undefined {
    return this.#msPerTask;
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
    this.#msPerTask = undefined;
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
    // and a change must be seen soon.
    const last = ms / tasks;
    this.#msPerTask = this.#msPerTask === undefined
      ? last
      : (this.#msPerTask + last) / 2;
    this.#bytesPerTask = (this.#bytesPerTask + bytes / tasks) / 2;
    const msPerTask = Math.max(this.#msPerTask, 1e-6);
    const fit = TARGET_MS / msPerTask;
    const grown = Math.max(
      2 * tasks,
      Math.min(STEEPEST * tasks, CHEAP_MS / msPerTask),
    );
    this.#size = Math.max(1, Math.min(fit, Math.max(this.#size, grown)));
  }
}
