// `pmap --on`: the command, whose work is done by machines of a pool on NATS.

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { runWorker } from "@parallel/map-nats";
import { readCommand } from "../src/cli/command.ts";
import { readOn } from "../src/cli/on.ts";
import { UsageError } from "../src/cli/values.ts";
import { startServer } from "../src/nats/server.ts";
import { runtime, test } from "./harness.ts";
import { longNatsTest, natsTest } from "./nats.ts";
import {
  COMMAND_OF_SOURCES,
  type Ended,
  folder,
  lines,
  numbers,
  PATIENCE,
  pmap as run,
  send,
  start,
  work,
} from "./pmap.ts";
import { records, runs } from "./pmap_log.ts";
import { until } from "./until.ts";

/** Has the command find the package of this project, as an installed one. */
const FOUND = runtime === "node"
  ? `NODE_OPTIONS="--import=${new URL("names.ts", import.meta.url)}" exec "$@"`
  : 'exec "$@"';

/** Has the command find none. */
const LOST = {
  deno: 'deno=$1; shift 3; exec "$deno" run -A --no-config --cached-only "$@"',
  bun:
    'bun=$1; shift; exec "$bun" --no-install --tsconfig-override="$NONE" "$@"',
  node: 'exec "$@"',
  browser: "", // it runs no program
}[runtime];

const WORK = new URL("./fixtures/cli/work.ts", import.meta.url);
const SLOW = new URL("./fixtures/cli/slow.js", import.meta.url);
const PASSWORD = "p@ss/wörd:1";

function pmap(args: string[], input = ""): Promise<Ended> {
  return run(args, input, FOUND, COMMAND_OF_SOURCES);
}

/** Failures are told as they come. */
function sorted({ err, ...rest }: Ended): Ended {
  return { ...rest, err: err.split("\n").sort().join("\n") };
}

/** How many inputs a log has that is being written. */
function written(log: string): number {
  return existsSync(log) ? readFileSync(log, "utf8").split("\n").length - 2 : 0;
}

/** A server with a password, and a machine on it. */
async function cluster(worker: object = {}) {
  const stack = new AsyncDisposableStack();
  const dir = folder();
  stack.use(dir);
  const server = await startServer({
    args: ["-js", "-sd", dir.path("nats"), "--user", "me", "--pass", PASSWORD],
  });
  stack.defer(() => server.close());
  const at = {
    servers: server.servers,
    connection: { user: "me", pass: PASSWORD },
    ackWait: 1500,
  };
  const serve = async (pool: string, worker: object) => {
    const machine = await runWorker({ ...at, pool, slots: 2, ...worker });
    stack.defer(() => machine.close());
    return machine;
  };
  const machine = await serve("test", { module: WORK, ...worker });
  const address = (pool: string, password = PASSWORD) =>
    server.servers.replace("//", `//me:${encodeURIComponent(password)}@`) +
    `/${pool}`;
  return {
    machine,
    serve,
    address,
    on: ["--on", address("test")],
    path: (name: string) => dir.path(name),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

natsTest("pmap --on does a job on machines, as at home", async () => {
  await using here = await cluster({ name: "left" });
  const { on, path } = here;
  const log = path("log");
  const watch = ["--joblog", log, "--bar", "--timeline", path("run.html")];
  const input = lines(numbers(300));
  const { status, out, err } = await pmap([...on, "double", ...watch], input);
  assertEquals([status, out], [0, lines(numbers(300).map((n) => 2 * n))], err);
  // On a slow machine there is a line before the last one.
  assertMatch(err, /^300\/300 {2}100 %/m);
  const found = records(log);
  assertEquals(found.length, 300);
  for (const { start, ms, worker, attempt, machine } of found) {
    assert(Math.abs(Number(start) - Date.now()) < 3_600_000, String(start));
    assert(Number(ms) >= 0 && Number(worker) < 2);
    assertEquals([attempt, machine], [1, "left"]);
  }
  const page = readFileSync(path("run.html"), "utf8");
  assertMatch(page, /300 tasks/);
  assertMatch(page, /<th scope="row">0<\/th>/); // a lane of another machine
  for (const text of [err, readFileSync(log, "utf8"), page]) {
    assert(!text.includes(PASSWORD) && !/me:p|p%40ss/.test(text));
  }
  // A function is told where its input is, also with a log.
  const where = [...on, "where", "--joblog", path("where"), "--resume"];
  assertEquals((await pmap(where, "7\n8\n")).out, "0\n1\n");
  assertEquals((await pmap(where, "8\n9\n7\n")).out, "1\n1\n0\n");
});

longNatsTest("pmap --on reads and writes lines as at home", async () => {
  await using here = await cluster();
  const { on } = here;
  for (
    const [name, flags, input] of [
      ["many", ["--flat"], '"list"\n"generator"\n"async"\n"none"\n'],
      ["same", ["--csv", "--with-input", "--batch", "2"], "a,b\n1,2\n3,4\n5,6"],
      ["lossy", [], '"a Date"\n"a Map"\n"a generator"\n"nothing"\n'],
      ["third", ["--retries", "2", "--retry-delay", "5"], "1\n2\n"],
    ] as const
  ) {
    const there = await pmap([...on, name, ...flags], input);
    assertEquals(
      sorted(there),
      sorted(await run([work(name), ...flags], input)),
    );
  }
});

longNatsTest("pmap --on says what failed, and keeps it", async () => {
  await using here = await cluster();
  const { on, path } = here;
  const failed = path("failed");
  const some = await pmap([...on, "odd", "--failed", failed], "1\n2\nx\n3\n");
  assertEquals([some.status, some.out], [1, "1\n3\n"]);
  assertMatch(
    some.err,
    /input 1 \(line 2\) as odd threw RangeError: 2 is even/,
  );
  assertMatch(some.err, /Cannot parse input 2 \(line 3\)/);
  assertEquals(readFileSync(failed, "utf8").split("\n").sort(), ["", "2", "x"]);
  const late = await pmap([...on, "stuck", "--timeout", "300"], "1\n2\n");
  assertEquals([late.status, late.out], [1, "2\n"]);
  assertMatch(late.err, /input 0 .*longer than --timeout: 300 ms/);
  const halted = await pmap([...on, "odd", "--halt", "now"], "2\n3\n");
  assertEquals(halted.status, 1);
  assertMatch(halted.err, /stopped by --halt after 1 failure/);
});

longNatsTest(
  "pmap --on --resume after kill -9 runs nothing again that is in the log",
  async () => {
    await using here = await cluster({ module: SLOW });
    const { on, path } = here;
    const [log, ran, limit] = ["log", "ran", "limit"].map(path);
    const input = lines(numbers(30).map((id) => ({ id, limit, ran })));
    const flags = ["--joblog", log, "--resume", "--chunk-size", "1"];
    const args = [...on, "slow", ...flags];
    const endAt = async (count: number, signal: string) => {
      writeFileSync(limit, `${count}`);
      using job = start(args, FOUND, COMMAND_OF_SOURCES);
      job.child.stdin!.end(input);
      await until(() => written(log) === count);
      send(signal, job);
      return await job.ended;
    };
    assertEquals((await endAt(10, "KILL")).status, 137);
    const interrupted = await endAt(20, "INT");
    assertEquals(interrupted.status, 130, interrupted.err);
    assertMatch(interrupted.err, /ended by SIGINT after 20 inputs; go on with/);
    writeFileSync(limit, "30");
    const { status, out, err } = await pmap(args, input);
    assertEquals([status, out, err], [0, lines(numbers(30)), ""]);
    // Those that were not logged had been sent, and may run twice.
    const times = runs(ran);
    for (const id of numbers(10)) assertEquals(times.get(`${id}`), 1, `${id}`);
  },
);

longNatsTest(
  "pmap --on --resume refuses the log of another function",
  async () => {
    await using here = await cluster();
    const { address, serve, path } = here;
    const [log, file] = [path("log"), path("f.js")];
    const go = (pool: string, name: string, flag = "--resume") =>
      pmap(["--on", address(pool), name, "--joblog", log, flag], "1\n2\n");
    const edit = async (text: string) => {
      writeFileSync(file, `export const f = (x) => ${text}, g = f;`);
      return await serve("edited", { module: pathToFileURL(file) });
    };
    const first = await edit("x");
    assertEquals((await go("edited", "f")).out, "1\n2\n");
    const other = await go("edited", "g");
    assertEquals([other.status, other.out], [2, ""]);
    assertMatch(other.err, /one of "nats:edited#f" \(--resume-changed goes on/);
    assertMatch((await go("test", "f")).err, /one of "nats:edited#f"/);
    assertEquals((await go("edited", "f")).status, 0);
    await first.close();
    const second = await edit("-x");
    const changed = await go("edited", "f");
    assertEquals([changed.status, changed.out], [2, ""]);
    assertMatch(
      changed.err,
      /one of edited#f as it was before its text changed/,
    );
    const kept = await go("edited", "f", "--resume-changed");
    assertEquals([kept.status, kept.out], [0, "1\n2\n"]);
    assertMatch(kept.err, /kept 2 results of another function, or of this one/);
    await second.close();
  },
);

longNatsTest(
  "pmap --on ends when no machine is left that has the same function",
  async () => {
    await using here = await cluster();
    const { address, serve, path } = here;
    const [log, file, limit] = ["log", "slow.js", "limit"].map(path);
    const flags = ["--joblog", log, "--resume", "--chunk-size", "1"];
    const args = ["--on", address("slow"), "slow", ...flags];
    const input = lines(numbers(50).map((id) => ({ id, limit })));
    const allow = (count: number) => writeFileSync(limit, `${count}`);
    const edit = async (end: string) => {
      writeFileSync(file, readFileSync(SLOW, "utf8") + end);
      return await serve("slow", { module: pathToFileURL(file) });
    };
    using jobs = new DisposableStack();
    const begin = async (flags: string[], count: number) => {
      allow(count);
      const job = jobs.use(
        start([...args, ...flags], FOUND, COMMAND_OF_SOURCES),
      );
      job.child.stdin!.end(input);
      await until(() => written(log) === count);
      return job;
    };
    const first = await edit("");
    const left = await begin(["--load-timeout", "5s"], 4);
    const closed = first.close(); // takes no more
    allow(50);
    await closed;
    const alone = await left.ended;
    assertEquals(alone.status, 3, alone.err);
    assertMatch(alone.err, /must be a machine in pool "slow"/);
    const second = await edit("");
    const met = await begin([], written(log) + 4);
    const third = await edit("// edited"); // it alone has a slot
    const edited = await met.ended;
    assertEquals(edited.status, 3, edited.err);
    assertMatch(edited.err, /must have the same version of the module/);
    allow(50);
    await second.close();
    const again = await pmap(args, input);
    assertEquals([again.status, again.out], [2, ""]);
    assertMatch(
      again.err,
      /one of slow#slow as it was before its text changed/,
    );
    await third.close();
  },
);

longNatsTest("pmap --on says why machines do not do a job", async () => {
  await using here = await cluster();
  const { on, address, serve } = here;
  const none = await pmap([...on, "nope"], "1\n");
  assertEquals([none.status, none.out], [2, ""]);
  assertMatch(none.err, /export a function named "nope": received .*double/);
  for (const flags of [[], ["--dry-run"]]) {
    assertEquals(await pmap([...on, "nope", ...flags]), none);
  }
  const dry = await pmap([...on, "double", "--dry-run"], "1\n");
  assertEquals([dry.status, dry.out], [0, "double(1)\n"]);

  const shipped = await pmap([...on, "-e", "x => x + 1"], "1\n");
  assertEquals([shipped.status, shipped.out], [2, ""]);
  assertMatch(shipped.err, /--allow-shipped .*received -e \(give the name of/);
  await serve("open", { allowShipped: true });
  const open = ["--on", address("open")];
  const closure = "(() => { const one = 1; return x => x + one })()";
  const allowed = await pmap([...open, "-e", closure], "1\n");
  assertEquals([allowed.status, allowed.out], [0, "2\n"], allowed.err);
  const number = await pmap([...open, "-e", "7"], "1\n");
  assertEquals([number.status, number.out], [2, ""]);
  assertMatch(number.err, /-e must be a function.*received number/);

  const alone = ["--on", address("empty"), "double", "--load-timeout", "1s"];
  const nobody = await pmap(alone, "1\n");
  assertEquals([nobody.status, nobody.out], [2, ""]);
  assertMatch(
    nobody.err,
    /a machine in pool "empty" at nats:.* within 1000 ms/,
  );
  assertMatch(nobody.err, /start one: deno run -A .*--pool empty/);
  const wrong = await pmap(
    ["--on", address("test", "secret"), "double"],
    "1\n",
  );
  assertEquals([wrong.status, wrong.out], [2, ""]);
  assertMatch(wrong.err, /Cannot connect to nats:.*: received Authorization/);
  for (const { err } of [nobody, wrong]) assert(!err.includes("secret"), err);
});

test("pmap --on says that no server answers", PATIENCE, async () => {
  const address = "nats://me:secret@127.0.0.1:1/images";
  const { status, out, err } = await pmap(["--on", address, "double"], "1\n");
  assertEquals([status, out], [2, ""]);
  assertMatch(err, /^pmap: Cannot connect to nats:\/\/127\.0\.0\.1:1 as /);
  assertMatch(err, /start one with: nats-server -js/);
  assert(!err.includes("secret"), err);
});

test("pmap --on needs another package, and says so", PATIENCE, async () => {
  using dir = folder();
  writeFileSync(dir.path("none.json"), "{}");
  const args = ["--on", "nats://me:secret@127.0.0.1:1/images", "double"];
  const script = `NONE=${dir.path("none.json")}; ${LOST}`;
  const { status, out, err } = await run(
    args,
    "1\n",
    script,
    COMMAND_OF_SOURCES,
  );
  assertEquals([status, out], [2, ""]);
  assertMatch(
    err,
    /^pmap: Cannot run as --on needs the package @parallel\/map-nats: received none \(install it: .*@parallel\/map-nats\)\n$/,
  );
});

test(
  "pmap --on finds the package of the folder it is called in",
  { ...PATIENCE, ignore: runtime === "deno" },
  async () => {
    using dir = folder();
    const at = dir.path("node_modules/@parallel/map-nats");
    mkdirSync(at, { recursive: true });
    writeFileSync(
      `${at}/package.json`,
      '{ "type": "module", "exports": { "./pmap": "./pmap.js" } }',
    );
    writeFileSync(
      `${at}/pmap.js`,
      "export function connect({ pool }) { throw new Error(`at ${pool}`); }",
    );
    writeFileSync(dir.path("none.json"), "{}");
    const script = `cd ${dir.path(".")}; NONE=none.json; ${LOST}`;
    const args = ["--on", "nats://a/images", "double"];
    assertEquals(await run(args, "", script, COMMAND_OF_SOURCES), {
      status: 2,
      out: "",
      err: "pmap: at images\n",
    });
  },
);

const ON = ["--on", "nats://a:4222/images"];
const WRONG: [args: string[], message: RegExp][] = [
  [[...ON], /with --on the first argument must be the name of an export/],
  [[...ON, "./work.ts#thumb"], /"\.\/work\.ts#thumb" \(thumb, if their module/],
  [[...ON, "./work.ts"], /"\.\/work\.ts" \(the module is named where a worker/],
  [
    [...ON, "f", "-j", "2"],
    /--workers is of this machine, and --on has others/,
  ],
  [[...ON, "f", "--processes"], /--processes is of this machine/],
  [[...ON, "f", "--max-memory", "99"], /--max-memory is of this machine/],
  [["nats://a/images", "f"], /a URL of a module.*\(a pool stands after --on\)/],
  [["--on", "nats://a:4222", "f"], /the pool is missing: nats:\/\/HOST/],
  [["--on", "nats://a:4222/", "f"], /the pool is missing/],
  [["--on", "nats://a/b.c", "f"], /letters, digits, "-" and "_"/],
  [["--on", "http://a/b", "f"], /http: is not the protocol of NATS/],
  [["--on", "a:4222/b", "f"], /it begins with nats:/],
  [["--on", "nats://me:sec%ret@a/b", "f"], /"nats:\/\/…@a\/b" \(.*encodeURI/],
  [["--on", "nats://me:sec/ret@a/b", "f"], /"nats:\/\/…@a\/b" \(/],
  [["--on", "nats://me:secret/b", "f"], /"nats:\/\/me:…\/b" \(/],
  [["--on", "http://me:secret@a/b", "f"], /"http:\/\/…@a\/b"/],
];

test("pmap --on refuses what machines do not do, and shows no password", () => {
  for (const [args, message] of WRONG) {
    const error = assertThrows(() => readCommand(args), UsageError);
    assertMatch(error.message, message);
    assertMatch(error.message, /^Cannot run as .*: received .*/);
    assert(!/sec.?ret/.test(error.message), error.message);
  }
});

test("readOn() reads servers, a pool, and what lets a program in", () => {
  const read = (text: string, known?: string) => readOn(text, "--on", known);
  assertEquals(read("nats://a:4222/images"), {
    servers: ["nats://a:4222"],
    connection: {},
    pool: "images",
  });
  assertEquals(read("nats://me:p%40ss@a,b:1,nats://[::1]:2/i-1"), {
    servers: ["nats://a", "nats://b:1", "nats://[::1]:2"],
    connection: { user: "me", pass: "p@ss" },
    pool: "i-1",
  });
  assertEquals(read("tls://me:x@a/images"), {
    servers: ["nats://a"],
    connection: { user: "me", pass: "x", tls: {} },
    pool: "images",
  });
  assertEquals(read("images", "nats://a:4222/").servers, ["nats://a:4222"]);
  assertEquals(read("images", "nats://a%20token@a:4222"), {
    servers: ["nats://a:4222"],
    connection: { token: "a token" },
    pool: "images",
  });
});
