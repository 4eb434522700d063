/**
 * The inputs of a job on their way to the workers, without those whose result
 * is in the log of an earlier run.
 *
 * @module
 */

import type { InputKey } from "./input_keys.ts";
import { createKeys } from "./input_keys.ts";
import type { Input, InputReader } from "./inputs.ts";
import type { KeptResults } from "./kept_results.ts";
import type { Sent } from "./worker_side.ts";

/** What a feed is made of. */
export interface FeedSetup {
  inputs: InputReader;
  /** The log's results; undefined without a log. */
  kept: KeptResults | undefined;
  /** Takes the result of an input that need not run. */
  onKept(index: number, text: string): void;
  /** Whether to send nothing more. */
  ended(): boolean;
  /** Whether to wait for `room`, because results wait for their turn. */
  full(): boolean;
  room(): Promise<void>;
}

/** Gives the inputs that must run, and holds them until they are answered. */
export class Feed implements AsyncIterable<Sent> {
  /** The inputs that were given out and not answered. */
  readonly inFlight: InFlight<Input> = new InFlight();
  /** How many inputs were read. */
  read = 0;
  /** How many of them had a result in the log. */
  kept = 0;
  readonly #setup: FeedSetup;
  readonly #keyOf: ((text: string) => InputKey) | undefined;
  #sent = 0;

  constructor(setup: FeedSetup) {
    this.#setup = setup;
    this.#keyOf = setup.kept === undefined ? undefined : createKeys();
  }

  /**
   * Gives the next input that must be sent.
   *
   * @returns The input; undefined when there is none for now.
   */
  take(): Sent | undefined {
    const { inputs, kept, onKept, full, ended } = this.#setup;
    while (!full() && !ended()) {
      const input = inputs.take();
      if (input === undefined) return undefined;
      const { index, text } = input;
      this.read++;
      input.key = this.#keyOf?.(text);
      const result = input.key && kept?.find(input.key);
      if (result !== undefined) {
        this.kept++;
        onKept(index, result);
        continue;
      }
      this.inFlight.add(input);
      return index === this.#sent++ ? text : [index, text];
    }
    return undefined;
  }

  /** Written by hand: a generator would make three promises an input, not one. */
  [Symbol.asyncIterator](): AsyncIterator<Sent, undefined> {
    return {
      next: () => {
        const value = this.take();
        return value === undefined
          ? this.#wait()
          : Promise.resolve({ done: false, value });
      },
      return: () => Promise.resolve({ done: true, value: undefined }),
    };
  }

  async #wait(): Promise<IteratorResult<Sent, undefined>> {
    const { inputs, full, room, ended } = this.#setup;
    for (;;) {
      if (full()) await room();
      const value = this.take();
      if (value !== undefined) return { done: false, value };
      if (ended()) return { done: true, value: undefined };
      if (full()) continue;
      if (!await inputs.fill()) return { done: true, value: undefined };
    }
  }
}

/**
 * How many values the ring holds, a power of two: more than are usually in
 * flight. With fewer, more of them go to the map. No bench.
 */
const RING = 1 << 16;

/**
 * Holds values by index, in a ring, and in a map those that are still there
 * when the ring comes round: a map alone would cost more than a trivial
 * function (bench/cli_lines.ts).
 */
export class InFlight<V extends { index: number }> {
  readonly #ring: (V | undefined)[] = new Array(RING);
  readonly #late = new Map<number, V>();

  /**
   * Adds a value.
   *
   * @param value It knows its index.
   */
  add(value: V): void {
    const at = value.index & (RING - 1);
    const late = this.#ring[at];
    if (late !== undefined) this.#late.set(late.index, late);
    this.#ring[at] = value;
  }

  /**
   * Takes a value out.
   *
   * @param index Its index.
   * @returns The value, which must have been added.
   */
  take(index: number): V {
    const at = index & (RING - 1);
    const value = this.#ring[at];
    if (value?.index === index) {
      this.#ring[at] = undefined;
      return value;
    }
    const late = this.#late.get(index)!;
    this.#late.delete(index);
    return late;
  }
}
