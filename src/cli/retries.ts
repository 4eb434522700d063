/**
 * Calls again, after a delay, what failed.
 *
 * @module
 */

import type { TaskOutcome } from "../../mod.ts";
import type { Done, Sent, SentWithIndex, Thrown } from "./travel.ts";

type Outcome = TaskOutcome<Sent, Done>;

/** A call: which of the inputs it is of, from 0, and which attempt, from 1. */
interface Attempt {
  place: number;
  attempt: number;
  input: Sent;
}

/**
 * Maps inputs, and again those that fail.
 *
 * @param inputs The inputs, with their index.
 * @param rule How many retries an input has, how many ms it waits before the
 * first, and twice as long before each further; and what maps.
 * @returns The outcomes, by the place of the input among all that were read.
 */
export async function* withRetries(
  inputs: AsyncIterable<Sent>,
  rule: {
    retries: number;
    delay: number;
    run(inputs: AsyncIterable<Sent>): AsyncIterable<Outcome>;
  },
): AsyncGenerator<Outcome, undefined, undefined> {
  const calls = new Map<number, Attempt>(); // by their number
  const due: Attempt[] = [];
  const timers = new Set<ReturnType<typeof setTimeout>>();
  let unsettled = 0;
  let wake = () => {};

  async function* attempts(): AsyncGenerator<Sent> {
    const source = inputs[Symbol.asyncIterator]();
    let read: Promise<IteratorResult<Sent>> | undefined;
    let isRead = false;
    let places = 0;
    let number = 0;
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
        } else if (isRead) {
          if (unsettled === 0) return;
          await woken;
        } else {
          read ??= source.next();
          const next = await Promise.race([read, woken]);
          if (next === undefined) continue;
          read = undefined;
          if (next.done) isRead = true;
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

  try {
    for await (const outcome of rule.run(attempts())) {
      const call = calls.get(outcome.index)!;
      calls.delete(outcome.index);
      if (mayRetry(outcome) && call.attempt <= rule.retries) {
        const timer = setTimeout(() => {
          timers.delete(timer);
          due.push({ ...call, attempt: call.attempt + 1 });
          wake();
        }, rule.delay * 2 ** (call.attempt - 1));
        timers.add(timer);
        continue;
      }
      unsettled--;
      wake();
      if (outcome.status === "rejected") {
        Object.assign(outcome.reason, { attempts: call.attempt });
      }
      yield { ...outcome, index: call.place, input: call.input };
    }
  } finally {
    for (const timer of timers) clearTimeout(timer);
  }
}

/** An input that is no JSON will be none the next time either. */
function mayRetry(outcome: Outcome): boolean {
  if (outcome.status === "fulfilled") return false;
  const { at } = (outcome.reason.cause ?? {}) as Partial<Thrown>;
  return at !== "input";
}
