/**
 * The inputs of a job, as its gate lets them in.
 *
 * @module
 */

import type { Settings } from "./command.ts";
import { FileReader } from "./file_reader.ts";
import { Places } from "./places.ts";
import type { Reader } from "./readers.ts";
import { ArgumentReader, BatchReader } from "./readers.ts";
import type { Sent } from "./travel.ts";

/** How inputs are given out. */
export interface Gate {
  /** Whether with their index, as the engine may count others. */
  indexed: boolean;
  /** Told each input that is given. */
  taken?: ((input: Sent) => void) | undefined;
  /** Whether to give no more. */
  ended(): boolean;
  /** Whether to wait for `room`, because results wait for their turn. */
  full(): boolean;
  room(): Promise<void>;
}

/** The inputs of a job, one after another, as far as a gate lets them. */
export class Inputs implements AsyncIterable<Sent> {
  readonly #gate: Gate;
  readonly #reader: Reader;
  readonly #arguments: boolean;
  readonly #batch: boolean;
  readonly #places = new Places();
  #count = 0;
  #isRead = false;
  /** Ends a wait for more to be read, which may be one without end. */
  #giveUp = () => {};

  /**
   * Opens the inputs.
   *
   * @param settings Where they are and what a line is.
   * @param gate How they are given out.
   */
  constructor(settings: Settings, gate: Gate) {
    const { source, json, separator, batch, rows } = settings;
    this.#gate = gate;
    this.#arguments = source.from === "arguments";
    this.#batch = batch !== undefined;
    const reader = source.from === "arguments"
      ? new ArgumentReader(source.values)
      : new FileReader(source.files, { skipBlank: json, separator, rows });
    this.#reader = batch === undefined
      ? reader
      : new BatchReader(reader, batch);
  }

  /**
   * Names an input in a message.
   *
   * @param index Which, from 0; it has no outcome yet.
   * @returns Its index, and its line if it came from a file.
   */
  nameOf(index: number): string {
    if (this.#arguments) return `input ${index}`;
    const place = this.#places.of(index);
    const of = place.file === undefined ? "" : ` of ${place.file}`;
    const from = this.#batch ? "from " : "";
    return `input ${index} (${from}line ${index + place.ahead}${of})`;
  }

  /**
   * Forgets where an input was.
   *
   * @param index Of one that has its outcome.
   */
  settled(index: number): void {
    this.#places.forget(index);
  }

  /**
   * How many there are, those included that are kept from an earlier run;
   * undefined where nothing tells. Before a file is read to its end, it is as if
   * what is left of its bytes were like what was read.
   */
  get total(): { count: number; exact: boolean } | undefined {
    const count = this.#isRead ? this.#count : this.#reader.total;
    if (count !== undefined) return { count, exact: true };
    const { share } = this.#reader;
    return share === undefined || this.#count === 0
      ? undefined
      : { count: this.#count / share, exact: false };
  }

  /** Waits no longer: the gate says that no more are given. */
  end(): void {
    this.#giveUp();
  }

  /** Written by hand: a generator would make three promises an input, not one. */
  [Symbol.asyncIterator](): AsyncIterator<Sent, undefined> {
    return {
      next: () => {
        const value = this.#take();
        return value === undefined
          ? this.#wait()
          : Promise.resolve({ done: false, value });
      },
      return: () => Promise.resolve({ done: true, value: undefined }),
    };
  }

  #take(): Sent | undefined {
    if (this.#gate.full() || this.#gate.ended()) return undefined;
    const text = this.#reader.next();
    if (text === undefined) return undefined;
    const index = this.#count++;
    const { line, file } = this.#reader;
    const ahead = line - index; // changes where a line is blank
    this.#places.add(index, { ahead, file });
    const input = this.#gate.indexed ? { index, text } : text;
    this.#gate.taken?.(input);
    return input;
  }

  async #wait(): Promise<IteratorResult<Sent, undefined>> {
    const { full, room, ended } = this.#gate;
    while (!ended()) {
      if (full()) {
        await this.#unlessEnded(room());
        continue;
      }
      const value = this.#take();
      if (value !== undefined) return { done: false, value };
      if (full() || ended()) continue;
      const isMore = await this.#unlessEnded(this.#reader.fill());
      if (!isMore) break;
    }
    this.#isRead = true;
    return { done: true, value: undefined };
  }

  #unlessEnded<T>(awaited: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      this.#giveUp = () => resolve(undefined);
      awaited.then(resolve, reject);
    });
  }
}
