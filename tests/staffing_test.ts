// When one more worker is started.
import { assertEquals } from "@std/assert";
import { type Staff, waitToStart } from "../src/core/engine/staffing.ts";
import { FakeWorld } from "./fakes.ts";
import { test } from "./harness.ts";

const CASES: [title: string, staff: Staff, ms: number][] = [
  ["the first is started at once", about(0, 0, 1), 0],
  ["a start that does not block is free", {
    ...about(3, 0, 0.1),
    blocks: false,
  }, 0],
  ["nothing is known yet", about(1, 0, undefined), 15],
  ["nothing is known 10 ms later", about(1, 10, undefined), 5],
  ["tasks sleep", about(1, 15, undefined), 0],
  ["nothing is left", about(1, 100, 0), Infinity],
  ["eight trivial tasks", about(1, 0, 0.5), 15],
  ["much is left", about(1, 0, 16), 0],
  ["much is left, for many", about(10, 0, 140), 15],
  ["it is endless", about(63, 0, Infinity), 0],
  ["little is left, but nobody answers", about(2, 25, 1), 0],
];

function about(up: number, quiet: number, left: number | undefined): Staff {
  return { up, blocks: true, quiet, left };
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

test("when a worker is silent for as long as a start takes, all are started", async () => {
  const world = new FakeWorld({ workers: 4 }, blocking);
  const results = world.calls.map((n: number) => n, [1, 2, 3, 4], {}, test);
  world.worker(0).receiveAll();
  const task = world.worker(0).begin()!;
  await world.flush();
  world.clock.takeTurn();
  assertEquals(world.backend.workers.length, 1);
  world.clock.advance(14);
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

test("while a worker might soon be started, no task waits behind another", async () => {
  const world = new FakeWorld({ workers: 3 }, blocking);
  const options = { chunkSize: 1 };
  const results = world.calls.map((n: number) => n, [1, 2, 3], options, test);
  const [first] = world.backend.workers;
  first.receiveAll();
  first.settle(first.begin()!, { value: 1 });
  first.deliverAll(); // in a moment: no second worker pays as yet
  first.receiveAll();
  const long = first.begin()!;
  assertEquals(first.canBegin, false);
  world.clock.takeTurn();
  world.clock.advance(15);
  assertEquals(world.backend.workers.length, 2); // for the third task
  first.settle(long, { value: 2 });
  first.deliverAll();
  assertEquals(await world.finish(results), {
    status: "fulfilled",
    value: [1, 2, 3],
  });
  await world.finish(world.calls.close());
});
