// What a job that ends before its inputs do still writes.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { test } from "./harness.ts";
import type { Ended } from "./pmap.ts";
import {
  folder,
  lines,
  numbers,
  PATIENCE,
  pmap,
  send,
  start,
  work,
} from "./pmap.ts";
import { records } from "./pmap_log.ts";
import { pause, until } from "./until.ts";

/** A reader that begins late; the status goes to standard error. */
const LATE = '{ "$@"; echo "status $?" >&2; } | { sleep 2; cat; }';

test(
  "pmap --halt soon, and an error in its inputs, leave a slow reader no half line",
  PATIENCE,
  async () => {
    // More than a pipe takes.
    const long = "n => String(n).repeat(300)";
    const all = numbers(400).map((n) => n + 1000);
    const out = lines(all.map((n) => String(n).repeat(300)));
    const halted = await pmap(
      ["-e", long, "--halt", "soon", "-j1"],
      `${lines(all)}oops\n`,
      LATE,
    );
    assertMatch(halted.err, /stopped by --halt after 1 failure[^]*status 1\n/);
    assertEquals(halted.out, out);
    const broken = await pmap(
      ["-e", "row => row.n.repeat(300)", "--csv", "-j1"],
      `n\n${lines(all)}1,2\n`,
      LATE,
    );
    assertMatch(broken.err, /Cannot read inputs[^]*status 3\n/);
    assertEquals(broken.out, out);
  },
);

test(
  "pmap ends at Ctrl-C while a reader stalls after --halt",
  PATIENCE,
  async () => {
    using dir = folder();
    const pipe = dir.path("pipe");
    assertEquals(spawnSync("mkfifo", [pipe]).status, 0);
    // For writing too, so that neither end waits for the other.
    const reader = openSync(pipe, "r+");
    try {
      const args = ["-e", "n => String(n).repeat(300)", "--halt", "now", "-j1"];
      using running = start(args, `exec "$@" > ${pipe}`);
      const { child, ended } = running;
      let err = "";
      child.stderr!.on("data", (text) => err += text);
      child.stdin!.end(`${lines(numbers(2000))}oops\n`);
      await until(() => err.includes("must be one JSON value"));
      await pause(1000); // more than Ctrl-C would wait for the reader
      assertEquals(child.exitCode, null);
      send("INT", running);
      assertEquals((await ended).status, 130);
    } finally {
      closeSync(reader);
    }
  },
);

test(
  "pmap --halt soon ends also while no more inputs come",
  { timeout: 60_000 },
  async () => {
    for (const more of [[], ["--retries", "1", "--retry-delay", "10"]]) {
      using running = start([work("odd"), "--halt", "soon", "-j1", ...more]);
      running.child.stdin!.write("2\n"); // and it stays open
      const { status, err } = await running.ended;
      assertEquals(status, 1);
      assertMatch(err, /stopped by --halt after 1 failure of 1 input\n/);
    }
  },
);

test(
  "pmap writes what has a result also when an earlier input has none yet",
  PATIENCE,
  async () => {
    // Of so many, one or two may still wait behind the first.
    const jobs = lines([
      { id: 0, ms: 600_000 },
      ...numbers(40).map((n) => ({ id: n + 1 })),
      { id: 41, ms: 300, fail: true },
    ]);
    function check({ out, err }: Ended): void {
      const ids = out.trim().split("\n").map(Number);
      assert(ids.length > 35 && ids.length <= 40, out);
      assertEquals(ids, ids.toSorted((a, b) => a - b));
      assertMatch(err, new RegExp(` ${ids.length + 1} inputs\\b`));
    }
    using dir = folder();
    const args = [work("job"), "-j2", "--chunk-size", "1"];
    for (const more of [[], ["--joblog", dir.path("log")]]) {
      const halted = await pmap([...args, ...more, "--halt", "now"], jobs);
      assertEquals(halted.status, 1);
      check(halted);
    }
    assertEquals(records(dir.path("log")).length > 36, true);
    const failed = dir.path("failed");
    using running = start([...args, "--failed", failed]);
    running.child.stdin!.write(jobs);
    await until(() =>
      existsSync(failed) && readFileSync(failed, "utf8") !== ""
    );
    send("INT", running);
    const ended = await running.ended;
    assertEquals(ended.status, 130);
    check(ended);
  },
);
