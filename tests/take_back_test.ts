// Tasks that wait in a busy worker go to one that idles, while the busy one is
// inside a task: each step by hand, with workers and a clock that are fakes.
import { assert, assertEquals } from "@std/assert";
import type { RunOptions } from "../src/core/api/options.ts";
import {
  type FakePowers,
  type FakeTask,
  type FakeWorker,
  FakeWorld,
} from "./fakes.ts";
import { test } from "./harness.ts";
import { warningsOf } from "./warnings.ts";

const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const same = (value: unknown) => value;
const COUNT = 60;

interface Setup {
  inputs?: unknown[];
  options?: RunOptions;
  powers?: FakePowers;
  workers?: number;
  maxTasksPerWorker?: number;
  /** When it is made. */
  at?: number;
}

/**
 * A call in which the first worker has begun one task of a large chunk, while
 * all others have done what there is besides, and idle.
 */
async function stuckCall(
  { inputs = range(COUNT), options = {}, at = 0, ...more }: Setup = {},
) {
  const { workers = 2, powers, maxTasksPerWorker } = more;
  const world = new FakeWorld({ workers, maxTasksPerWorker }, {
    chunkMs: 0.01,
    ...powers,
  });
  world.clock.pass(at);
  const begun: number[] = [];
  const begin = (worker: FakeWorker, stuck = false) => {
    const task = worker.begin(stuck);
    if (task !== undefined) begun.push(task.index);
    return task;
  };
  const work = (worker: FakeWorker) => {
    worker.receiveAll();
    for (let task; (task = begin(worker));) {
      worker.settle(task, { value: task.value });
    }
    worker.deliverAll();
  };
  const call = world.calls.mapSettled(same, inputs, options, stuckCall);
  call.catch(() => {}); // when a test closes the pool
  await world.flush();
  const [busy, ...others] = world.backend.workers;
  work(busy); // its first chunk is one task, the next one is larger
  const task = begin(busy.receiveAll(), true)!;
  for (let i = 0; i < 9; i++) for (const other of others) work(other);
  const end = async () => {
    const { value } = await world.finish(call) as PromiseFulfilledResult<
      PromiseSettledResult<unknown>[]
    >;
    return value.map((one) => one.status === "fulfilled" ? one.value : "lost");
  };
  /** Lets the others do all that they have, one after another. */
  const workOn = () => {
    for (let i = 0; i < COUNT; i++) for (const other of others) work(other);
  };
  return { world, busy, others, task, begun, begin, workOn, end };
}

const once = (begun: number[]) =>
  assertEquals(begun.toSorted((a, b) => a - b), range(COUNT));

test("an idle worker takes over what a busy one has not begun", async () => {
  const { world, busy, others: [idle], begun, task, workOn, end } =
    await stuckCall();
  assert(begun.length < COUNT); // the others wait behind the one that is stuck
  world.clock.advance(9);
  assertEquals(idle.inbox, []); // a chunk may take a little longer
  world.clock.advance(1);
  assertEquals(idle.inbox.map(({ type }) => type), ["chunk"]);
  workOn();
  once(begun); // all of them, while the first is still at its task
  busy.settle(task, { value: task.value });
  assertEquals(busy.begin(), undefined);
  assertEquals(await end(), range(COUNT));
});

for (const sharesMemory of [true, false]) {
  const where = sharesMemory ? "" : ", also where no memory is shared";
  test(`lanes that come free beside a slow task of a large chunk get more${where}`, async () => {
    const world = new FakeWorld({ workers: 1 }, {
      chunkMs: 0.01,
      sharesMemory,
    });
    const options = { concurrency: 3 };
    const inputs = range(50_000);
    const call = world.calls.map(same, inputs, options, stuckCall);
    await world.flush();
    const worker = world.worker(0).receiveAll();
    const first = worker.begin()!;
    worker.settle(first, { value: first.value });
    worker.deliverAll().receiveAll();
    // In each of two large chunks that it has, one task waits for long.
    const slow = new Map<number, FakeTask>();
    while (worker.canBegin) {
      const task = worker.begin()!;
      const chunk = worker.chunkOf(task);
      const waits = task.index > 1000 && slow.size < 2 && !slow.has(chunk);
      if (waits) slow.set(chunk, task);
      else worker.settle(task, { value: task.value });
      worker.deliverAll().receiveAll();
    }
    assertEquals(worker.canBegin, false);
    // Nothing is answered, but one lane has nothing to do.
    world.clock.advance(sharesMemory ? 10 : 50);
    if (!sharesMemory) worker.receiveAll().deliverAll(); // as it says when asked
    assert(worker.receiveAll().canBegin);
    for (const task of slow.values()) {
      worker.settle(task, { value: task.value });
    }
    const end = await world.finish(call);
    assertEquals(end, { status: "fulfilled", value: inputs });
    assertEquals(world.clock.timers, 0);
  });
}

test("a worker that is alone begins tasks in their order, however slow", async () => {
  for (const [each, at] of [[1, 0], [2, 1], [3, 0], [7, 3], [20, 0]]) {
    const world = new FakeWorld({ workers: 1 }, { chunkMs: 0.01 });
    const call = world.calls.map(same, range(COUNT), {}, stuckCall);
    await world.flush();
    const worker = world.worker(0).receiveAll();
    const begun: number[] = [];
    for (let steps = 0; steps < 10 * COUNT; steps++) {
      const task = worker.begin(); // none if it has just lost them
      if (task !== undefined) {
        begun.push(task.index);
        // So long that it loses what it has not begun.
        if (task.index % each === at) world.clock.advance(60);
        worker.settle(task, { value: task.value });
      }
      worker.deliverAll().receiveAll();
    }
    assertEquals(begun, range(COUNT));
    const value = range(COUNT);
    assertEquals(await world.finish(call), { status: "fulfilled", value });
  }
});

test("a clock that rounds does not keep it from that", async () => {
  assert(6.4 + 10 - 6.4 < 10);
  const { world, others: [idle], end } = await stuckCall({ at: 6.4 });
  world.clock.advance(10); // it would ring for ever
  world.clock.advance(1);
  assertEquals(idle.inbox.map(({ type }) => type), ["chunk"]);
  await world.finish(world.calls.close());
  await end().catch(() => {});
});

test("tasks that are taken over are tried one by one again", async () => {
  const { world, busy, others, begin, task, end } = await stuckCall({
    workers: 3,
  });
  world.clock.advance(10);
  const tasks = others.map((other) => begin(other.receiveAll())!);
  for (const [i, other] of others.entries()) {
    other.settle(tasks[i], { value: tasks[i].value });
    assertEquals(other.begin(), undefined); // it had one
  }
  busy.settle(task, { value: task.value });
  assertEquals(await end(), range(COUNT));
});

test("what a worker has on the way to it is not taken from it", async () => {
  const world = new FakeWorld({ workers: 2 }, { chunkMs: 0.01 });
  const call = world.calls.map(same, range(COUNT), {}, stuckCall);
  await world.flush();
  const [slow, idle] = world.backend.workers;
  const task = slow.receiveAll().begin()!;
  slow.settle(task, { value: task.value });
  slow.deliverAll().receiveAll(); // it has a large chunk, and begins none
  for (let i = 0; i < 9; i++) {
    idle.receiveAll();
    for (let task; (task = idle.begin());) {
      idle.settle(task, { value: task.value });
    }
    idle.deliverAll();
  }
  world.clock.advance(1000);
  assertEquals(idle.inbox, []);
  assert(slow.begin(true)); // from here on the others can be had
  world.clock.advance(10);
  assertEquals(idle.inbox.map(({ type }) => type), ["chunk"]);
  await world.finish(world.calls.close());
  await call.catch(() => {});
});

test("while nobody idles, tasks wait for 50 ms, and are then given back", async () => {
  const { world, busy, task, end } = await stuckCall({ workers: 1 });
  world.clock.advance(49);
  busy.settle(task, { value: task.value });
  const next = busy.begin(true)!;
  assertEquals(busy.outbox, []);
  world.clock.advance(1);
  busy.settle(next, { value: next.value });
  assertEquals(busy.begin(), undefined);
  assert(busy.outbox.length > 0); // what is done is told
  assertEquals(await end(), range(COUNT));
});

const KEPT: [string, Setup][] = [
  ["a chunk whose size was asked for", { options: { chunkSize: 7 } }],
  ["a chunk whose buffers were moved", {
    inputs: range(COUNT).map(() => new ArrayBuffer(8)),
    options: { transfer: true },
  }],
];
for (const [what, setup] of KEPT) {
  test(`${what} stays whole`, async () => {
    const { world, busy, others: [idle], task } = await stuckCall(setup);
    world.clock.advance(1000);
    assertEquals(idle.inbox, []);
    busy.settle(task, { value: task.value });
    assert(busy.begin());
    await world.finish(world.calls.close());
  });
}

test("a task that has no neighbours is asked nothing, however long it takes", async () => {
  for (const sharesMemory of [true, false]) {
    const world = new FakeWorld({ workers: 1 }, { sharesMemory });
    const call = world.calls.map(same, [0], {}, stuckCall);
    await world.flush();
    const worker = world.worker(0).receiveAll();
    const task = worker.begin(true)!;
    world.clock.advance(10_000);
    assertEquals(worker.inbox, []);
    worker.settle(task, { value: 0 });
    worker.deliverAll();
    assertEquals(await world.finish(call), { status: "fulfilled", value: [0] });
  }
});

test("without shared memory, the worker is asked once for what it has", async () => {
  const { world, busy, others: [idle], task, end } = await stuckCall({
    powers: { sharesMemory: false },
  });
  world.clock.advance(1000);
  assertEquals(busy.inbox.map(({ type }) => type), ["hurry"]);
  assertEquals(idle.inbox, []);
  busy.receiveAll(); // when its thread is free
  busy.settle(task, { value: task.value });
  assertEquals(busy.begin(), undefined);
  busy.deliverAll();
  assertEquals(idle.inbox.map(({ type }) => type), ["chunk"]);
  assertEquals(await end(), range(COUNT));
});

test("without shared memory, a task that waits keeps nothing behind it", async () => {
  const { world, busy, others: [idle], begun, workOn, end } = await stuckCall({
    powers: { sharesMemory: false },
  });
  world.clock.advance(10);
  busy.receiveAll().deliverAll(); // its thread is free, its task goes on
  assertEquals(idle.inbox.map(({ type }) => type), ["chunk"]);
  workOn();
  once(begun);
  busy.leave({ code: 1 });
  assertEquals((await end()).filter((one) => one === "lost").length, 1);
});

test("what is done beside tasks that wait is asked for once, and is not lost", async () => {
  for (const sharesMemory of [true, false]) {
    const world = new FakeWorld({ workers: 1 }, { sharesMemory });
    const seen: unknown[] = [];
    const options = { concurrency: 3, chunkSize: 3, ordered: false };
    const more = { ...options, retries: 1 };
    const read = (async () => {
      const stream = world.calls.stream(same, range(3), more, stuckCall);
      for await (const value of stream) seen.push(value);
    })();
    await world.flush();
    const worker = world.worker(0).receiveAll();
    const tasks = range(3).map(() => worker.begin()!);
    worker.settle(tasks[1], { value: 1 });
    worker.deliverAll();
    await world.flush();
    assertEquals(seen, []);
    world.clock.advance(1000);
    const asked = worker.inbox.filter(({ type }) => type === "hurry");
    assertEquals(asked.length, 1);
    worker.receiveAll().deliverAll();
    await world.flush();
    assertEquals(seen, [1]);
    worker.settle(tasks[2], { value: 2 }); // it is not asked again
    worker.deliverAll();
    await world.flush();
    assertEquals(seen, [1, 2]);
    worker.leave({ code: 1 }); // what was told is not begun again
    await world.flush();
    const next = world.worker(1).receiveAll();
    const again = next.begin()!;
    assertEquals([again.index, again.attempt], [0, 2]);
    assertEquals(next.begin(), undefined);
    next.settle(again, { value: 0 });
    next.deliverAll();
    await world.finish(read);
    assertEquals(seen, [1, 2, 0]);
  }
});

test("an answer to a part of a chunk that is none of it fails the chunk", async () => {
  for (
    const wrong of [
      { tasks: 99, waits: [0] },
      { tasks: -1, waits: [] },
      { tasks: 1.5, waits: [0, 1] },
      { tasks: 2, waits: [1, 7, -3, 0.5], values: [1, 2, 3] },
    ]
  ) {
    const world = new FakeWorld({ workers: 1 });
    const options = { chunkSize: 3 };
    const call = world.calls.mapSettled(same, range(3), options, stuckCall);
    await world.flush();
    const worker = world.worker(0).receiveAll();
    const task = worker.begin()!;
    const serial = worker.chunkOf(task);
    const { tasks, waits, values = [0] } = wrong;
    const packed = { as: "list" as const, values, encoded: [] };
    const said = { serial, tasks, waits, values: packed, ms: 0, bytes: 0 };
    worker.say({ type: "done", ...said });
    worker.deliver();
    for (let next = task; next; next = worker.begin()!) {
      worker.settle(next, { value: next.value });
    }
    worker.deliverAll();
    const end = await world.finish(call) as PromiseFulfilledResult<
      PromiseSettledResult<unknown>[]
    >;
    assertEquals(end.value[0].status, "rejected");
    assertEquals(end.value.length, 3);
  }
});

test("a worker that ends is to blame for its task, not for what it lost", async () => {
  const { world, busy, begun, task, workOn, end } = await stuckCall();
  world.clock.advance(10);
  workOn();
  once(begun);
  busy.leave({ code: 1 });
  assertEquals(
    await end(),
    range(COUNT).map((n) => n === task.index ? "lost" : n),
  );
});

test("a worker that was given up begins nothing when its loop ends", async () => {
  const { world, busy, task, end } = await stuckCall({
    powers: { stopsLoops: false },
    workers: 1,
  });
  const error = { value: "stray", errors: [] };
  busy.say({ type: "stray", error, at: [task.serial] });
  busy.deliver();
  assert(busy.ending);
  await warningsOf(() => {
    world.clock.advance(1000); // it is not gone
    world.clock.takeTurn();
  });
  busy.settle(task, { value: task.value });
  assertEquals(busy.begin(), undefined);
  assertEquals(world.backend.alive.length, 2); // the next one has its tasks
  assertEquals((await end()).filter((one) => one === "lost").length, 1);
});

test("a worker is not replaced for tasks that were taken from it", async () => {
  const { world, busy, task, end } = await stuckCall({
    maxTasksPerWorker: 30,
    workers: 1,
  });
  world.clock.advance(50);
  busy.settle(task, { value: task.value });
  busy.begin();
  busy.deliverAll();
  assert(!busy.ending); // it has begun two
  assertEquals(busy.inbox.map(({ type }) => type), ["hurry", "chunk"]);
  assertEquals(await end(), range(COUNT));
});

test("values that cannot be sent fail once, also among those taken over", async () => {
  const inputs: unknown[] = range(COUNT);
  for (let i = 2; i < COUNT; i += 2) inputs[i] = () => i;
  const { world, busy, task, workOn, end } = await stuckCall({ inputs });
  world.clock.advance(10);
  workOn();
  busy.settle(task, { value: task.value });
  assertEquals(
    await end(),
    range(COUNT).map((n) => n > 0 && n % 2 === 0 ? "lost" : n),
  );
});

test("a message that was lost when its tasks were taken back is no task's fault", async () => {
  const { world, busy, workOn, end } = await stuckCall();
  world.clock.advance(10);
  workOn();
  busy.say({ type: "unreadable" }); // its second chunk, of which nothing is left
  busy.deliverAll();
  assert(busy.ending); // nobody knows which
  busy.leave();
  assertEquals(await end(), range(COUNT));
});

test("a reader that pauses gets all that bufferSize allows, by weight too", async () => {
  for (const weight of [undefined, (n: unknown) => n === 0 ? 1000 : 1]) {
    for (const ordered of [true, false]) {
      const world = new FakeWorld({ workers: 1 }, { chunkMs: 0.01 });
      const options = { bufferSize: 20, ordered, weight, retries: 1 };
      const inputs = (function* () {
        yield* range(COUNT);
      })();
      const stream = world.calls.stream(same, inputs, options, stuckCall);
      const asked = stream.next();
      await world.flush();
      const worker = world.worker(0);
      const done = new Set<number>();
      for (let step = 0; step < 10 * COUNT; step++) {
        const task = worker.deliverAll().receiveAll().begin();
        if (task === undefined) continue;
        if (step % 3 === 0) world.clock.advance(60); // the rest comes back
        const fails = task.index > 5 && task.attempt === 1;
        if (!fails) done.add(task.index);
        worker.settle(task, fails ? { error: "once" } : { value: task.value });
      }
      await asked;
      worker.deliverAll().receiveAll();
      assert(done.size >= 20, `${done.size}`); // and the reader waits for them
      await stream.return(undefined);
      await world.finish(world.calls.close());
    }
  }
});

test("tasks that come back wait for the reader of a stream", async () => {
  for (
    const options of [
      { ordered: true },
      { ordered: false },
      { ordered: false, weight: () => 1 },
    ]
  ) {
    const world = new FakeWorld({ workers: 1 }, { chunkMs: 0.01 });
    let given = 0;
    const inputs = (function* () {
      for (;; given++) yield given;
    })();
    const stream = world.calls.stream(same, inputs, options, stuckCall);
    const asked = stream.next();
    await world.flush();
    let begun = 0;
    /** Does up to so many tasks, each in so many ms. */
    const work = (most: number, ms: number) => {
      const worker = world.worker(0);
      for (const until = begun + most; begun < until; begun++) {
        const task = worker.deliverAll().receiveAll().begin() ??
          worker.deliverAll().receiveAll().begin(); // its rest was taken back
        if (task === undefined) return;
        world.clock.advance(ms);
        worker.settle(task, { value: task.value });
      }
    };
    work(5000, 0); // so that much is read ahead
    const seen = new Set([(await asked).value]);
    const [ahead, before] = [given - begun, begun];
    assert(ahead > 1000, `${ahead}`);
    work(ahead, 60); // what is left of it comes back
    const held = begun;
    assert(held - before < 100, `${held - before} of ${ahead}`);
    for (let read = 1; read < begun; read++) {
      const { done, value } = await stream.next();
      assert(!done && seen.add(value).size === read + 1); // none comes twice
      if (!("weight" in options)) assertEquals(value, read);
    }
    work(1000, 0);
    assert(begun > held); // there is room again
    await stream.return(undefined);
    await world.finish(world.calls.close());
  }
});

test("inputs that were weighed, and not sent, wait for the reader too", async () => {
  const world = new FakeWorld({ workers: 1 }, { chunkMs: 0.01 });
  const options = { ordered: false, weight: () => 1 };
  const inputs = range(60_000);
  const stream = world.calls.stream(same, inputs, options, stuckCall);
  let reads = true;
  const reading = (async () => {
    while (reads) await stream.next();
  })();
  await world.flush();
  const worker = world.worker(0);
  let begun = 0;
  const work = async (most: number) => {
    for (let idle = 0; idle < 3 && begun < most;) {
      const task = worker.deliverAll().receiveAll().begin();
      if (task === undefined) {
        idle++;
        await world.flush();
        continue;
      }
      idle = 0;
      begun++;
      worker.settle(task, { value: task.value });
    }
  };
  await work(3000);
  reads = false;
  await reading;
  worker.chunkMs = 4000; // from here on chunks are of one task
  const before = begun;
  await work(Infinity);
  assert(begun - before < 20_000, `${begun - before}`);
  await stream.return(undefined);
  await world.finish(world.calls.close());
});
