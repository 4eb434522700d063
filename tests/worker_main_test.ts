// The program of a worker, with a port that a test holds in its hands.
import { assert, assertEquals } from "@std/assert";
import { allotBoard, createBoard } from "../src/core/wire/board.ts";
import type { FunctionRef } from "../src/core/wire/function_ref.ts";
import type {
  FromWorker,
  RunAnnouncement,
  Tagged,
  ToWorker,
} from "../src/core/wire/protocol.ts";
import { createWire } from "../src/core/wire/wire.ts";
import { createLoader } from "../src/core/worker/loader.ts";
import { createNotes, type Notes } from "../src/core/runtime/notes.ts";
import { createParts } from "../src/core/worker/parts.ts";
import { workerMain } from "../src/core/worker/worker_main.ts";
import { test } from "./harness.ts";
import { until } from "./until.ts";

const boardFor = ({ concurrency = 1 }: RunAnnouncement) => ({
  bytes: allotBoard(concurrency),
  epoch: 0,
});

/**
 * A worker in this thread, whose first so many answers cannot be posted, and
 * not even packed if `packs` is false.
 */
function startWorker(
  refusals = 0,
  packs = true,
  stepped = 0,
  wire = createWire(),
  notes: Notes = { hear: (message) => message },
) {
  const said: FromWorker[] = [];
  let hear: (message: ToWorker) => void = () => {};
  let stray: (error: unknown) => void = () => {};
  let exit: (code: number | undefined) => void = () => {};
  const { pack } = wire.packing;
  wire.packing.pack = (...values) => {
    if (packs || values[0].length === 0 || refusals-- <= 0) {
      return pack(...values);
    }
    throw new Error("no pack");
  };
  const loads = new Map<string, PromiseWithResolvers<unknown>>();
  const loader = createLoader((url) => {
    const load = Promise.withResolvers<unknown>();
    loads.set(url, load);
    return load.promise as never;
  }, false);
  workerMain({
    post: (message: Tagged) => {
      const [tag, content] = structuredClone(message);
      assertEquals(tag, 5);
      if (content.type === "done" && content.serial > 0 && refusals-- > 0) {
        throw new Error("no post");
      }
      if (content.type === "done" && content.serial === 0) return;
      said.push(content);
    },
    listen: (listener) => hear = listener,
    onStray: (listener) => stray = listener,
    onExit: (listener) => exit = listener,
  }, { ...createParts(undefined, wire), loader });
  const say = async (message: ToWorker) => {
    hear(notes.hear(structuredClone(message)));
    await flush();
  };
  /** Announces a run, with a chunk that has no tasks. */
  const run = (
    fn: FunctionRef,
    transfer = false,
    concurrency = 1,
    more: Partial<RunAnnouncement> = {},
  ) =>
    chunk(0, [], {
      fn,
      number: 1,
      concurrency,
      transfer,
      watched: false,
      ...more,
    });
  const chunk = (
    serial: number,
    values: unknown[],
    run?: RunAnnouncement,
    timed = false,
  ) =>
    say({
      type: "chunk",
      run: run && { board: boardFor(run), ...run },
      serial,
      first: 0,
      attempt: 1,
      values: { as: "list", values, encoded: [] },
      skip: undefined,
      timed,
    });
  const results = () =>
    said.flatMap((message) =>
      message.type === "done" ? [wire.packing.unpack(message.values)] : []
    );
  const start = say({
    type: "start",
    cores: 1,
    depth: 1,
    tag: 5,
    worker: 0,
    timed: false,
    stepped,
    workerData: { value: undefined, errors: [] },
    init: undefined,
  });
  return { said, say, run, chunk, results, loads, start, stray, exit };
}

async function flush(): Promise<void> {
  for (let i = 0; i < 50; i++) await undefined;
}

const imported = (name: string): FunctionRef => ({
  from: "module",
  name,
  url: `file:///${name}.ts`,
  given: undefined,
  entry: false,
});

test("a worker says that it is ready, and answers chunks in turn", async () => {
  const { said, run, chunk, results, start } = startWorker();
  await start;
  assertEquals(said, [{ type: "ready", disposes: false }]);
  await run({ from: "source", name: "double", source: "(n) => 2 * n" });
  await chunk(1, [1, 2]);
  await chunk(3, [5]);
  assertEquals(results(), [[2, 4], [10]]);
});

test("an answer that cannot be posted fails its tasks, and the next one goes", async () => {
  for (const refusals of [1, 2]) {
    const { said, run, chunk, results, start } = startWorker(refusals);
    await start;
    await run({ from: "source", name: "double", source: "(n) => 2 * n" });
    await chunk(1, [1, 2]);
    await chunk(3, [5]);
    const [first] = said.filter((message) => message.type === "done");
    assertEquals(first.tasks, 2);
    assertEquals(
      (first.failures ?? []).map(({ offset, refused }) => [offset, refused]),
      refusals === 1
        ? []
        : [[0, "what cannot be sent"], [1, "what cannot be sent"]],
    );
    assertEquals(results().at(-1), [10]);
  }
});

test("an answer that cannot be packed fails its tasks, and the next one goes", async () => {
  const { said, run, chunk, results, start } = startWorker(1, false);
  await start;
  await run({ from: "source", name: "double", source: "(n) => 2 * n" });
  await chunk(1, [1, 2]);
  await chunk(3, [5]);
  const [first] = said.filter((message) => message.type === "done");
  assertEquals(
    first.failures?.map(({ offset, refused }) => [offset, refused]),
    [[0, "what cannot be sent"], [1, "what cannot be sent"]],
  );
  assertEquals(results().at(-1), [10]);
});

test("an answer counts the bytes of what is moved in it", async () => {
  const { said, run, chunk, start } = startWorker();
  await start;
  const source = "(n) => new ArrayBuffer(n)";
  await run({ from: "source", name: "make", source }, true);
  await chunk(1, [1 << 20, 1 << 16]);
  const bytes = said.flatMap((message) =>
    message.type === "done" ? [message.bytes] : []
  );
  assert(bytes[0] > 1 << 20, String(bytes));
});

test("tasks that settle in the same turn are answered once", async () => {
  const { run, chunk, results, start } = startWorker();
  await start;
  await run(
    { from: "source", name: "later", source: "async (n) => n" },
    false,
    4,
  );
  await chunk(1, [1, 2, 3, 4]);
  await chunk(5, [5, 6]);
  assertEquals(results(), [[1, 2, 3, 4], [5, 6]]);
});

test("what was under way when a function could not be loaded is for no other", async () => {
  const { said, run, chunk, results, loads, start } = startWorker();
  await start;
  await run(imported("a"));
  await chunk(1, [1]);
  loads.get("file:///a.ts")!.reject(new Error("no such file"));
  await flush();
  await chunk(2, [2]); // posted before the caller heard of it
  await run({ from: "source", name: "b", source: "(n) => `b${n}`" });
  await chunk(3, [3]);
  assertEquals(said.map(({ type }) => type), ["ready", "refused", "done"]);
  assertEquals(results(), [["b3"]]);
});

test("tasks that are to go elsewhere do, also from a worker that loads its module", async () => {
  const { say, run, chunk, results, loads, start } = startWorker();
  await start;
  await run(imported("wait"));
  await chunk(1, [1, 2, 3]);
  await say({ type: "hurry", end: 4 });
  const task = Promise.withResolvers<number>();
  loads.get("file:///wait.ts")!.resolve({ wait: () => task.promise });
  await flush();
  assertEquals(results(), []); // the first has begun
  task.resolve(7);
  await flush();
  assertEquals(results(), [[7]]);
});

test("a module that does not load is told with its cure, if there is one", async () => {
  const told: [message: string, cure: string | undefined][] = [
    ["Module not found", "in a bundle it must be an entry point"],
    ["Importing a module script failed", "from another origin it needs"],
    ['Import "left-pad" not a dependency', "put one beside it"],
    ['Requires read access to "/a.ts"', undefined],
  ];
  for (const [message, cure] of told) {
    const { said, run, loads, start } = startWorker();
    await start;
    await run(imported("a"));
    const error = new TypeError(message);
    loads.get("file:///a.ts")!.reject(
      Object.assign(error, { code: "ERR_MODULE_NOT_FOUND" }),
    );
    await flush();
    const refused = said.flatMap((message) =>
      message.type === "refused"
        ? [createWire().codec.decode(message.error)]
        : []
    );
    const { message: text } = refused[0] as Error;
    assert(text.includes(message), text);
    assertEquals(text.endsWith(")"), cure !== undefined, text);
    assert(text.includes(cure ?? ""), text);
  }
});

test("a function that is loaded too late gets no values of the next", async () => {
  const { run, chunk, results, loads, start } = startWorker();
  await start;
  await run(imported("a"));
  await run(imported("b"));
  await chunk(1, [1]);
  loads.get("file:///a.ts")!.resolve({ a: (n: number) => `a${n}` });
  await flush();
  assertEquals(results(), []);
  loads.get("file:///b.ts")!.resolve({ b: (n: number) => `b${n}` });
  await flush();
  assertEquals(results(), [["b1"]]);
});

test("a module that never loads does not keep the next run waiting", async () => {
  const { run, chunk, results, start } = startWorker();
  await start;
  await run(imported("stuck"));
  await run({ from: "source", name: "f", source: "(n) => -n" });
  await chunk(1, [1]);
  assertEquals(results(), [[-1]]);
});

test("a function that cannot be had is refused, if it is still wanted", async () => {
  const { said, run, chunk, results, loads, start } = startWorker();
  await start;
  await run(imported("a"));
  await run({ from: "source", name: "f", source: "(n) => -n" });
  await chunk(1, [1]);
  loads.get("file:///a.ts")!.reject(new Error("gone"));
  await flush();
  assertEquals(results(), [[-1]]);
  await run(imported("c"));
  loads.get("file:///c.ts")!.resolve({});
  await flush();
  assertEquals(said.at(-1)?.type, "refused");
});

test("a worker that is told to begin no more answers with what it has", async () => {
  const { said, say, run, chunk, results, start } = startWorker();
  await start;
  const source = "() => new Promise((resolve) => setTimeout(resolve, 1))";
  await run({ from: "source", name: "wait", source });
  await chunk(1, [1, 2, 3]);
  await chunk(4, [4]);
  await say({ type: "hurry", end: 5 });
  assertEquals(said.at(-1), { type: "taken-back", first: 2, end: 5 });
  await until(() => said.length >= 4);
  const done = said.filter((message) => message.type === "done");
  assertEquals(done.map(({ serial, tasks }) => [serial, tasks]), [
    [1, 1],
    [4, 0], // not before: the caller would send another
  ]);
  await chunk(5, [5]); // sent after that
  await until(() => said.length >= 5);
  assertEquals(results().at(-1)!.length, 1);
});

/** What was said of chunks: how many tasks, which of them wait, results, failures. */
const toldOf = (said: FromWorker[]) => {
  const { packing, codec } = createWire();
  return said.flatMap((message) => {
    if (message.type !== "done") return [];
    const { tasks, waits, values, failures = [] } = message;
    const errors = failures.map(({ offset, error }) => [
      offset,
      error && (codec.decode(error) as Error).message,
    ]);
    return [[tasks, waits, Array.from(packing.unpack(values)), errors]];
  });
};

/** Ends tasks by their values: a function that a worker may get, and its end. */
function gates(name: string) {
  const ends = new Map<unknown, PromiseWithResolvers<unknown>>();
  const begun: unknown[] = [];
  (globalThis as Record<string, unknown>)[name] = (value: unknown) => {
    begun.push(value);
    if (value === "throws") throw new Error("mine");
    if (typeof value !== "string") return value;
    const end = Promise.withResolvers<unknown>();
    ends.set(value, end);
    return end.promise;
  };
  const source = `(value) => globalThis.${name}(value)`;
  const fn: FunctionRef = { from: "source", name, source };
  const end = async (value: string, result: unknown = value) => {
    ends.get(value)!.resolve(result);
    await flush();
  };
  const fail = async (value: string) => {
    ends.get(value)!.reject(new Error("mine"));
    await flush();
  };
  return { fn, begun, end, fail };
}

test("a failure that ends its run is told at once, and nothing begins after it", async () => {
  const alone = startWorker();
  await alone.start;
  const { fn, begun } = gates("gateOfOne");
  await alone.run(fn, false, 1, { lastAttempt: 1 });
  await alone.chunk(1, [1, "throws", "never", 4]);
  assertEquals(toldOf(alone.said), [[2, undefined, [1, undefined], [
    [1, "mine"],
  ]]]);
  assertEquals(begun, [1, "throws"]);

  const lanes = startWorker();
  await lanes.start;
  const of = gates("gateOfLanes");
  await lanes.run(of.fn, false, 3, { lastAttempt: 1 });
  await lanes.chunk(1, ["never", 2, "bad", "late", 5]);
  assertEquals(toldOf(lanes.said), []);
  await of.fail("bad");
  await of.end("late");
  assertEquals(toldOf(lanes.said), [
    [4, [0, 3], [undefined, 2, undefined, undefined], [[2, "mine"]]],
    // What was told before is not told again.
    [4, [0], [undefined, undefined, undefined, "late"], []],
  ]);
  assertEquals(of.begun, ["never", 2, "bad", "late"]);
  await of.end("never");
  assertEquals(toldOf(lanes.said).at(-1), [
    4,
    undefined,
    ["never", undefined, undefined, undefined],
    [[2, undefined]], // for who listens to events
  ]);
});

test("a failure of a task whose buffers were moved ends its run at its first try", async () => {
  const { said, say, run, start } = startWorker();
  await start;
  const { fn, begun } = gates("gateOfMoved");
  await run(fn, true, 1, { lastAttempt: 2 });
  const tasks = { serial: 1, first: 0, attempt: 1 };
  const list = ["throws", "throws", 3];
  const values = { as: "list" as const, values: list, encoded: [] };
  await say({ type: "chunk", ...tasks, values, gone: [1] });
  assertEquals(begun, ["throws", "throws"]);
  assertEquals(toldOf(said).map(([count]) => count), [2]);
});

test("a failure that may be tried again, or is an item, does not end its chunk", async () => {
  for (const lastAttempt of [undefined, 2]) {
    const { said, run, chunk, start } = startWorker();
    await start;
    const { fn } = gates("gateOfMore");
    await run(fn, false, 1, { lastAttempt });
    await chunk(1, ["throws", 2]);
    assertEquals(toldOf(said), [[2, undefined, [undefined, 2], [
      [0, "mine"],
    ]]]);
  }
});

test("a failure that ends a reduction is told before results are folded", async () => {
  const { said, run, chunk, start } = startWorker();
  await start;
  const { fn } = gates("gateOfFold");
  const source = "() => { throw new Error('folded'); }";
  const combine: FunctionRef = { from: "source", name: "combine", source };
  await run(fn, false, 1, { lastAttempt: 1, combine });
  await chunk(1, [1, 2, "throws", 4]);
  assertEquals(toldOf(said).map(([, waits, , errors]) => [waits, errors]), [
    [[0, 1], [[2, "mine"]]],
    [undefined, [[2, undefined], [0, "folded"]]],
  ]);
});

test("what is done beside a task that waits is told once the worker is to hurry", async () => {
  const buffer = (n: number) => new Uint8Array([n]).buffer;
  for (const kind of ["values", "records", "buffers", "shared"] as const) {
    const { said, say, run, chunk, start } = startWorker();
    await start;
    const { fn, end } = gates("gateOfHurry");
    const give = (n: number) =>
      kind === "records"
        ? { n, list: [n] }
        : kind === "buffers"
        ? buffer(n)
        : n;
    const output = createWire().views.share(
      new Float64Array(new SharedArrayBuffer(64)),
    );
    const more = kind === "shared" ? { output } : {};
    await run(fn, kind === "buffers", 3, more);
    await chunk(1, [give(0), "a", give(2), "b"]);
    await say({ type: "hurry" });
    await end("b", give(3));
    await say({ type: "hurry" }); // nothing is new
    await end("a", give(1));
    const none = undefined;
    const told = kind === "shared" ? [[], [], []] : [
      [give(0), none, give(2), none],
      [none, none, none, give(3)],
      [none, give(1), none, none],
    ];
    assertEquals(toldOf(said), [
      [4, [1, 3], told[0], []],
      [4, [1], told[1], []],
      [4, none, told[2], []],
    ]);
    if (kind !== "shared") continue;
    const written = new Float64Array(output!.buffer).subarray(0, 4);
    assertEquals([...written], [0, 1, 2, 3]);
  }
});

test("a chunk of which tasks are still to begin is told now and then", async () => {
  const { said, say, run, chunk, start } = startWorker();
  await start;
  const { fn, end } = gates("gateOfRest");
  await run(fn);
  await chunk(1, [1, "a", 3, "b", 5]);
  await say({ type: "hurry" });
  assertEquals(toldOf(said), [[2, [1], [1, undefined], []]]);
  const none = undefined;
  await end("a"); // the worker is at "b" by then
  assertEquals(toldOf(said).at(-1), [2, [], [none, "a"], []]);
  await end("b");
  assertEquals(toldOf(said).at(-1), [5, none, [none, none, 3, "b", 5], []]);
});

test("what many tasks that wait have done is told in few messages", async () => {
  const { said, say, run, chunk, start } = startWorker();
  await start;
  const { fn, end } = gates("gateOfMany");
  const names = Array.from({ length: 300 }, (_, i) => `${i}`);
  await run(fn, false, names.length);
  await chunk(1, names);
  await say({ type: "hurry" });
  for (const name of names.slice(0, 200)) await end(name);
  // The first at once, and now and then what came since.
  assert(toldOf(said).length < 60, `${toldOf(said).length}`);
  await until(() =>
    toldOf(said).flatMap(([, , values]) =>
      (values as unknown[]).filter((value) => value !== undefined)
    ).length === 200
  );
});

test("a task that waits stays known, whatever is taken back behind it", async () => {
  const { said, say, run, chunk, exit, start } = startWorker();
  await start;
  const { fn } = gates("gateOfWatch");
  const combine: FunctionRef = {
    from: "source",
    name: "combine",
    source: "(a, b) => a + b",
  };
  await run(fn, false, 1, { combine, watched: true });
  await chunk(1, ["a", 2]);
  await chunk(3, [3, 4]);
  await say({ type: "hurry", end: 5 });
  exit(3);
  assertEquals(said.at(-1), { type: "stray", code: 3, at: [1] });
});

test("what came while a function was loaded is not taken back once it has begun", async () => {
  const { said, say, run, chunk, loads, start } = startWorker();
  await start;
  const begun: unknown[] = [];
  const wait = (value: unknown) => {
    begun.push(value);
    return new Promise(() => {});
  };
  await run(imported("wait"), false, 2);
  await chunk(1, ["a"]);
  await say({ type: "hurry", end: 2 });
  await chunk(2, ["b", "c"]); // sent after that
  loads.get("file:///wait.ts")!.resolve({ wait });
  await flush();
  assertEquals(begun, ["a", "b"]);
  await say({ type: "hurry", end: 4 });
  assertEquals(said.filter(({ type }) => type === "taken-back"), [
    { type: "taken-back", first: 3, end: 4 },
  ]);
});

test("times are told once for each chunk, also where a failure ends its run", async () => {
  const timesOf = (said: FromWorker[]) =>
    said.flatMap((message) => message.type === "done" ? [message.times] : []);
  for (const lastAttempt of [1, undefined]) {
    for (const inTurn of [true, false]) {
      const { said, say, run, chunk, start } = startWorker();
      await start;
      const { fn, end, fail } = gates("gateOfTimes");
      await run(fn, false, 4, { lastAttempt, inTurn });
      await chunk(1, ["a", 2, "b", "c"], undefined, true);
      await say({ type: "hurry" });
      await fail("b");
      await end("a");
      await end("c");
      const told = timesOf(said).filter((times) => times !== undefined);
      assertEquals(told.length, 1);
      const isTold = Array.from(told[0], (time) => !Number.isNaN(time));
      // What comes after the failure, and before it in no turn, nobody hears.
      const ends = lastAttempt === 1;
      const [a, c] = [!ends || inTurn, !ends];
      assertEquals(isTold, [a, a, true, true, true, true, c, c]);
    }
  }
});

test("no task of a run that is over begins, also where no memory is shared", async () => {
  for (const isLoading of [false, true]) {
    const notes = createNotes(() => {}, new ArrayBuffer(4));
    const { said, say, run, chunk, results, loads, start } = startWorker(
      ...[0, true, 0],
      createWire(),
      notes,
    );
    await start;
    await run(imported("wait"));
    await chunk(1, [1, 2, 3]);
    await chunk(4, [4]);
    const task = Promise.withResolvers<number>();
    const load = async () => {
      loads.get("file:///wait.ts")!.resolve({ wait: () => task.promise });
      await flush();
    };
    if (!isLoading) await load();
    await say({ type: "over" });
    if (isLoading) await load();
    task.resolve(7);
    await flush();
    assertEquals(results(), isLoading ? [[], []] : [[7], []]);
    const source = "(n) => 2 * n";
    const fn: FunctionRef = { from: "source", name: "double", source };
    const next = { fn, number: 2, concurrency: 1, transfer: false };
    await chunk(5, [5, 6], { ...next, watched: false });
    assertEquals(results().at(-1), [10, 12]);
    assertEquals(said.map(({ type }) => type).at(-1), "done");
  }
});

test("large results are answered before they are many, wherever they stand", async () => {
  for (const offset of [0, 1, 7]) {
    const { said, run, chunk, start } = startWorker();
    await start;
    const source = `(n) => n % 8 === ${offset} ? new Uint8Array(3e6) : 0`;
    await run({ from: "source", name: "large", source });
    await chunk(1, Array.from({ length: 400 }, (_, i) => i));
    const [done] = said.filter((message) => message.type === "done");
    // Eight results of 3 MB at most between two looks, and one look too many.
    assert(done!.tasks <= 128, `${done!.tasks} tasks of offset ${offset}`);
  }
});

test("an error that a task reports itself is that task's", async () => {
  const { said, run, chunk, stray, start } = startWorker();
  await start;
  const globals = globalThis as { report?: () => void };
  globals.report = () => stray(new Error("reported"));
  const source = "(n) => n === 2 && globalThis.report()";
  await run({ from: "source", name: "f", source });
  await chunk(1, [1, 2, 3]);
  delete globals.report;
  const told = said.filter((message) => message.type === "stray");
  assertEquals(told.map(({ at }) => at), [[2]]);
});

test("a task that ends its worker is told of, before others run", async () => {
  const { said, run, chunk, exit, start } = startWorker();
  await start;
  const globals = globalThis as { exit?: typeof exit };
  globals.exit = exit; // it returns, as in Deno it may
  const source = "async (n) => n === 2 && globalThis.exit(3)";
  await run({ from: "source", name: "f", source }, false, 3);
  await chunk(1, [1, 2, 3]);
  delete globals.exit;
  assertEquals(said.filter((message) => message.type !== "ready"), [
    { type: "stray", code: 3, at: [2] },
    said.at(-1)!,
  ]);
  assertEquals(said.at(-1)?.type, "done");
});

test("whose result is made ready to send stands on the board", async () => {
  const globals = globalThis as { look?: () => void };
  const ways = {
    "at once": "(n) => ({ get x() { return globalThis.look() } })",
    "behind an await": `async (n) => {
      await undefined;
      return { get x() { return globalThis.look() } };
    }`,
    "folded": "(n) => ({ get x() { return globalThis.look() } })",
  };
  for (const [way, source] of Object.entries(ways)) {
    for (const watched of [true, false]) {
      for (const values of [[1], [1, 2, 3]]) {
        const { chunk, start } = startWorker();
        await start;
        const board = { bytes: allotBoard(3), epoch: 0 };
        const { running, serials } = createBoard(board);
        const seen: number[] = [];
        globals.look = () => {
          seen.push(running());
          if (watched) assert(!serials().includes(running()));
        };
        await chunk(7, values, {
          fn: { from: "source", name: "f", source },
          number: 1,
          concurrency: 3,
          transfer: false,
          watched,
          board,
          ...(way === "folded" && {
            combine: { from: "source", name: "c", source: "(one) => one" },
          }),
        });
        await flush();
        const serial = values.map((_, offset) => 7 + offset);
        const all = way !== "folded" ? serial : values.length === 1 ? [7] : [0];
        assertEquals(new Set(seen), new Set(all), `${way}, ${watched}`);
        assertEquals([running(), serials()], [0, []]);
      }
    }
  }
  delete globals.look;
});

test("to begin with results that are objects is no task's time", async () => {
  const { now } = performance;
  let later = 0;
  performance.now = () => now.call(performance) + later;
  const wire = createWire();
  const { open } = wire.packing;
  wire.packing.open = (...values) => {
    later += 1e6;
    return open(...values);
  };
  try {
    const { said, start, run, chunk } = startWorker(0, true, 0, wire);
    await start;
    await run({ from: "source", name: "f", source: "(n) => ({ n })" });
    await chunk(1, [1, 2, 3]);
    const [done] = said.flatMap((one) => one.type === "done" ? [one] : []);
    assertEquals(later, 1e6);
    assert(done!.ms < 1e6, `${done!.ms} ms`);
  } finally {
    performance.now = now;
  }
});

test("a chunk takes as long as its tasks, without those that were not sent", async () => {
  const { said, say, run, start } = startWorker();
  await start;
  await run({ from: "source", name: "f", source: "(n) => n" });
  for (const [at, skip] of [[0], [0, 1], undefined].entries()) {
    await say({
      type: "chunk",
      run: undefined,
      serial: 1 + 2 * at,
      first: 0,
      attempt: 1,
      values: { as: "list", values: [1, 2], encoded: [] },
      skip,
      timed: true,
    });
  }
  const answers = said.flatMap((one) => one.type === "done" ? [one] : []);
  for (const { serial, ms, times } of answers) {
    const known = times!.filter((time) => !Number.isNaN(time));
    const took = known.length === 0 ? 0 : known.at(-1)! - known[0]!;
    assert(took <= ms, `${took} of ${ms} ms, from ${serial} on`);
    assert(serial !== 3 || ms === 0, "no task, and yet time");
  }
  assertEquals(answers.map(({ serial }) => serial), [1, 3, 5]);
});

test("a worker answers a ping, and tells what nobody caught", async () => {
  const { said, say, stray, start } = startWorker();
  await start;
  await say({ type: "ping" });
  assertEquals(said.at(-1), { type: "pong" });
  stray(new Error("stray"));
  assertEquals(said.at(-1)?.type, "stray");
});

test("times are the caller's, also if the clock was set, or the machine slept", async () => {
  const HOUR = 3_600_000;
  for (const stepped of [0, HOUR, -HOUR]) {
    const { said, run, chunk, start } = startWorker(0, true, stepped);
    await start;
    await run({ from: "source", name: "f", source: "(n) => -n" });
    await chunk(1, [1], undefined, true);
    const [times] = said.flatMap((message) =>
      message.type === "done" && message.times ? [message.times] : []
    );
    // As this thread is the caller's own, it is off by all of that.
    const now = performance.timeOrigin + performance.now();
    const off = now - times![0]!;
    assert(Math.abs(off - stepped) < HOUR / 2, `${off} ms beside ${stepped}`);
  }
});

test("tasks that are left out cost the others no look at all of them", async () => {
  const { includes } = Array.prototype;
  let looks = 0;
  const { start, run, say, results } = startWorker();
  await start;
  await run({ from: "source", name: "same", source: "(n) => n" });
  const values = Array.from({ length: 1000 }, (_, i) => i);
  const skip = values.filter((i) => i % 2 === 1);
  Array.prototype.includes = function (...args) {
    if (this.length === skip.length) looks++;
    return includes.apply(this, args);
  };
  try {
    await say({
      type: "chunk",
      serial: 1,
      first: 0,
      attempt: 1,
      values: { as: "list", values, encoded: [] },
      skip,
    });
  } finally {
    Array.prototype.includes = includes;
  }
  const [got] = results().slice(-1);
  assertEquals(
    Array.from(got!),
    values.map((i) => i % 2 === 1 ? undefined : i),
  );
  assertEquals(looks, 0); // of 500 offsets for each of 1000 tasks
});
