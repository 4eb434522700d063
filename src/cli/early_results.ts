/**
 * Lets the results of calls that have ended overtake their chunk.
 *
 * @module
 */

import type { TaskOutcome } from "../../mod.ts";
import { TaskError } from "../../mod.ts";
import { OutboxReader } from "./outbox.ts";
import type { Call, Done, Sent, Thrown } from "./travel.ts";

/**
 * How often outboxes are looked at, in ms: a result is late from then on, and
 * told after twice that time. Less costs calls, more makes results late. No
 * bench.
 */
const LOOK_MS = 25;

/** How many inputs are remembered before those that are done are let go. */
const MOST_REMEMBERED = 1 << 14;

/** Finds the outcomes that are late in one stream, by the index of the input. */
export class EarlyResults {
  readonly #readers: OutboxReader[];
  readonly #give: (outcome: TaskOutcome<Sent, Done>) => void;
  /** The inputs from an index on; undefined once their outcome is known. */
  #inputs: (Sent | undefined)[] = [];
  #first = 0;
  /** Of which an outcome was given that the stream is yet to bring. */
  readonly #given = new Set<number>();
  #timer: ReturnType<typeof setInterval> | undefined;

  /**
   * Begins to look. End it with `stop`.
   *
   * @param outboxes Where the workers write.
   * @param give Takes an outcome before the stream brings it.
   */
  constructor(
    outboxes: SharedArrayBuffer[],
    give: (outcome: TaskOutcome<Sent, Done>) => void,
  ) {
    this.#readers = outboxes.map((memory) => new OutboxReader(memory));
    this.#give = give;
  }

  /**
   * Remembers the next input of the stream.
   *
   * @param input The input.
   */
  sent(input: Sent): void {
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
    if (this.#inputs.push(input) % MOST_REMEMBERED !== 0) return;
    let done = 0;
    while (
      done < this.#inputs.length && this.#inputs[done] === undefined
    ) done++;
    this.#inputs = this.#inputs.slice(done);
    this.#first += done;
  }

  /**
   * Notes that the stream has brought an outcome.
   *
   * @param index Of which input of the stream.
   * @returns False when it was given early: then it is to be dropped.
   */
  isFirst(index: number): boolean {
    if (this.#given.size > 0 && this.#given.delete(index)) return false;
    this.#inputs[index - this.#first] = undefined;
    return true;
  }

  /** Gives all that the workers have written until now. */
  lookAgain(): void {
    this.#look();
    this.#look(); // what was new at the first look
  }

  /** Looks no more. */
  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const isLate = (index: number) =>
      this.#inputs[index - this.#first] !== undefined;
    for (const reader of this.#readers) {
      for (const { index, text } of reader.readLate(isLate)) {
        const input = this.#inputs[index - this.#first]!;
        this.#inputs[index - this.#first] = undefined;
        this.#given.add(index);
        this.#give(outcomeOf(index, input, text));
      }
    }
  }
}

/**
 * Reads an entry of `openCaller` in line_caller.ts: `!` and the JSON of a failure,
 * or the JSON of a result; before that, if details are wanted, a line with when,
 * where and at which attempt.
 */
function outcomeOf(
  index: number,
  input: Sent,
  text: string,
): TaskOutcome<Sent, Done> {
  if (text.startsWith("!")) {
    const cause: Thrown = JSON.parse(text.slice(1));
    const { attempt: attempts } = cause;
    const reason = new TaskError(
      `Cannot map input ${index} as the function threw ${cause.error}`,
      { index, attempts, cause },
    );
    return { index, input, status: "rejected", reason };
  }
  const cut = text.indexOf("\n");
  if (cut < 0) return { index, input, status: "fulfilled", value: text };
  const [start, ms, worker, attempt] = text.slice(0, cut).split(" ").map(
    Number,
  );
  const call = { start, ms, worker, attempt } as Call;
  const value = { text: text.slice(cut + 1), ...call };
  return { index, input, status: "fulfilled", value };
}
