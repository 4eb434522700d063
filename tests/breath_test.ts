// Whether the caller's timers have their turn while answers come without end.
import { assert, assertEquals } from "@std/assert";
import { type Inputs, parallelMap } from "../mod.ts";
import { Breath } from "../src/core/engine/breath.ts";
import { VainSends } from "../src/core/engine/vain_sends.ts";
import { FakeClock, FakeWorld } from "./fakes.ts";
import { test } from "./harness.ts";

test("Breath holds while a timer does not come", async () => {
  const clock = new FakeClock();
  let told = 0;
  const breath = new Breath(clock, () => told++);
  const after = async (ms: number) => {
    await undefined; // another turn
    clock.pass(ms);
    return [breath.holds, clock.timers];
  };
  assertEquals(await after(0), [false, 0]);
  assertEquals(await after(99), [false, 0]); // a short call has no timer
  assertEquals(await after(1), [false, 1]);
  assertEquals(await after(25), [false, 1]);
  assertEquals(await after(1), [true, 1]);
  clock.ring();
  assertEquals([told, breath.holds, clock.timers], [1, false, 0]);
  assertEquals(await after(100), [false, 1]);
  clock.ring(); // in time: nobody waits for it
  assertEquals([told, breath.holds, clock.timers], [1, false, 0]);
});

test("Breath holds nothing in the turn in which it looks", async () => {
  const clock = new FakeClock();
  const breath = new Breath(clock, () => {});
  clock.pass(100);
  assertEquals([breath.holds, clock.timers], [false, 1]);
  clock.pass(1000); // another program had the core
  assertEquals(breath.holds, false);
  await undefined;
  assertEquals(breath.holds, true);
});

test("VainSends holds for a turn, once nothing could be sent for long", () => {
  const clock = new FakeClock();
  let told = 0;
  const vain = new VainSends(clock, () => told++);
  for (let i = 0; i < 10; i++) {
    vain.note();
    assertEquals([vain.hold, clock.turns], [false, 0]);
    clock.pass(1);
  }
  vain.note();
  vain.note();
  assertEquals([vain.hold, clock.turns, told], [true, 1, 0]);
  clock.takeTurn();
  assertEquals([vain.hold, clock.turns, told], [false, 0, 1]);
  vain.note();
  assertEquals(vain.hold, false);
});

test("Breath keeps no timer once there is nothing to send", async () => {
  const clock = new FakeClock();
  const breath = new Breath(clock, () => {});
  clock.pass(100);
  assertEquals([breath.holds, clock.timers], [false, 1]);
  await undefined;
  clock.pass(50);
  assert(breath.holds);
  breath.rest();
  assertEquals([breath.holds, clock.timers], [false, 0]);
});

test("where timers come late, as in a hidden page, all is sent", async () => {
  const world = new FakeWorld({ workers: 1 }, { delaysTimers: true });
  const inputs = Array.from({ length: 100 }, (_, i) => i);
  const options = { chunkSize: 1 };
  const results = world.calls.map((n: number) => n, inputs, options, test);
  const worker = world.worker(0);
  for (const input of inputs) {
    worker.receiveAll();
    world.clock.pass(5);
    worker.settle(worker.begin()!, { value: input });
    worker.deliverAll();
    await world.flush();
  }
  assertEquals(await world.finish(results), {
    status: "fulfilled",
    value: inputs,
  });
  await world.finish(world.calls.close());
});

test("nothing is sent while the caller's timers do not come", async () => {
  const world = new FakeWorld({ workers: 1 });
  const inputs = Array.from({ length: 100 }, (_, i) => i);
  const options = { chunkSize: 1 };
  const results = world.calls.map((n: number) => n, inputs, options, test);
  const worker = world.worker(0);
  let rang = false;
  world.clock.after(0, () => rang = true);
  /** Answers come, one after another, and no timer does. */
  async function answer(): Promise<boolean> {
    worker.receiveAll();
    const task = worker.begin();
    if (task === undefined) return false;
    world.clock.pass(5);
    worker.settle(task, { value: task.value });
    worker.deliverAll();
    await world.flush();
    return true;
  }
  let answers = 0;
  while (await answer()) answers++;
  assert(answers > 10 && answers < 40, `${answers}`);
  assertEquals(rang, false);
  while (!rang) world.clock.ring();
  world.clock.advance(0);
  assertEquals(await world.finish(results), {
    status: "fulfilled",
    value: inputs,
  });
  assertEquals(world.clock.timers, 0);
  await world.finish(world.calls.close());
});

/** Computes for so many ms. */
function compute(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

const COUNT = 20_000;

/** Inputs that come without a pause, each of which may take a ms. */
const BUSY: Record<string, (began: () => void) => Inputs<unknown>> = {
  async *"an async source that computes"(began) {
    for (let i = 0; i < COUNT; i++) {
      began();
      compute(1);
      yield i;
    }
  },
  "a list of what begins when it is awaited": (began) =>
    Array.from({ length: COUNT }, (_, i) => ({
      then(resolve: (value: number) => void) {
        began();
        compute(1);
        resolve(i);
      },
    })),
  *"a source that computes"(began) {
    for (let i = 0; i < COUNT; i++) {
      began();
      compute(1);
      yield i;
    }
  },
};

for (const [title, make] of Object.entries(BUSY)) {
  test(`a timer comes while inputs are read: ${title}`, async () => {
    const abort = new AbortController();
    let reads = 0;
    const inputs = make(() => {
      if (reads++ === 0) setTimeout(() => abort.abort("enough"), 0);
    });
    const options = { workers: 1, chunkSize: COUNT, signal: abort.signal };
    const reason = await parallelMap((n: unknown) => n, inputs, options)
      .catch((reason) => reason);
    assertEquals(reason, "enough");
    assert(reads < COUNT / 2, `${reads}`);
  });
}

test("of thousands of tasks beside each other, some are sent in each turn", async () => {
  const world = new FakeWorld({ workers: 1 });
  const inputs = Array.from({ length: 1000 }, (_, i) => i);
  let sent = 0;
  const options = {
    concurrency: 1000,
    chunkSize: 1,
    onEvent: ({ type }: { type: string }) => {
      if (type === "chunk-send") sent++;
    },
  };
  const results = world.calls.map((n: number) => n, inputs, options, test);
  results.catch(() => {});
  await world.flush();
  const turns = [sent];
  while (world.clock.turns > 0) {
    world.clock.takeTurn();
    turns.push(sent);
  }
  assert(turns[0]! < 300, `${turns}`);
  assertEquals(turns.at(-1), 1000);
  await world.finish(world.calls.close());
});
