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
  /** Ends the run: nobody reads on. */
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
  readonly #workers: number;
  readonly #bufferSize: number | undefined;
  readonly #order: Reorder<Stretch> | undefined;
  readonly #ready: Stretch[] = [];
  #at = 0; // offset in the first ready stretch
  #inside = 0; // tasks taken from the inputs and not yet read
  #end: { error?: unknown } | undefined;
  #waiting: { wake: () => void } | undefined;

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
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.wake();
  }

  /**
   * Opens the reader's end. Written by hand: `for await` over an
   * `async function*` costs three turns a value, this one.
   *
   * @param run The run behind the sink.
   * @returns The generator.
   */
  read<R>(run: () => StreamRun): AsyncGenerator<R, undefined, undefined> {
    let asked: Promise<unknown> = Promise.resolve();
    let ended = false;
    const step = (value: unknown) => ({ done: false, value }) as const;

    const take = (): { done: boolean; value: unknown } | undefined => {
      if (ended) return { done: true, value: undefined };
      const stretch = this.#ready[0];
      if (stretch !== undefined) {
        if (stretch instanceof Failed) {
          ended = true;
          run().cancel();
          throw stretch.error;
        }
        const value = stretch[this.#at++];
        this.#inside--;
        if (this.#at === stretch.length) {
          this.#ready.shift();
          this.#at = 0;
          run().wake();
        }
        return step(value);
      }
      if (this.#end === undefined) return undefined;
      ended = true;
      if ("error" in this.#end) throw this.#end.error;
      return { done: true, value: undefined };
    };

    const wait = async (): Promise<{ done: boolean; value: unknown }> => {
      for (;;) {
        const taken = take();
        if (taken !== undefined) return taken;
        await new Promise<void>((wake) => this.#waiting = { wake });
      }
    };

    let waiting = 0;
    const next = (): Promise<{ done: boolean; value: unknown }> => {
      run(); // the first read starts the run
      if (waiting === 0) {
        try {
          const taken = take();
          if (taken !== undefined) return Promise.resolve(taken);
        } catch (error) {
          return Promise.reject(error);
        }
      }
      // Reads that overlap are answered in the order they were made.
      waiting++;
      const answer = asked.then(wait).finally(() => waiting--);
      asked = answer.catch(() => {});
      return answer;
    };

    const finish = () => {
      if (!ended) {
        ended = true;
        this.#ready.length = 0;
        run().cancel();
        this.#wakeReader();
      }
    };

    const generator = {
      next,
      return(value?: unknown) {
        finish();
        return Promise.resolve({ done: true, value });
      },
      throw(error?: unknown) {
        finish();
        return Promise.reject(error);
      },
      [Symbol.asyncIterator]() {
        return generator;
      },
      [Symbol.asyncDispose]() {
        finish();
        return Promise.resolve();
      },
    };
    return generator as unknown as AsyncGenerator<R, undefined, undefined>;
  }
}
