/**
 * Kills `pmap` at random moments of a job whose calls take from 1 ms to 1 s,
 * resumes after each, and checks that the results are those of an unbroken run,
 * that no input ran without need, and that no call which had ended long before
 * the kill runs again.
 *
 *     deno run -A scripts/resume_soak.ts [kills] [seed]
 *     bun scripts/resume_soak.ts [kills] [seed]
 */

import { assert, assertEquals } from "@std/assert";
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import {
  folder,
  lines,
  numbers,
  pmap,
  send,
  start,
  work,
} from "../tests/pmap.ts";
import { seeded } from "../tests/seeded.ts";

const KILLS = Number(process.argv[2] ?? 20);
const SEED = Number(process.argv[3] ?? 1);

/** More inputs than the kills leave time for. */
const INPUTS = 25 * KILLS;

/**
 * The latest kill, in ms after the first call has begun; every fifth comes after
 * the start, and so perhaps before the first call. More than the longest call,
 * which would never end else.
 */
const LATEST_MS = 1500;

/**
 * How long before the kill a call may have ended that is in no log, in ms. Its
 * worker tells within 50; the rest is for a machine that has other work.
 */
const GRACE_MS = 2000;

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

/** What functions noted: + or -, the id, and when. */
function notesOf(text: string): { sign: string; id: number; at: number }[] {
  return text.split("\n").filter(Boolean).map((line) => {
    const [sign, id, at] = line.split(" ");
    return { sign: sign!, id: Number(id), at: Number(at) };
  });
}

async function soak(): Promise<void> {
  using dir = folder();
  const [log, ran] = [dir.path("log"), dir.path("ran")];
  const random = seeded(SEED);
  // As many of 1 to 10 ms as of 100 ms to 1 s.
  const inputs = numbers(INPUTS).map((id) => ({
    id,
    file: ran,
    ms: Math.round(10 ** (3 * random())),
  }));
  const input = lines(inputs);
  const flags = ["--workers", "2", "--concurrency", "4"];
  const args = [work("span"), ...flags, "--joblog", log, "--resume"];
  const total = { running: 0, ended: 0, latest: 0 };

  /** Checks what one run did: nothing that was done, and nothing twice. */
  function check(before: string, done: Set<number>, end: number): void {
    const notes = notesOf(textOf(ran).slice(before.length));
    const begun = notes.filter(({ sign }) => sign === "+").map(({ id }) => id);
    assertEquals(new Set(begun).size, begun.length, "ran twice in one run");
    for (const id of begun) assert(!done.has(id), `${id} ran without need`);
    const now = doneIn(log);
    const ended = notes.filter(({ sign }) => sign === "-");
    for (const { id, at } of ended.filter(({ id }) => !now.has(id))) {
      total.ended++;
      total.latest = Math.max(total.latest, end - at);
      assert(end - at < GRACE_MS, `${id} ended ${end - at} ms before the kill`);
    }
    total.running += begun.length - ended.length;
  }

  for (let kill = 1; kill <= KILLS; kill++) {
    const [before, done] = [textOf(ran), doneIn(log)];
    const running = start(args);
    running.child.stdin!.end(input);
    const ms = Math.round(random() * LATEST_MS);
    while (
      kill % 5 !== 0 && textOf(ran).length === before.length &&
      running.child.exitCode === null
    ) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, ms));
    const end = Date.now();
    send("KILL", running);
    await running.ended;
    check(before, done, end);
    if (kill % 10 === 0) {
      console.log(`${kill} kills: ${doneIn(log).size} of ${INPUTS} logged`);
    }
  }
  const [before, done] = [textOf(ran), doneIn(log)];
  const { status, out } = await pmap(args, input);
  assertEquals(status, 0);
  check(before, done, 0);
  const unbroken = await pmap(
    [work("span")],
    lines(inputs.map(({ id }) => ({ id, file: dir.path("x"), ms: 0 }))),
  );
  assertEquals(out === unbroken.out, true, "the results differ");
  console.log(
    `ok: ${KILLS} kills (seed ${SEED}), ${done.size} results kept; ran again: ` +
      `${total.running} calls that were running, ${total.ended} that had ended, ` +
      `${total.latest} ms before the kill at most; ${out.length} characters the same`,
  );
}

await soak();
