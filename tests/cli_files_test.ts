// What is read and written is looked at before the work begins; what cannot be
// written later is told.

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import process from "node:process";
import { readCommand } from "../src/cli/command.ts";
import { checkFiles } from "../src/cli/files.ts";
import { openResultFiles } from "../src/cli/result_files.ts";
import { run } from "../src/cli/run.ts";
import { UsageError } from "../src/cli/values.ts";
import { runtime, test } from "./harness.ts";
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
import { counted } from "./pmap_log.ts";
import { until } from "./until.ts";

test(
  "pmap refuses a timeline that cannot be written before any call",
  PATIENCE,
  async () => {
    using dir = folder();
    const input = lines(counted(3, dir.path("ran")));
    const args = [work("count"), "--timeline", dir.path("none/t.html")];
    const { status, out, err } = await pmap(args, input);
    assertEquals([status, out], [2, ""]);
    assertMatch(err, /--timeline must be a file that can be written: received/);
    assertEquals(existsSync(dir.path("ran")), false);
  },
);

test(
  "pmap leaves the timeline of the last run as it is until it has its own",
  PATIENCE,
  async () => {
    using dir = folder();
    const file = dir.path("t.html");
    writeFileSync(file, "the last one");
    const args = ["--timeline", file];
    assertEquals((await pmap([work("nope"), ...args], "1\n")).status, 2);
    assertMatch(readFileSync(file, "utf8"), /<\/html>\s*$/); // of no task
    assertEquals((await pmap([work("double"), ...args], "1\n")).status, 0);
    assertMatch(
      readFileSync(file, "utf8"),
      /^<!doctype html>[^]*<\/html>\s*$/i,
    );
  },
);

test("pmap tells of a closed standard output", PATIENCE, async () => {
  const { status, err } = await pmap([work("double")], "1\n", 'exec "$@" >&-');
  if (runtime === "bun") {
    assertEquals(status, 2);
    assertMatch(err, /standard output must be open: received none/);
  } else {
    // It looks like the one below.
    assertEquals(status, 0);
    assertMatch(err, /drops the results, as standard output is .* closed\n$/);
  }
});

test(
  "pmap runs where another program has opened /dev/null for its results",
  PATIENCE,
  async () => {
    const script = 'exec "$@" 1<> /dev/null'; // as Python's DEVNULL
    const { status } = await pmap([work("double")], "1\n", script);
    assertEquals(status, 0);
  },
);

test(
  "pmap takes /dev/null for standard output, and for all there is",
  PATIENCE,
  async () => {
    for (
      const where of [
        "> /dev/null",
        "<> /dev/null >&0",
        "2<> /dev/null >&2",
        "<> /dev/null >&0 2>&0",
      ]
    ) {
      const script = `exec "$@" ${where}`;
      const { status } = await pmap([work("double")], "1\n", script);
      assertEquals(status, 0, where);
    }
  },
);

test(
  "pmap says in one line that its folder was removed",
  PATIENCE,
  async () => {
    using dir = folder();
    const [gone, args] = [dir.path("gone"), ["-e", "x => x", "-o", "out"]];
    const script = `mkdir ${gone}; cd ${gone}; rmdir ${gone}; exec "$@"`;
    const { status, err } = await pmap(args, "1\n", script);
    if (runtime === "deno") { // which does not start there
      assertMatch(err, /could not read current working directory/);
    } else {
      assertEquals(status, 2);
      assertMatch(err, /^pmap: Cannot run as the current folder must.*\n$/);
    }
  },
);

test("pmap refuses one file for two purposes", PATIENCE, async () => {
  using dir = folder();
  const [log, input] = [dir.path("log"), dir.path("in")];
  writeFileSync(input, "1\n");
  const slips: [args: string[], script: string, message: RegExp][] = [
    [["--joblog", log], `exec "$@" > ${log}`, /--joblog .* standard output/],
    [["--timeline", input, input], 'exec "$@"', /--timeline .* FILE/],
    [[input], `exec "$@" >> ${input}`, /FILE .* standard output/],
    [[], `exec "$@" < ${input} >> ${input}`, /input must not .* output/],
  ];
  for (const [args, script, message] of slips) {
    const { status, err } = await pmap(
      [work("double"), ...args],
      "1\n",
      script,
    );
    assertEquals(status, 2, err);
    assertMatch(err, message);
  }
  assertEquals(readFileSync(input, "utf8"), "1\n");
  const module = dir.path("work.js");
  writeFileSync(module, "export default (x) => x;\n");
  for (const flag of ["--failed", "--output", "--joblog", "--timeline"]) {
    const { status, err } = await pmap([module, flag, module], "1\n");
    assertEquals(status, 2);
    assertMatch(err, /must not be the file of MODULE/);
  }
  assertEquals(
    (await pmap([module, "--lines", module])).out,
    '"export default (x) => x;"\n',
  );
  const twice = await pmap([work("double"), input, input]);
  assertEquals([twice.status, twice.out], [0, "2\n2\n"]);
});

test(
  "pmap reads the files that were given, also when a function changes the folder",
  PATIENCE,
  async () => {
    using dir = folder();
    const other = dir.path("other");
    mkdirSync(other);
    writeFileSync(dir.path("second"), "2\n");
    writeFileSync(dir.path("other/second"), "666\n");
    const change = `(globalThis.Deno ?? process).chdir(${
      JSON.stringify(other)
    })`;
    const script = `cd ${dir.path(".")}; exec "$@"`;
    // In its workers, Node.js lets nobody change the folder.
    for (const workers of runtime === "node" ? ["0"] : ["0", "1"]) {
      const args = ["-e", `n => { ${change}; return n; }`, "-j", workers];
      using running = start([...args, "-", "second"], script);
      running.child.stdin!.write("1\n");
      await firstOutput(running);
      running.child.stdin!.end();
      const { status, out, err } = await running.ended;
      assertEquals([status, out, err], [0, "1\n2\n", ""]);
    }
    writeFileSync(dir.path("m.js"), `${change}; export default (n) => n;`);
    const args = ["m.js", "-j", "0", "--dry-run", "second"];
    const { status, out } = await pmap(args, "", script);
    assertEquals([status, out], [0, "default(2)\n"]);
  },
);

test(
  "pmap reads the file that is meant by .. behind a symbolic link",
  PATIENCE,
  async () => {
    using dir = folder();
    mkdirSync(dir.path("real/deep"), { recursive: true });
    mkdirSync(dir.path("dd"));
    symlinkSync(dir.path("real/deep"), dir.path("dd/link"));
    writeFileSync(dir.path("real/in"), '"right"\n');
    writeFileSync(dir.path("dd/in"), '"wrong"\n');
    const script = `cd ${dir.path("dd")}; exec "$@"`;
    for (const file of ["link/../in", `${dir.path("dd")}/link/../in`]) {
      const args = ["-e", "(x) => x", file];
      const { status, out, err } = await pmap(args, "", script);
      assertEquals([status, out, err], [0, '"right"\n', ""]);
    }
  },
);

test(
  "pmap refuses to write messages into its other files",
  PATIENCE,
  async () => {
    using dir = folder();
    const file = dir.path("f");
    const slips: [args: string[], streams: string, what: string][] = [
      [["--joblog", file], "", "--joblog"],
      [["--failed", file], "", "--failed"],
      [[file], "", "FILE"],
      [[], `< ${file}`, "standard input"],
    ];
    for (const [args, streams, what] of slips) {
      writeFileSync(file, "");
      const script = `exec "$@" ${streams} 2>> ${file}`;
      const { status } = await pmap([work("double"), ...args], "1\n", script);
      const said = readFileSync(file, "utf8");
      const rule =
        `^pmap: Cannot run as ${what} must not .* standard error: .*`;
      assertEquals(status, 2, said);
      assertMatch(said, new RegExp(`${rule}\n$`));
    }
    // But results and messages may go to one file.
    const script = `exec "$@" > ${file} 2>&1`;
    const { status } = await pmap([work("odd"), "-j1"], "1\n2\n", script);
    assertEquals(status, 1);
    assertMatch(readFileSync(file, "utf8"), /^1$/m);
  },
);

test(
  "pmap ends with 3, and says which file, when one cannot be written",
  { ...PATIENCE, ignore: process.platform === "win32" },
  async () => {
    using dir = folder();
    const long = lines(
      numbers(100).map((id) => ({ id, ms: 0, x: "x".repeat(999) })),
    );
    // A file may have as many blocks, and to write beyond that is an error.
    const limit = (blocks: number) =>
      `trap "" XFSZ; ulimit -f ${blocks}; exec "$@"`;
    const out = dir.path("out");
    const one = await pmap([work("same")], long, `${limit(8)} > ${out}`);
    assertEquals(one.status, 3, one.err);
    assertMatch(one.err, /standard output must take them: received .*\(.+\)/);
    const args = [work("same"), "--joblog", dir.path("log")];
    const two = await pmap(args, long, limit(8));
    assertEquals(two.status, 3, two.err);
    assertMatch(two.err, /Cannot write job log as .* received ".*log" \(.+\)/);
    assert(!existsSync(dir.path("log.lock")));
  },
);

test(
  "pmap -o never writes into the results of another job",
  async () => {
    using dir = folder();
    const file = dir.path("out");
    const part = `${file}.part`;
    const args = [work("double"), "-o", file];
    using one = start(args);
    one.child.stdin!.write("1\n");
    // There is none while one takes the place of another.
    const holds = (text: string) =>
      existsSync(part) && readFileSync(part, "utf8") === text;
    await until(() => holds("2\n"));
    using other = start(args);
    other.child.stdin!.write("20\n");
    await until(() => holds("40\n"));
    one.child.stdin!.end("3\n");
    const { status, err } = await one.ended;
    assertEquals(status, 3);
    assertMatch(err, /Cannot write results .* has replaced ".*\.part"/);
    assertEquals(existsSync(file), false);
    other.child.stdin!.end("30\n");
    assertEquals((await other.ended).status, 0);
    assertEquals(readFileSync(file, "utf8"), "40\n60\n");
  },
);

test("pmap -o touches no file of others, whatever its name", () => {
  using dir = folder();
  const [output, mine] = [dir.path("out"), dir.path("out.part.new")];
  writeFileSync(mine, "mine");
  const open = () => openResultFiles({ output, failed: undefined });
  const [one, other, unused] = [open(), open(), open()];
  assertEquals([one.begin(), other.begin()], [undefined, undefined]);
  assertThrows(() => one.close(true), Error, "another job, or a person, has");
  other.close(true);
  unused.close(false);
  assertEquals(readFileSync(mine, "utf8"), "mine");
  assertEquals(readdirSync(dir.path(".")).sort(), ["out", "out.part.new"]);
});

test(
  "pmap -o lets nobody read results who may not read what was there",
  { ignore: process.platform === "win32" },
  () => {
    using dir = folder();
    const [output, part] = [dir.path("out"), dir.path("out.part")];
    writeFileSync(output, "", { mode: 0o600 });
    const files = openResultFiles({ output, failed: undefined });
    files.begin();
    assertEquals(statSync(part).mode & 0o777, 0o600);
    files.close(false);
  },
);

test(
  "pmap -o leaves a file that must not be written",
  { ignore: process.platform === "win32" || process.getuid?.() === 0 },
  () => {
    using dir = folder();
    const output = dir.path("out");
    writeFileSync(output, "", { mode: 0o400 });
    assertThrows(
      () => openResultFiles({ output, failed: undefined }),
      UsageError,
      "--output must be a file that can be written",
    );
    assertEquals(readdirSync(dir.path(".")), ["out"]);
  },
);

test("pmap leaves and empties no file when one cannot be opened", async () => {
  using dir = folder();
  const none = dir.path("none/f");
  const path = (flag: string) => dir.path(flag.slice(2));
  const flags = ["--timeline", "--failed", "--output", "--joblog"];
  for (const bad of flags) {
    for (const there of ["", "there"]) {
      const files = flags.filter((flag) => flag !== bad);
      // A log with text in it would be refused first.
      const old = there === "" ? [] : files.filter((f) => f !== "--joblog");
      for (const flag of old) writeFileSync(path(flag), there);
      const to = files.flatMap((flag) => [flag, path(flag)]);
      const command = readCommand([work("same"), bad, none, ...to]);
      assert(command.to === "run");
      assertEquals(await run(command.settings), 2);
      const left = readdirSync(dir.path(".")).sort();
      assertEquals(left, old.map((flag) => flag.slice(2)).sort(), bad);
      for (const flag of old) {
        assertEquals(readFileSync(path(flag), "utf8"), there);
        rmSync(path(flag));
      }
    }
  }
});

test(
  "pmap knows files that are yet to be made also behind links",
  { ignore: process.platform === "win32" },
  () => {
    using dir = folder();
    const { path } = dir;
    mkdirSync(path("real"));
    symlinkSync("real", path("linked"));
    symlinkSync("linked/target", path("link"));
    symlinkSync("link", path("further"));
    const slips: [one: string, other: string][] = [
      ["real/f", "linked/f"],
      ["real/target", "further"],
      ["link", "further"],
      ["real/f.lock", "linked/f"], // of the log
    ];
    for (const [one, other] of slips) {
      const args = ["--failed", path(one), "--joblog", path(other)];
      const command = readCommand([work("same"), ...args]);
      assert(command.to === "run");
      assertThrows(
        () => checkFiles(command.settings),
        UsageError,
        "--failed must not be the file of --joblog",
      );
    }
    const output = path("further");
    const files = openResultFiles({ output, failed: undefined });
    writeSync(files.output, "1");
    files.close(true);
    assertEquals(readFileSync(path("real/target"), "utf8"), "1");
    assertEquals(readlinkSync(path("link")), "linked/target");
  },
);
