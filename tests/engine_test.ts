// The engine without a thread and without waiting: tables of what becomes of
// each task when workers end, are slow, or say nothing, and of what a call
// hears when it is ended, at every step.
import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import {
  type Progress,
  type RunEvent,
  TaskError,
  TaskTimeoutError,
  WorkerLostError,
  WorkerStartError,
} from "../mod.ts";
import type { RunOptions, StreamOptions } from "../src/core/api/options.ts";
import { type FakePowers, type FakeWorker, FakeWorld } from "./fakes.ts";
import { test } from "./harness.ts";
import { pause } from "./until.ts";
import { warningsOf } from "./warnings.ts";

const same = (value: unknown) => value;
const range = (count: number) => Array.from({ length: count }, (_, i) => i);

/** What became of a task, in a word. */
function word(result: PromiseSettledResult<unknown>): unknown {
  if (result.status === "fulfilled") return result.value;
  const { reason } = result;
  assert(reason instanceof TaskError);
  if (reason instanceof TaskTimeoutError) return "timeout";
  if (reason instanceof WorkerLostError) return "lost";
  return reason.message.includes("threw") ? "threw" : "unsendable";
}

/** A call of `mapSettled` whose first chunks are with their workers. */
function start(
  inputs: unknown[],
  options: RunOptions = {},
  { workers = 1, powers = {} as FakePowers } = {},
) {
  const world = new FakeWorld({ workers }, powers);
  const call = world.calls.mapSettled(same, inputs, options, start);
  for (const worker of world.backend.alive) worker.receiveAll().deliverAll();
  for (const worker of world.backend.alive) worker.receiveAll();
  const end = async () => {
    const result = await world.finish(call);
    assert(result.status === "fulfilled");
    return result.value.map(word);
  };
  return { world, worker: world.worker(0), call, end };
}

/** Takes the first chunk of the inputs. */
const begin = (worker: FakeWorker, count: number) =>
  range(count).map(() => worker.begin()!);

/** Does a task, and then nothing. */
function beDeaf(worker: FakeWorker): void {
  worker.settle(worker.begin()!, { value: 0 });
  worker.deliverAll();
}

/** The first of two tasks waits for too long; the other is at it for 41 ms. */
function abandonFirst(worker: FakeWorker, clock: FakeWorld["clock"]): void {
  worker.begin();
  clock.advance(60);
  worker.begin();
  worker.receiveAll();
  clock.advance(41);
  worker.receiveAll().deliverAll(); // the ping
  worker.receiveAll().deliverAll();
}

const buffers = (count: number) => range(count).map(() => new ArrayBuffer(8));

type Case = [
  title: string,
  inputs: unknown[],
  options: RunOptions,
  play: (worker: FakeWorker, world: FakeWorld) => void,
  outcomes: unknown[],
];

const BLAME: Case[] = [
  [
    "one lane: the task it was at is lost, what follows goes again",
    range(4),
    { chunkSize: 4 },
    (worker) => {
      worker.settle(worker.begin()!, { value: 0 });
      worker.begin();
      worker.leave({ code: 3 });
    },
    [0, "lost", 2, 3],
  ],
  [
    "at no task: nobody is to blame",
    range(4),
    { chunkSize: 4 },
    (worker) => worker.leave(),
    [0, 1, 2, 3],
  ],
  [
    "about to answer: what is answered is lost, the others go again",
    range(3),
    { chunkSize: 1 },
    (worker) => {
      worker.settle(worker.begin()!, { value: 0 });
      worker.outbox.length = 0; // it has not said so
      worker.leave();
    },
    ["lost", 1, 2],
  ],
  [
    "about to answer several tasks: each is suspect",
    range(3),
    { chunkSize: 2 },
    (worker, world) => {
      for (const value of [0, 1]) worker.settle(worker.begin()!, { value });
      worker.outbox.length = 0;
      worker.leave();
      const next = world.worker(1).receiveAll();
      next.settle(next.begin()!, { value: 0 });
      assertEquals(next.begin(), undefined); // it is alone
      next.outbox.length = 0;
      next.leave();
    },
    ["lost", 1, 2],
  ],
  [
    "several lanes: each is suspect, and goes again alone",
    range(4),
    { chunkSize: 1, concurrency: 4 },
    (worker) => {
      begin(worker, 4);
      worker.leave();
    },
    [0, 1, 2, 3],
  ],
  [
    "several lanes, one in its synchronous part: that one is lost",
    range(4),
    { chunkSize: 1, concurrency: 4 },
    (worker) => {
      begin(worker, 3);
      worker.begin(true);
      worker.leave();
    },
    [0, 1, 2, "lost"],
  ],
  [
    "a suspect that does it again is lost",
    range(3),
    { chunkSize: 1, concurrency: 3 },
    (worker, world) => {
      begin(worker, 3);
      worker.leave();
      const next = world.worker(1).receiveAll();
      const [task] = begin(next, 1);
      assertEquals(next.begin(), undefined); // it is alone
      assertEquals(task.attempt, 1); // it was not at fault yet
      next.leave();
    },
    ["lost", 1, 2],
  ],
  [
    "a lost task is tried again, with retries",
    range(2),
    { chunkSize: 2, retries: 1 },
    (worker) => {
      worker.begin();
      worker.leave();
    },
    [0, 1],
  ],
  [
    "moved buffers cannot be sent again: their tasks are lost as well",
    [...buffers(2), 7],
    { chunkSize: 3, transfer: true },
    (worker) => worker.leave(),
    ["lost", "lost", 7],
  ],
  [
    "what was not sent is no suspect",
    [0, () => {}, 2],
    { chunkSize: 3 },
    (worker) => {
      worker.begin();
      worker.leave();
    },
    ["lost", "unsendable", 2],
  ],
  [
    "values that cannot be read there fail their chunk, and no other",
    range(4),
    { chunkSize: 2 },
    (worker) => {
      const error = { value: "no", errors: [] };
      worker.say({ type: "unread", serial: 1, error });
      worker.deliver();
    },
    ["unsendable", "unsendable", 2, 3],
  ],
  [
    "a message that was not read there: each of several goes again alone",
    range(3),
    { chunkSize: 3 },
    (worker, world) => {
      worker.say({ type: "unreadable" });
      worker.deliver();
      assert(worker.ending);
      worker.leave();
      const next = world.worker(1);
      next.reads = (value) => value !== 0;
      next.receiveAll().deliverAll();
      assert(!next.ending); // and what it knew of the run is lost
    },
    ["unsendable", 1, 2],
  ],
  [
    "a message that was not read here: its worker is not heard any more",
    range(2),
    { chunkSize: 1 },
    (worker) => {
      worker.garble();
      assert(worker.ending);
      worker.leave();
    },
    ["unsendable", 1],
  ],
  [
    "an error that nobody caught is its task's",
    range(3),
    { chunkSize: 3 },
    (worker, world) => {
      const { serial } = worker.begin()!;
      const error = { value: "stray", errors: [] };
      worker.say({ type: "stray", error, at: [serial] });
      worker.deliver();
      assert(worker.ending);
      worker.leave();
      assertEquals(world.backend.alive.length, 1);
    },
    ["lost", 1, 2],
  ],
  [
    "messages that are not the worker's own mean nothing",
    range(2),
    { chunkSize: 2 },
    (worker) => {
      for (
        const message of [undefined, null, 5, [], [0], { type: "stray" }, [
          -1,
          { type: "failed" },
        ]]
      ) worker.outbox.push(message);
      worker.deliverAll();
      assert(!worker.ending);
    },
    [0, 1],
  ],
];

test("blame: without shared memory, all that was not answered is suspect", async () => {
  const { world, worker, end } = start(range(3), { chunkSize: 3 }, {
    powers: { sharesMemory: false },
  });
  worker.settle(worker.begin()!, { value: 0 });
  worker.begin(true);
  worker.leave();
  const next = world.worker(1).receiveAll();
  next.begin(true);
  assertEquals(next.begin(), undefined); // each goes alone
  next.leave();
  assertEquals(await end(), ["lost", 1, 2]);
});

test("blame: of a thousand suspects, the one at fault is found by groups", async () => {
  const { world, call } = start(range(1000), { chunkSize: 1000 }, {
    powers: { sharesMemory: false },
  });
  let result: PromiseSettledResult<unknown>[] | undefined;
  void call.then((value) => result = value);
  let ends = 0;
  let chunks = 0;
  const ran = new Map<number, number>();
  for (let steps = 0; result === undefined && steps < 1000; steps++) {
    for (const worker of world.backend.alive) {
      worker.receiveAll().deliverAll();
      for (let task; worker.alive && (task = worker.begin()) !== undefined;) {
        const { index } = task;
        ran.set(index, 1 + (ran.get(index) ?? 0));
        if (index === 617) {
          ends++;
          worker.leave({ code: 1 });
        } else worker.settle(task, { value: index });
      }
      if (worker.alive && worker.outbox.length > 0) chunks++;
      if (worker.alive) worker.deliverAll();
    }
    await world.flush();
    while (world.clock.turns > 0) world.clock.takeTurn();
  }
  const wanted = range(1000).map((n) => n === 617 ? "lost" : n);
  assertEquals(result?.map(word), wanted);
  // 1000, 63, 4, 1 at once.
  assertEquals(ends, 4);
  assert(chunks <= 3 * 16, `${chunks} chunks`);
  assert(Math.max(...ran.values()) <= 4);
});

test("blame: without shared memory, nobody while the function is not there", async () => {
  const { world, worker, end } = start(range(2), { chunkSize: 2 }, {
    powers: { sharesMemory: false },
  });
  worker.outbox.length = 0; // it has not said so
  worker.leave();
  assertEquals(await end(), [0, 1]);
  assertEquals(world.backend.workers.length, 2);
});

test("blame: without shared memory, what has begun as far as it was said", async () => {
  const { world, worker, end } = start(
    range(4),
    { chunkSize: 2, timeout: 1000 },
    { powers: { sharesMemory: false } },
  );
  worker.settle(worker.begin()!, { value: 0 });
  worker.begin();
  worker.leave(); // with the second chunk on its way
  assertEquals(await end(), [0, "lost", 2, 3]);
  assert(world.backend.workers.length > 1);
});

test("timeout: without shared memory, by what the worker says", async () => {
  const { world: { clock }, worker, end } = start(
    range(3),
    { chunkSize: 3, timeout: 100 },
    { powers: { sharesMemory: false } },
  );
  worker.settle(worker.begin()!, { value: 0 });
  worker.deliverAll();
  clock.advance(60);
  worker.begin(true);
  worker.deliverAll();
  clock.advance(99); // its own time, and not that of the first
  assert(!worker.ending);
  clock.advance(1 + 250); // it does not answer a ping
  assert(worker.ending);
  worker.leave();
  // One that may have begun after the last note goes again alone, as the other.
  assertEquals(await end(), [0, 1, 2]);
});

for (const [title, inputs, options, play, outcomes] of BLAME) {
  test(`blame: ${title}`, async () => {
    const { world, worker, end } = start(inputs, options);
    play(worker, world);
    const got = await end();
    assertEquals(
      got.map((one) => one instanceof ArrayBuffer ? "buffer" : one),
      outcomes,
    );
  });
}

const LATE: Case[] = [
  [
    "one lane: the task is stopped, what follows goes again",
    range(3),
    { chunkSize: 3, timeout: 100 },
    (worker, { clock }) => {
      worker.begin(true);
      clock.advance(99);
      assert(!worker.ending);
      clock.advance(2);
      assert(worker.ending);
      worker.leave();
    },
    ["timeout", 1, 2],
  ],
  [
    "the clock of each task is its own",
    range(3),
    { chunkSize: 3, timeout: 100 },
    (worker, { clock }) => {
      for (const _ of range(3)) {
        const task = worker.begin()!;
        clock.advance(90);
        worker.settle(task, { value: task.value });
      }
      worker.deliverAll();
      assert(!worker.ending);
    },
    [0, 1, 2],
  ],
  [
    "concurrency: a thread that answers is free, so what is late is slow",
    range(3),
    { chunkSize: 1, concurrency: 3, timeout: 100 },
    (worker, { clock }) => {
      worker.begin();
      clock.advance(60);
      const others = begin(worker, 2);
      clock.advance(41);
      assertEquals(worker.receive()?.type, "ping");
      worker.deliver();
      assertEquals(worker.receive()?.type, "abandon");
      worker.deliverAll();
      assert(!worker.ending, "those beside it go on");
      for (const one of others) worker.settle(one, { value: one.value });
      worker.deliverAll();
      assert(worker.ending, "it is replaced");
      worker.leave();
    },
    ["timeout", 1, 2],
  ],
  [
    "concurrency: what is begun beside a late task ends, what is not goes again",
    range(6),
    { chunkSize: 6, concurrency: 2, timeout: 100 },
    (worker, { clock, backend }) => {
      const [, second] = begin(worker, 2);
      worker.settle(second, { value: 1 });
      clock.advance(60);
      const third = worker.begin()!;
      clock.advance(41);
      worker.receiveAll().deliverAll();
      worker.receiveAll().deliverAll();
      assertEquals(worker.begin(), undefined);
      worker.settle(third, { value: 2 });
      worker.deliverAll();
      assertEquals(worker.lostTasks, 3);
      assert(worker.ending);
      assertEquals(backend.workers.length, 1);
      worker.leave();
    },
    ["timeout", 1, 2, 3, 4, 5],
  ],
  [
    "concurrency: with moved buffers, the worker does all that it has",
    buffers(4),
    { chunkSize: 4, concurrency: 2, timeout: 100, transfer: true },
    (worker, { clock }) => {
      const [, second] = begin(worker, 2);
      worker.settle(second, { value: 1 });
      clock.advance(60);
      const third = worker.begin()!;
      clock.advance(41);
      worker.receiveAll().deliverAll();
      worker.receiveAll().deliverAll();
      const last = worker.begin()!;
      worker.settle(third, { value: 2 });
      worker.settle(last, { value: 3 });
      worker.deliverAll();
      assertEquals(worker.lostTasks, 0);
      assert(worker.ending);
      worker.leave();
    },
    ["timeout", 1, 2, 3],
  ],
  [
    "concurrency: a task that was abandoned may end its worker: nobody else fails",
    range(3),
    { chunkSize: 3, concurrency: 2, timeout: 100 },
    (worker, { clock }) => {
      abandonFirst(worker, clock);
      worker.leave({ code: 3 });
    },
    ["timeout", 1, 2],
  ],
  [
    "concurrency: it may take the thread: nobody else is late by that",
    range(3),
    { chunkSize: 1, concurrency: 2, timeout: 100 },
    (worker, { clock }) => {
      abandonFirst(worker, clock);
      clock.advance(1000);
      assert(worker.ending);
      worker.leave();
    },
    ["timeout", 1, 2],
  ],
  [
    "concurrency: it may throw where nobody awaits it: nobody else is lost by that",
    range(3),
    { chunkSize: 1, concurrency: 2, timeout: 100 },
    (worker, { clock }) => {
      abandonFirst(worker, clock);
      const [at] = worker.lanes.filter((task) => task !== undefined);
      const error = { value: "stray", errors: [] };
      worker.say({ type: "stray", error, at: [at.serial] });
      worker.deliverAll();
      assert(worker.ending);
      worker.leave();
    },
    ["timeout", 1, 2],
  ],
  [
    "concurrency: workers that end as tasks were abandoned can live",
    range(8),
    { chunkSize: 1, concurrency: 2, timeout: 100 },
    (_, { clock, backend }) => {
      for (let i = 0; i < 4; i++) {
        const [worker] = backend.alive;
        worker.receiveAll().deliverAll();
        begin(worker.receiveAll(), 2);
        clock.advance(101);
        worker.receiveAll().deliverAll(); // the ping
        worker.receive();
        worker.deliver(); // what it abandons, and not that it is done
        worker.outbox.length = 0;
        worker.leave({ code: 1 });
      }
    },
    new Array(8).fill("timeout"),
  ],
  [
    "concurrency: a worker that stays at a task that it was to abandon is ended",
    range(3),
    { chunkSize: 1, concurrency: 2, timeout: 100 },
    (worker, { clock }) => {
      worker.begin();
      clock.advance(101);
      assertEquals(worker.receive()?.type, "ping");
      worker.deliver();
      assertEquals(worker.inbox.shift()?.type, "abandon");
      clock.advance(251);
      assert(!worker.ending);
      assertEquals(worker.receive()?.type, "ping");
      worker.deliver();
      assert(worker.ending);
      worker.leave();
    },
    ["timeout", 1, 2],
  ],
  [
    "concurrency: a thread that is silent is held up by what runs in it",
    range(3),
    { chunkSize: 1, concurrency: 3, timeout: 100 },
    (worker, { clock }) => {
      begin(worker, 2);
      clock.advance(60);
      worker.begin(true);
      clock.advance(41);
      assertEquals(worker.inbox.map(({ type }) => type), ["ping"]);
      assert(!worker.ending);
      clock.advance(251);
      assert(worker.ending);
      worker.leave();
    },
    [0, 1, "timeout"],
  ],
  [
    "concurrency: what ends before the answer is not late",
    range(2),
    { chunkSize: 1, concurrency: 2, timeout: 100 },
    (worker, { clock }) => {
      const [first, second] = begin(worker, 2);
      clock.advance(101);
      worker.settle(first, { value: 0 });
      worker.settle(second, { value: 1 });
      worker.receiveAll().deliverAll();
      assert(!worker.ending);
      clock.advance(1000);
      assert(!worker.ending);
    },
    [0, 1],
  ],
  [
    "what an earlier task left behind has the thread: the others go elsewhere",
    range(4),
    { chunkSize: 1, timeout: 100 },
    (worker, { clock }) => {
      beDeaf(worker);
      clock.advance(101);
      assertEquals(worker.inbox.map(({ type }) => type).at(-1), "ping");
      clock.advance(4900);
      assert(!worker.ending);
      clock.advance(300);
      assert(worker.ending);
      worker.leave();
    },
    range(4),
  ],
  [
    "it had the thread for a while, and then a task has it",
    range(4),
    { chunkSize: 1, timeout: 100 },
    (worker, { clock }) => {
      beDeaf(worker);
      clock.advance(1000);
      assertEquals(worker.receive()?.type, "chunk");
      worker.begin(true);
      clock.advance(101);
      assert(worker.ending); // and not after seconds
      worker.leave();
    },
    [0, "timeout", 2, 3],
  ],
  [
    "while the caller's own thread is taken, nobody is silent",
    range(4),
    { chunkSize: 1, timeout: 100 },
    (worker, { clock }) => {
      beDeaf(worker);
      clock.advance(101);
      for (let i = 0; i < 10; i++) {
        clock.pass(60_000);
        clock.ring();
      }
      assert(!worker.ending);
    },
    range(4),
  ],
  [
    "between two tasks, a worker is not silent",
    range(4),
    { chunkSize: 3, timeout: 100 },
    (worker, { clock }) => {
      beDeaf(worker);
      clock.advance(10_000);
      assert(!worker.ending); // it has begun some of its chunk
    },
    range(4),
  ],
  [
    "a worker that has answered nothing may load the function for long",
    range(2),
    { chunkSize: 1, timeout: 100 },
    (worker, { clock }) => {
      clock.advance(100_000);
      assert(!worker.ending);
      assertEquals(worker.inbox.filter(({ type }) => type === "ping"), []);
    },
    range(2),
  ],
  [
    "an explicit concurrency of 1 is the default",
    range(2),
    { chunkSize: 2, concurrency: 1, timeout: 100 },
    (worker, { clock }) => {
      worker.begin();
      clock.advance(101);
      assert(worker.ending); // without a ping
      worker.leave();
    },
    ["timeout", 1],
  ],
  [
    "a result that is made ready to send without end: its task is stopped",
    range(3),
    { chunkSize: 1, timeout: 100 },
    (worker, { clock }) => {
      worker.settle(worker.begin()!, { value: 0 });
      worker.outbox.length = 0; // it has not said so
      clock.advance(60_000);
      assertEquals(worker.inbox, []);
      clock.advance(100); // it was first seen at that after 100 ms
      assertEquals(worker.inbox.at(-1), { type: "ping" });
      assert(!worker.ending);
      clock.advance(250);
      assert(worker.ending);
      worker.leave();
    },
    ["timeout", 1, 2],
  ],
  [
    "concurrency: who waits beside such a result goes again",
    range(3),
    { chunkSize: 1, concurrency: 2, timeout: 100 },
    (worker, { clock }) => {
      worker.begin();
      worker.settle(worker.begin()!, { value: 1 });
      worker.outbox.length = 0;
      clock.advance(400);
      assert(worker.ending);
      worker.leave();
    },
    [0, 1, 2],
  ],
  [
    "a result that is made ready for long, and comes",
    range(3),
    { chunkSize: 1, timeout: 100 },
    (worker, { clock }) => {
      for (const value of range(3)) {
        worker.settle(worker.begin()!, { value });
        clock.advance(59_000);
        worker.receiveAll().deliverAll();
        worker.receiveAll();
      }
      assert(!worker.ending);
    },
    [0, 1, 2],
  ],
  [
    "a timeout is tried again, with retries",
    range(1),
    { timeout: 100, retries: 1 },
    (worker, { clock }) => {
      worker.begin(true);
      clock.advance(101);
      worker.leave();
    },
    [0],
  ],
  [
    "a task that was moved and is late is told as late",
    buffers(1),
    { timeout: 100, retries: 1, transfer: true },
    (worker, { clock }) => {
      worker.begin(true);
      clock.advance(101);
      worker.leave();
    },
    ["timeout"],
  ],
];

for (const [title, inputs, options, play, outcomes] of LATE) {
  test(`timeout: ${title}`, async () => {
    const { world, worker, end } = start(inputs, options);
    play(worker, world);
    assertEquals(await end(), outcomes);
  });
}

test("retries: each try has its number, and the last error counts", async () => {
  const { world, worker, call } = start([7], { retries: 2 });
  for (const attempt of [1, 2, 3]) {
    const task = worker.receiveAll().begin()!;
    assertEquals(task.attempt, attempt);
    worker.settle(task, { error: new Error(`no ${attempt}`) });
    worker.deliverAll();
  }
  await world.flush();
  const [result] = await call;
  assert(result.status === "rejected");
  assertEquals(
    [result.reason.attempts, (result.reason.cause as Error).message],
    [
      3,
      "no 3",
    ],
  );
});

test("maxTasksPerWorker: a worker is sent so many, then replaced", async () => {
  const world = new FakeWorld({ workers: 1, maxTasksPerWorker: 3 });
  const call = world.calls.map(same, range(8), {}, start);
  const { status } = await world.finish(call);
  assertEquals(status, "fulfilled");
  assertEquals(world.backend.workers.length, 3);
});

test("maxMemory: a worker that is full is replaced when it has done what it was sent", async () => {
  const world = new FakeWorld({ workers: 1 }, { fillsWith: 2 });
  const call = world.calls.map(same, range(8), { chunkSize: 1 }, start);
  assertEquals(await world.finish(call), {
    status: "fulfilled",
    value: range(8),
  });
  // With the second answer; a third task was on its way.
  const { length } = world.backend.workers;
  assert(length >= 3 && length <= 4, `${length} workers`);
});

test("what a slow source gives goes to the worker that idles", async () => {
  const world = new FakeWorld({ workers: 2 });
  const given = range(4).map(() => Promise.withResolvers<void>());
  async function* slow() {
    for (const n of range(4)) {
      await given[n].promise;
      yield n;
    }
  }
  const call = world.calls.map(same, slow(), {}, start);
  for (const n of [0, 1]) {
    given[n].resolve();
    await world.flush();
    while (world.clock.turns > 0) world.clock.takeTurn();
  }
  const [idle, stuck] = world.backend.workers;
  const first = idle.receiveAll().begin()!;
  idle.settle(first, { value: 0 });
  idle.deliverAll(); // the source is asked for more
  stuck.receiveAll().begin(true);
  given[2].resolve();
  await world.flush(); // it has come; the next turn looks at the run
  stuck.deliverAll(); // and before that turn, another report
  assertEquals(stuck.inbox, []);
  while (world.clock.turns > 0) world.clock.takeTurn();
  assertEquals(idle.receiveAll().begin()?.index, 2);
  await world.finish(world.calls.close());
  await call.catch(() => {});
});

test("an answer with more than its chunk has fails its tasks alone", async () => {
  const failed = (offset: number, folded: number) => ({
    failures: [{ offset, folded, error: undefined, refused: undefined }],
  });
  for (
    const odd of [
      { tasks: 3 },
      { tasks: -1 },
      { tasks: NaN },
      { values: { as: "list", values: 5 } },
      { values: { as: "list", values: [7, 7, 7] } },
      failed(-1, 0),
      failed(NaN, 0),
      failed(2, 0),
      failed(0, 3),
    ]
  ) {
    const { worker, end } = start(range(4), { chunkSize: 2 });
    const values = { as: "list", values: [7, 7] };
    const done = { type: "done", serial: 1, tasks: 2, ms: 1, bytes: 1, values };
    worker.say({ ...done, ...odd } as never);
    worker.deliverAll();
    const expected = ["unsendable", "unsendable", 2, 3];
    assertEquals(await end(), expected, JSON.stringify(odd));
  }
});

test("three ends in a row at no task end the call", async () => {
  const world = new FakeWorld({ workers: 1 });
  const call = world.calls.map(same, [1], {}, start);
  for (const n of range(3)) world.worker(n).receiveAll().leave({ code: 9 });
  const { status, reason } = await world.finish(call) as PromiseRejectedResult;
  assertEquals(status, "rejected");
  assert(reason instanceof WorkerStartError);
  assert(reason.message.includes("3 ends in a row"), reason.message);
  assertEquals(world.backend.workers.length, 3);
});

test("workers that have answered, and then do nothing, end no call together", async () => {
  const world = new FakeWorld({ workers: 3 });
  const options = { chunkSize: 1, timeout: 100 };
  const call = world.calls.map(same, range(12), options, start);
  const workers = range(3).map((n) => world.worker(n).receiveAll());
  for (const worker of workers) {
    const task = worker.begin()!;
    worker.settle(task, { value: task.value });
    worker.deliverAll(); // and gets another
  }
  world.clock.advance(6000);
  assertEquals(workers.map(({ ending }) => ending), [true, true, true]);
  for (const worker of workers) worker.leave();
  const end = await world.finish(call);
  assertEquals(end, { status: "fulfilled", value: range(12) });
});

test("three ends at no task end the call whose workers ended, and no other", async () => {
  const world = new FakeWorld({ workers: 2 });
  const well = world.calls.map(same, [1], {}, start);
  const task = world.worker(0).receiveAll().begin()!;
  const ill = world.calls.map((n: unknown) => n, [2], {}, start);
  for (let at = 1; at <= 3; at++) {
    while (world.backend.workers.length <= at) world.clock.ring();
    world.worker(at).receiveAll().leave({ code: 9 });
  }
  const { reason } = await world.finish(ill) as PromiseRejectedResult;
  assert(reason.message.includes("3 ends in a row"), reason.message);
  world.worker(0).settle(task, { value: 1 });
  const end = await world.finish(well);
  assertEquals(end, { status: "fulfilled", value: [1] });
});

test("a task that fails is counted when its run ends for it", async () => {
  const world = new FakeWorld({ workers: 1 });
  const seen: unknown[] = [];
  const call = world.calls.map(same, [1, 2], {
    onProgress: ({ state, done, failed }) => seen.push([state, done, failed]),
  }, start);
  const worker = world.worker(0).receiveAll();
  worker.settle(worker.begin()!, { error: new Error("mine") });
  worker.deliverAll();
  assertEquals((await world.finish(call)).status, "rejected");
  assertEquals(seen.at(-1), ["stopped", 1, 1]);
});

test("how many inputs there are does not change when they fail", async () => {
  const broken = function* () {
    yield 1;
    throw new Error("mine");
  };
  const cases: [total: number | undefined, make: () => Iterable<unknown>][] = [
    [4, () => [1, Promise.reject(new Error("mine")), 3, 4]],
    [undefined, broken],
  ];
  for (const [total, make] of cases) {
    for (const kind of ["map", "stream"] as const) {
      const world = new FakeWorld({ workers: 1 });
      const totals = new Set<number | undefined>();
      const options = {
        onProgress: (progress: Progress) => totals.add(progress.total),
      };
      const call = kind === "map"
        ? world.calls.map(same, make(), options, start)
        : Array.fromAsync(world.calls.stream(same, make(), options, start));
      assertEquals((await world.finish(call)).status, "rejected");
      assertEquals([...totals], [total], kind);
    }
  }
});

test("a run that was aborted before it began begins and ends", async () => {
  const events: string[] = [];
  const world = new FakeWorld({ workers: 1 });
  const results = world.calls.stream(same, [1], {
    signal: AbortSignal.abort("enough"),
    onEvent: ({ type }) => events.push(type),
  }, start);
  const end = await world.finish(results.next());
  assertEquals(end, { status: "rejected", reason: "enough" });
  assertEquals(events, ["run-start", "run-end"]);
});

test("the error of a task comes before one of a listener that hears its end", async () => {
  const onEvent = ({ type }: RunEvent) => {
    if (type === "worker-end") throw new Error("the listener's");
  };
  const world = new FakeWorld({ workers: 1, onEvent }, {}, true);
  const results = world.calls.stream(same, [1], {}, start);
  const next = results.next();
  await world.flush();
  const worker = world.worker(0).receiveAll();
  worker.settle(worker.begin()!, { error: new Error("the task's") });
  worker.deliverAll();
  const end = await world.finish(next) as PromiseRejectedResult;
  assert(end.reason instanceof TaskError, String(end.reason));
});

test("close() rejects with what a listener threw at an answer after an abort", async () => {
  const own = new Error("the listener's");
  const onEvent = ({ type }: RunEvent) => {
    if (type === "chunk-done") throw own;
  };
  const world = new FakeWorld({ workers: 1, onEvent }, {}, false);
  const ending = new AbortController();
  const { signal } = ending;
  const call = world.calls.map(same, [1], { signal }, start);
  await world.flush();
  const worker = world.worker(0).receiveAll();
  const task = worker.begin()!;
  worker.chunkTimes = Float64Array.of(1, 2);
  ending.abort("enough");
  worker.settle(task, { value: task.value });
  worker.deliverAll();
  assertEquals(await call.catch((reason) => reason), "enough");
  const end = await world.finish(world.calls.close());
  assertEquals(end, { status: "rejected", reason: own });
});

test("close({ finish: true }) in the run-start of a call lets it end, close() does not", async () => {
  // How often it is closed, and whether with `finish`.
  for (const closes of [[false], [true], [true, false], [false, true]]) {
    let closed: Promise<unknown> | undefined;
    const world = new FakeWorld({ workers: 1 });
    const call = world.calls.map(same, [1, 2], {
      onEvent({ type }) {
        if (type !== "run-start") return;
        closed = Promise.all(closes.map((finish) => world.calls.close(finish)));
      },
    }, start);
    const { status } = await world.finish(call);
    const lets = closes.every((finish) => finish);
    assertEquals(status, lets ? "fulfilled" : "rejected", String(closes));
    assertEquals((await world.finish(closed!)).status, "fulfilled");
    assertEquals(world.backend.alive.length, 0);
  }
});

test("a worker whose module fails ends the calls, once", async () => {
  const world = new FakeWorld({ workers: 2 });
  const calls = [1, 2].map((n) => world.calls.map(same, [n], {}, start));
  const error = { value: "broken", errors: [] };
  for (const worker of world.backend.alive) {
    worker.receive();
    worker.outbox = [];
    worker.say({ type: "failed", error });
    worker.deliver();
    assert(worker.ending);
  }
  for (const call of calls) {
    const { status, reason } = await world.finish(
      call,
    ) as PromiseRejectedResult;
    assertEquals(status, "rejected");
    assert(reason instanceof WorkerStartError);
  }
  const next = await world.finish(world.calls.map(same, [5], {}, start));
  assertEquals(next, { status: "fulfilled", value: [5] });
});

/** How far a call has come. */
const STAGES: [string, (world: FakeWorld) => void][] = [
  ["before its workers are up", () => {}],
  ["when they are up", ({ backend }) => {
    for (const worker of backend.alive) worker.receiveAll().deliverAll();
  }],
  ["in a task", ({ backend }) => {
    for (const worker of backend.alive) worker.receiveAll().begin(true);
  }],
  ["when its answer is on the way", ({ backend }) => {
    for (const worker of backend.alive) {
      const task = worker.receiveAll().begin();
      if (task) worker.settle(task, { value: task.value });
    }
  }],
  ["when a worker is ending", ({ backend }) => {
    const error = { value: "stray", errors: [] };
    for (const worker of backend.alive) {
      const at = [worker.receiveAll().begin()!.serial];
      worker.deliverAll();
      worker.say({ type: "stray", error, at });
      worker.deliverAll();
    }
  }],
];

for (const [when, play] of STAGES) {
  for (const oneShot of [true, false]) {
    const kind = oneShot ? "a one-shot call" : "a pool";
    test(`abort: ${kind} ${when}`, async () => {
      const world = new FakeWorld({}, {}, oneShot);
      const ending = new AbortController();
      const { signal } = ending;
      const call = world.calls.mapSettled(same, range(9), { signal }, start);
      play(world);
      ending.abort("enough");
      let heard: unknown;
      call.catch((reason) => heard = reason);
      await world.flush();
      assertEquals(heard, "enough"); // at once, whatever the workers do
      await world.finish(world.calls.close());
      assertEquals(world.backend.alive, []);
      assertEquals(world.clock.timers, 0);
    });

    test(`close: ${kind} ${when}`, async () => {
      const world = new FakeWorld({}, {}, oneShot);
      const call = world.calls.mapSettled(same, range(9), {}, start);
      play(world);
      const closed = world.calls.close();
      const { reason } = await world.finish(call) as PromiseRejectedResult;
      assertEquals(reason.name, "AbortError");
      await world.finish(closed);
      assertEquals(world.backend.alive, []);
      assertEquals(world.clock.timers, 0);
    });
  }
}

test("start() waits for the worker that comes in place of one that is being ended", async () => {
  const world = new FakeWorld({ workers: 1, maxTasksPerWorker: 1 });
  await world.finish(world.calls.map(same, [1], {}, same));
  assert(world.worker(0).ending);
  let started = false;
  const start = world.calls.start(same).then(() => started = true);
  await world.flush();
  world.worker(0).leave();
  await world.flush();
  assertEquals([world.backend.workers.length, started], [2, false]);
  await world.finish(start);
  assert(world.worker(1).alive);
  await world.finish(world.calls.close());
});

test("a worker that cannot be stopped is given up, and nothing waits", async () => {
  const world = new FakeWorld({ workers: 1 }, { stopsLoops: false });
  const ending = new AbortController();
  const { signal } = ending;
  const call = world.calls.map(same, [1], { signal }, start);
  world.worker(0).receiveAll().deliverAll().receiveAll().begin(true);
  ending.abort("enough");
  await call.catch(() => {});
  const said = await warningsOf(() => {
    world.clock.advance(100); // it may clean up
    assert(world.worker(0).ending);
    world.clock.advance(1000); // it is not gone
    world.clock.takeTurn();
  });
  assertEquals([said.length, world.worker(0).busy], [1, false]);
  const next = await world.finish(world.calls.map(same, [5], {}, start));
  assertEquals(next, { status: "fulfilled", value: [5] });
  assertEquals(world.backend.workers.length, 2);
});

test("a worker that was at no task may be late to be gone", async () => {
  const world = new FakeWorld({ workers: 1 }, { stopsLoops: false });
  await world.finish(world.calls.map(same, [1], {}, start));
  const said = await warningsOf(async () => {
    const closed = world.calls.close();
    await world.flush();
    assert(world.worker(0).ending);
    world.clock.advance(4900);
    world.clock.takeTurn();
    console.error("only then");
    world.clock.advance(100);
    world.clock.takeTurn();
    await closed;
  });
  assertEquals(said, [
    "only then",
    "@parallel/map: worker 0 was ended, and it still runs.",
  ]);
});

test("a worker whose init may loop is given up as one at a task is", async () => {
  const world = new FakeWorld({ workers: 1 }, { stopsLoops: false });
  const started = world.calls.start(start);
  started.catch(() => {});
  const said = await warningsOf(async () => {
    const closed = world.calls.close();
    await world.flush();
    assert(world.worker(0).ending);
    world.clock.advance(1000);
    world.clock.takeTurn();
    await closed;
  });
  assertEquals(said, ["@parallel/map: worker 0 was ended, and it still runs."]);
});

for (
  const [title, timeout, hears, replaced] of [
    ["that a call before has left deaf is replaced", 100, "nothing", true],
    ["that loads the function for long is not", 100, "the ping", false],
    ["is asked nothing without a limit", undefined, "nothing", false],
  ] as const
) {
  test(`a worker ${title}`, async () => {
    const world = new FakeWorld({ workers: 1 });
    const before = world.calls.map(same, [1], {}, start);
    await world.finish(before);
    const call = world.calls.map(same, [2], { timeout }, start);
    await world.flush();
    const worker = world.worker(0);
    const asked = worker.inbox.map(({ type }) => type);
    assertEquals(asked, timeout ? ["ping", "chunk"] : ["chunk"]);
    if (hears === "the ping") {
      worker.receive();
      worker.deliverAll();
    }
    world.clock.advance(4900);
    assert(!worker.ending);
    world.clock.advance(100_000);
    assertEquals(worker.ending, replaced);
    if (replaced) worker.leave();
    assertEquals(await world.finish(call), { status: "fulfilled", value: [2] });
    await world.finish(world.calls.close());
  });
}

for (const timeout of [undefined, 100]) {
  test(`a deaf worker is replaced, also when a call with timeout ${timeout} was aborted there`, async () => {
    const world = new FakeWorld({ workers: 1 });
    await world.finish(world.calls.map(same, [1], {}, start));
    const abort = new AbortController();
    const options = { signal: abort.signal, timeout };
    const aborted = world.calls.map(same, [2], options, start);
    await world.flush();
    world.clock.advance(1000);
    abort.abort("enough");
    await world.finish(aborted);
    const call = world.calls.map(same, [3], { timeout: 100 }, start);
    await world.flush();
    const worker = world.worker(0);
    world.clock.advance(100_000);
    assert(worker.ending);
    worker.leave();
    assertEquals(await world.finish(call), { status: "fulfilled", value: [3] });
    await world.finish(world.calls.close());
  });
}

test("a worker that has the function is not kept as one that loads it", async () => {
  const world = new FakeWorld({ workers: 1 });
  const abort = new AbortController();
  const options = { signal: abort.signal, chunkSize: 1 };
  const call = world.calls.map(same, [1, 2], options, start);
  await world.flush();
  const worker = world.worker(0);
  worker.receiveAll();
  beDeaf(worker);
  await world.flush();
  abort.abort("enough");
  await world.finish(call);
  world.clock.advance(101);
  assert(worker.ending);
  worker.leave();
  await world.finish(world.calls.close());
});

test("the answer to a ping of the call before is none to that of the next", async () => {
  const world = new FakeWorld({ workers: 1 });
  const first = { timeout: 100, concurrency: 2 };
  const before = world.calls.map(same, [1], first, start);
  await world.flush();
  const worker = world.worker(0).receiveAll();
  worker.deliverAll();
  const task = worker.begin(true)!; // it holds the thread
  world.clock.advance(150);
  assertEquals(worker.inbox.map(({ type }) => type), ["ping"]);
  worker.settle(task, { value: 1 });
  worker.deliver();
  await world.flush();
  const call = world.calls.map(same, [3], { timeout: 100 }, start);
  await before;
  await world.flush();
  worker.receive();
  worker.deliverAll(); // that of the call before
  assertEquals(worker.inbox.map(({ type }) => type), ["ping", "chunk"]);
  world.clock.advance(100_000);
  assert(worker.ending);
  worker.leave();
  assertEquals(await world.finish(call), { status: "fulfilled", value: [3] });
  await world.finish(world.calls.close());
});

test("a worker is not deaf for as long as one before it was", async () => {
  const world = new FakeWorld({ workers: 1 });
  await world.finish(world.calls.map(same, [1], {}, start));
  const other = world.calls.map(same, [2], { timeout: 100 }, start);
  await world.flush();
  world.clock.advance(60_000);
  world.worker(0).leave();
  await world.finish(other);
  const call = world.calls.map(same, [3], { timeout: 100 }, start);
  await world.flush();
  const [worker] = world.backend.alive;
  world.clock.advance(4900);
  assert(!worker.ending);
  assertEquals(await world.finish(call), { status: "fulfilled", value: [3] });
  await world.finish(world.calls.close());
});

test("a caller that was busy does not take a task that waits for one that holds the thread", async () => {
  const world = new FakeWorld({ workers: 1 });
  await world.finish(world.calls.map(same, [1], {}, start));
  const options = { timeout: 100, concurrency: 3 };
  const call = world.calls.mapSettled(same, [1, 2, 3], options, start);
  await world.flush();
  const worker = world.worker(0).receiveAll(); // its pong is on its way
  worker.begin();
  world.clock.pass(50);
  worker.begin();
  worker.begin();
  world.clock.pass(50);
  world.clock.advance(0);
  assert(!worker.ending);
  worker.receiveAll().deliverAll();
  worker.receiveAll().deliverAll();
  assert(!worker.ending); // the first is abandoned
  await world.finish(call);
  await world.finish(world.calls.close());
});

for (const concurrency of [1, 2]) {
  test(`a run goes on in a worker that another could not be sent to: concurrency ${concurrency}`, async () => {
    const world = new FakeWorld({ workers: 1 });
    const more = Promise.withResolvers<void>();
    async function* source() {
      yield 1;
      await more.promise;
      yield 2;
    }
    const call = world.calls.map(same, source(), {}, start);
    await world.flush();
    const worker = world.worker(0).receiveAll();
    worker.settle(worker.begin()!, { value: 1 });
    worker.deliverAll();
    await world.flush();
    const refused = new Proxy({}, {}); // only structured clone sees what it is
    const other = world.calls.mapSettled(
      same,
      [refused],
      { concurrency },
      start,
    );
    assertEquals((await world.finish(other)).status, "fulfilled");
    more.resolve();
    await pause(0);
    await world.flush();
    const message = worker.inbox.find(({ type }) => type === "chunk");
    assert(message?.type === "chunk" && message.run !== undefined);
    const task = worker.receiveAll().begin()!;
    worker.settle(task, { value: 2 });
    const became = { status: "fulfilled", value: [1, 2] } as const;
    assertEquals(await world.finish(call), became);
    await world.finish(world.calls.close());
  });
}

test("what no message takes makes no worker one that has started", async () => {
  const world = new FakeWorld({ workers: 1 });
  const refused = new Proxy({}, {}); // only structured clone sees what it is
  const options = { timeout: 100, chunkSize: 1 };
  const call = world.calls.mapSettled(same, [refused, 1], options, start);
  await world.flush();
  const worker = world.worker(0);
  assertEquals(worker.inbox.map(({ type }) => type), ["start", "chunk"]);
  world.clock.advance(100_000);
  assert(!worker.ending); // `init` may take long
  await world.finish(call);
  await world.finish(world.calls.close());
});

for (
  const heard of ["before the end", "after the end", "never, as it is new"]
) {
  test(`a worker that loads for a call that ended is not deaf, but not for ever: heard ${heard}`, async () => {
    const world = new FakeWorld({ workers: 1 });
    const isNew = heard.startsWith("never");
    if (!isNew) await world.finish(world.calls.map(same, [1], {}, start));
    const abort = new AbortController();
    const options = { signal: abort.signal, timeout: 100 };
    const aborted = world.calls.map(same, [2], options, start);
    await world.flush();
    const worker = world.worker(0);
    if (isNew) {
      worker.receive();
      worker.deliverAll(); // it is ready
    } else if (heard === "before the end") {
      worker.receive();
      worker.deliverAll(); // it loads now, for long
    }
    abort.abort("enough");
    await world.finish(aborted);
    if (heard === "after the end") {
      worker.receive();
      worker.deliverAll();
    }
    const map = (n: number) =>
      world.calls.map(same, [n], { timeout: 100 }, start);
    const call = map(3);
    await world.flush();
    world.clock.advance(50_000);
    assert(!worker.ending);
    assertEquals(await world.finish(call), {
      status: "fulfilled",
      value: [3],
    });
    // That it was heard then says nothing of what its tasks have left since.
    const later = map(4);
    await world.flush();
    world.clock.advance(50_000);
    assert(worker.ending);
    worker.leave();
    assertEquals(await world.finish(later), {
      status: "fulfilled",
      value: [4],
    });
    await world.finish(world.calls.close());
  });

  test(`a worker that loads for a call that ended, and never ends that, is replaced: heard ${heard}`, async () => {
    const world = new FakeWorld({ workers: 1 });
    const isNew = heard.startsWith("never");
    if (!isNew) await world.finish(world.calls.map(same, [1], {}, start));
    const worker = world.worker(0);
    for (const task of [2, 3]) { // each is told of by nothing it does
      const abort = new AbortController();
      const options = { signal: abort.signal, timeout: 100 };
      const aborted = world.calls.map(same, [task], options, start);
      await world.flush();
      if (task === 2 && heard === "before the end") worker.receive();
      if (task === 2 && isNew) world.worker(0).receive();
      world.worker(0).deliverAll();
      world.clock.advance(task === 2 ? 0 : 10_000);
      abort.abort("enough");
      await world.finish(aborted);
      if (task === 2 && heard === "after the end") worker.receive();
      world.worker(0).deliverAll();
    }
    const call = world.calls.map(same, [4], { timeout: 100 }, start);
    await world.flush();
    const last = world.worker(0);
    world.clock.advance(100_000);
    assert(last.ending);
    last.leave();
    assertEquals(await world.finish(call), { status: "fulfilled", value: [4] });
    await world.finish(world.calls.close());
  });
}

test("a call settles with its last answer, not when its worker has been replaced", async () => {
  const options = { workers: 1, maxTasksPerWorker: 2 };
  const world = new FakeWorld(options, { disposes: "at once" });
  const call = world.calls.map(same, [1, 2], {}, start);
  let became: unknown;
  call.then((values) => became = values);
  const worker = world.worker(0).receiveAll().deliverAll();
  await world.flush();
  for (let task; (task = worker.receiveAll().begin()) !== undefined;) {
    worker.settle(task, { value: task.value });
    worker.deliverAll();
    await world.flush();
  }
  assertEquals(world.backend.alive.length, 1); // it is disposing what it holds
  assertEquals(became, [1, 2]);
  await world.finish(world.calls.close());
});

test("workers that load for a call that ended, and never end that, are replaced for the next: three", async () => {
  const world = new FakeWorld({ workers: 3 });
  const options = { timeout: 100, chunkSize: 1 };
  const abort = new AbortController();
  const aborted = world.calls.map(
    same,
    [1, 2, 3],
    { ...options, signal: abort.signal },
    start,
  );
  await world.flush();
  for (let i = 0; i < 3; i++) {
    world.clock.advance(10); // then the next is started
    await world.flush();
    world.worker(i).receive();
    world.worker(i).deliverAll();
  }
  abort.abort("enough");
  await world.finish(aborted);
  const call = world.calls.map(same, [4, 5, 6], options, start);
  await world.flush();
  const before = [0, 1, 2].map((i) => world.worker(i));
  for (const worker of before) assert(worker.inbox.length > 1); // all have some
  world.clock.advance(100_000);
  for (const worker of before) {
    assert(worker.ending);
    worker.leave();
  }
  assertEquals(await world.finish(call), {
    status: "fulfilled",
    value: [4, 5, 6],
  });
  await world.finish(world.calls.close());
});

test("a call without inputs waits for no other call; other inputs are read when a worker is free", async () => {
  const world = new FakeWorld({ workers: 1 });
  const other = world.calls.map(same, ["other"], {}, start);
  const worker = world.worker(0).receiveAll().deliverAll();
  await world.flush();
  const task = worker.receiveAll().begin()!;
  const read: string[] = [];
  function* source() {
    read.push("iterable");
    yield 1;
  }
  async function* asyncSource() {
    read.push("async iterable");
    yield 2;
  }
  const weight = () => read.push("weight");
  function* failing() {
    read.push("failing iterable");
    yield 4;
    throw new Error("mine");
  }
  const lazy = [
    world.calls.map(same, source(), {}, start),
    world.calls.map(same, asyncSource(), {}, start),
    world.calls.map(same, [3], { weight }, start),
  ];
  const failed = [
    world.calls.map(same, failing(), {}, start),
    world.calls.map(same, [5], { weight: () => -1 }, start),
  ];
  for (const call of failed) call.catch(() => {});
  const none = [
    world.calls.map(same, [], {}, start),
    world.calls.map(same, new Float64Array(), {}, start),
    world.calls.map(same, [], { weight }, start),
  ];
  const became: unknown[] = [];
  for (const call of none) call.then((values) => became.push(values));
  await world.flush();
  assertEquals(became, [[], [], []]);
  assertEquals(read, []);
  worker.settle(task, { value: "other" });
  await world.finish(other);
  for (const [i, call] of lazy.entries()) {
    const value = [i + 1];
    assertEquals(await world.finish(call), { status: "fulfilled", value });
  }
  const [mine, odd] = await Promise.all(failed.map((one) => world.finish(one)));
  assert(mine.status === "rejected" && odd.status === "rejected");
  assertEquals(mine.reason.message, "mine");
  assertStringIncludes(odd.reason.message, '"weight" must give');
  assertEquals(read, [
    "iterable",
    "async iterable",
    "weight",
    "failing iterable",
  ]);
  await world.finish(world.calls.close());
});

const KINDS = ["list", "source", "failing source", "source of none", "stream"];
for (const kind of KINDS) {
  test(`a call whose tasks are done waits for no task of another: ${kind}`, async () => {
    const world = new FakeWorld({ workers: 1 });
    const ended = Promise.withResolvers<void>();
    async function* source() {
      if (kind !== "source of none") yield 1;
      await ended.promise;
      if (kind === "failing source") throw new Error("mine");
    }
    const all = async () => {
      const values: unknown[] = [];
      const stream = world.calls.stream(same, source(), {}, start);
      for await (const value of stream) values.push(value);
      return values;
    };
    let became: unknown;
    const call = kind === "stream"
      ? all()
      : world.calls.map(same, kind === "list" ? [1] : source(), {}, start);
    call.then((values) => became = values, (error) => became = error.message);
    await world.flush();
    const other = world.calls.map(same, ["other"], {}, start);
    await world.flush();
    const worker = world.worker(0).receiveAll();
    if (kind !== "source of none") {
      worker.settle(worker.begin()!, { value: 1 });
      worker.deliverAll();
      await world.flush();
    }
    const task = worker.receiveAll().begin()!;
    assertEquals(task.value, "other");
    ended.resolve();
    await pause(0);
    await world.flush();
    const results = kind === "source of none" ? [] : [1];
    assertEquals(became, kind === "failing source" ? "mine" : results);
    worker.settle(task, { value: "other" });
    await world.finish(other);
    await world.finish(world.calls.close());
  });
}

test("a worker whose end is heard late was stopped all the same", async () => {
  const world = new FakeWorld({ workers: 1 });
  const call = world.calls.map(same, [1], {}, start);
  await world.finish(call);
  const said = await warningsOf(async () => {
    const closed = world.calls.close();
    await world.flush();
    assert(world.worker(0).ending);
    world.clock.advance(2000); // the caller's thread was taken
    world.worker(0).leave(); // this had come meanwhile
    world.clock.takeTurn();
    await world.finish(closed);
  });
  assertEquals(said, []);
});

test("progress of a run that was stopped says no time until its end", async () => {
  const world = new FakeWorld({ workers: 1 });
  const said: Progress[] = [];
  const abort = new AbortController();
  const options = {
    onProgress: (progress: Progress) => void said.push(progress),
    signal: abort.signal,
    chunkSize: 1,
  };
  const call = world.calls.map(same, [1, 2, 3, 4], options, start);
  await world.flush();
  const worker = world.worker(0).receiveAll();
  world.clock.advance(10);
  const task = worker.begin()!;
  worker.settle(task, { value: task.value });
  worker.deliverAll();
  abort.abort();
  await world.finish(call);
  assertEquals(said.map(({ state, eta }) => [state, eta]), [
    ["running", undefined],
    ["running", 30],
    ["stopped", undefined],
  ]);
});

test("next of an iterator is looked up once, as by for…of", async () => {
  for (const key of [Symbol.iterator, Symbol.asyncIterator]) {
    const world = new FakeWorld({});
    let looked = 0;
    let n = 0;
    const iterator = {
      [key]: () => iterator,
      get next() {
        looked++;
        return function (this: unknown) {
          assertStrictEquals(this, iterator);
          return { done: n === 30, value: n++ };
        };
      },
    };
    const inputs = iterator as unknown as Iterable<number>;
    const call = world.calls.map(same, inputs, {}, start);
    const value = Array.from({ length: 30 }, (_, i) => i);
    assertEquals(await world.finish(call), { status: "fulfilled", value });
    assertEquals(looked, 1);
  }
});

test("stream: return gives back what it was given, as that of a generator", async () => {
  for (const first of [true, false]) {
    const world = new FakeWorld({});
    const stream = world.calls.stream(same, [1, 2, 3], {}, start);
    if (first) void stream.next();
    for (const given of [5, Promise.resolve(5)]) {
      assertEquals(await world.finish(stream.return(given as never)), {
        status: "fulfilled",
        value: { done: true, value: 5 as never },
      });
    }
    const own = new Error("mine");
    assertEquals(
      await world.finish(stream.return(Promise.reject(own) as never)),
      { status: "rejected", reason: own },
    );
  }
});

test("a stream that is left says nothing of how long tasks take", async () => {
  const world = new FakeWorld({ workers: 1 });
  const firstChunk = async () => {
    const sizes: number[] = [];
    const onEvent = (event: RunEvent) => {
      if (event.type === "chunk-send") sizes.push(event.tasks);
    };
    const call = world.calls.map(same, range(3000), { onEvent }, start);
    await world.finish(call);
    return sizes[0]!;
  };
  await firstChunk();
  const known = await firstChunk();
  assert(known > 1);
  const stream = world.calls.stream(same, range(100_000), {}, start);
  const reading = stream.next();
  await world.flush();
  const worker = world.worker(0).receiveAll();
  const [task] = begin(worker, 1);
  const left = stream.return(undefined); // of many tasks, it is at the first
  worker.settle(task!, { value: 1 });
  await world.finish(Promise.all([reading, left]));
  assertEquals(worker.begin(), undefined);
  worker.deliverAll(); // what it has
  assertEquals(await firstChunk(), known);
});

/** How a reader of a stream leaves. */
const LEAVING: [
  string,
  (stream: AsyncGenerator, reading: Promise<unknown>) => unknown,
][] = [
  ["return", (stream) => stream.return(undefined)],
  ["throw", (stream) => stream.throw(new Error("mine")).catch(() => {})],
  ["dispose", (stream) => stream[Symbol.asyncDispose]()],
];

for (const [how, leave] of LEAVING) {
  for (const [when, play] of STAGES) {
    for (const read of [0, 1, 3]) {
      test(`stream: ${how} after ${read} ${when}`, async () => {
        const world = new FakeWorld({});
        let returned = 0;
        const source = {
          n: 0,
          [Symbol.iterator]: () => source,
          next: () => ({ done: false, value: source.n++ }),
          return() {
            returned++;
            return { done: true, value: undefined };
          },
        };
        const stream = world.calls.stream(
          same,
          source as Iterable<unknown>,
          {},
          start,
        );
        for (const n of range(read)) {
          assertEquals(await world.finish(stream.next()), {
            status: "fulfilled",
            value: { done: false, value: n },
          });
        }
        const reading = stream.next();
        play(world);
        const left = Promise.resolve(leave(stream, reading));
        const end = await world.finish(left);
        assertEquals(end.status, "fulfilled");
        const last = await world.finish(reading);
        assertEquals(last.status, "fulfilled");
        assertEquals(returned, 1);
        assertEquals(await stream.next(), { done: true, value: undefined });
        await world.finish(world.calls.close());
        assertEquals(world.backend.alive, []);
        assertEquals(world.clock.timers, 0);
      });
    }
  }
}

const DEEDS = ["throws", "aborts", "closes"] as const;

/** The events and progress calls of a call in which a task throws. */
async function told(): Promise<number> {
  let calls = 0;
  const { world, options } = listened(() => calls++);
  await world.finish(
    world.calls.mapSettled(same, range(3), options, start),
    fail2,
  );
  return calls;
}

function fail2(value: unknown): unknown {
  return value;
}

function listened(hear: (what: RunEvent | string) => void) {
  const world = new FakeWorld({ workers: 1, onEvent: hear });
  const options: RunOptions & StreamOptions = {
    chunkSize: 1,
    retries: 1,
    onEvent: hear,
    onProgress: ({ state }) => hear(state),
  };
  return { world, options };
}

test("a listener may throw, abort or close at any call", async () => {
  const most = await told();
  assert(most > 10);
  for (const deed of DEEDS) {
    for (let at = 0; at < most; at++) {
      const own = new Error("mine");
      const ending = new AbortController();
      let calls = 0;
      const states: string[] = [];
      const { world, options } = listened((what) => {
        if (typeof what === "string") states.push(what);
        if (calls++ !== at) return;
        if (deed === "throws") throw own;
        if (deed === "aborts") ending.abort(own);
        else void world.calls.close();
      });
      const { signal } = ending;
      const settings = { ...options, signal };
      const end = await world.finish(
        world.calls.mapSettled(same, range(3), settings, start),
      );
      const where = `${deed} at call ${at}`;
      if (end.status === "rejected") {
        if (deed !== "closes") assertStrictEquals(end.reason, own, where);
        else assertEquals(end.reason.name, "AbortError", where);
      } else {
        assertEquals(end.value.map(word), [0, 1, 2], where);
        assert(deed !== "throws", where); // all that is thrown is heard
      }
      const last = states.findIndex((state) => state !== "running");
      assertEquals(states.slice(last + 1), [], where);
      await world.finish(world.calls.close());
      assertEquals(world.backend.alive, [], where);
      assertEquals(world.clock.timers, 0, where);
    }
  }
});
