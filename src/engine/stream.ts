/**
 * The reader's end of a stream: results as they come or in their order, with a
 * bound on how far the run may read ahead.
 *
 * @module
 */

import type { TaskError } from "../errors.ts";
import { Reorder } from "./order.ts";
import type { Sink } from "./sink.ts";

/** What a stream needs of its run. */
export interface StreamRun {
  /** Asks the run to go on, as there is room again. */
  wake(): void;
  /** Ends the run: nobody reads on. Throws what the end of the inputs threw. */
  cancel(): void;
}

type Stretch = ArrayLike<unknown> | Failed;

/** A failure in its turn. */
class Failed {
  readonly length = 1;
  constructor(readonly error: TaskError) {}
}

/** How many chunks a worker's share of the read-ahead is. */
const CHUNKS_AHEAD = 4;

/** A sink that is read as an async generator. */
export class StreamSink implements Sink {
  readonly inTurn = true;
  readonly #workers: number;
  readonly #bufferSize: number | undefined;
  readonly #order: Reorder<Stretch> | undefined;
  readonly #ready: Stretch[] = [];
  #at = 0; // offset in the first ready stretch
  #inside = 0; // tasks taken from the inputs and not yet read
  #end: { error?: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(
    workers: number,
    options: { ordered?: boolean; bufferSize?: number },
  ) {
    this.#workers = workers;
    this.#bufferSize = options.bufferSize;
    this.#order = options.ordered === false ? undefined : new Reorder();
  }

  room(chunkSize: number): number {
    const most = this.#bufferSize ?? CHUNKS_AHEAD * this.#workers * chunkSize;
    return Math.max(0, most - this.#inside);
  }

  /** Notes tasks taken from the inputs. */
  took(tasks: number): void {
    this.#inside += tasks;
  }

  put(first: number, values: ArrayLike<unknown>): void {
    this.#add(first, values);
  }

  fail(index: number, error: TaskError): "drain" {
    this.#add(index, new Failed(error));
    return "drain";
  }

  #add(first: number, stretch: Stretch): void {
    if (this.#order === undefined) this.#ready.push(stretch);
    else {
      this.#order.add(first, stretch);
      let next: Stretch | undefined;
      while ((next = this.#order.next()) !== undefined) this.#ready.push(next);
    }
    if (this.#ready.length > 0) this.#wakeReader();
  }

  done(): void {
    this.#end ??= {};
    this.#wakeReader();
  }

  stop(error: unknown): void {
    this.#end ??= { error };
    this.#wakeReader();
  }

  #wakeReader(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /**
   * Opens the reader's end. Written by hand: `for await` over an
   * `async function*` takes three turns a value, over this one.
   *
   * @param open Starts the run, with the first read.
   * @param closed Settled when what the run held is gone.
   * @returns The generator.
   */
  read<R>(
    open: () => StreamRun,
    closed: () => Promise<void>,
  ): AsyncGenerator<R, undefined, undefined> {
    let run: StreamRun | undefined;
    let over = false;
    let asked: Promise<unknown> = Promise.resolve();
    let overlapping = 0;

    /** The next value, if it is there. */
    const take = (): { done: false; value: unknown } | undefined => {
      const stretch = this.#ready[0];
      if (over || stretch === undefined || stretch instanceof Failed) return;
      const value = stretch[this.#at++];
      this.#inside--;
      if (this.#at === stretch.length) {
        this.#ready.shift();
        this.#at = 0;
        run!.wake();
      }
      return { done: false, value };
    };

    const finish = async () => {
      if (over) return;
      over = true;
      this.#ready.length = 0;
      try {
        run?.cancel();
      } finally {
        this.#wakeReader();
        if (run !== undefined) await closed();
      }
    };

    const wait = async (): Promise<{ done: boolean; value: unknown }> => {
      for (;;) {
        const taken = take();
        if (taken !== undefined) return taken;
        const failed = this.#ready[0];
        const end = failed instanceof Failed ? failed : this.#end;
        if (over) return { done: true, value: undefined }; // the reader left
        if (end !== undefined) {
          await finish();
          if ("error" in end) {
            this.#end = {}; // a generator throws once
            throw end.error;
          }
          return { done: true, value: undefined };
        }
        await new Promise<void>((wake) => this.#wake = wake);
      }
    };

    const generator = {
      next() {
        try {
          run ??= over ? undefined : open();
        } catch (error) { // the inputs would not be opened
          over = true;
          return Promise.reject(error);
        }
        const taken = overlapping === 0 ? take() : undefined;
        if (taken !== undefined) return Promise.resolve(taken);
        // Reads that overlap are answered in the order they were made.
        overlapping++;
        const answer = asked.then(wait).finally(() => overlapping--);
        asked = answer.catch(() => {});
        return answer;
      },
      async return(value?: unknown) {
        await finish();
        return { done: true, value };
      },
      async throw(error?: unknown) {
        await finish();
        throw error;
      },
      [Symbol.asyncIterator]() {
        return generator;
      },
      [Symbol.asyncDispose]: finish,
    };
    return generator as unknown as AsyncGenerator<R, undefined, undefined>;
  }
}
