import { assert, assertEquals, assertMatch } from "@std/assert";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { testOnce as test } from "./harness.ts";
import {
  firstOutput,
  folder,
  lines,
  numbers,
  PATIENCE,
  pmap,
  start,
  work,
} from "./pmap.ts";
import { logged, records, runs } from "./pmap_log.ts";

test("pmap --joblog writes a line for every input", PATIENCE, async () => {
  using dir = folder();
  const log = dir.path("log");
  const input = "1\n2\noops\n1\n";
  const { status } = await pmap([work("odd"), "--joblog", log], input);
  assertEquals(status, 1);
  const found = records(log).sort((a, b) => Number(a.index) - Number(b.index));
  assertEquals(found.map(({ index, nth, ok }) => [index, nth, ok]), [
    [0, 1, true],
    [1, 1, false],
    [2, 1, false],
    [3, 2, true],
  ]);
  const [one, two, oops, again] = found;
  assertEquals(one.input, again.input);
  assertMatch(String(one.input), /^[0-9a-f]{32}$/);
  assertEquals([one.result, two.error], [1, "RangeError: 2 is even"]);
  assertMatch(String(two.stack), /work\.ts/);
  assertMatch(String(oops.error), /input 2 \(line 3\)/);
  for (const { start, ms, worker, attempt } of found) {
    assert(Math.abs(Number(start) - Date.now()) < 3_600_000, String(start));
    assert(Number(ms) >= 0 && Number(worker) >= 0 && attempt === 1);
  }
});

test("pmap refuses a log that another process writes", PATIENCE, async () => {
  using dir = folder();
  const log = dir.path("log");
  const args = [work("double"), "--joblog", log, "--resume"];
  using running = start(args);
  const { child, ended } = running;
  const result = new Promise((resolve) => child.stdout!.once("data", resolve));
  child.stdin!.write("1\n");
  await result;
  const { status, err } = await pmap(args, "1\n");
  assertEquals(status, 2);
  assertMatch(err, new RegExp(`in use by process ${child.pid}\\b`));
  child.stdin!.end();
  assertEquals((await ended).status, 0);
  assertEquals((await pmap(args, "1\n")).status, 0);
  assertEquals(existsSync(`${log}.lock`), false);
});

test(
  "pmap --joblog logs a timeout and a lost worker too",
  PATIENCE,
  async () => {
    using dir = folder();
    const log = dir.path("log");
    const flags = ["--joblog", log, "--timeout", "500", "--resume"];
    assertEquals((await pmap([work("stuck"), ...flags], "1\n2\n")).status, 1);
    const [record] = records(log).filter(({ ok }) => !ok);
    assertMatch(String(record.error), /longer than --timeout: 500 ms/);
    assertEquals([record.index, record.ms, record.attempt], [0, 500, 1]);
  },
);

test(
  "pmap refuses a log that is not its own, and leaves it as it is",
  PATIENCE,
  async () => {
    using dir = folder();
    const old = '{"pmap":1}\n{"index":0}\n'; // with a line
    for (const text of ["precious", "a,b\n1,2\n", old]) {
      const log = dir.path("log");
      writeFileSync(log, text);
      const { status, err } = await logged(log, "double", "1\n");
      assertEquals(status, 2);
      assertMatch(
        err,
        /--joblog must be a new file, or (a log that starts|one whose header has)/,
      );
      assertEquals(readFileSync(log, "utf8"), text);
    }
  },
);

test(
  "pmap refuses a log of another function, or without --resume",
  PATIENCE,
  async () => {
    using dir = folder();
    const log = dir.path("log");
    await logged(log, "double", "1\n");
    const other = await logged(log, "odd", "1\n");
    assertEquals(other.status, 2);
    assertMatch(other.err, /received ".*log", one of ".*work\.ts#double"/);
    assertMatch(other.err, /--resume-changed goes on with it/);
    const again = await pmap([work("double"), "--joblog", log], "1\n");
    assertEquals(again.status, 2);
    assertMatch(again.err, /--joblog must be a new file without --resume/);
    const dry = [work("double"), "--joblog", log, "--dry-run"];
    assertEquals(await pmap(dry, "1\n"), again);
    const flags = ["--joblog", dir.path("."), "--resume", "--dry-run"];
    const folderFor = await pmap([work("double"), ...flags], "1\n");
    assertEquals(folderFor.status, 2);
    assertMatch(folderFor.err, /not a regular file/);
  },
);

test(
  "pmap goes on with a log in which no call has ended, whatever function it was of",
  PATIENCE,
  async () => {
    using dir = folder();
    const log = dir.path("log");
    const none = await logged(log, "double", "");
    assertEquals([none.status, none.out, none.err], [0, "", ""]);
    const other = await logged(log, "odd", "1\n");
    assertEquals([other.status, other.out, other.err], [0, "1\n", ""]);
    const back = await logged(log, "double", "1\n");
    assertEquals(back.status, 2);
    assertMatch(back.err, /received ".*log", one of ".*work\.ts#odd"/);
  },
);

test(
  "pmap says that a module was edited while its results were logged",
  PATIENCE,
  async () => {
    using dir = folder();
    const [module, log] = [dir.path("f.js"), dir.path("log")];
    writeFileSync(module, "export default (n) => [n];");
    using running = start([module, "-j1", "--joblog", log]);
    running.child.stdin!.write("1\n");
    await firstOutput(running);
    writeFileSync(module, "export default (n) => [n, n];");
    running.child.stdin!.end();
    const { status, err } = await running.ended;
    assertEquals([status, err], [
      0,
      "pmap: f.js#default was edited during the job: results in the log may be of its new text\n",
    ]);
  },
);

test(
  "pmap refuses the log of a function that was edited, or of the same name elsewhere",
  PATIENCE,
  async () => {
    using dir = folder();
    const [log, one, other] = ["log", "f.js", "other/f.js"].map(dir.path);
    const run = (file: string, ...flags: string[]) =>
      pmap([file, "--joblog", log, "--resume", ...flags], "1\n2\n");
    mkdirSync(dir.path("other"));
    writeFileSync(one, "export default (x) => x;");
    writeFileSync(other, "export default (x) => x;");
    assertEquals((await run(one)).out, "1\n2\n");
    const moved = await run(other);
    assertEquals([moved.status, moved.out], [2, ""]);
    assertMatch(
      moved.err,
      /one of "file:.*\/f\.js#default" \(--resume-changed /,
    );
    writeFileSync(one, "export default (x) => -x;");
    const edited = await run(one);
    assertEquals([edited.status, edited.out], [2, ""]);
    assertMatch(
      edited.err,
      /one of f\.js#default as it was before its text changed/,
    );
    const kept =
      "pmap: kept 2 results of another function, or of this one before its text changed\n";
    for (const file of [one, other]) {
      const lifted = await run(file, "--resume-changed");
      assertEquals([lifted.status, lifted.out, lifted.err], [
        0,
        "1\n2\n",
        kept,
      ]);
    }
  },
);

test(
  "pmap --resume knows the function that --resume-changed went on with, and refuses the one before",
  PATIENCE,
  async () => {
    using dir = folder();
    const [log, file] = [dir.path("log"), dir.path("f.js")];
    const run = (text: string, input: string, flag = "--resume") => {
      writeFileSync(file, `export default (x) => ${text};`);
      return pmap([file, "--joblog", log, flag], input);
    };
    await run("x", "1\n");
    await run("-x", "1\n2\n", "--resume-changed");
    const on = await run("-x", "1\n2\n3\n");
    assertEquals([on.status, on.out], [0, "1\n-2\n-3\n"]);
    assertMatch(on.err, /^pmap: kept 1 result of another function/);
    const before = readFileSync(log, "utf8");
    const back = await run("x", "1\n2\n3\n4\n");
    assertEquals([back.status, back.out], [2, ""]);
    assertMatch(back.err, /one of f\.js#default as it was before its text/);
    assertEquals(readFileSync(log, "utf8"), before);
  },
);

test(
  "pmap refuses a log of inputs that were read in another way",
  PATIENCE,
  async () => {
    using dir = folder();
    const args = [work("same"), "--joblog", dir.path("log")];
    assertEquals((await pmap(args, "1\n")).status, 0);
    const flags = ["--lines", "--resume-changed"];
    const { status, err } = await pmap([...args, ...flags], "1\n");
    assertEquals(status, 2);
    assertMatch(
      err,
      /must be .* has {"json":false}: received .* has {"json":true}/,
    );
  },
);

test(
  "pmap lets one of several through that start at once on one log",
  PATIENCE,
  async () => {
    using dir = folder();
    const [log, ran] = [dir.path("log"), dir.path("ran")];
    writeFileSync(`${log}.lock`, `999999999 0 ${hostname()}`);
    const waits = dir.path("go"); // or a late one would find the log free
    const input = lines(
      numbers(2).map((id) => ({ id, file: ran, waits, ms: 0 })),
    );
    let ended = 0;
    const all = await Promise.all(
      numbers(4).map(async () => {
        const one = await logged(log, "count", input);
        if (++ended === 3) writeFileSync(waits, "");
        return one;
      }),
    );
    assertEquals(all.map(({ status }) => status).sort(), [0, 2, 2, 2]);
    assertEquals([...runs(ran).values()], [1, 1]);
  },
);
