// What a long life, a great many tasks and callbacks that call back do to the
// engine.
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { runInNewContext } from "node:vm";
import {
  parallelMap,
  parallelMapStream,
  parallelReduce,
  Pool,
  type Progress,
  type RunEvent,
  TaskError,
  WorkerStartError,
} from "../mod.ts";
import { findPromise } from "../src/core/engine/awaited.ts";
import { InFlight } from "../src/core/engine/in_flight.ts";
import { openSource } from "../src/core/engine/inputs.ts";
import { Returned } from "../src/core/engine/returned.ts";
import { LAST_SERIAL } from "../src/core/wire/board.ts";
import { collectGarbage } from "./collect_garbage.ts";
import { FakeClock, type FakeTask, FakeWorld } from "./fakes.ts";
import { test } from "./harness.ts";
import { pause } from "./until.ts";

const same = (value: unknown) => value;

test("no promise among the inputs of a call that is refused is one that nobody handles", async () => {
  const closed = new Pool();
  await closed.close();
  const open = new Pool();
  const data = Symbol();
  const broken = () => Promise.reject(new Error("mine"));
  const fn = (n: never) => n;
  await assertRejects(() => closed.map(fn, [broken()]), TypeError);
  await assertRejects(() => closed.mapSettled(fn, new Set([broken()])));
  await assertRejects(() => open.map(fn, [broken()], { data }), TypeError);
  assertThrows(() => closed.stream(fn, [broken()]), TypeError);
  await open.close();
  await pause(0); // by now the runtime has looked: it would fail this test
});

test("each call that no worker can serve has a cause with a stack of its own", async () => {
  await using pool = new Pool({
    workers: 1,
    init: () => {
      const error = new RangeError("no init", { cause: "none" });
      throw Object.assign(error, { code: 5 });
    },
  });
  const one = () => pool.map(same, [1]).catch((error) => error);
  const other = () => pool.map(same, [1]).catch((error) => error);
  const causes = (await Promise.all([one(), other(), one()])).map(
    ({ cause }) => cause as RangeError & { code: number },
  );
  assertEquals(new Set(causes).size, 3);
  for (const cause of causes) {
    assertEquals([cause.message, cause.cause, cause.code], [
      "no init",
      "none",
      5,
    ]);
    assert(cause instanceof RangeError);
    assertEquals(cause.stack!.split("engine_edges_test").length, 3);
  }
});

test("each such call has a DOMException of its own as well", async () => {
  await using pool = new Pool({
    workers: 1,
    init: () => {
      throw new DOMException("no", "AbortError");
    },
  });
  const one = () => pool.map(same, [1]).catch((error) => error);
  const causes = (await Promise.all([one(), one()])).map(({ cause }) => cause);
  for (const cause of causes) {
    assertEquals([cause.name, `${cause}`], ["AbortError", "AbortError: no"]);
    assert(cause instanceof DOMException);
  }
});

test("errors that hold much do not fill the memory of a worker", async () => {
  await using pool = new Pool({ workers: 1 });
  let messages = 0;
  const onEvent = ({ type }: RunEvent) => {
    if (type === "chunk-send") messages++;
  };
  const fail = (n: number) => {
    throw Object.assign(new Error(`${n}`), { all: new Uint8Array(2 ** 20) });
  };
  const inputs = Array.from({ length: 60 }, (_, n) => n);
  const all = await pool.mapSettled(fail, inputs, { chunkSize: 60, onEvent });
  assertEquals(
    all.map((one) => (one.status === "rejected" ? one.reason.cause : 0)).map(
      (error) => [(error as Error).message, (error as { all: [] }).all.length],
    ),
    inputs.map((n) => [`${n}`, 2 ** 20]),
  );
  assert(messages > 2, `${messages}`); // of 16 MB, and a bit
});

test("what was read ahead goes as it was read", () => {
  const weights = Float64Array.of(1, 2, 3);
  const chunk = { values: [1, 2, 3], first: 0, weights, alone: false } as never;
  const returned = new Returned();
  returned.hold(chunk);
  assertEquals([returned.weight, returned.take(1, 9, false)], [6, chunk]);
  assertEquals(returned.weight, 0);
  returned.hold(chunk);
  assertEquals(returned.take(9, 2, false)?.values.length, 2); // no room for more
  assertEquals(returned.weight, 3);
  returned.drop(0);
  assertEquals(returned.weight, 0);
});

test("how long reading took is told once of what was read ahead, though it goes in parts", () => {
  const chunk = { values: [1, 2, 3], first: 0, reading: 5, alone: false };
  const returned = new Returned();
  returned.hold(chunk as never);
  const parts = [1, 2].map((most) => returned.take(9, most, true)!);
  assertEquals(
    parts.map(({ values, reading }) => [values, reading]),
    [[[1], 5], [[2, 3], 0]],
  );
});

test("a worker is replaced before its tasks are too many to be told apart", () => {
  const inFlight = new InFlight(new FakeClock(), true);
  const run = {
    number: 1,
    options: {},
    shared: {},
    failing: {},
    over: false,
    timed: false,
  };
  const send = (length: number) => {
    const chunk = { run, first: 0, values: { length }, attempt: 1 };
    const parcel = { packed: {}, refused: new Map(), bytes: 0 };
    const { message, note } = inFlight.send(chunk as never, parcel as never, 1);
    note();
    inFlight.answered({ serial: message.serial });
  };
  assertEquals(inFlight.tasksLeft(5), 5);
  assertEquals(inFlight.tasksLeft(Infinity), LAST_SERIAL);
  send(LAST_SERIAL - 3);
  assertEquals(inFlight.tasksLeft(Infinity), 3);
  send(3);
  assertEquals(inFlight.tasksLeft(Infinity), 0);
});

test("no promise of another realm among the inputs is one that nobody handles", async () => {
  const [promise, like] = runInNewContext(
    "[Promise.reject(new Error('mine')), { then() { throw 1 } }]",
  ) as [Promise<never>, object];
  assertEquals(findPromise([like, promise]), 0);
  await pause(0); // by now the runtime has looked
  assertEquals(await promise.catch(({ message }) => message), "mine");
});

test("a run whose module ends its worker is refused while others have answers", async () => {
  const world = new FakeWorld({ workers: 2 });
  const others = world.calls.stream(
    same,
    (function* () {
      for (;;) yield 1;
    })(),
    { chunkSize: 1 },
    same,
  );
  let item = others.next();
  const call = world.calls.map(same, ["ends"], {}, same);
  let outcome: unknown;
  call.catch((error) => outcome = error);
  let ends = 0;
  for (let i = 0; i < 40 && outcome === undefined; i++) {
    for (const worker of world.backend.alive) {
      const loads = JSON.stringify(worker.inbox).includes("ends");
      worker.receiveAll();
      if (loads) { // before it is at a task
        ends++;
        worker.leave({ code: 3 });
        continue;
      }
      const task = worker.begin();
      if (task !== undefined) worker.settle(task, { value: 1 });
      worker.deliverAll();
    }
    await world.flush();
    item = item.then(() => others.next());
  }
  assert(outcome instanceof WorkerStartError, String(outcome));
  assert(ends <= 4, String(ends)); // one that had idled does not count
  item.catch(() => {});
  await world.finish(world.calls.close());
});

test("no task is told to end after its answer, whatever its worker's clock says", async () => {
  const cases: [ahead: number, from: number[]][] = [[0, [1, 2]], [7.3, [2, 3]]];
  for (const [ahead, from] of cases) {
    const events: RunEvent[] = [];
    const onEvent = (event: RunEvent) => events.push(event);
    const world = new FakeWorld({ workers: 1, onEvent });
    const call = world.calls.map(same, [1, 2], { chunkSize: 2 }, same);
    await world.flush();
    const [worker] = world.backend.alive;
    const begun = world.clock.now() + world.clock.origin + ahead;
    world.clock.advance(4);
    worker.chunkTimes = Float64Array.of(1, 2, 2, 3).map((ms) => begun + ms);
    worker.receiveAll();
    for (const value of [1, 2]) worker.settle(worker.begin()!, { value });
    worker.deliverAll();
    await world.finish(call);
    const done = events.find((event) => event.type === "chunk-done")!;
    const began = done.at - 4;
    const told = [...done.from].map((ms) => Math.round(ms - began));
    assertEquals(told, from);
    assertEquals(Math.round(done.to[1] - began), from[1] + 1);
    assert(done.to[1] <= done.at);
    await world.finish(world.calls.close());
  }
});

test("no task is told to end before it begins, however short it was", async () => {
  const events: RunEvent[] = [];
  const onEvent = (event: RunEvent) => events.push(event);
  const world = new FakeWorld({ workers: 1, onEvent });
  for (let n = 0; n < 200; n++) {
    const call = world.calls.map(same, [1, 2], { chunkSize: 2 }, same);
    await world.flush();
    const [worker] = world.backend.alive;
    world.clock.advance(n / 7);
    // A clock knows no shorter time than it counts in: tasks may take none.
    const ended = world.clock.now() + world.clock.origin + n / 3;
    worker.chunkTimes = Float64Array.of(ended - n % 2, ended, ended, ended);
    worker.receiveAll();
    for (const value of [1, 2]) worker.settle(worker.begin()!, { value });
    worker.deliverAll();
    await world.finish(call);
  }
  let told = 0;
  for (const event of events) {
    if (event.type !== "chunk-done") continue;
    for (const [i, from] of event.from.entries()) {
      const times = `${from} to ${event.to[i]}, told at ${event.at}`;
      assert(from <= event.to[i] && event.to[i] <= event.at, times);
      told++;
    }
  }
  assertEquals(told, 400);
  await world.finish(world.calls.close());
});

test("throw() of a stream throws what it is given, as of a generator", async () => {
  const own = (): AsyncIterableIterator<number> => ({
    next: () => Promise.resolve({ done: false, value: 1 }),
    return: () => Promise.reject(new Error("of the inputs")),
    [Symbol.asyncIterator]: own,
  });
  const listener = ({ state }: Progress) => {
    if (state === "stopped") throw new Error("of the listener");
  };
  for (const onProgress of [undefined, listener]) {
    const stream = parallelMapStream(same, own(), { workers: 0, onProgress });
    await stream.next();
    const mine = new Error("mine");
    assertEquals(await stream.throw(mine).catch((error) => error), mine);
    assertEquals(await stream.next(), { done: true, value: undefined });
  }
});

test("the time left at the end is 0, also where it is found late", async () => {
  const last: (Progress | undefined)[] = [];
  const source = async function* () {
    for (let n = 0; n < 3; n++) yield n;
    await pause(20); // all tasks are done by then
  };
  for (const weight of [undefined, (n: number) => n + 1]) {
    let said: Progress | undefined;
    const onProgress = (progress: Progress) => void (said = progress);
    const options = { workers: 0, onProgress, weight };
    await parallelMap(same, source(), options);
    last.push(said);
  }
  assertEquals(last.map((said) => [said?.state, said?.eta, said?.total]), [
    ["done", 0, 3],
    ["done", 0, 3],
  ]);
});

test("what is refused takes no number of a run or a chunk", async () => {
  const runs: number[] = [];
  const chunks: number[] = [];
  const onEvent = (event: RunEvent) => {
    if (event.type === "run-start") runs.push(event.run);
    if (event.type === "chunk-send") chunks.push(event.chunk);
  };
  const world = new FakeWorld({ workers: 1, onEvent });
  const output = new Float64Array(new SharedArrayBuffer(8));
  const short = world.calls.map(same, [1, 2], { output }, same);
  assertEquals((await world.finish(short)).status, "rejected");
  const unsent = new Proxy({}, {}); // only structured clone sees what it is
  const call = world.calls.mapSettled(same, [unsent, 1, unsent, 2], {
    chunkSize: 1,
  }, same);
  assertEquals((await world.finish(call)).status, "fulfilled");
  await world.finish(world.calls.close());
  assertEquals([runs, chunks], [[1], [1, 2]]);
});

test("a listener may call again at every event of its pool", async () => {
  const world = new FakeWorld({ workers: 1 });
  let calls = 0;
  const onEvent = (event: RunEvent) => {
    if (event.type !== "worker-ready" || calls > 100) return;
    calls++;
    world.calls.map(same, [2], { onEvent }, same).catch(() => {});
  };
  const call = world.calls.map(same, [1], { onEvent }, same);
  assertEquals((await world.finish(call)).status, "fulfilled");
  assertEquals(calls, 1); // there was one such event
  await world.finish(world.calls.close());
});

test("a call that is made again when it was refused has its own turn", async () => {
  const world = new FakeWorld({ workers: 1 });
  let calls = 0;
  const call = (): Promise<unknown> =>
    world.calls.map(same, [1], {
      onProgress({ state }) {
        if (state === "stopped" && calls++ < 100) call().catch(() => {});
      },
    }, same);
  const first = call();
  const worker = world.worker(0);
  worker.receiveAll();
  worker.outbox = [];
  worker.say({ type: "failed", error: { value: "broken", errors: [] } });
  worker.deliver();
  assertEquals(calls, 1);
  await assertRejects(() => first, WorkerStartError);
  await world.finish(world.calls.close());
});

test("an idle pool keeps no results", async () => {
  const { Bun, gc } = globalThis as unknown as {
    Bun?: { gc(force: boolean): void };
    gc?: () => void;
  };
  const collect = Bun ? () => Bun.gc(true) : gc;
  if (collect === undefined) return; // it cannot be seen there
  await using pool = new Pool({ workers: 2 });
  const results = await (async () => {
    const made = await pool.map((n: number) => ({ n }), [1, 2, 3, 4]);
    return new WeakRef(made);
  })();
  for (let i = 0; i < 50 && results.deref() !== undefined; i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    collect();
  }
  assertEquals(results.deref(), undefined);
});

test("an idle pool keeps nothing of its last call", async () => {
  const kept = new Map<string, WeakRef<object>>();
  function note<V extends object>(name: string, value: V): V {
    kept.set(name, new WeakRef(value));
    return value;
  }
  const shared = () => new Float64Array(new SharedArrayBuffer(80));
  await using pool = new Pool({ workers: 2 });
  // More than one run, as each keeps what its worker was told last.
  for (const round of [1, 2, 3]) {
    await (async () => {
      await pool.map((n: number) => n, note(`inputs ${round}`, shared()), {
        output: note(`output ${round}`, shared()),
        signal: note(`signal ${round}`, new AbortController()).signal,
        onProgress: note(`onProgress ${round}`, () => {}),
        onEvent: note(`onEvent ${round}`, () => {}),
        weight: note(`weight ${round}`, () => 1),
        data: { round },
      });
    })();
  }
  const left = () =>
    [...kept].filter(([, ref]) => ref.deref() !== undefined)
      .map(([name]) => name);
  for (let i = 0; i < 50 && left().length > 0; i++) {
    await pause(10);
    collectGarbage();
  }
  assertEquals(left(), []);
});

test("a call with nothing to send does not stop the lanes of another", async () => {
  const world = new FakeWorld({ workers: 1 });
  const inputs = Array.from({ length: 40 }, (_, i) => i);
  const options = { concurrency: 4, chunkSize: 1 };
  const long = world.calls.map(same, inputs, options, same);
  const worker = world.worker(0);
  const begun: FakeTask[] = [];
  const play = async () => {
    await world.flush();
    worker.receiveAll();
    for (let task; (task = worker.begin());) begun.push(task);
    return begun.length;
  };
  const first = await play();
  let asked = false;
  async function* nothing() {
    asked = true;
    yield await new Promise<number>(() => {}); // for ever
  }
  const ending = new AbortController();
  const { signal } = ending;
  const silent = world.calls.map(same, nothing(), { signal }, same);
  silent.catch(() => {});
  world.clock.pass(1000); // the turn of the first call is over
  for (let round = 0; round < 5; round++) {
    worker.settle(begun[round], { value: round });
    worker.deliverAll();
    assertEquals(await play(), first + 1 + round);
  }
  assert(asked);
  ending.abort();
  for (const task of begun.slice(5)) worker.settle(task, { value: 0 });
  assertEquals((await world.finish(long)).status, "fulfilled");
  await world.finish(world.calls.close());
});

test("a pool keeps nothing of an aborted call whose worker was lost", async () => {
  const world = new FakeWorld({ workers: 1 }, { sharesMemory: false });
  const signals: WeakRef<AbortSignal>[] = [];
  const call = async () => {
    const ending = new AbortController();
    const { signal } = ending;
    signals.push(new WeakRef(signal));
    world.calls.map(same, [1], { signal }, same).catch(() => {});
    ending.abort();
    await world.flush();
    world.backend.alive[0].leave({ code: 1 }); // before it said anything
  };
  for (let calls = 0; calls < 5; calls++) await call();
  const kept = () => signals.filter((signal) => signal.deref() !== undefined);
  for (let i = 0; i < 50 && kept().length > 2; i++) {
    await pause(10);
    collectGarbage();
  }
  assert(kept().length < 3, `${kept().length} of 5`);
  await world.finish(world.calls.close());
});

test("tasks that failed one by one go again together", () => {
  const returned = new Returned();
  const chunk = (first: number, values: unknown, attempt = 2, alone = false) =>
    ({ first, values, attempt, alone, reading: 0 }) as never;
  for (let i = 0; i < 5; i++) returned.add(chunk(i, [i]));
  returned.add(chunk(5, [5], 3));
  returned.add(chunk(6, [6], 3, true));
  returned.add(chunk(7, [7], 3));
  returned.add(chunk(8, new Uint8Array([8]), 4));
  returned.add(chunk(9, new Uint8Array([9]), 4));
  const take = (size: number, idle = true) => {
    const { first, values } = returned.take(size, Infinity, idle) ?? {};
    return values === undefined ? undefined : [first, [...values as number[]]];
  };
  assertEquals(returned.weight, 10);
  assertEquals(take(3), [0, [0, 1, 2]]);
  assertEquals(returned.weight, 7);
  assertEquals(take(9), [3, [3, 4]]); // the next one is at another attempt
  assertEquals(take(9, false), [5, [5]]);
  assertEquals(take(9, false), [7, [7]]);
  assertEquals(take(9, false), [8, [8, 9]]);
  assertEquals(take(9, false), undefined);
  assertEquals(returned.weight, 1);
  assertEquals(take(9), [6, [6]]);
  assertEquals(returned.weight, 0);
});

test("the lightest input of an endless source runs in the end", async () => {
  const world = new FakeWorld({ workers: 1 });
  const seen = new Set<unknown>();
  const items = world.calls.stream(
    same,
    (function* () {
      for (let i = 0;; i++) yield i;
    })(),
    { ordered: false, weight: (i: number) => i === 0 ? 0 : 1 + i % 2 },
    same,
  );
  for (let i = 0; i < 20_000 && !seen.has(0); i++) {
    const item = await world.finish(items.next());
    assert(item.status === "fulfilled");
    seen.add(item.value.value);
  }
  assert(seen.has(0));
  await world.finish(items.return(undefined));
  await world.finish(world.calls.close());
});

test("a generator that aborts its own call is closed", async () => {
  const controller = new AbortController();
  await using pool = new Pool({ workers: 1 });
  let closed = false;
  function* inputs() {
    try {
      yield 1;
      controller.abort(new Error("enough"));
      yield 2;
    } finally {
      closed = true;
    }
  }
  await assertRejects(
    () => pool.map((n: number) => n, inputs(), { signal: controller.signal }),
    Error,
    "enough",
  );
  assert(closed);
});

test("a slow iterator does not hold the thread, wherever it turns slow", () => {
  const clock = new FakeClock();
  let read = 0;
  const source = openSource(
    (function* () {
      for (;;) {
        if (++read > 1024) clock.pass(1);
        yield read;
      }
    })(),
    () => {},
    clock,
    false,
  );
  const values = source.take(100_000)!;
  assert(values.length < 1024 + 70, String(values.length));
});

test("an async source is read no further ahead than was asked for", async () => {
  const clock = new FakeClock();
  let read = 0;
  const source = openSource(
    (async function* () {
      for (;;) yield ++read;
    })(),
    () => {},
    clock,
    false,
  );
  assertEquals(source.take(8), []);
  while (read < 5) await undefined;
  const { length } = source.take(8)!;
  assert(length > 0);
  for (let i = 0; i < 200; i++) await undefined;
  assert(read <= 9, String(read)); // the last one is on its way
});

test("the inputs of a call that is refused are closed", async () => {
  const stream = ReadableStream.from([1, 2, 3]);
  const output = new Float64Array(new SharedArrayBuffer(8));
  await assertRejects(
    () =>
      parallelMap((n: number) => n, stream, { output, backend: "processes" }),
    TypeError,
    "share no memory",
  );
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert(!stream.locked);
});

test("starting workers is no failure when a run needs others", async () => {
  await using pool = new Pool({ workers: 2 });
  const started = pool.start();
  assertEquals(
    await pool.map((n: number) => n, [1, 2], { timeout: 60_000 }),
    [1, 2],
  );
  await started;
});

test("what was thrown, however odd, leaves the stacks of the program alone", async () => {
  const limit = Error.stackTraceLimit;
  /** The last fold is in this thread: what is thrown there does not cross. */
  const reduce = (combine: (one: number, other: number) => number) =>
    parallelReduce((n: number) => n, combine, [1, 2, 3], { chunkSize: 1 });
  await assertRejects(() =>
    reduce(() => {
      throw Object.defineProperty(new ReferenceError("odd"), "name", {
        get() {
          throw new Error("no name");
        },
      });
    }), TaskError);
  assertEquals(Error.stackTraceLimit, limit);
  const error = await assertRejects(() =>
    reduce(() => {
      throw Object.freeze(new Error("cold"));
    }), TaskError);
  assert(error.message.includes("Error: cold"), error.message);
});

test("an answer is told before the end of its worker", async () => {
  const told: string[] = [];
  await using pool = new Pool({
    workers: 1,
    maxTasksPerWorker: 1,
    onEvent: ({ type }) => told.push(type),
  });
  await assertRejects(() =>
    pool.map((n: number) => {
      if (n === 0) throw new Error("first");
      return n;
    }, [0, 1, 2]), TaskError);
  assertEquals(told.filter((type) => type === "chunk-send").length, 1);
  const [done, end] = ["chunk-done", "worker-end"].map((type) =>
    told.indexOf(type)
  );
  assert(end < 0 || done < end, told.join());
});

test("tasks that wait are spread over the workers", async () => {
  const world = new FakeWorld({ workers: 4 });
  const inputs = Array.from({ length: 40 }, (_, i) => i);
  const options = { concurrency: 30 };
  const call = world.calls.map(same, inputs, options, world.flush);
  await world.flush();
  for (const worker of world.backend.workers) worker.receiveAll().deliverAll();
  await world.flush();
  const begun = world.backend.workers.map((worker) => {
    worker.receiveAll();
    let count = 0;
    while (worker.begin() !== undefined) count++;
    return count;
  });
  assertEquals(begun, [10, 10, 10, 10]);
  call.catch(() => {});
});

/** A call of one task, which was sent, and can be aborted. */
async function startCall(workers = 1) {
  const world = new FakeWorld({ workers });
  const ending = new AbortController();
  const { signal } = ending;
  const call = world.calls.map(same, [1], { signal }, startCall);
  await world.flush();
  const abort = async () => {
    ending.abort();
    assertEquals((await world.finish(call)).status, "rejected");
  };
  return { world, abort };
}

test("a worker that loads goes on for the next call when the first is aborted", async () => {
  const { world, abort } = await startCall();
  await abort();
  world.clock.advance(1000); // after the time for tasks that clean up
  const second = world.calls.map(same, [2], {}, world.flush);
  await world.flush();
  const worker = world.worker(0).receiveAll();
  const task = worker.begin()!;
  assertEquals(task.value, 2); // and nothing of the first
  worker.settle(task, { value: task.value });
  worker.deliverAll();
  assertEquals(await second, [2]);
  assertEquals(world.backend.workers.length, 1);
});

test("a worker that has loaded for a minute is ended with its call", async () => {
  const { world, abort } = await startCall();
  world.clock.advance(61_000);
  await abort();
  world.clock.advance(100);
  assert(world.worker(0).ending);
});

test("a worker that has begun a task of an aborted call is ended as before", async () => {
  const { world, abort } = await startCall();
  const worker = world.worker(0).receiveAll();
  assert(worker.begin() !== undefined);
  await abort();
  world.clock.advance(100);
  assert(worker.ending);
});

test("a call goes to a worker that is ready before one that still loads", async () => {
  const { world, abort } = await startCall(2);
  const second = world.calls.map(same, [2], {}, startCall);
  await world.flush();
  await abort(); // the first worker loads for it
  assertEquals((await world.finish(second)).status, "fulfilled");
  const third = world.calls.map(same, [3], {}, world.flush);
  await world.flush();
  const [loading, ready] = world.backend.workers;
  assertEquals(loading.inbox.filter(({ type }) => type === "chunk"), []);
  assertEquals(ready.inbox.map(({ type }) => type), ["chunk"]);
  assertEquals((await world.finish(third)).status, "fulfilled");
});

test("an abort is told at once, whatever its reason", async () => {
  for (const reason of ["text", NaN, undefined]) {
    const abort = new AbortController();
    const { signal } = abort;
    const world = new FakeWorld({ workers: 1 }, {}, true);
    const results = world.calls.map((n: number) => n, [1], { signal }, test)
      .catch((error: unknown) => error);
    world.worker(0).receiveAll();
    world.worker(0).begin(); // it does not end
    abort.abort(reason);
    const late = world.flush().then(() => "late");
    const told = await Promise.race([results, late]);
    assert(Object.is(told, signal.reason), String(told));
    await world.finish(world.calls.close());
  }
});
