#!/usr/bin/env bun
/**
 * `pmap`: maps one function over the inputs of a file, in parallel.
 *
 * ```sh
 * deno run -A jsr:@parallel/map/cli ./work.ts#norm < in.ndjson > out.ndjson
 * ```
 *
 * `--help` says everything else.
 *
 * @module
 */

import process from "node:process";
import type { Command } from "./command.ts";
import { readCommand } from "./command.ts";
import { exit } from "./descriptors.ts";
import { STATUS } from "./exit_status.ts";
import { UsageError } from "./values.ts";

/** What is loaded is what is needed: the engine only if there is work. */
async function main(args: string[]): Promise<number> {
  let command: Command;
  try {
    command = readCommand(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return await refuse(error, STATUS.usage);
  }
  if (command.to === "run") {
    return await (await import("./run.ts")).run(command.settings);
  }
  if (command.to === "complete") {
    const { completion } = await import("./completion.ts");
    return await print(completion(command.shell));
  }
  const { longHelp, shortHelp, VERSION } = await import("./help.ts");
  if (command.to === "tell version") return await print(VERSION);
  return await print(command.form === "short" ? shortHelp() : longHelp());
}

/** Writes a text, and says the exit status. */
async function print(text: string): Promise<number> {
  const { Output, STANDARD_OUTPUT, wordUnwritten } = await import(
    "./output.ts"
  );
  let problem: Error | undefined;
  const output = new Output(1, (error) => {
    problem = wordUnwritten(error, STANDARD_OUTPUT);
  });
  output.write(text);
  await output.drained();
  return problem === undefined
    ? STATUS.good
    : await refuse(problem, STATUS.broken);
}

/** Says why there is no more, and the exit status. */
async function refuse({ message }: Error, status: number): Promise<number> {
  const { allSaid, say } = await import("./messages.ts");
  say(message);
  await allSaid();
  return status;
}

// What is too old to know this property is Node.js, and must not end in silence.
if (import.meta.main === undefined) {
  const { node } = process.versions;
  console.error(`pmap: Node.js must be 24.2 or newer: received ${node}`);
  process.exit(STATUS.broken);
}
if (import.meta.main) exit(await main(process.argv.slice(2)));
