/**
 * Which inputs go next: in their order, or by their weights (weighing.ts).
 *
 * @module
 */

import type { Source } from "./inputs.ts";
import type { Sink } from "./sink.ts";

/** Consecutive inputs. */
export interface ConsecutiveInputs {
  /** Index of the first. */
  readonly first: number;
  readonly values: ArrayLike<unknown>;
  /** What they weigh, one a value; undefined if each weighs 1. */
  readonly weights: Float64Array | undefined;
}

/** Gives the inputs of a run, as far as its sink has room. */
export interface NextInputs {
  /** How many there are in all, where that can be known. */
  readonly total: number | undefined;
  /** What all weigh, where that can be known: 1 is the mean. */
  readonly weight: number | undefined;
  /** How many were read, and not taken; none if that is not said. */
  readonly waiting?: number;
  /** What those weigh that were not taken. */
  readonly weightLeft: number | undefined;
  /**
   * Takes the next ones.
   *
   * @param weight What they may weigh, apart from the first of them.
   * @param most How many at most.
   * @returns Some; none while none is there yet; undefined at the end.
   * @throws Whatever the inputs throw.
   */
  take(weight: number, most: number): ConsecutiveInputs | undefined;
  /** Takes those that were read and passed over: no more is read. */
  takeRest(): ConsecutiveInputs[];
  /** Ends the inputs early, if they have not ended. */
  close(): void;
}

/** Inputs in their order. */
export class InputsInOrder implements NextInputs {
  readonly #source: Source;
  readonly #sink: Sink;
  #next = 0;
  #ended = false;

  constructor(source: Source, sink: Sink) {
    this.#source = source;
    this.#sink = sink;
  }

  get total(): number | undefined {
    return this.#source.total;
  }

  get weight(): number | undefined {
    return this.#ended ? this.#next : this.total;
  }

  get weightLeft(): number | undefined {
    return this.total && this.total - this.#next;
  }

  take(weight: number, most: number): ConsecutiveInputs | undefined {
    const first = this.#next;
    const room = Math.min(weight, most, this.#sink.room(weight));
    const isEnd = first === this.total; // though there be no room
    if (room < 1 && !isEnd) return { first, values: [], weights: undefined };
    const values = isEnd ? undefined : this.#source.take(room);
    if (values === undefined) {
      this.#ended = true;
      return undefined;
    }
    this.#next += values.length;
    this.#sink.took(values.length);
    return { first, values, weights: undefined };
  }

  takeRest(): ConsecutiveInputs[] {
    return [];
  }

  close(): void {
    this.#source.close();
  }
}
