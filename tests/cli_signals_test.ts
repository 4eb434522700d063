// What signals end, and what they do not.

import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { spawnSync } from "node:child_process";
import {
  closeSync,
  constants,
  openSync,
  read,
  readFileSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { test } from "./harness.ts";
import {
  COMMAND,
  folder,
  namedPipe,
  openPipe,
  PATIENCE,
  pmap,
  send,
  start,
  work,
} from "./pmap.ts";
import { until } from "./until.ts";

/** The first bytes of a stream of the command. */
function first(
  { child }: ReturnType<typeof start>,
  stream: "stdout" | "stderr",
): Promise<unknown> {
  return new Promise((resolve) => child[stream]!.once("data", resolve));
}

test(
  "pmap goes on at a signal that was ignored when it began, as by nohup",
  // Node.js 24 ignores none, and nobody can tell what it was given.
  { ...PATIENCE, ignore: !("Deno" in globalThis) && !("Bun" in globalThis) },
  async () => {
    for (const signal of ["HUP", "INT"] as const) {
      const script = `trap "" ${signal}; exec "$@"`;
      using running = start([work("double")], script);
      const { child, ended } = running;
      child.stdin!.write("1\n");
      await first(running, "stdout");
      send(signal, running);
      child.stdin!.end("2\n");
      const { status, out, err } = await ended;
      assertEquals([status, out, err], [0, "2\n4\n", ""]);
    }
  },
);

test(
  "pmap ends at Ctrl-C while nobody reads its named pipe",
  PATIENCE,
  async () => {
    using dir = folder();
    const flags = ["--output", "--failed", "--timeline"];
    const all = flags.map((flag) => {
      const pipe = dir.path(flag);
      assertEquals(spawnSync("mkfifo", [pipe]).status, 0);
      return start([work("double"), flag, pipe]);
    });
    for (const running of all) {
      using _ = running;
      running.child.stdin!.end("1\n");
      // It may take a moment until it waits for the pipe; and then for ever.
      const timer = setInterval(() => send("INT", running), 300);
      const { status } = await running.ended;
      clearInterval(timer);
      assertEquals(status, 130);
    }
  },
);

test("pmap ends at a hang-up that is not ignored", PATIENCE, async () => {
  using running = start([work("double")]);
  const { child, ended } = running;
  child.stdin!.write("1\n");
  await first(running, "stdout");
  send("HUP", running);
  const { status, err } = await ended;
  assertEquals(status, 129);
  assertMatch(err, /ended by SIGHUP after 1 input/);
});

test(
  "pmap ends the loop of a shell around it at Ctrl-C",
  { ...PATIENCE, ignore: spawnSync("bash", ["-c", ""]).status !== 0 },
  async () => {
    const loop = 'for i in 1 2; do "$@"; echo "goes on after $?"; done';
    const script = `exec bash -c '${loop}' bash "$@"`;
    using running = start(["-e", "() => process.pid"], script);
    const { child, ended } = running;
    child.stdin!.write("1\n");
    const pid = String(await first(running, "stdout"));
    // As a terminal does: to all that run there.
    send("INT", running);
    spawnSync("kill", ["-INT", pid.trim()]);
    await first(running, "stderr"); // else it might end as its input does
    child.stdin!.end();
    const { status, out, err } = await ended;
    assertEquals([status, out], [130, pid]);
    assertMatch(err, /^pmap: ended by SIGINT after 1 input\n$/);
  },
);

test(
  "pmap takes two signals at once for one, as of npm and GNU timeout, and ends at a later one",
  PATIENCE,
  async () => {
    using dir = folder();
    const file = dir.path("hear.mjs");
    const source = new URL("../src/cli/signals.ts", import.meta.url).href;
    writeFileSync(
      file,
      `import { hearSignals } from "${source}";
hearSignals(() => console.log("told to stop"));
setInterval(() => {}, 1000);
console.log("hears");
`,
    );
    const [runtime, ...flags] = COMMAND.slice(0, -1);
    using running = start([...flags, file], undefined, [runtime!]);
    await first(running, "stdout");
    const told = first(running, "stdout");
    // It goes on when both are there.
    for (const signal of ["STOP", "INT", "TERM", "CONT"]) send(signal, running);
    await told;
    const timer = setInterval(() => send("HUP", running), 300);
    const { status, out } = await running.ended;
    clearInterval(timer);
    assertEquals([status, out], [129, "hears\ntold to stop\n"]);
  },
);

test(
  "pmap ends on Windows with the exit status of a signal, and not by it",
  PATIENCE,
  async () => {
    using dir = folder();
    const source = new URL("../src/cli/signals.ts", import.meta.url).href;
    const [runtime, ...flags] = COMMAND.slice(0, -1);
    // A shell says of a program that a signal ended it.
    const script = '"$@"; echo $?';
    const run = async (platform: string) => {
      const file = dir.path(`${platform}.mjs`);
      writeFileSync(
        file,
        `import process from "node:process";
Object.defineProperty(process, "platform", { value: "${platform}" });
(await import("${source}")).endBySignal("SIGTERM");
`,
      );
      return await pmap([...flags, file], "", script, [runtime!]);
    };
    const { out, err } = await run("win32");
    assertEquals([out, err], ["143\n", ""]);
    const other = await run("linux");
    assertEquals(other.out, "143\n");
    assertNotEquals(other.err, "");
  },
);

/** Fills a pipe that is open: of what is written next, nothing goes through. */
function fill(pipe: string): void {
  const file = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    for (;;) writeSync(file, new Uint8Array(1 << 16));
  } catch (error) {
    assertEquals((error as NodeJS.ErrnoException).code, "EAGAIN");
  } finally {
    closeSync(file);
  }
}

/**
 * What nobody reads, and a stream that then tells that something waits there. A
 * third one may not: Bun 1.4.5 has no more threads for files than cores.
 */
const UNREAD = {
  "its results": ["", ">", "stderr"],
  "its messages": ["", "2>", "stdout"],
  "its --output": ["--output", "", "stderr"],
  "its --failed": ["--failed", "", "stderr"],
  "its --timeline": ["--timeline", "", undefined],
} as const;

for (const [what, [flag, redirect, stream]] of Object.entries(UNREAD)) {
  test(`pmap ends at Ctrl-C while nobody reads ${what}`, PATIENCE, async () => {
    using dir = folder();
    const pipe = namedPipe(dir);
    using _ = openPipe(pipe);
    fill(pipe);
    const args = [work("odd"), "-j1", ...(flag === "" ? [] : [flag, pipe])];
    const script = redirect === "" ? undefined : `exec "$@" ${redirect}${pipe}`;
    using running = start(args, script);
    const { child, ended } = running;
    child.stdin!.write(stream === "stderr" ? "1\n2\n" : "2\n1\n");
    if (stream === undefined) {
      child.stdin!.end();
      await first(running, "stdout");
    } else await first(running, stream);
    send("INT", running);
    const { status, err } = await ended;
    assertEquals(status, 130);
    if (what === "its --timeline") {
      assertMatch(err, /Cannot write --timeline .* \(nobody reads it\)\n/);
    }
  });
}

test(
  "pmap writes its files to their end at Ctrl-C, also while other reads and writes wait",
  PATIENCE,
  async () => {
    using dir = folder();
    // For both, Bun has used up its threads for files on two cores.
    const [pipe, input] = [namedPipe(dir), namedPipe(dir, "input")];
    using _ = openPipe(pipe);
    using inputs = openPipe(input);
    fill(pipe);
    writeSync(inputs.reader, "1\n2\n");
    const [failed, page] = [dir.path("failed"), dir.path("page")];
    const files = ["--output", pipe, "--failed", failed, "--timeline", page];
    using running = start([work("odd"), "-j1", ...files, input]);
    await first(running, "stderr");
    send("INT", running);
    const { status } = await running.ended;
    assertEquals([status, readFileSync(failed, "utf8")], [130, "2\n"]);
    assertMatch(readFileSync(page, "utf8"), /<\/html>\s*$/);
  },
);

test("writeAll() says how much a slow reader has taken", PATIENCE, async () => {
  using dir = folder();
  const pipe = namedPipe(dir);
  using opened = openPipe(pipe);
  const [all, most] = [1 << 20, 1 << 16];
  const file = dir.path("write.mjs");
  const source = new URL("../src/cli/descriptors.ts", import.meta.url).href;
  writeFileSync(
    file,
    `import { writeSync } from "node:fs";
import { writeAll } from "${source}";
await writeAll(1, new Uint8Array(${all}), (count) => writeSync(2, count + "\\n"));
`,
  );
  const [runtime, ...flags] = COMMAND.slice(0, -1);
  using running = start([...flags, file], `exec "$@" > ${pipe}`, [runtime!]);
  let said = "";
  running.child.stderr!.on("data", (bytes) => said += String(bytes));
  const written = () => said.split("\n").reduce((sum, n) => sum + Number(n), 0);
  const buffer = new Uint8Array(most);
  for (let taken = 0; taken < all;) {
    taken += await new Promise<number>((resolve) =>
      read(opened.reader, buffer, 0, most, null, (_, count) => resolve(count))
    );
    await until(() => written() >= taken - most);
  }
  assertEquals((await running.ended).status, 0);
  assertEquals(written(), all);
});

test(
  "openWritten() waits for no other reader of a named pipe where the first has left",
  PATIENCE,
  async () => {
    using dir = folder();
    const pipe = JSON.stringify(namedPipe(dir));
    const file = dir.path("open.mjs");
    const source = new URL("../src/cli/descriptors.ts", import.meta.url).href;
    writeFileSync(
      file,
      `import { closeSync, openSync } from "node:fs";
import { openWritten, writeAll } from "${source}";
const reader = openSync(${pipe}, "r+");
const leave = () => closeSync(reader);
const { Deno } = globalThis;
const open = Deno?.openSync;
// There it is opened a second time.
if (Deno) Deno.openSync = (...how) => (leave(), open(...how));
const file = openWritten(${pipe}, "w");
if (!Deno) leave();
await writeAll(file, new Uint8Array(1)).catch(({ code }) => console.log(code));
`,
    );
    const [runtime, ...flags] = COMMAND.slice(0, -1);
    const { out } = await pmap([...flags, file], "", undefined, [runtime!]);
    assertEquals(out, "EPIPE\n");
  },
);

test(
  "pmap writes and logs the same at Ctrl-C, in the middle of a chunk",
  PATIENCE,
  async () => {
    using dir = folder();
    const [log, failed] = [dir.path("log"), dir.path("failed")];
    const ways = [[], ["--joblog", log, "--failed", failed]];
    for (const flags of ways) {
      const { status, out, err } = await pmap(
        [work("interrupt"), "-j", "1", "--chunk-size", "3", ...flags],
        "1\n-2\n3\n",
      );
      assertEquals([status, out], [130, "1\n"]);
      assertMatch(err, /input 1 \(line 2\) .*below 0[^]*SIGINT after 2 inputs/);
    }
    assertEquals(readFileSync(failed, "utf8"), "-2\n");
  },
);

test(
  "pmap ends at Ctrl-C while a named pipe has no writer",
  PATIENCE,
  async () => {
    using dir = folder();
    const pipe = namedPipe(dir);
    writeFileSync(dir.path("one"), "1\n");
    using running = start([work("double"), dir.path("one"), pipe]);
    const { ended } = running;
    await first(running, "stdout");
    send("INT", running);
    const { status, out } = await ended;
    assertEquals([status, out], [130, "2\n"]);
  },
);

test(
  "pmap --workers 0 ends at Ctrl-C also in an endless loop",
  PATIENCE,
  async () => {
    using running = start([work("loop"), "--workers", "0"]);
    const { child, ended } = running;
    child.stdin!.end("1\n");
    await first(running, "stderr");
    send("INT", running);
    assertEquals((await ended).status, 130);
  },
);

test(
  "pmap lets the programs that a function starts hear every signal",
  PATIENCE,
  async () => {
    const { status, out } = await pmap([work("heard")], "1\n");
    assertEquals([status, out], [0, '"default"\n']);
  },
);
