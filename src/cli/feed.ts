/**
 * The inputs of a job on their way to the workers, without those whose result
 * an earlier run kept.
 *
 * @module
 */

import { InFlight } from "./in_flight.ts";
import type { Input, InputReader } from "./inputs.ts";
import type { KeptResults } from "./kept_results.ts";
import type { InputKey } from "./log_record.ts";
import { createKeys } from "./log_record.ts";
import type { Sent } from "./protocol.ts";

/** What a feed is made of. */
export interface FeedSetup {
  inputs: InputReader;
  /** The log's results; undefined without a log. */
  kept: KeptResults | undefined;
  /** Takes an input that need not be sent. */
  onKept(index: number, text: string): void;
  /** Whether to send nothing more. */
  ended(): boolean;
  /** Whether to wait for `room`, because results wait for their turn. */
  full(): boolean;
  room(): Promise<void>;
}

/** Numbers inputs, and remembers those in flight. */
export class Feed implements AsyncIterable<Sent> {
  /** The inputs that were sent and not answered. */
  readonly inFlight: InFlight<Input> = new InFlight();
  /** How many inputs were read. */
  read = 0;
  /** How many results were kept. */
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

  /** By hand, as most inputs are there: a promise each, and no more. */
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
