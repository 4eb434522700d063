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
import { UsageError } from "./values.ts";

/** What is loaded is what is needed: the engine only if there is work. */
async function main(args: string[]): Promise<number> {
  let command: Command;
  try {
    command = readCommand(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const { allSaid, say } = await import("./messages.ts");
    say(error.message);
    await allSaid();
    return 2;
  }
  if (command.to === "run") {
    return await (await import("./run.ts")).run(command.settings);
  }
  if (command.to === "complete") {
    console.log((await import("./completion.ts")).completion(command.shell));
    return 0;
  }
  const { longHelp, shortHelp, VERSION } = await import("./help.ts");
  if (command.to === "tell version") console.log(VERSION);
  else console.log(command.form === "short" ? shortHelp() : longHelp());
  return 0;
}

// What is too old to know this property is Node.js, and must not end in silence.
if (import.meta.main === undefined) {
  const { node } = process.versions;
  console.error(`pmap: Node.js must be 24.2 or newer: received ${node}`);
  process.exit(3);
}
if (import.meta.main) process.exit(await main(process.argv.slice(2)));
