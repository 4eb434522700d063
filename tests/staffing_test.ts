// When one more worker is started.
import { assertEquals } from "@std/assert";
import { Paces } from "../src/core/engine/paces.ts";
import { type Staff, waitToStart } from "../src/core/engine/staffing.ts";
import { FakeWorld } from "./fakes.ts";
import { test } from "./harness.ts";

const CASES: [title: string, staff: Staff, ms: number][] = [
  ["the first is started at once", about(0, 0, 1), 0],
  ["a start that does not block is free", free(about(3, 0, undefined)), 0],
  ["it is, unless little is left for sure", free(about(3, 0, 15)), 15],
  ["more than little is left", free(about(3, 0, 15.1)), 0],
  ["little is left, and none is ready", free(about(1, 90, 1, "start")), 110],
  ["nothing is left that is free", free(about(3, 0, 0)), Infinity],
  ["none is ready yet", about(1, 0, undefined, "start"), 30],
  ["none is ready 10 ms later", about(1, 10, undefined, "start"), 20],
  ["none gets ready, as one that loads much", about(1, 30, 1, "start"), 0],
  ["one is ready", about(1, 0, undefined, "ready"), 5],
  ["tasks sleep", about(1, 5, undefined, "ready"), 0],
  ["nothing is left", about(1, 100, 0), Infinity],
  ["eight trivial tasks", about(1, 0, 0.5), 15],
  ["much is left", about(1, 0, 16), 0],
  ["much is left, for many", about(10, 0, 140), 15],
  ["it is endless", about(63, 0, Infinity), 0],
  ["little is left, but nobody answers", about(2, 25, 1), 0],
  ["little is left, as often before", { ...about(2, 0, 1), earlier: 11 }, 0],
  ["as seldom before", { ...about(2, 0, 1), earlier: 9 }, 15],
  ["nothing is left, as before", { ...about(1, 0, 0), earlier: 99 }, Infinity],
];

function about(
  up: number,
  quiet: number,
  msLeft: number | undefined,
  last: Staff["last"] = "answer",
): Staff {
  return { up, blocks: true, last, quiet, msLeft, earlier: 0 };
}

function free(staff: Staff): Staff {
  return { ...staff, blocks: false };
}

for (const [title, staff, ms] of CASES) {
  test(`waitToStart(): ${title}`, () => assertEquals(waitToStart(staff), ms));
}

const blocking = { startBlocks: true, startMs: 20 };

test("one worker is enough for what it does in a moment", async () => {
  const world = new FakeWorld({ workers: 4 }, blocking);
  const results = world.calls.map((n: number) => n, [1, 2, 3, 4, 5], {}, test);
  assertEquals(await world.finish(results), {
    status: "fulfilled",
    value: [1, 2, 3, 4, 5],
  });
  assertEquals(world.backend.workers.length, 1);
  assertEquals(world.clock.timers, 0);
  await world.finish(world.calls.close());
});

test("the first task of a function says too little to start another worker", async () => {
  const world = new FakeWorld({ workers: 2 }, blocking);
  const inputs = Array.from({ length: 1000 }, (_, i) => i);
  const results = world.calls.map((n: number) => n, inputs, {}, test);
  const worker = world.worker(0);
  let tasks = 0;
  async function settle(count: number) {
    for (let i = 0; i < count; i++) {
      worker.receiveAll();
      const task = worker.begin()!;
      world.clock.advance(0.25);
      worker.settle(task, { value: ++tasks });
      worker.deliverAll();
      await world.flush();
      if (world.clock.turns > 0) world.clock.takeTurn();
    }
  }
  await settle(1); // by which 250 ms of work are left, if all were like it
  assertEquals(world.backend.workers.length, 1);
  await settle(32);
  assertEquals(world.backend.workers.length, 2);
  assertEquals((await world.finish(results)).status, "fulfilled");
  await world.finish(world.calls.close());
});

test("when a worker that is ready is silent, all are started", async () => {
  const world = new FakeWorld({ workers: 4 }, blocking);
  const results = world.calls.map((n: number) => n, [1, 2, 3, 4], {}, test);
  world.clock.takeTurn();
  world.clock.advance(9); // it loads
  world.worker(0).receiveAll();
  world.worker(0).deliverAll();
  const task = world.worker(0).begin()!;
  await world.flush();
  world.clock.takeTurn();
  assertEquals(world.backend.workers.length, 1);
  world.clock.advance(4);
  assertEquals(world.backend.workers.length, 1);
  world.clock.advance(1);
  assertEquals(world.backend.workers.length, 2);
  for (const started of [3, 4]) {
    world.clock.takeTurn(); // one a turn
    assertEquals(world.backend.workers.length, started);
  }
  world.worker(0).settle(task, { value: 1 });
  world.worker(0).deliverAll();
  assertEquals((await world.finish(results)).status, "fulfilled");
  await world.finish(world.calls.close());
});

test("when a worker does not get ready, another is started", async () => {
  const world = new FakeWorld({ workers: 2 }, blocking);
  const results = world.calls.map((n: number) => n, [1, 2], {}, test);
  world.clock.takeTurn();
  world.clock.advance(29);
  assertEquals(world.backend.workers.length, 1);
  world.clock.advance(1);
  assertEquals(world.backend.workers.length, 2);
  assertEquals((await world.finish(results)).status, "fulfilled");
  await world.finish(world.calls.close());
});

test("of a function that another pool knows, few short tasks start one worker", async () => {
  const paces = new Paces();
  const inputs = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  const short = { chunkMs: 0.1 };
  /** Makes a call, whose first task takes so many ms; tells of the workers. */
  async function call(ms: number): Promise<[before: number, after: number]> {
    const world = new FakeWorld({ workers: 4 }, short, false, paces);
    const results = world.calls.map((n: number) => n, inputs, {}, test);
    const { workers } = world.backend;
    const before = workers.length;
    workers[0].receiveAll();
    workers[0].deliverAll(); // it is ready
    const task = workers[0].begin()!;
    world.clock.advance(ms);
    const after = workers.length;
    workers[0].settle(task, { value: 1 });
    workers[0].deliverAll();
    assertEquals((await world.finish(results)).status, "fulfilled");
    await world.finish(world.calls.close());
    return [before, after];
  }
  assertEquals(await call(0.1), [4, 4]); // nothing is known
  assertEquals(await call(0.1), [1, 1]);
  assertEquals(await call(5), [1, 4]); // they are longer now
});

test("a pool at rest does not grow for a short call", async () => {
  const world = new FakeWorld({ workers: 2 }, blocking);
  const first = world.calls.map((n: number) => n, [1], {}, test);
  assertEquals((await world.finish(first)).status, "fulfilled");
  world.clock.advance(10_000);
  const second = world.calls.map((n: number) => n, [1, 2], {}, test);
  world.clock.takeTurn();
  assertEquals(world.backend.workers.length, 1);
  assertEquals((await world.finish(second)).status, "fulfilled");
  assertEquals(world.backend.workers.length, 1);
  await world.finish(world.calls.close());
});

for (const options of [{ chunkSize: 1 }, { transfer: true }, {}]) {
  const alone = Object.keys(options).length > 0;
  const name = alone ? `with ${Object.keys(options)}, no task` : "a task";
  test(`while a worker might soon be started, ${name} waits behind another`, async () => {
    const world = new FakeWorld({ workers: 3 }, blocking);
    const results = world.calls.map((n: number) => n, [1, 2, 3], options, test);
    const [first] = world.backend.workers;
    first.receiveAll();
    const short = first.begin()!;
    world.clock.advance(3);
    first.settle(short, { value: 1 });
    first.deliverAll(); // no second worker pays as yet
    first.receiveAll();
    const long = first.begin()!;
    world.clock.takeTurn();
    assertEquals(first.inbox.length, alone ? 0 : 1);
    world.clock.advance(15);
    // For the third task, unless that can be taken back from the first worker.
    assertEquals(world.backend.workers.length, alone ? 2 : 1);
    first.settle(long, { value: 2 });
    first.deliverAll();
    assertEquals(await world.finish(results), {
      status: "fulfilled",
      value: [1, 2, 3],
    });
    await world.finish(world.calls.close());
  });
}
