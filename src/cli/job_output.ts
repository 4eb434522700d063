/**
 * What a job writes: its results, and the inputs that failed.
 *
 * @module
 */

import { fstatSync } from "node:fs";
import { lineToRead, textsOf } from "./lines.ts";
import { allSaid, BESIDE_BAR, isSaidMuch } from "./messages.ts";
import {
  Output,
  STANDARD_OUTPUT,
  type Taker,
  wordUnwritten,
} from "./output.ts";
import type { Stop } from "./stops.ts";
import type { Plan } from "./target.ts";

/** Where a job writes. */
export interface Written {
  /** Descriptor of what takes the results. */
  output: number;
  /** The same for the inputs that failed, if they are to be kept. */
  failed: number | undefined;
  /**
   * The first outcome is there: what an earlier job wrote gives way.
   *
   * @returns Why that cannot be.
   */
  begin(): Error | undefined;
}

/** Writes what comes of one job. */
export class JobOutput {
  readonly #plan: Plan;
  readonly #stop: (stop: Stop) => void;
  readonly #begin: Written["begin"];
  readonly #results: Output;
  /** Where the inputs go that failed. */
  readonly #failed: Output | undefined;
  #kept = 0; // texts in it

  /**
   * Makes an output.
   *
   * @param plan The job.
   * @param files Where it writes.
   * @param stop Told why nothing more can be written.
   */
  constructor(plan: Plan, files: Written, stop: (stop: Stop) => void) {
    this.#plan = plan;
    this.#stop = stop;
    this.#begin = files.begin;
    const to = plan.output === undefined
      ? STANDARD_OUTPUT
      : { name: `"${plan.output}"`, results: true };
    this.#results = this.#open(files.output, to);
    this.#failed = files.failed === undefined ? undefined : this.#open(
      files.failed,
      { name: `"${plan.failed}"`, results: false },
      plan.separator,
    );
  }

  #open(file: number, to: Taker, end = "\n"): Output {
    return new Output(file, (cause) => {
      const error = wordUnwritten(cause, to);
      this.#stop(
        error === undefined ? { by: "reader" } : { by: "error", error },
      );
    }, {
      end,
      around: this.#plan.bar && isStandardError(file) ? BESIDE_BAR : undefined,
    });
  }

  /** An outcome is there: what an earlier job wrote gives way. */
  begin(): void {
    const error = this.#begin();
    if (error !== undefined) this.#stop({ by: "error", error });
  }

  /** Whether to wait for `room` before there are more outcomes. */
  get full(): boolean {
    return this.#results.full || this.#failed?.full === true || isSaidMuch();
  }

  /**
   * Writes a result.
   *
   * @param line Its text, without line end.
   */
  write(line: string): void {
    this.#results.write(line);
  }

  /**
   * Keeps an input that failed, if it is to be kept.
   *
   * @param input Its text.
   */
  keep(input: string): void {
    if (this.#failed === undefined) return;
    for (const text of textsOf(input, this.#plan)) {
      this.#failed.write(lineToRead(text, this.#plan, this.#kept++ === 0));
    }
  }

  /**
   * Waits for slow readers: not for one who has little to read, perhaps for long.
   *
   * @returns Settled when they have read.
   */
  async room(): Promise<void> {
    if (this.#results.full) await this.#results.drained();
    if (this.#failed?.full) await this.#failed.drained();
    if (isSaidMuch()) await allSaid();
  }

  /**
   * Waits until everything is written.
   *
   * @returns Settled when nothing waits.
   */
  async allDrained(): Promise<undefined> {
    await this.#results.drained();
    await this.#failed?.drained();
  }

  /**
   * Waits until everything is written, or nobody reads on. What the results are
   * written to is broken where their reader has left: then nothing waits there.
   *
   * @returns Settled then.
   */
  async drainedIfRead(): Promise<void> {
    await this.#results.drainedIfRead();
    await this.#failed?.drainedIfRead();
  }
}

/** Whether it is what messages are written to, such as one terminal for both. */
function isStandardError(file: number): boolean {
  try {
    const [one, other] = [fstatSync(file), fstatSync(2)];
    return one.dev === other.dev && one.ino === other.ino;
  } catch {
    return false; // one is closed
  }
}
