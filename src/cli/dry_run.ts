/**
 * `--dry-run`: what a job would do, without doing it.
 *
 * @module
 */

import { plural } from "../words/units.ts";
import type { Settings } from "./command.ts";
import { nameOf } from "./failures.ts";
import { Feed } from "./feed.ts";
import { openInputs } from "./inputs.ts";
import { lookAtLog } from "./job_log.ts";
import { quote, say } from "./messages.ts";
import { Output } from "./output.ts";

/**
 * Writes the call of every input that would be made, a line each, and checks
 * that it is JSON where it must be.
 *
 * @param settings The job.
 * @returns How many inputs are malformed.
 */
export async function dryRun(settings: Settings): Promise<number> {
  const { target, json, log } = settings;
  const { title, name } = target;
  let failure: { error: unknown } | undefined;
  const output = new Output(1, (error) => failure = { error });
  const kept = log?.resume ? lookAtLog(log.file, { title, json }) : undefined;
  const feed = new Feed({
    inputs: openInputs(settings),
    kept,
    onKept: () => {},
    ended: () => failure !== undefined,
    full: () => output.full,
    room: () => output.drained(),
  });
  let malformed = 0;
  let sentInputs = 0;
  for await (const sent of feed) {
    const index = typeof sent === "string" ? sentInputs : sent[0];
    sentInputs++;
    const input = feed.inFlight.take(index);
    const { text } = input;
    if (!json || isJson(text)) {
      output.write(`${name}(${json ? text : JSON.stringify(text)})`);
      continue;
    }
    malformed++;
    say(
      `Cannot parse ${
        nameOf(input, settings)
      } as a line must be one JSON value: received ${quote(text)}`,
    );
  }
  if (failure !== undefined) throw failure.error;
  await output.drained();
  kept?.close();
  const left = feed.read - feed.kept - malformed;
  say(
    `would call ${title} for ${plural(left, "input")}; ${
      plural(feed.kept, "result")
    } kept from an earlier run`,
  );
  return malformed;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false; // the caller says in which line
  }
}
