// What the tests of logs and of resuming share.

import { existsSync, readFileSync } from "node:fs";
import type { Ended } from "./pmap.ts";
import { numbers, pmap, work } from "./pmap.ts";

/** Inputs that note in a file that they ran. */
export function counted(count: number, file: string, ms = 0): unknown[] {
  return numbers(count).map((id) => ({ id, file, ms }));
}

/** How often each input ran. */
export function runs(file: string): Map<string, number> {
  const found = new Map<string, number>();
  if (!existsSync(file)) return found;
  for (const id of readFileSync(file, "utf8").trim().split("\n")) {
    found.set(id, (found.get(id) ?? 0) + 1);
  }
  return found;
}

/** The records of a log, whose last line may be in the middle of a write. */
export function records(log: string): Record<string, unknown>[] {
  return readFileSync(log, "utf8").split("\n").slice(1, -1)
    .map((line) => JSON.parse(line));
}

/** Runs the command with a log to go on with. */
export function logged(
  log: string,
  name: string,
  input: string,
): Promise<Ended> {
  const args = ["--workers", "2", "--joblog", log, "--resume"];
  return pmap([work(name), ...args], input);
}
