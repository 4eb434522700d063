/**
 * A stream that has the late outcomes in it, when they are known.
 *
 * @module
 */

import type { TaskOutcome } from "../../mod.ts";
import { EarlyResults } from "./early_results.ts";
import type { Done, Sent } from "./travel.ts";

type Outcome = TaskOutcome<Sent, Done>;

/**
 * Maps inputs.
 *
 * @param inputs The inputs.
 * @param how What maps them, chunk by chunk; where its workers write; and what
 * is told each input that is sent.
 * @returns The outcomes, each once.
 */
export async function* withEarlyResults(
  inputs: AsyncIterable<Sent>,
  how: {
    outboxes: SharedArrayBuffer[];
    sent(input: Sent): void;
    run(inputs: AsyncIterable<Sent>): AsyncIterable<Outcome>;
  },
): AsyncGenerator<Outcome, undefined, undefined> {
  let ready: Outcome[] = [];
  let wake = () => {};
  const early = new EarlyResults(how.outboxes, (outcome) => {
    ready.push(outcome);
    wake();
  });

  async function* noted(): AsyncGenerator<Sent> {
    for await (const input of inputs) {
      early.sent(input);
      how.sent(input);
      yield input;
    }
  }

  const stream = how.run(noted())[Symbol.asyncIterator]();
  let next = stream.next();
  try {
    for (;;) {
      const woken = new Promise<undefined>((resolve) =>
        wake = () => resolve(undefined)
      );
      const first = ready.length > 0
        ? undefined
        : await Promise.race([next, woken]);
      if (first === undefined) {
        const late = ready;
        ready = [];
        for (const outcome of late) yield outcome;
      } else if (first.done) return;
      else {
        next = stream.next();
        next.catch(() => {}); // heard at its turn
        if (early.isNews(first.value.index)) yield first.value;
      }
    }
  } finally {
    early.stop();
    await stream.return?.();
  }
}
