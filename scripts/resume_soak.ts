/**
 * Kills `pmap` at random moments, resumes after each, and checks that the
 * results are those of an unbroken run and that no input ran without need.
 *
 *     deno run -A scripts/resume_soak.ts [kills] [seed] [ms]
 *     bun scripts/resume_soak.ts [kills] [seed] [ms]
 */

import { assert, assertEquals } from "@std/assert";
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import { folder, lines, numbers, pmap, start, work } from "../tests/pmap.ts";
import { seeded } from "../tests/seeded.ts";

const KILLS = Number(process.argv[2] ?? 20);
const SEED = Number(process.argv[3] ?? 1);

/** How long each input takes, in ms. 0: the log is always being written to. */
const TASK_MS = Number(process.argv[4] ?? 8);

/** More inputs than the kills leave time for. */
const INPUTS = (TASK_MS === 0 ? 3000 : 100) * KILLS;

/** The latest kill, in ms after the start: some come before the first task. */
const LATEST_MS = 900;

function textOf(file: string): string {
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

/** Indexes the log has a result for; a torn last line does not count. */
function doneIn(log: string): Set<number> {
  const whole = textOf(log).split("\n").slice(1, -1);
  return new Set(
    whole.map((line) => JSON.parse(line))
      .filter(({ ok }) => ok).map(({ index }) => index),
  );
}

async function soak(): Promise<void> {
  using dir = folder();
  const [log, ran] = [dir.path("log"), dir.path("ran")];
  const random = seeded(SEED);
  const input = lines(
    numbers(INPUTS).map((id) => ({ id, file: ran, ms: TASK_MS })),
  );
  const args = ["--workers", "2", "--joblog", log, "--resume"];
  let again = 0;

  /** Checks what one run did: nothing that was done, and nothing twice. */
  function check(before: string, done: Set<number>): number {
    const ids = textOf(ran).slice(before.length).split("\n").filter(Boolean)
      .map(Number);
    assertEquals(
      new Set(ids).size,
      ids.length,
      "an input ran twice in one run",
    );
    for (const id of ids) assert(!done.has(id), `input ${id} ran without need`);
    return ids.length - [...doneIn(log)].filter((id) => !done.has(id)).length;
  }

  for (let kill = 1; kill <= KILLS; kill++) {
    const [before, done] = [textOf(ran), doneIn(log)];
    const { child, ended } = start([work("count"), ...args]);
    child.stdin!.end(input);
    const ms = Math.round(random() * LATEST_MS);
    await new Promise((resolve) => setTimeout(resolve, ms));
    child.kill("SIGKILL");
    await ended;
    const lost = check(before, done);
    again += lost;
    console.log(
      `kill ${kill} after ${ms} ms: ${
        doneIn(log).size
      } of ${INPUTS} logged, ${lost} ran and were not logged`,
    );
  }
  const [before, done] = [textOf(ran), doneIn(log)];
  const { status, out } = await pmap([work("count"), ...args], input);
  assertEquals(status, 0);
  assertEquals(check(before, done), 0);
  const unbroken = await pmap(
    [work("count")],
    lines(numbers(INPUTS).map((id) => ({ id, file: dir.path("x"), ms: 0 }))),
  );
  assertEquals(out === unbroken.out, true, "the results differ");
  console.log(
    `ok: ${KILLS} kills (seed ${SEED}), ${done.size} results kept, ${again} calls repeated, ${out.length} characters the same`,
  );
}

await soak();
