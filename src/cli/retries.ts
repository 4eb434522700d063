/**
 * Calls again, after a delay, what failed.
 *
 * @module
 */

import type { TaskOutcome } from "../../mod.ts";
import type { Done, Sent, SentWithIndex, Thrown } from "./travel.ts";
import { timerTime } from "./values.ts";

type Outcome = TaskOutcome<Sent, Done>;

/**
 * How many calls may wait for their next attempt before no more inputs are read.
 * Fewer, and workers idle when much fails; more take more memory. No bench.
 */
const MOST_WAITING = 1000;

/** A call: which of the inputs it is of, from 0, and which attempt, from 1. */
interface Attempt {
  place: number;
  attempt: number;
  input: Sent;
  /** What became of the attempt before. */
  failure?: Outcome & { status: "rejected" };
}

/** How inputs are mapped again. */
export interface RetryRule {
  /** How many retries an input has. */
  retries: number;
  /** How many ms before the first, and twice as long before each further. */
  delay: number;
  /** Maps. */
  run(inputs: AsyncIterable<Sent>): AsyncIterable<Outcome>;
  /** Settles when no more attempts are to begin: then failures are final. */
  over: Promise<unknown>;
  /** Told how many failures more are not final; -1 when one is after all. */
  retried(more: number): void;
}

/**
 * Maps inputs, and again those that fail.
 *
 * @param inputs The inputs, with their index.
 * @param rule What maps them, and how often.
 * @returns The outcomes, by the place of the input among all that were read.
 */
export async function* withRetries(
  inputs: AsyncIterable<Sent>,
  rule: RetryRule,
): AsyncGenerator<Outcome, undefined, undefined> {
  const calls = new Map<number, Attempt>(); // by their number
  const due: Attempt[] = [];
  const waiting = new Map<ReturnType<typeof setTimeout>, Attempt>();
  let unsettled = 0;
  let isOver = false;
  let wake = () => {};
  let look = () => {};
  rule.over.then(() => {
    isOver = true;
    wake();
    look();
  });

  async function* attempts(): AsyncGenerator<Sent> {
    const source = inputs[Symbol.asyncIterator]();
    let read: Promise<IteratorResult<Sent> | undefined> | undefined;
    let end: { error?: unknown; failed: boolean } | undefined; // of the inputs
    let places = 0;
    let number = 0;
    const readNext = async () => await source.next(); // which may throw at once
    try {
      for (;;) {
        const woken = new Promise<undefined>((resolve) =>
          wake = () => resolve(undefined)
        );
        const again = due.shift();
        if (again !== undefined) {
          calls.set(number++, again);
          const { index, text } = again.input as SentWithIndex;
          yield { index, text, attempt: again.attempt };
        } else if (end !== undefined && (isOver || unsettled === 0)) {
          if (end.failed) throw end.error;
          return;
        } else if (
          end !== undefined || (waiting.size > MOST_WAITING && !isOver)
        ) {
          await woken;
        } else {
          // An error in the inputs waits for what came before it.
          read ??= readNext().catch((error) => {
            end = { error, failed: true };
            return undefined;
          });
          const next = await Promise.race([read, woken]);
          if (next === undefined) continue;
          read = undefined;
          if (next.done) end = { failed: false };
          else {
            unsettled++;
            const input = next.value;
            calls.set(number++, { place: places++, attempt: 1, input });
            yield input;
          }
        }
      }
    } finally {
      await source.return?.();
    }
  }

  /** Has a call wait for its next attempt. */
  function wait(call: Attempt, failure: Attempt["failure"] & object): void {
    const { attempt } = call;
    const timer = setTimeout(() => {
      waiting.delete(timer);
      due.push(next);
      wake();
    }, timerTime(rule.delay && rule.delay * 2 ** (attempt - 1)));
    const next = { ...call, attempt: attempt + 1, failure };
    waiting.set(timer, next);
    rule.retried(1);
  }

  function settle(call: Attempt, outcome: Outcome): Outcome {
    unsettled--;
    wake();
    return { ...outcome, index: call.place, input: call.input };
  }

  /** The failures of those that wait: there is no other attempt. */
  function* giveUp(): Generator<Outcome> {
    const calls = [...waiting.values(), ...due.splice(0)];
    for (const timer of waiting.keys()) clearTimeout(timer);
    waiting.clear();
    for (const call of calls) {
      rule.retried(-1);
      yield settle(call, call.failure!);
    }
  }

  const stream = rule.run(attempts())[Symbol.asyncIterator]();
  try {
    let asked: Promise<IteratorResult<Outcome>> | undefined;
    for (;;) {
      if (isOver) yield* giveUp();
      const next = await new Promise<IteratorResult<Outcome> | undefined>(
        (resolve, reject) => {
          look = () => resolve(undefined);
          asked ??= stream.next();
          asked.then(resolve, reject);
        },
      );
      if (next === undefined) continue;
      asked = undefined;
      if (next.done) return;
      const outcome = next.value;
      const call = calls.get(outcome.index)!;
      calls.delete(outcome.index);
      if (outcome.status === "fulfilled") {
        // Without a value, it was not called any more.
        const { failure } = call;
        yield settle(call, outcome.value === undefined && failure || outcome);
        continue;
      }
      Object.assign(outcome.reason, { attempts: call.attempt });
      if (mayRetry(outcome) && call.attempt <= rule.retries && !isOver) {
        wait(call, outcome);
      } else yield settle(call, outcome);
    }
  } catch (error) {
    yield* giveUp();
    throw error;
  } finally {
    for (const timer of waiting.keys()) clearTimeout(timer);
    await stream.return?.();
  }
}

/** An input that is no JSON will be none the next time either. */
function mayRetry({ reason }: Outcome & { status: "rejected" }): boolean {
  const { at } = (reason.cause ?? {}) as Partial<Thrown>;
  return at !== "input";
}
