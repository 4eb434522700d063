import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { Buffer } from "node:buffer";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { runInNewContext } from "node:vm";
import {
  type Inputs,
  parallelMapStream,
  Pool,
  TaskError,
  type TaskOutcome,
} from "../mod.ts";
import {
  JobLogError,
  type JobLogOptions,
  type LoggedOutcome,
  type LogStreamOptions,
  openJobLog,
  type SettledAsTheyCome,
} from "../src/joblog/mod.ts";
import { test, testOnce } from "./harness.ts";
import { folder, numbers } from "./pmap.ts";
import { records } from "./pmap_log.ts";
import { RUN, RUN_ALL, runProgram } from "./run_program.ts";
import { until } from "./until.ts";

/** What a stream of this thread is to do with an input. */
type Fn<T, R> = (input: T, position: number) => R | Promise<R>;

/** Maps in this thread, one input at a time, as a settled stream does. */
async function* mapHere<T, R>(
  rest: AsyncIterable<T>,
  fn: Fn<T, R>,
): AsyncGenerator<TaskOutcome<T, R>> {
  let index = 0;
  for await (const input of rest) {
    try {
      const value = await fn(input, index);
      yield { index, input, status: "fulfilled", value };
    } catch (cause) {
      const reason = new TaskError(`Cannot map input ${index} as fn threw`, {
        index,
        attempts: 1,
        cause,
      });
      yield { index, input, status: "rejected", reason };
    }
    index++;
  }
}

/** Every outcome of one run with a log. */
async function run<T, R>(
  path: string,
  inputs: Inputs<T>,
  fn: Fn<T, R>,
  options: JobLogOptions & LogStreamOptions<T, R> = {},
): Promise<LoggedOutcome<T, R>[]> {
  const { key, format, ordered, note, ...open } = options;
  await using log = await openJobLog(path, open);
  return await Array.fromAsync(
    log.stream(inputs, (rest) => mapHere(rest, fn), {
      key,
      format,
      ordered,
      note,
    }),
  );
}

/** The results, or messages. */
function told(outcomes: LoggedOutcome<unknown, unknown>[]): unknown[] {
  return outcomes.map((outcome) =>
    outcome.status === "fulfilled" ? outcome.value : outcome.reason.message
  );
}

test("openJobLog() gives each outcome once, with what has a result not run again", async () => {
  using dir = folder();
  const path = dir.path("log");
  const ran: number[] = [];
  const square = (n: number) => {
    ran.push(n);
    return n * n;
  };
  const first = await run(path, [1, 2, 3], square);
  assertEquals(
    first,
    [1, 2, 3].map((input, index) => ({
      index,
      input,
      status: "fulfilled",
      value: input * input,
      kept: false,
    })),
  );
  const second = await run(path, [5, 3, 2, 1], square);
  assertEquals(told(second), [25, 9, 4, 1]);
  assertEquals(second.map(({ kept }) => kept), [false, true, true, true]);
  assertEquals(second.map(({ index, input }) => [index, input]), [
    [0, 5],
    [1, 3],
    [2, 2],
    [3, 1],
  ]);
  assertEquals(ran, [1, 2, 3, 5]);
});

test("openJobLog() takes no inputs, endless ones, and async ones", async () => {
  using dir = folder();
  const path = dir.path("log");
  assertEquals(await run(path, [], (n) => n), []);
  let closed = 0;
  async function* naturals() {
    try {
      for (let n = 0;; n++) yield n;
    } finally {
      closed++;
    }
  }
  for (const kept of [false, true]) {
    await using log = await openJobLog(path);
    for await (
      const outcome of log.stream(
        naturals(),
        (rest) => mapHere(rest, (n) => n + 1),
      )
    ) {
      assertEquals([outcome.index, outcome.kept], [outcome.input, kept]);
      if (outcome.index === 20) break;
    }
  }
  assertEquals(closed, 2);
});

// A runtime ends a program, and the tests, for a promise that nobody handles.
test("openJobLog() awaits promises among the inputs, each in its turn", async () => {
  using dir = folder();
  const path = dir.path("log");
  const late = () => new Promise<number>((done) => setTimeout(done, 5, 2));
  const reason = new RangeError("mine");
  const inputs = () => [1, late(), Promise.reject(reason), 4];
  for (const given of [inputs, () => new Set(inputs())]) {
    const error = await run(path, given(), (n) => n).catch((error) => error);
    assertEquals(error, reason);
  }
  assertEquals(records(path).map(({ result }) => result), [1, 2]);
  const values = [late(), 3][Symbol.iterator]();
  const next = () => Promise.resolve(values.next()); // awaits no value
  const slow = { [Symbol.asyncIterator]: () => ({ next }) };
  assertEquals(
    (await run(path, slow, (n) => n)).map(({ input, kept }) => [input, kept]),
    [[2, true], [3, false]],
  );
  const log = await openJobLog(path);
  const never = [ // as nobody reads the stream
    Promise.reject(reason),
    runInNewContext("Promise.reject(0)"), // of another realm
  ];
  log.stream(never, (rest) => mapHere(rest, (n) => n));
  await log.close();
  await new Promise((resolve) => setTimeout(resolve, 1));
});

test("openJobLog() gives results with their input, where a source fills one object again", async () => {
  using dir = folder();
  class Row {
    n = 0;
  }
  const bytes = new Uint8Array(3);
  const part = bytes.subarray(1, 2);
  const map = new Map<string, number>();
  type Way = { of: unknown; fill(n: number): unknown; n(input: never): number };
  const ways: Record<string, Way> = {
    object: plain({ n: 0 }),
    class: plain(new Row()),
    map: {
      of: { map },
      fill: (n) => map.set("n", n),
      n: (input: { map: typeof map }) => input.map.get("n")!,
    },
    array: { of: part, fill: (n) => part[0] = n, n: first },
    views: { of: undefined, fill: (n) => part[0] = n, n: first },
    data: {
      of: new DataView(bytes.buffer, 1, 1),
      fill: (n) => part[0] = n,
      n: (input: DataView) => input.getUint8(0),
    },
    node: {
      of: Buffer.from(bytes.buffer, 1, 1),
      fill: (n) => part[0] = n,
      n: (input: Buffer) => input.readUInt8(0),
    },
    whole: {
      of: bytes.buffer,
      fill: (n) => part[0] = n,
      n: (input: ArrayBuffer) => new Uint8Array(input)[1],
    },
  };
  function plain(of: { n: number }): Way {
    return { of, fill: (n) => of.n = n, n: (input: { n: number }) => input.n };
  }
  function first(input: Uint8Array): number {
    assertEquals(input.length, 1);
    return input[0];
  }
  for (const [name, way] of Object.entries(ways)) {
    const nOf = way.n as (input: unknown) => number;
    const source = function* () {
      for (const n of numbers(5)) {
        way.fill(n);
        yield way.of ?? bytes.subarray(1, 2);
      }
    };
    // With some that run after the others, and one among them.
    for (const runs of [[], [3, 4], [0], [2]]) {
      const path = dir.path(`${name}${runs}`);
      const fail = (input: unknown) => {
        if (runs.includes(nOf(input))) throw new Error("not yet");
        return 0;
      };
      const key = (input: unknown) => `${nOf(input)}`;
      await run(path, source(), fail, { key });
      await using log = await openJobLog(path);
      const outcomes = log.stream(
        source(),
        (rest, options) =>
          parallelMapStream(() => 0, rest, { ...options, workers: 0 }),
        { key },
      );
      const seen: number[] = [];
      for await (const { input, kept } of outcomes) {
        seen.push(nOf(input));
        assertEquals(kept, !runs.includes(seen.length - 1));
      }
      assertEquals(seen, [0, 1, 2, 3, 4], `${name} ${runs}`);
    }
  }
});

test("openJobLog() gives kept results with inputs of their own classes", async () => {
  using dir = folder();
  const path = dir.path("log");
  class Unit {
    #name = "m";
    get name() {
      return this.#name;
    }
  }
  function* source() {
    for (const n of numbers(4)) yield { n, unit: new Unit() };
  }
  const names: string[] = [];
  for (const count of [4, 4, 2]) { // the last has no other after it
    const options = { key: ({ n }: { n: number }) => `${n}` };
    const inputs = source().take(count);
    for (const { input } of await run(path, inputs, ({ n }) => n, options)) {
      names.push(input.unit.name);
    }
  }
  assertEquals(names, Array(10).fill("m"));
});

test("openJobLog() tells equal inputs apart by how many there are", async () => {
  using dir = folder();
  const path = dir.path("log");
  const first = await run(path, ["a", "a", "b"], (_, position) => position);
  const second = await run(path, ["b", "a", "a", "a"], () => "new");
  assertEquals(told(first), [0, 1, 2]);
  assertEquals(told(second), [2, 0, 1, "new"]);
});

test("openJobLog() knows inputs by their key alone", async () => {
  using dir = folder();
  const path = dir.path("log");
  const key = ({ url }: { url: string }) => url;
  const size = ({ text }: { text: string }) => text.length;
  await run(path, [{ url: "/a", text: "one" }], size, { key });
  const changed = [{ url: "/b", text: "four" }, { url: "/a", text: "" }];
  assertEquals(told(await run(path, changed, size, { key })), [4, 3]);
});

test("openJobLog() runs again what failed, and numbers it among all inputs", async () => {
  using dir = folder();
  const path = dir.path("log");
  let fails = true;
  const odd = (n: number) => {
    if (fails && n % 2 === 0) throw new RangeError(`${n} is even`);
    return n;
  };
  await run(path, [1], odd);
  const second = await run(path, [1, 3, 2], odd);
  assertEquals(told(second), [1, 3, "Cannot map input 2 as fn threw"]);
  const [, , { kept, ...failed }] = second;
  assert(failed.status === "rejected");
  assertEquals([failed.index, failed.reason.index, kept], [2, 2, false]);
  assertMatch(failed.reason.stack ?? "", /map input 2 as/);
  const { ok, error, stack } = records(path)[2];
  assertEquals([ok, error], [false, "Cannot map input 2 as fn threw"]);
  assertMatch(String(stack), /2 is even/);
  fails = false;
  assertEquals(told(await run(path, [1, 3, 2], odd)), [1, 3, 2]);
});

test("openJobLog() runs again what failed with a note of any name", async () => {
  using dir = folder();
  for (const name of ["2024", "__proto__", "toJSON", "error"]) {
    const path = dir.path(name);
    const note = () => Object.fromEntries([[name, "x"]]);
    const fail = () => {
      throw new Error("no");
    };
    assertEquals((await run(path, [1], fail, { note }))[0].status, "rejected");
    assertEquals(records(path)[0][name], "x");
    assertEquals(told(await run(path, [1], () => "ran", { note })), ["ran"]);
    assertEquals(told(await run(path, [1], () => "again")), ["ran"]);
  }
});

test("openJobLog() gives what the log keeps the first time as well", async () => {
  using dir = folder();
  const path = dir.path("log");
  const values = [undefined, null, NaN, -0, 1.5, "é\u2028\ud800\n", [
    undefined,
  ]];
  const kinds: unknown[] = [...values, new Date(0), { a: undefined, b: 1 }];
  const inputs = numbers(kinds.length);
  const first = told(await run(path, inputs, (i) => kinds[i]));
  const second = told(await run(path, inputs, () => "not run"));
  const date = "1970-01-01T00:00:00.000Z";
  const text = "é\u2028\ud800\n";
  const as = [undefined, null, null, 0, 1.5, text, [null], date, { b: 1 }];
  assertEquals(first, as);
  assertEquals(second, as);
});

test("openJobLog() keeps any result with a format of its own", async () => {
  using dir = folder();
  const path = dir.path("log");
  const format = {
    stringify: (map: Map<string, bigint>) =>
      JSON.stringify([...map].map(([key, n]) => [key, String(n)])),
    parse: (text: string) =>
      new Map(
        (JSON.parse(text) as [string, string][])
          .map(([key, n]) => [key, BigInt(n)]),
      ),
  };
  const map = new Map([["n", 2n ** 70n]]);
  for (const _ of [1, 2]) {
    assertEquals(told(await run(path, [1], () => map, { format })), [map]);
  }
});

test("openJobLog() takes a class for a format, whose static methods it calls as such", async () => {
  using dir = folder();
  class Signed {
    static readonly sign = "n";
    static stringify(value: bigint) {
      return JSON.stringify(`${value}${this.sign}`);
    }
    static parse(text: string) {
      return BigInt(JSON.parse(text).replace(this.sign, ""));
    }
  }
  for (const kept of [false, true]) {
    const path = dir.path("log");
    const [outcome] = await run(path, [1], BigInt, { format: Signed });
    assertEquals([told([outcome]), outcome.kept], [[1n], kept]);
  }
});

test("openJobLog() fails the input whose result cannot be logged, alone", async () => {
  using dir = folder();
  const path = dir.path("log");
  const [one, big, three] = await run(
    path,
    [1, 2, 3],
    (n) => n === 2 ? 2n : n,
  );
  assertEquals([one.status, three.status], ["fulfilled", "fulfilled"]);
  assert(big.status === "rejected");
  assertEquals(big.reason.index, 1);
  assertMatch(
    big.reason.message,
    /^Cannot log the result of input 1 as it must be JSON: received TypeError: /,
  );
});

test("openJobLog() fails an input for which its format makes no single line", async () => {
  using dir = folder();
  const path = dir.path("log");
  const made: [text: unknown, shown: string, rule?: string][] = [
    [JSON.stringify({ v: 1 }, null, 1), String.raw`"{\n \"v\": 1\n}"`],
    ["1\r", String.raw`"1\r"`],
    [5, "5"],
    [null, "null"],
    ["two ", '"two "', "without white space at its end"],
    ["\ud800", String.raw`"\ud800"`, "without halves of characters"],
  ];
  for (const [text, shown, rule = "in one line"] of made) {
    const format = { stringify: () => text as string, parse: Number };
    const [outcome] = await run(path, [1], (n) => n, { format });
    assert(outcome.status === "rejected");
    assertEquals(
      outcome.reason.message,
      `Cannot log the result of input 0 as it must be JSON: received TypeError: "format.stringify" must make JSON ${rule}: received ${shown} (JSON.stringify(result) makes it)`,
    );
  }
  assertEquals(records(path).map(({ ok }) => ok), made.map(() => false));
});

test("openJobLog() says what its format threw, whatever that is", async () => {
  using dir = folder();
  const path = dir.path("log");
  const fail = () => {
    throw Object.create(null);
  };
  const same = (n: number) => n;
  await run(path, [1], same);
  const unread = { stringify: String, parse: fail };
  await assertRejects(
    () => run(path, [1], same, { format: unread }),
    TypeError,
    'as "format" must read it: received Object (',
  );
  const unmade = { stringify: fail, parse: Number };
  const [outcome] = await run(path, [2], same, { format: unmade });
  assert(outcome.status === "rejected");
  assertEquals(
    outcome.reason.message,
    "Cannot log the result of input 0 as it must be JSON: received Object",
  );
});

test("openJobLog() fails the input whose result its format cannot read, and logs none", async () => {
  using dir = folder();
  const path = dir.path("log");
  const format = { stringify: String, parse: JSON.parse };
  const results = [1, "two", 3];
  const outcomes = await run(path, [0, 1, 2], (i) => results[i], { format });
  assertEquals(outcomes.map(({ status }) => status), [
    "fulfilled",
    "rejected",
    "fulfilled",
  ]);
  assertEquals(records(path).map(({ result }) => result), [1, undefined, 3]);
  assertEquals(told(await run(path, [0, 1, 2], () => 2)), [1, 2, 3]);
});

test("openJobLog() names the input whose kept result its format cannot read", async () => {
  using dir = folder();
  const path = dir.path("log");
  const stringify = (n: number) => `<${n}>`;
  const parse = (text: string) => Number(text.slice(1, -1));
  await run(path, [1, 2], (n) => n, { format: { stringify, parse } });
  const error = await assertRejects(
    () => run(path, [3, 2, 1], (n) => n), // its format was left out
    TypeError,
    'Cannot take the result of input 1 from the log as "format" must read it: received SyntaxError',
  );
  assert(error.cause instanceof SyntaxError);
});

test("openJobLog() tells a note of the index among all inputs", async () => {
  using dir = folder();
  const path = dir.path("log");
  await run(path, [1, 2], (n) => n);
  const fail = (n: number) => {
    if (n === 4) throw new Error("four");
    return n;
  };
  const note = (outcome: TaskOutcome<number, number>) => ({
    at: outcome.index,
    failed: outcome.status === "rejected" ? outcome.reason.index : null,
  });
  await run(path, [1, 3, 2, 4], fail, { note });
  assertEquals(
    records(path).slice(2).map(({ index, at, failed }) => [index, at, failed]),
    [[1, 1, null], [3, 3, 3]],
  );
});

test("openJobLog() writes notes, and leaves out what has none", async () => {
  using dir = folder();
  const path = dir.path("log");
  const note = ({ input }: { input: number }) =>
    input === 2 ? undefined : { by: `"me",\n"ok":true`, n: input };
  for (const kept of [[false, false, false], [true, false, true]]) {
    const outcomes = await run(path, [1, 2, 3], (n) => n, { note });
    assertEquals(outcomes.map((outcome) => outcome.kept), kept);
    assertEquals(told(outcomes), [1, 2, 3]);
  }
  assertEquals(records(path).map(({ by, n, result }) => [by, n, result]), [
    [`"me",\n"ok":true`, 1, 1],
    [`"me",\n"ok":true`, 3, 3],
  ]);
});

test("openJobLog() refuses a note that writes over what the log says", async () => {
  using dir = folder();
  const wrong: [note: unknown, said: string][] = [
    ...["sum", "index", "input", "nth", "ok", "result"].map((
      name,
    ): [unknown, string] => [
      { by: "me", [name]: 5 },
      `leave the fields of the log alone: received "${name}" (give it another name)`,
    ]),
    [{ a: true }, 'hold strings, numbers and null: received true as "a"'],
    [
      { a: { b: 1, ok: true } },
      'hold strings, numbers and null: received Object as "a"',
    ],
    ["me", 'be an object: received "me"'],
    [[1], "be an object: received Array"],
    [Promise.resolve({ a: 1 }), "be an object: received Promise"],
    [new Map([["a", 1]]), "be an object: received Map"],
  ];
  for (const [note, said] of wrong) {
    const path = dir.path("log");
    const error = await run(path, [1], (n) => n, { note: () => note as never })
      .catch((error) => error);
    assert(error instanceof TypeError, String(error));
    assertEquals(error.message, `Cannot log input 0 as its note must ${said}`);
    assertEquals(readFileSync(path, "utf8"), '{"joblog":1}\n');
  }
});

test("openJobLog() writes of a note what it has checked", async () => {
  using dir = folder();
  let reads = 0;
  const hidden = { value: () => ({ ok: true, result: 2 }) };
  const note = () =>
    Object.defineProperty(
      {
        get by() {
          return reads++ === 0 ? "me" : {} as never;
        },
      },
      "toJSON",
      hidden,
    );
  await run(dir.path("log"), [1], (n) => n, { note });
  assertEquals(records(dir.path("log"))[0].by, "me");
});

test("openJobLog() lets a note word a failure", async () => {
  using dir = folder();
  const path = dir.path("log");
  const note = () => ({ error: "no", stack: "here" });
  await run(path, [1n], () => 1n, { note, key: String });
  const [{ ok, error, stack }] = records(path);
  assertEquals([ok, error, stack], [false, "no", "here"]);
});

/** A stream whose outcomes come when they are told to. */
function byHand<T>() {
  const { readable, writable } = new TransformStream<
    TaskOutcome<T, string>,
    TaskOutcome<T, string>
  >();
  const writer = writable.getWriter();
  const given: T[] = [];
  return {
    given,
    stream(rest: AsyncIterable<T>): AsyncIterable<TaskOutcome<T, string>> {
      (async () => {
        for await (const input of rest) given.push(input);
      })();
      return readable;
    },
    settle: (index: number) =>
      writer.write({
        index,
        input: given[index],
        status: "fulfilled",
        value: `${given[index]}!`,
      }),
    end: () => writer.close(),
  };
}

test("openJobLog() logs an outcome when it comes, and gives it in its turn", async () => {
  using dir = folder();
  const path = dir.path("log");
  await using log = await openJobLog(path);
  const hand = byHand<string>();
  const outcomes = log.stream(["a", "b", "c"], hand.stream);
  const first = outcomes.next();
  await until(() => hand.given.length === 3);
  await hand.settle(2);
  await hand.settle(1);
  await until(() => records(path).length === 2);
  assertEquals(records(path).map(({ index }) => index), [2, 1]);
  await hand.settle(0);
  assertEquals((await first).value?.input, "a");
  const rest: unknown[] = [];
  hand.end();
  for await (const { input } of outcomes) rest.push(input);
  assertEquals(rest, ["b", "c"]);
});

test("openJobLog() gives an outcome when it is in the file, where a program may end", async () => {
  using dir = folder();
  const fail = (n: number) => {
    if (n % 3 === 2) throw new Error("no");
    return n;
  };
  const runs = [
    (rest: AsyncIterable<number>) => mapHere(rest, fail),
    (rest: AsyncIterable<number>, options: SettledAsTheyCome) =>
      parallelMapStream(fail, rest, { ...options, workers: 1 }),
  ];
  for (const ordered of [true, false]) {
    for (const [i, run] of runs.entries()) {
      const path = dir.path(`${ordered} ${i}`);
      await using log = await openJobLog(path);
      const outcomes = log.stream(numbers(50), run, { ordered });
      for await (const { index, status } of outcomes) {
        const logged = records(path).find((record) => record.index === index);
        assertEquals(logged?.ok, status === "fulfilled");
      }
    }
  }
});

test("openJobLog() writes outcomes at once that come at once, before it gives them", async () => {
  using dir = folder();
  const path = dir.path("log");
  await using log = await openJobLog(path);
  const sizes = new Set<number>();
  const outcomes = log.stream(numbers(5000), (rest) => mapHere(rest, (n) => n));
  for await (const _ of outcomes) sizes.add(statSync(path).size);
  assert(sizes.size < 100, `${sizes.size} writes`);
});

test("openJobLog() gives outcomes as they come, if they need no order", async () => {
  using dir = folder();
  const path = dir.path("log");
  await run(path, ["b"], (text) => text);
  await using log = await openJobLog(path);
  const hand = byHand<string>();
  const outcomes = log.stream(["a", "b", "c"], hand.stream, { ordered: false });
  const seen: unknown[] = [];
  const next = async () => {
    const { value } = await outcomes.next();
    seen.push([value?.index, value?.kept]);
  };
  await next();
  await until(() => hand.given.length === 2);
  await hand.settle(1);
  await next();
  await hand.settle(0);
  await next();
  assertEquals(seen, [[1, true], [2, false], [0, false]]);
  hand.end();
  assertEquals((await outcomes.next()).done, true);
});

test("openJobLog() reads kept results no faster than they are taken", async () => {
  using dir = folder();
  const path = dir.path("log");
  await run(path, numbers(5000), (n) => n);
  await using log = await openJobLog(path);
  let read = 0;
  function* inputs() {
    for (const n of numbers(5000)) {
      read++;
      yield n;
    }
  }
  const outcomes = log.stream(inputs(), (rest) => mapHere(rest, (n) => n));
  await outcomes.next();
  await until(() => read > 1000);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert(read < 2500, `read ${read}`);
  let left = 0;
  for await (const { kept } of outcomes) if (kept) left++;
  assertEquals(left, 4999);
});

/** Counts turns of the event loop. */
function countTurns() {
  let turns = 0;
  let next: ReturnType<typeof setImmediate>;
  const count = () => {
    turns++;
    next = setImmediate(count);
  };
  next = setImmediate(count);
  return {
    /** How many there were by the time that this thread was held for 20 ms. */
    hold() {
      const until = performance.now() + 20;
      while (performance.now() < until);
      return turns;
    },
    [Symbol.dispose]: () => clearImmediate(next),
  };
}

const UPWARDS = (one: number, other: number) => one - other;

test("openJobLog() lets timers and signals have their turn while kept results are read", async () => {
  using dir = folder();
  const path = dir.path("log");
  await run(path, ["b", "c", "d", "e"], (text) => text);
  using turns = countTurns();
  const read: number[] = [];
  {
    await using log = await openJobLog(path);
    const outcomes = log.stream(
      ["b", "c", "d", "e"],
      (rest) => mapHere(rest, (text) => text),
    );
    for await (const _ of outcomes) read.push(turns.hold());
  }
  assertEquals(read, [...new Set(read)].toSorted(UPWARDS));
  assertEquals(read.length, 4);
});

test("openJobLog() lets them have it while kept results wait for an earlier one", async () => {
  using dir = folder();
  const path = dir.path("log");
  await run(path, ["b", "c", "d", "e"], (text) => text);
  using turns = countTurns();
  const read: number[] = [];
  function* inputs() {
    for (const input of ["a", "b", "c", "d", "e"]) {
      read.push(turns.hold());
      yield input;
    }
  }
  await using log = await openJobLog(path);
  const hand = byHand<string>();
  const outcomes = log.stream(inputs(), hand.stream);
  const first = outcomes.next();
  await until(() => read.length === 5);
  await hand.settle(0);
  assertEquals((await first).value?.input, "a");
  hand.end();
  assertEquals((await Array.fromAsync(outcomes)).length, 4);
  assertEquals(read, [...new Set(read)].toSorted(UPWARDS));
});

test("openJobLog() logs what came before its reader leaves", async () => {
  using dir = folder();
  const path = dir.path("log");
  await using log = await openJobLog(path);
  await using pool = new Pool({ workers: 2 });
  const outcomes = log.stream(
    numbers(100_000),
    (rest, options) => pool.stream((n) => n, rest, options),
    { ordered: false }, // else many may be logged before that of index 0 comes
  );
  let read = 0;
  for await (const _ of outcomes) if (++read === 11) break;
  await log.close();
  const { length } = records(path);
  assert(length >= 11 && length < 50_000, `logged ${length}`);
  assertEquals(await pool.map((n) => n, [1]), [1]);
});

/** Gives one input, and never another one. */
async function* stuck(): AsyncGenerator<number> {
  yield 1;
  await new Promise(() => {});
}

test("JobLog.stream() lets its reader leave while it waits for an outcome", async () => {
  const leave = [
    (outcomes: AsyncGenerator) => outcomes.return(undefined),
    (outcomes: AsyncGenerator) =>
      outcomes.throw(new Error("enough")).catch((error) => {
        assertEquals(error.message, "enough");
      }),
    (outcomes: AsyncGenerator) => outcomes[Symbol.asyncDispose](),
  ];
  await using pool = new Pool({ workers: 0 });
  for (const leaving of leave) {
    using dir = folder();
    const path = dir.path("log");
    await using log = await openJobLog(path);
    const outcomes = log.stream(
      stuck(),
      (rest, options) => pool.stream((n) => n, rest, options),
    );
    assertEquals(outcomes[Symbol.asyncIterator](), outcomes);
    assertEquals((await outcomes.next()).value?.input, 1);
    const waiting = outcomes.next();
    await leaving(outcomes);
    const end = { done: true, value: undefined };
    assertEquals([await waiting, await outcomes.next()], [end, end]);
    assertEquals(records(path).length, 1);
  }
});

test("openJobLog() passes on what ends the stream, after what came before", async () => {
  using dir = folder();
  const path = dir.path("log");
  async function* inputs() {
    yield* [1, 2];
    await Promise.resolve();
    throw new RangeError("no more");
  }
  const seen: unknown[] = [];
  await assertRejects(
    async () => {
      await using log = await openJobLog(path);
      const outcomes = log.stream(inputs(), (rest) => mapHere(rest, (n) => n));
      for await (const { index } of outcomes) seen.push(index);
    },
    RangeError,
    "no more",
  );
  assertEquals(seen, [0, 1]);
  await using log = await openJobLog(path);
  const abort = new AbortController();
  const { signal } = abort;
  const outcomes = log.stream(
    [1, 2, 3],
    (rest, options) =>
      parallelMapStream((n) => n, rest, { ...options, signal }),
  );
  assertEquals((await outcomes.next()).value?.kept, true);
  const reason = new Error("enough");
  abort.abort(reason);
  const error = await Array.fromAsync(outcomes).catch((error) => error);
  assertEquals(error, reason);
});

test("JobLog.close() gives the log back at once, and ends the stream", async () => {
  using dir = folder();
  const log = await openJobLog(dir.path("log"));
  const outcomes = log.stream(
    numbers(1000),
    (rest) => mapHere(rest, (n) => n),
  );
  await outcomes.next();
  const closed = log.close();
  const { length } = records(dir.path("log"));
  assertEquals(existsSync(dir.path("log.lock")), false);
  await closed;
  await log.close();
  assertEquals(records(dir.path("log")).length, length);
  assertEquals((await outcomes.next()).done, true);
  await (await openJobLog(dir.path("log"))).close();
});

test("JobLog.close() ends the log also from what the log itself calls, and writes into no file that is opened next", async () => {
  using dir = folder();
  const path = dir.path("log");
  const other = dir.path("other");
  await run(path, [1, 2], (n) => n);
  const wheres = ["note", "stringify", "parse", "key"] as const;
  for (const where of wheres) {
    const log = await openJobLog(path);
    let opened = -1;
    let closed: Promise<void> | undefined;
    const at = (place: typeof where) => {
      if (place !== where || closed !== undefined) return;
      closed = log.close();
      opened = openSync(other, "w"); // has the number that the log had
    };
    let ran = 0;
    const count = (n: number) => (ran++, n);
    const outcomes = log.stream([3, 4, 5], (rest) => mapHere(rest, count), {
      key: (n) => (at("key"), String(n)),
      note: () => (at("note"), {}),
      format: {
        stringify: (n) => (at("stringify"), JSON.stringify(n)),
        parse: (text) => (at("parse"), JSON.parse(text)),
      },
    });
    const text = readFileSync(path, "utf8");
    assertEquals(await Array.fromAsync(outcomes), [], where);
    await closed;
    await new Promise((resolve) => setImmediate(resolve));
    closeSync(opened);
    assertEquals(ran, where === "key" ? 0 : 1, where);
    assertEquals(readFileSync(other, "utf8"), "", where);
    assertEquals(readFileSync(path, "utf8"), text, where);
  }
});

test("JobLog.stream() gives no outcomes where its log is closed, or has a stream, when its run callback returns", async () => {
  using dir = folder();
  const path = dir.path("log");
  for (const readOnly of [false, true]) {
    const log = await openJobLog(path, { readOnly });
    let rest: AsyncIterable<number> | undefined;
    const error = assertThrows(
      () =>
        log.stream([1, 2], (inputs) => {
          void log.close();
          return mapHere(rest = inputs, (n) => n);
        }),
      TypeError,
    );
    assertStringIncludes(error.message, "received one that is closed");
    assertEquals(await Array.fromAsync(rest!), []);
    const opened = openSync(dir.path("other"), "w"); // the log's number
    await log.close();
    writeFileSync(opened, "x");
    closeSync(opened);
  }
  await using log = await openJobLog(path);
  let inner: AsyncIterable<LoggedOutcome<number, number>> | undefined;
  const error = assertThrows(
    () =>
      log.stream([1, 2], (inputs) => {
        inner = log.stream([3, 4], (rest) => mapHere(rest, (n) => n));
        return mapHere(inputs, (n) => n);
      }),
    TypeError,
  );
  assertStringIncludes(error.message, "has had its stream already");
  assertEquals(told(await Array.fromAsync(inner!)), [3, 4]);
});

test("openJobLog() with readOnly changes nothing, and needs no file", async () => {
  using dir = folder();
  const path = dir.path("log");
  const look = { readOnly: true };
  assertEquals(told(await run(path, [1], (n) => n, look)), [1]);
  await run(path, [1], (n) => n);
  const text = readFileSync(path, "utf8");
  await using open = await openJobLog(path);
  const seen = await run(path, [1, 2], (n) => -n, look);
  assertEquals(told(seen), [1, -2]);
  assertEquals(readFileSync(path, "utf8"), text);
  assertEquals([open.lines, open.results, open.damaged], [1, 1, 0]);
});

test("openJobLog() with readOnly takes no log for empty that it cannot read", {
  ignore: process.platform === "win32", // which may make no links
}, async () => {
  using dir = folder();
  const [loop, file] = [dir.path("loop"), dir.path("file")];
  symlinkSync(loop, loop);
  writeFileSync(file, "");
  // ELOOP, as EACCES is where a folder is closed: but root may read all.
  for (const path of [loop, join(loop, "log"), join(file, "log")]) {
    for (const readOnly of [true, false]) {
      await assertRejects(
        () => openJobLog(path, { readOnly }),
        JobLogError,
        `must be a file that can be ${
          readOnly ? "read" : "written"
        }: received "${path}" (E`,
      );
    }
  }
  symlinkSync(dir.path("none"), dir.path("link"));
  for (const path of [dir.path("link"), dir.path("none/log")]) {
    await using log = await openJobLog(path, { readOnly: true });
    assertEquals(log.lines, 0);
  }
});

test("openJobLog() takes the path as a URL", async () => {
  using dir = folder();
  const path = dir.path("a b.log");
  const { pathToFileURL } = await import("node:url");
  await (await openJobLog(pathToFileURL(path), { version: 3 })).close();
  assertEquals(readFileSync(path, "utf8"), '{"joblog":1,"version":3}\n');
});

test("openJobLog() refuses a log of another version, and says what helps", async () => {
  using dir = folder();
  const path = dir.path("log");
  await run(path, [1], (n) => n, { version: "1" });
  const text = readFileSync(path, "utf8");
  for (const version of ["2", 1, undefined]) {
    await assertRejects(
      () => openJobLog(path, { version }),
      JobLogError,
      `one whose header has ${
        JSON.stringify({ version })
      }: received "${path}", whose header has {"version":"1"} (to run everything again, give another path or delete it)`,
    );
  }
  const header = { joblog: 1, job: "thumbs" };
  await assertRejects(
    () => openJobLog(path, { header, version: "1" }),
    JobLogError,
    `one whose header has {"job":"thumbs"}: received "${path}", whose header has {} (`,
  );
  assertEquals(readFileSync(path, "utf8"), text);
});

test("openJobLog() takes the version of a header for what must be the same", async () => {
  using dir = folder();
  const path = dir.path("log");
  const header = (version: number) => ({ job: "scale", version });
  for (const _ of [1, 2]) {
    await run(path, [1], (n) => n, { header: header(1) });
  }
  await assertRejects(
    () => openJobLog(path, { header: header(2) }),
    JobLogError,
    `one whose header has {"version":2}: received "${path}", whose header has {"version":1}`,
  );
});

test("openJobLog() takes a header with its fields in another order", async () => {
  using dir = folder();
  const path = dir.path("log");
  const by = { who: "me", when: 1 };
  await run(path, [1], (n) => n, { header: { job: "scale", by, version: 1 } });
  const text = readFileSync(path, "utf8");
  const header = { job: "scale", version: 1, by };
  await using log = await openJobLog(path, { header });
  assertEquals([log.results, log.older], [1, 0]);
  assertEquals(readFileSync(path, "utf8"), text);
});

test("openJobLog() does not take a promise for a yes", async () => {
  using dir = folder();
  const path = dir.path("log");
  await run(path, [1], (n) => n, { version: 1 });
  const accepts = (() => Promise.resolve(true)) as never;
  await assertRejects(
    () => openJobLog(path, { version: 2, accepts }),
    JobLogError,
  );
});

test("openJobLog() goes on with the log of another version that is accepted, which is of the new one then", async () => {
  using dir = folder();
  const path = dir.path("log");
  const asked: unknown[] = [];
  const accepts = (there: Record<string, unknown>) => {
    asked.push(there);
    return true;
  };
  const version = (version: string | undefined) => ({ version, accepts });
  await run(path, [1], () => "one", version("1"));
  await run(path, [1, 2], () => "two", version("2"));
  assertEquals(asked, [{ joblog: 1, version: "1" }]);
  await run(path, [1, 2, 3], () => "three", { version: "2" }); // as it is now
  const text = readFileSync(path, "utf8");
  await assertRejects(
    () => openJobLog(path, { version: "1" }),
    JobLogError,
    'whose last header has {"version":"2"} (to run everything again, ',
  );
  await assertRejects(
    () => openJobLog(path, { version: "3", accepts: () => false }),
    JobLogError,
  );
  const errors = [
    new RangeError("mine"),
    Object.assign(new Error("of another file"), { code: "ENOENT" }),
    undefined,
  ];
  for (const error of errors) {
    const accepts = () => {
      throw error;
    };
    const opening = openJobLog(path, { version: "3", accepts });
    assertEquals(
      await opening.then(String, (thrown) => thrown === error),
      true,
    );
  }
  assertEquals(readFileSync(path, "utf8"), text);
  const looked = await openJobLog(path, { ...version("4"), readOnly: true });
  assertEquals([looked.lines, looked.results, looked.older], [3, 3, 3]);
  await looked.close();
  assertEquals(readFileSync(path, "utf8"), text);
  const back = await openJobLog(path, version("1"));
  assertEquals([back.damaged, back.results, back.older], [0, 3, 3]);
  await back.close();
  const now = await openJobLog(path, { version: "1" });
  assertEquals([now.damaged, now.results, now.older], [0, 3, 3]);
  await now.close();
  const last = await run(path, [3, 2, 1, 0], () => "new", { version: "1" });
  assertEquals(told(last), ["three", "two", "one", "new"]);
});

test("openJobLog() takes a log in which no input has ended for its own, whatever it was of", async () => {
  using dir = folder();
  const path = dir.path("log");
  const accepts = () => {
    throw new Error("there is nothing to accept");
  };
  const setups = [
    { version: "1" },
    { version: "2" },
    { header: { joblog: 1, job: "thumbs" } },
    { header: { joblog: 1, by: { who: "me" } }, version: 3 },
    { version: "1" },
  ];
  for (const setup of setups) {
    const options = { ...setup, accepts };
    const looked = await openJobLog(path, { ...options, readOnly: true });
    await looked.close();
    const log = await openJobLog(path, options);
    for (const { lines, results, older, damaged } of [looked, log]) {
      assertEquals([lines, results, older, damaged], [0, 0, 0, 0]);
    }
    await log.close();
    await (await openJobLog(path, options)).close(); // as it is now
  }
  const fail = () => {
    throw new Error("no");
  };
  await run(path, [1], fail, { version: "4", accepts });
  await assertRejects(
    () => openJobLog(path, { version: "5" }), // of an input that failed
    JobLogError,
    'whose last header has {"version":"4"}',
  );
});

test("openJobLog() begins a log anew whose header was not written to its end, whatever it was of", async () => {
  using dir = folder();
  const path = dir.path("log");
  const header = {
    joblog: 1,
    job: 'é\u2028{["\\\u0007',
    of: [true, false, null, { n: -1.5e-7, none: {} }],
  };
  await (await openJobLog(path, { header, version: "1" })).close();
  const whole = readFileSync(path);
  const now = { header: { ...header, job: "", of: [] }, version: 2 };
  for (let end = 0; end < whole.length - 1; end++) { // then it is whole
    for (const text of [whole.subarray(0, end), new Uint8Array(end)]) {
      writeFileSync(path, text);
      const log = await openJobLog(path, now);
      assertEquals([log.lines, log.damaged], [0, 0]);
      await log.close();
      assertEquals(
        readFileSync(path, "utf8"),
        '{"joblog":1,"job":"","of":[],"version":2}\n',
      );
    }
  }
});

test("openJobLog() takes back a change of version that was not written to its end", async () => {
  using dir = folder();
  const path = dir.path("log");
  await run(path, [1], () => "one", { version: "1" });
  await (await openJobLog(path, { version: "2", accepts: () => true })).close();
  const text = readFileSync(path, "utf8");
  const from = text.lastIndexOf("\n", text.length - 2) + 1;
  for (const end of [from + 1, text.length - 5, text.length - 1]) {
    writeFileSync(path, text.slice(0, end));
    const log = await openJobLog(path, { version: "1" });
    assertEquals([log.damaged, log.results, log.older], [0, 1, 0]);
    await log.close();
  }
  writeFileSync(path, text.replace('"version":"2"', '"version":"3"'));
  const log = await openJobLog(path, { version: "1" }); // nobody said 3
  assertEquals([log.damaged, log.results, log.older], [1, 1, 0]);
  await log.close();
});

test("openJobLog() refuses what is no log, and leaves it as it is", async () => {
  using dir = folder();
  const path = dir.path("log");
  const texts = ["precious", "a,b\n1,2\n", "\n"];
  const like = [ // what a log that was torn has
    "\0\0\n",
    "\0{",
    ' {"joblog":1',
    '{"job":1',
    '{"joblog" :1',
    '{"joblog":precious',
    '{"joblog":1}}',
    '{"joblog":1,"mine":2}',
    '{"joblog":1,"version":"2"}', // may be whole, and of somebody else
    '{"joblog":1,mine',
    '{"joblog":[1}',
    '{"joblog":1 2',
    "{'joblog':1",
  ];
  for (const text of [...texts, ...like]) {
    writeFileSync(path, text);
    await assertRejects(
      () => openJobLog(path),
      JobLogError,
      "(it is no log: give another path)",
    );
    assertEquals(readFileSync(path, "utf8"), text);
  }
  mkdirSync(dir.path("folder"));
  for (const path of [dir.path("folder"), dir.path("none/log")]) {
    await assertRejects(
      () => openJobLog(path),
      JobLogError,
      "Cannot open job log as it must be a file that can be written: received ",
    );
  }
});

test("openJobLog() neither writes over JSON that begins with another value than its header, nor adds to it", async () => {
  using dir = folder();
  const path = dir.path("log");
  const cases: [Record<string, unknown>, string][] = [
    [{ id: 1 }, '{"id":7}'],
    [{ id: 1 }, '{"id":7'],
    [{ id: 1 }, '{"id":12'],
    [{ id: 1 }, '{"id":12,"na'],
    [{ version: "1" }, '{"version":"1.2.3"}'],
    [{ version: "1" }, '{"version":"1.2.3"}\n'],
    [{ name: "thumbs" }, '{"name":"my-app","version":"1.2.3"}'],
    [{ name: "thumbs" }, '{"name":"thumbs","version":"1.2.3"}'],
    [{ name: "thumbs" }, '{"name":"my-app","version":"1.2'],
    [{ name: "thumbs" }, '{"name":"my-app","version'],
    [{ name: "thumbs" }, '{"name":"my-app'],
    [{ name: "thumbs" }, '{"name":"my-app"}\n'],
    [{ name: "thumbs" }, '{"name":"my-app"}\n{"name":"other'],
    [{ name: ["thumbs"] }, '{"name":["thumbs",1],"version'],
  ];
  for (const [header, text] of cases) {
    for (const version of [undefined, "2"]) {
      if (version !== undefined && "version" in header) continue;
      for (const readOnly of [true, false]) {
        writeFileSync(path, text);
        await assertRejects(
          () => openJobLog(path, { header, version, readOnly }),
          JobLogError,
          "Cannot open job log as it must be a new file, or ",
          text,
        );
        assertEquals(readFileSync(path, "utf8"), text);
      }
    }
  }
});

test("openJobLog() begins a log anew whose header was cut in a character of its first value", async () => {
  using dir = folder();
  const path = dir.path("log");
  const header = { name: "\u{1f600}é" };
  await (await openJobLog(path, { header })).close();
  const whole = readFileSync(path);
  for (let end = 0; end <= whole.length; end++) {
    writeFileSync(path, whole.subarray(0, end));
    await (await openJobLog(path, { header })).close();
    assertEquals(readFileSync(path), whole);
  }
});

test("openJobLog() reads a log whose white space an editor has changed", async () => {
  using dir = folder();
  const path = dir.path("log");
  const values = [{ v: 1 }, undefined, [2]];
  await run(path, [0, 1, 2], (i) => values[i]);
  const text = readFileSync(path, "utf8");
  for (
    const changed of [
      text.replaceAll("\n", "\r\n"),
      text.replaceAll("}\n", "} \t\n"),
      text.replaceAll("}\n", " }\r\n").replace(" }", "}"),
      `\ufeff${text}`,
    ]
  ) {
    writeFileSync(path, changed);
    const [one, two, three, four] = await run(path, [0, 1, 2, 3], () => "new");
    assertEquals(told([one, two, three, four]), [...values, "new"]);
    assertEquals([one.kept, two.kept, three.kept], [true, true, true]);
  }
});

test("openJobLog() takes any line for damaged that is not as it was written", async () => {
  using dir = folder();
  const path = dir.path("log");
  await run(path, [0], () => ({ v: 1 }));
  const whole = readFileSync(path, "utf8");
  const changes: [from: RegExp | string, to: string][] = [
    [/,"ok":true(.*)\}\n/, '$1,"ok":true}\n'], // in another order
    [/\}\n$/, ',"by":2}\n'],
    ['"ok":true', '"ok": true'],
    ['"v":1', '"v":2'], // somebody's opinion of the result
    ['"nth":1', '"nth":2'],
    [/"sum":"[0-9a-f]+",/, ""],
    [/\{"sum":"/, '{"sum":"0'],
    ["}}", "}"],
  ];
  for (const [from, to] of changes) {
    const changed = whole.replace(from, to);
    assert(changed !== whole, to);
    writeFileSync(path, changed);
    await using log = await openJobLog(path, { readOnly: true });
    assertEquals([log.damaged, log.results], [1, 0], to);
    await log.close();
    assertEquals(told(await run(path, [0], () => "new")), ["new"]);
  }
});

test("openJobLog() reads a line of many blocks, and what is behind it", async () => {
  using dir = folder();
  const path = dir.path("log");
  const long = "é".repeat(1_600_000); // in UTF-8, cut in the middle by blocks
  await run(path, [0, 1, 2], (i) => i === 1 ? long : i);
  const outcomes = await run(path, [2, 1, 0], () => "new");
  assertEquals(told(outcomes).map((v) => v === long ? "long" : v), [
    2,
    "long",
    0,
  ]);
});

test("openJobLog() shows what cannot be seen where no log starts", async () => {
  using dir = folder();
  const path = dir.path("log");
  writeFileSync(path, ' {"joblog":1}\u001b\0\r\n');
  await assertRejects(
    () => openJobLog(path),
    JobLogError,
    String.raw`which starts with  {"joblog":1}\u001b\u0000\r (it is no log`,
  );
});

test("openJobLog() refuses a log that is open, and says who has it", async () => {
  using dir = folder();
  const [path, link] = [dir.path("log"), dir.path("link")];
  const log = await openJobLog(path);
  symlinkSync(path, link);
  for (const again of [path, link]) {
    await assertRejects(
      () => openJobLog(again),
      JobLogError,
      `Cannot open job log as it must not be open already: received "${
        realpathSync(path)
      }", which this process has open (close that one first)`,
    );
  }
  await log.close();
  await (await openJobLog(path)).close();
});

/** What JSON asks, though it is not listed. */
const hidden = Object.defineProperty({ a: 1 }, "toJSON", {
  value: function toJSON() {},
});

test(
  "openJobLog() makes nothing where the names of its lock would be too long",
  {
    ignore: process.platform !== "linux", // others count characters, or all of a path
  },
  async () => {
    using dir = folder();
    const link = dir.path("link");
    const longest = 255 - ".lock.takeover".length; // of a name, in bytes
    for (const name of ["x".repeat(longest + 1), "é".repeat(125)]) {
      symlinkSync(name, link); // to what is not there
      for (const path of [dir.path(name), link]) {
        await assertRejects(
          () => openJobLog(path),
          JobLogError,
          `Cannot open job log as it must have a name to which ".lock.takeover" can be added: received "${path}" (`,
        );
      }
      assertEquals(readdirSync(dir.path("")), ["link"]);
      unlinkSync(link);
    }
    const path = dir.path("x".repeat(longest));
    writeFileSync(`${path}.lock`, `999999999 0 ${hostname()} other`);
    await (await openJobLog(path)).close();
  },
);

test("openJobLog() reads the file that it locks, whatever its path is next", async () => {
  using dir = folder();
  const [path, one, other] = ["link", "one", "other"].map(dir.path);
  await run(one, [1], (n) => n);
  await run(other, [1, 2, 3], (n) => -n);
  symlinkSync(one, path);
  const opening = openJobLog(path);
  unlinkSync(path);
  symlinkSync(other, path);
  await using log = await opening;
  assertEquals(log.results, 1);
  await Array.fromAsync(log.stream([1, 2], (rest) => mapHere(rest, (n) => n)));
  assertEquals(records(one).map(({ result }) => result), [1, 2]);
});

test("openJobLog() refuses options that are unknown or of the wrong kind", async () => {
  using dir = folder();
  const version = '"version" must be a string or a finite number';
  const lossy: [header: unknown, received: string][] = [
    [new Map([["job", 1]]), "Map"],
    [new Date(0), "Date"],
    [{ toJSON: () => undefined }, "function toJSON at .toJSON"],
    [hidden, "function toJSON at .toJSON"],
    [{ at: new Date(0) }, "Date at .at"],
    [{ fn: { of: Math.abs } }, "function abs at .fn.of"],
    [{ n: [NaN] }, "NaN at .n[0]"],
    [{ job: undefined }, "undefined at .job"],
  ];
  const wrong: [options: unknown, said: string][] = [
    [
      { versoin: "2" },
      'options must be among version, header, accepts, readOnly: received "versoin"',
    ],
    [null, "options must be an object: received null"],
    [{ version: {} }, `${version}: received Object`],
    [{ version: NaN }, `${version}: received NaN`],
    [{ header: 5 }, '"header" must be an object: received 5'],
    [{ header: null }, '"header" must be an object: received null'],
    [{ header: [1] }, '"header" must be an object: received Array'],
    [{ header: {} }, '"header" must have a name at least: received {}'],
    ...lossy.map(([header, received]): [unknown, string] => [
      { header, version: "1" },
      `JSON must keep "header" as it is: received ${received}`,
    ]),
    [
      { header: { job: "scale", version: 1 }, version: "2" },
      '"version" must be an option or in "header", not both: received "2" and 1',
    ],
    [{ accepts: true }, '"accepts" must be a function: received true'],
    [{ readOnly: 1 }, '"readOnly" must be true or false: received 1'],
    [
      Object.create({ readOnly: 1 }),
      '"readOnly" must be true or false: received 1',
    ],
    [
      new Map(),
      "options must be an object with a name for each: received Map",
    ],
  ];
  for (const [options, said] of wrong) {
    const path = dir.path("log");
    const error = await openJobLog(path, options as never)
      .catch((error) => error);
    assert(error instanceof TypeError, String(error));
    assertEquals(error.message, `Cannot open job log as ${said}`);
    assertEquals(existsSync(path), false);
  }
  await assertRejects(
    () => openJobLog(dir.path("log"), { header: { n: 1n } }),
    TypeError,
    'JSON must keep "header" as it is: received TypeError: ', // in other words
  );
});

test("openJobLog() refuses what is no path, also to read", async () => {
  const wrong: [path: unknown, received: string][] = [
    [1, "1"], // a file descriptor
    [undefined, "undefined"],
    ["", '""'],
    [new TextEncoder().encode("log"), "Uint8Array"],
    [new URL("https://example.com/log"), "https://example.com/log"],
  ];
  for (const [path, received] of wrong) {
    for (const readOnly of [false, true]) {
      await assertRejects(
        () => openJobLog(path as string, { readOnly }),
        TypeError,
        `Cannot open job log as its path must be a string or a file: URL: received ${received}`,
      );
    }
  }
});

test("JobLog.stream() refuses options that are unknown or of the wrong kind", async () => {
  using dir = folder();
  await using log = await openJobLog(dir.path("log"));
  const format =
    '"format" must have the methods stringify and parse, as JSON has';
  const wrong: [options: unknown, said: string][] = [
    [
      { kye: String },
      'options must be among key, format, ordered, note: received "kye"',
    ],
    [null, "options must be an object: received null"],
    [{ key: 5 }, '"key" must be a function: received 5'],
    [{ format: {} }, `${format}: received Object`],
    [{ format: "json" }, `${format}: received "json"`],
    [{ ordered: 0 }, '"ordered" must be true or false: received 0'],
    [{ note: "" }, '"note" must be a function: received ""'],
    [
      Object.create({ note: "" }),
      '"note" must be a function: received ""',
    ],
  ];
  for (const [options, said] of wrong) {
    const error = assertThrows(
      () =>
        log.stream([1], (rest) => mapHere(rest, (n) => n), options as never),
      TypeError,
    );
    assertEquals(error.message, `Cannot stream as ${said}`);
  }
  const outcomes = log.stream([1], (rest) => mapHere(rest, (n) => n));
  assertEquals(told(await Array.fromAsync(outcomes)), [1]);
});

test("openJobLog() and JobLog.stream() refuse what is of the wrong kind", async () => {
  using dir = folder();
  const path = dir.path("log");
  const log = await openJobLog(path);
  assertThrows(
    () => log.stream(7 as never, (rest) => mapHere(rest, (n) => n)),
    TypeError,
    "Cannot stream as inputs must be iterable or async iterable: received number",
  );
  assertThrows(
    () => log.stream([1], () => [1] as never),
    TypeError,
    "Cannot log as the stream must give one outcome for each input: received ",
  );
  const outcomes = log.stream([1], (rest) => mapHere(rest, (n) => n));
  assertThrows(
    () => log.stream([1], (rest) => mapHere(rest, (n) => n)),
    TypeError,
    "Cannot stream as a log is for one stream: received one that has had its stream already (open another log)",
  );
  assertEquals((await Array.fromAsync(outcomes)).length, 1);
  await log.close();
  assertThrows(
    () => log.stream([1], (rest) => mapHere(rest, (n) => n)),
    TypeError,
    "received one that is closed",
  );
});

test("JobLog.stream() says so when its outcomes are not settled", async () => {
  using dir = folder();
  await using log = await openJobLog(dir.path("log"));
  const outcomes = log.stream(
    [7],
    (rest) => parallelMapStream((n) => n, rest) as never,
  );
  await assertRejects(
    () => Array.fromAsync(outcomes),
    TypeError,
    "received 7 (give it all inputs as they are, and the options that are handed over, and leave no outcome out)",
  );
});

test("JobLog.stream() says so when an outcome is left out", async () => {
  using dir = folder();
  await using log = await openJobLog(dir.path("log"));
  const outcomes = log.stream([1, 2, 3], async function* (rest) {
    for await (const outcome of mapHere(rest, (n) => n)) {
      if (outcome.input !== 2) yield outcome;
    }
  });
  const seen: unknown[] = [];
  await assertRejects(
    async () => {
      for await (const { input } of outcomes) seen.push(input);
    },
    TypeError,
    "must give one outcome for each input: received none (",
  );
  assertEquals(seen, [1]);
});

test("JobLog.stream() logs no result under another input, where its stream gets fewer", async () => {
  using dir = folder();
  const path = dir.path("log");
  const drop = async function* <T>(rest: AsyncIterable<T>) {
    let count = 0;
    for await (const input of rest) if (count++ !== 1) yield input;
  };
  // Outcomes may have copies of the inputs, as those of a generator's objects.
  for (
    const [inputs, copy] of [
      [["a", "b", "c"], false],
      [[{ n: 1 }, { n: 2 }, { n: 3 }], false],
      [[{ n: 1 }, { n: 2 }, { n: 3 }], true],
    ] as const
  ) {
    const log = await openJobLog(path);
    const outcomes = log.stream<unknown, unknown>(
      inputs,
      async function* (rest) {
        for await (const outcome of mapHere(drop(rest), (input) => input)) {
          const { input } = outcome;
          yield copy ? { ...outcome, input: structuredClone(input) } : outcome;
        }
      },
    );
    await assertRejects(
      () => Array.fromAsync(outcomes),
      TypeError,
      "must give one outcome for each input: received that of input 2 for input 1 (",
    );
    await log.close();
    assertEquals(records(path).map(({ result }) => result), [inputs[0]]);
    writeFileSync(path, "");
  }
  // What the stream makes of each is its own matter.
  await using log = await openJobLog(path);
  const more = async function* (rest: AsyncIterable<{ n: number }>) {
    for await (const { n } of rest) yield { n, more: n + 1 };
  };
  const outcomes = log.stream(
    [{ n: 1 }, { n: 2 }],
    (rest) => mapHere(more(rest), ({ more }) => more),
  );
  assertEquals(told(await Array.fromAsync(outcomes)), [2, 3]);
});

test("JobLog.stream() takes an outcome that is neither for no success", async () => {
  using dir = folder();
  await using log = await openJobLog(dir.path("log"));
  const outcomes = log.stream([1], async function* (rest) {
    for await (const outcome of mapHere(rest, (n) => n)) {
      yield { ...outcome, status: "failed" } as never;
    }
  });
  await assertRejects(
    () => Array.fromAsync(outcomes),
    TypeError,
    "one outcome",
  );
  assertEquals(records(dir.path("log")), []);
});

test("JobLog.stream() refuses inputs that it could not know again", async () => {
  const loop: unknown[] = [];
  loop.push(loop);
  class Point {
    x = 1;
  }
  const throwOdd = () => {
    throw Object.create(null);
  };
  // deno-lint-ignore no-sparse-arrays
  const hole = [1, , 2];
  const wrong: [input: unknown, received: string][] = [
    [new Map([[1, 2]]), "Map"],
    [{ m: new Map([[1, 2]]) }, "Map at .m"],
    [[{ s: [new Set([1])] }], "Set at [0].s[0]"],
    [{ file: new Blob([]) }, "Blob at .file"],
    [new Blob(["text"]), "Blob"],
    [new Point(), "Object"],
    [new Date(0), "Date"],
    [Uint8Array.of(1), "Uint8Array"],
    [Object.assign([1], { x: 1 }), "Array"],
    [hole, "undefined at [1]"],
    [{ a: undefined }, "undefined at .a"],
    [{ toJSON: () => 1 }, "function toJSON at .toJSON"],
    [[hidden], "function toJSON at [0].toJSON"],
    [undefined, "undefined"],
    [-0, "-0"],
    [NaN, "NaN"],
    [[-Infinity], "-Infinity at [0]"],
    [loop, "TypeError: "],
    [1n, "TypeError: "],
    [{ toJSON: throwOdd }, "Object"],
  ];
  for (const [input, received] of wrong) {
    using dir = folder();
    const error = await run(dir.path("log"), [1, input], (n) => n)
      .catch((error) => error);
    assert(error instanceof TypeError, String(error));
    const said =
      `Cannot log input 1 as its JSON must tell it from others: received ${received}`;
    assertEquals(error.message.slice(0, said.length), said);
    assertMatch(
      error.message,
      /\(give "key", which makes a text of each input\)$/,
    );
  }
});

test("JobLog.stream() takes all inputs that JSON holds, and any with a key", async () => {
  using dir = folder();
  const inputs = [
    ["\ud800", "\udfff", null, true, 0, -1.5, [], {}, [[]], { "": "" }],
    Object.assign(Object.create(null), { a: { __proto__: null } }),
    new Map(),
    { m: new Map() },
  ];
  const path = dir.path("log");
  assertEquals((await run(path, inputs.slice(0, 2), () => 1)).length, 2);
  const key = (input: unknown) => String(inputs.indexOf(input as never));
  assertEquals((await run(path, inputs, () => 1, { key })).length, 4);
});

test('JobLog.stream() refuses a "key" that makes no text', async () => {
  using dir = folder();
  const keys: [key: () => string, received: string][] = [
    [() => 7 as never, "7"],
    [() => undefined as never, "undefined"],
    [() => {
      throw new RangeError("none");
    }, "RangeError: none"],
    [() => {
      throw Object.create(null);
    }, "Object"],
  ];
  for (const [key, received] of keys) {
    const error = await run(dir.path("log"), [1], (n) => n, { key })
      .catch((error) => error);
    assert(error instanceof TypeError, String(error));
    assertEquals(
      error.message,
      `Cannot log input 0 as "key" must make a text of it: received ${received}`,
    );
  }
});

test("openJobLog() tells keys apart that are halves of characters", async () => {
  using dir = folder();
  const path = dir.path("log");
  const inputs = ["\ud800", "\udfff", "\ufffd", "\ud800\u0080", "\0\u0600\0"];
  const key = (text: string) => text;
  for (const input of inputs) {
    const code = (text: string) => text.charCodeAt(0);
    const [{ kept }] = await run(path, [input], code, { key });
    assertEquals(kept, false);
  }
  const second = await run(path, inputs, () => -1, { key });
  assertEquals(told(second), [0xd800, 0xdfff, 0xfffd, 0xd800, 0]);
});

test("JobLog.stream() infers everything from the inputs and the function", async () => {
  using dir = folder();
  await using log = await openJobLog(dir.path("log"));
  await using pool = new Pool({ workers: 1 });
  const outcomes = log.stream(
    [{ path: "/a", bytes: 3 }],
    (rest, options) =>
      pool.stream(({ path, bytes }) => path.repeat(bytes), rest, options),
    { key: ({ path }) => path },
  );
  for await (const outcome of outcomes) {
    const bytes: number = outcome.input.bytes;
    assert(outcome.status === "fulfilled");
    const text: string = outcome.value;
    assertEquals([bytes, text], [3, "/a/a/a"]);
  }
  // @ts-expect-error -- a stream that is not settled cannot be logged
  void (() => log.stream([1], (rest) => parallelMapStream((n) => n, rest)));
});

// While a process is started, it has a copy of all open files for a moment.
test("openJobLog() waits for a lock that nobody has, but the system still keeps", async () => {
  using dir = folder();
  const path = dir.path("log");
  await run(path, [1], (n) => n);
  const { Deno } = globalThis as {
    Deno?: {
      openSync(path: string, options: { append: true }): {
        lockSync(exclusive: boolean): void;
        close(): void;
      };
    };
  };
  const held = Deno?.openSync(path, { append: true }); // others have no such lock
  held?.lockSync(true);
  setTimeout(() => held?.close(), 100);
  assertEquals(told(await run(path, [1, 2], (n) => n)), [1, 2]);
});

/** In which namespace this process is; `?` if in none: only Linux has these. */
function namespaceHere(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "?";
  }
}

/** The locks of a process that is gone; what follows is its namespace. */
const GONE = `999999999 0 ${hostname()} other`;

test("openJobLog() goes by touch where the owner of a lock is in another container", async () => {
  using dir = folder();
  const path = dir.path("log");
  const lock = `${path}.lock`;
  // The first as an earlier version wrote it.
  for (const owner of [GONE, `${GONE} ${namespaceHere()}`]) {
    writeFileSync(lock, owner);
    await (await openJobLog(path)).close();
    assertEquals(existsSync(lock), false);
  }
  // Of another container: it is there if it touches its lock, also if it had no
  // time for long, or if its clock goes before.
  const owner = `${GONE} pid:[1]`;
  writeFileSync(lock, owner);
  const now = Date.now() / 1000;
  for (const [before, after] of [[now, now + 1], [1, 2], [now + 9e6, now]]) {
    utimesSync(lock, before!, before!); // in seconds
    const opening = openJobLog(path).catch((error) => error);
    utimesSync(lock, after!, after!); // it was looked at once
    const error = await opening;
    assertInstanceOf(error, JobLogError);
    assertStringIncludes(
      error.message,
      "in use by process 999999999 (if that has ended, delete ",
    );
    assertEquals(readFileSync(lock, "utf8"), owner);
  }
});

test(
  "openJobLog() takes over a lock of another container that nobody touches, of whatever time it is",
  {
    timeout: 120_000,
  },
  async () => {
    using dir = folder();
    const now = Date.now() / 1000;
    await Promise.all([1, now, now + 9e6].map(async (touched) => {
      const path = dir.path(String(touched));
      writeFileSync(`${path}.lock`, `${GONE} pid:[1]`);
      utimesSync(`${path}.lock`, touched, touched);
      await (await openJobLog(path)).close();
      assertEquals(existsSync(`${path}.lock`), false);
    }));
  },
);

test(
  "openJobLog() goes by touch on Linux where one of two processes does not know its container",
  {
    ignore: process.platform !== "linux",
    timeout: 120_000,
  },
  async () => {
    using dir = folder();
    const path = dir.path("log");
    const lock = `${path}.lock`;
    // A number of a process that is here: in another container, it is another's.
    const owners = [
      `${process.pid} ? ${hostname()} other ?`,
      `${process.pid} ? ? other ?`,
      `${GONE} ?`,
    ];
    for (const owner of owners) {
      writeFileSync(lock, owner);
      const opening = openJobLog(path).catch((error) => error);
      utimesSync(lock, 1, 1); // it was looked at once
      assertInstanceOf(await opening, JobLogError);
      assertEquals(readFileSync(lock, "utf8"), owner);
    }
    await Promise.all(owners.map(async (owner, index) => {
      const path = dir.path(`log${index}`);
      writeFileSync(`${path}.lock`, owner);
      await (await openJobLog(path)).close();
      assertEquals(existsSync(`${path}.lock`), false);
    }));
  },
);

/** By the time that a lock is touched, the file beside it may be synchronised. */
const SYNCING = { sanitizeOps: false };

test(
  "openJobLog() touches no lock that has become another's",
  SYNCING,
  async () => {
    using dir = folder();
    const [lost, kept] = [dir.path("lost"), dir.path("kept")];
    const touched = (path: string) => statSync(`${path}.lock`).mtimeMs;
    await using _lost = await openJobLog(lost);
    writeFileSync(`${lost}.lock`, `${GONE} pid:[1]`);
    utimesSync(`${lost}.lock`, 1, 1); // in seconds
    await using _kept = await openJobLog(kept);
    utimesSync(`${kept}.lock`, 1, 1);
    await until(() => touched(kept) > 5000); // its turn is after that of the other
    assertEquals(touched(lost), 1000);
  },
);

// What mocked timers are, and a clock that stands.
test("openJobLog() and JobLog.stream() wait by no timers that a test puts in place", () => {
  using dir = folder();
  const path = dir.path("log");
  const program = dir.path("program.ts");
  const joblog = new URL("../src/joblog/mod.ts", import.meta.url);
  writeFileSync(
    program,
    `import { openJobLog } from "${joblog}";
    import { readFileSync, statSync, writeFileSync } from "node:fs";
    import { mock } from "node:test";
    import timers from "node:timers";
    const path = ${JSON.stringify(path)};
    const real = globalThis.setTimeout;
    const apis = ["setTimeout", "setInterval", "setImmediate", "Date"];
    if (process.versions.deno || process.versions.bun) {
      const still = () => 0;
      for (const home of [globalThis, timers]) {
        home.setTimeout = home.setInterval = home.setImmediate = still;
      }
      Date.now = () => 1;
    } else mock.timers.enable({ apis });
    writeFileSync(path + ".lock", "");
    const log = await openJobLog(path);
    const touched = statSync(path + ".lock").mtimeMs;
    const outcomes = log.stream([1, 2, 3], async function* (rest) {
      let index = 0;
      for await (const input of rest) {
        yield { index: index++, input, status: "fulfilled", value: input };
      }
    });
    for await (const { value } of outcomes) console.log(value);
    while (statSync(path + ".lock").mtimeMs === touched) {
      await new Promise((resolve) => real(resolve, 10));
    }
    await log.close();
    console.log(readFileSync(path, "utf8").split("\\n").length);`,
  );
  const { out, err } = runProgram([...RUN_ALL, program]);
  assertEquals(out, "1\n2\n3\n5\n", err);
});

test(
  "openJobLog() touches its lock, so that other containers see that it is there",
  SYNCING,
  async () => {
    using dir = folder();
    const path = dir.path("log");
    const log = await openJobLog(path);
    utimesSync(`${path}.lock`, 1, 1);
    await until(() => statSync(`${path}.lock`).mtimeMs > 5000);
    await log.close();
  },
);

// As of a process of another user, where /proc shows each only their own.
test(
  "openJobLog() takes over no lock of a process of which it cannot see more than that it is there",
  { ignore: process.platform === "win32" }, // which has no groups of processes
  async () => {
    using dir = folder();
    const path = dir.path("log");
    // To ask for 0 is to ask for the own group: it is there, and not in /proc.
    const owner = `0 123 ${hostname()} other ${namespaceHere()}`;
    writeFileSync(`${path}.lock`, owner);
    await assertRejects(
      () => openJobLog(path),
      JobLogError,
      "in use by process 0 ",
    );
    assertEquals(readFileSync(`${path}.lock`, "utf8"), owner);
    writeFileSync(`${path}.lock`, owner.replace("0", "999999999"));
    await (await openJobLog(path)).close(); // it is gone
  },
);

const UNREADABLE = /in use by process unknown \(if that has ended, delete /;

test("openJobLog() takes over no lock that is no file, however old", async () => {
  using dir = folder();
  const path = dir.path("log");
  await run(path, [1], (n) => n);
  mkdirSync(`${path}.lock`);
  utimesSync(`${path}.lock`, 1, 1); // in seconds: long ago
  const error = await openJobLog(path).catch((error) => error);
  assertMatch(String(error), UNREADABLE);
});

test("openJobLog() takes over no lock that it may not read, however old", {
  ignore: process.platform === "win32", // its files can be read by whoever has them
}, () => {
  using dir = folder();
  const program = dir.path("program.ts");
  const path = dir.path("log");
  const joblog = new URL("../src/joblog/mod.ts", import.meta.url);
  writeFileSync(
    program,
    `import { openJobLog } from "${joblog}";
    import process from "node:process";
    if (process.getuid() === 0) process.setuid(65534); // root may read all
    console.log(await openJobLog(${JSON.stringify(path)}).catch(String));`,
  );
  writeFileSync(path, "");
  writeFileSync(`${path}.lock`, `${process.pid} ? elsewhere other`);
  utimesSync(`${path}.lock`, 1, 1);
  chmodSync(dir.path(""), 0o777);
  chmodSync(path, 0o666);
  chmodSync(`${path}.lock`, 0);
  const { out, err } = runProgram([...RUN_ALL, program]);
  assertMatch(out, UNREADABLE, err);
});

testOnce(
  "openJobLog() waits for no lock that cannot be taken over",
  async () => {
    using dir = folder();
    const path = dir.path("log");
    await run(path, [1], (n) => n);
    writeFileSync(`${path}.lock`, `999999999 0 ${hostname()} other`);
    mkdirSync(`${path}.lock.takeover/full`, { recursive: true });
    await assertRejects(
      () => openJobLog(path),
      JobLogError,
      `received "${realpathSync(path)}.lock" (delete it and "`,
    );
  },
);

test("openJobLog() says by a JobLogError what a program on Deno lacks", {
  ignore: !("Deno" in globalThis),
}, async () => {
  using dir = folder();
  const log = dir.path("log");
  const joblog = new URL("../src/joblog/mod.ts", import.meta.url);
  const program = dir.path("program.ts");
  writeFileSync(
    program,
    `import { openJobLog } from "${joblog}";
    for (const readOnly of [false, true]) {
      const opening = openJobLog(${JSON.stringify(log)}, { readOnly });
      console.log(await opening.then((log) => log.lines, String));
    }`,
  );
  await (await openJobLog(log)).close();
  const flags = [`--allow-write=${log}`, "--allow-read"];
  const told = (...flags: string[]) =>
    runProgram([...RUN, "--no-prompt", ...flags, program]).out;
  const error =
    "JobLogError: Cannot open job log as it must be a file that can";
  assertMatch(
    told(...flags), // and not the lock beside it
    new RegExp(`^${error} be written: received .*log\\.lock.*\n0\n$`),
  );
  assertMatch(
    told("--allow-write"),
    new RegExp(`^${error} be written: .* read .*\n${error} be read: .*\n$`),
  );
});

test(
  "openJobLog() asks for no permission on Deno but for the folder of its file",
  {
    ignore: !("Deno" in globalThis),
  },
  () => {
    using dir = folder();
    using noted = folder();
    const program = noted.path("program.ts");
    const joblog = new URL("../src/joblog/mod.ts", import.meta.url);
    writeFileSync(
      program,
      `import { openJobLog } from "${joblog}";
    const [log] = Deno.args;
    await (await openJobLog(log)).close();
    const { state } = Deno.permissions.querySync({ name: "read", path: "/proc" });
    console.log(state);`,
    );
    const home = realpathSync(dir.path(""));
    const flags = [`--allow-read=${home}`, `--allow-write=${home}`];
    // Deno notes there what is asked for. With nobody at a terminal it only denies.
    const asked = noted.path("asked");
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ["run", ...flags, program, join(home, "log")],
      {
        encoding: "utf8",
        env: { ...process.env, DENO_AUDIT_PERMISSIONS: asked },
      },
    );
    assertEquals([stdout, stderr], ["prompt\n", ""]);
    const values = readFileSync(asked, "utf8").trimEnd().split("\n")
      .map((line): string => JSON.parse(line).value);
    assert(values.length > 0);
    assertEquals(values.filter((value) => !value.startsWith(home)), []);
  },
);

test("openJobLog() takes no shim of Deno for it", {
  ignore: "Deno" in globalThis,
}, () => {
  using dir = folder();
  const program = dir.path("program.ts");
  const log = JSON.stringify(dir.path("log"));
  const joblog = new URL("../src/joblog/mod.ts", import.meta.url);
  writeFileSync(
    program,
    `globalThis.Deno = { version: { deno: "1.40.2" }, permissions: {} };
    const { openJobLog } = await import("${joblog}");
    (await openJobLog(${log})).close();
    (await openJobLog(${log})).close();`,
  );
  assertEquals(runProgram([...RUN_ALL, program]), {
    code: 0,
    out: "",
    err: "",
  });
});
