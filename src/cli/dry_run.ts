/**
 * `--dry-run`: what a job would do, without doing it.
 *
 * @module
 */

import type { TaskOutcome } from "../../mod.ts";
import { isJson } from "../words/plain_data.ts";
import { plural } from "../words/units.ts";
import { Inputs } from "./inputs.ts";
import { argumentOf, textsOf } from "./lines.ts";
import { openLog, throughLog } from "./log.ts";
import { allSaid, isSaidMuch, quote, say } from "./messages.ts";
import { Output, STANDARD_OUTPUT, wordUnwritten } from "./output.ts";
import type { Plan } from "./target.ts";
import { checkTarget } from "./worker_check.ts";
import type { Done, Sent } from "./travel.ts";

/**
 * Writes the call of every input that would be made, a line each, and checks
 * that it is JSON where it must be. Loads the module, to see that it can be
 * called.
 *
 * @param plan The job.
 * @returns How many inputs are malformed.
 */
export async function dryRun(plan: Plan): Promise<number> {
  const { target: { title, name }, expression, json } = plan;
  const callee = expression === undefined ? name : `(${expression})`;
  let failure: { error: Error | undefined } | undefined;
  const output = new Output(1, (cause) => {
    failure = { error: wordUnwritten(cause, STANDARD_OUTPUT) };
    inputs.end();
  });
  await using log = await openLog(plan);
  const inputs = new Inputs(plan, {
    indexed: log !== undefined,
    ended: () => failure !== undefined,
    full: () => output.full || isSaidMuch(),
    room: async () => {
      if (output.full) await output.drained();
      if (isSaidMuch()) await allSaid();
    },
  });
  // After the files: a module may change the current folder when it loads.
  await checkTarget(plan);
  let [called, malformed, kept] = [0, 0, 0];

  /** Writes the call of each input instead of making it. */
  async function* write(
    rest: AsyncIterable<Sent>,
  ): AsyncGenerator<TaskOutcome<Sent, Done>> {
    let index = 0;
    for await (const input of rest) {
      const sent = typeof input === "string" ? { index, text: input } : input;
      const { text } = sent;
      if (!json || textsOf(text, plan).every(isJson)) {
        called++;
        output.write(`${callee}(${argumentOf(text, plan)})`);
      } else {
        malformed++;
        const name = inputs.nameOf(sent.index);
        say(
          `Cannot parse ${name} as a line must be one JSON value: received ${
            quote(text)
          }`,
        );
      }
      yield { index: index++, input, status: "fulfilled", value: undefined };
    }
  }

  try {
    for await (const outcome of throughLog(log, inputs, write)) {
      inputs.settled(outcome.index);
      if (outcome.kept) kept++;
    }
  } finally {
    await output.drained(); // also of what came before an error in the inputs
  }
  if (failure?.error !== undefined) throw failure.error;
  if (failure !== undefined) return malformed;
  say(
    `would call ${title} for ${plural(called, "input")}; ${
      plural(kept, "result")
    } kept from an earlier run`,
  );
  return malformed;
}
