/**
 * The inputs that were given to the stream, until it gives their outcomes.
 *
 * @module
 */

import type { TaskOutcome } from "../../mod.ts";
import type { InputKey } from "./input_keys.ts";
import { digestOf } from "./input_keys.ts";
import { inputText } from "./input_text.ts";

/** An input that runs. */
export interface RunningInput<T> {
  /** Its position among all. */
  index: number;
  key: InputKey;
  input: T;
  /** What it was when the source gave it. */
  own: T;
}

/** All of them. */
export class RunningInputs<T> {
  readonly #key: ((input: T) => string) | undefined;
  /** By their position among those that run. */
  readonly #inputs = new Map<number, RunningInput<T>>();
  /** How many have a digest. */
  readonly #digests = new Map<string, number>();
  #added = 0;

  /** @param key Makes the text that tells an input from others, if not JSON. */
  constructor(key: ((input: T) => string) | undefined) {
    this.#key = key;
  }

  /** How many there are. */
  get size(): number {
    return this.#inputs.size;
  }

  /** Adds the next. */
  add(running: RunningInput<T>): void {
    this.#inputs.set(this.#added++, running);
    this.#count(running.key, 1);
  }

  /**
   * Takes one out.
   *
   * @param position Its position among those that run.
   * @returns It; undefined if it does not run.
   */
  take(position: number): RunningInput<T> | undefined {
    const running = this.#inputs.get(position);
    if (running === undefined) return undefined;
    this.#inputs.delete(position);
    this.#count(running.key, -1);
    return running;
  }

  /**
   * Finds whose outcome it is that came in the place of another one's: some did
   * not get to the stream. As outcomes may have copies, an input is known by its
   * text.
   *
   * @param input That of the outcome.
   * @param taken Whose outcome it must be.
   * @returns The other one; undefined if it is right, or made of the input.
   */
  otherOf(input: T, taken: RunningInput<T>): RunningInput<T> | undefined {
    if (Object.is(input, taken.input)) return undefined;
    let digest: string;
    try {
      digest = digestOf(inputText(input, taken.index, this.#key));
    } catch {
      return undefined;
    }
    if (digest === taken.key.digest || !this.#digests.has(digest)) {
      return undefined;
    }
    return [...this.#inputs.values()].find(({ key }) => key.digest === digest);
  }

  #count({ digest }: InputKey, more: number): void {
    const count = (this.#digests.get(digest) ?? 0) + more;
    if (count === 0) this.#digests.delete(digest);
    else this.#digests.set(digest, count);
  }
}

/**
 * Names an input by its index among all: the stream counted those it got.
 *
 * @param outcome What the stream gave.
 * @param index The position of its input among all.
 * @param input The input, as it was.
 * @returns The outcome with both, and that index also in its error.
 */
export function renumber<T, R>(
  outcome: TaskOutcome<T, R>,
  index: number,
  input: T,
): TaskOutcome<T, R> {
  if (outcome.index !== index && outcome.status === "rejected") {
    const { reason } = outcome;
    const rename = (text = "") => text.replace(/input \d+/, `input ${index}`);
    const [message, stack] = [rename(reason.message), rename(reason.stack)];
    Object.assign(reason, { index, message, stack });
  }
  return { ...outcome, index, input };
}
