// Which inputs go next: by their weights, as tables without a worker; then how
// the engine takes them, with workers and a clock that are fakes.
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { parallelMap, parallelMapStream, type Progress } from "../mod.ts";
import { openSource } from "../src/core/engine/inputs.ts";
import { ListSink } from "../src/core/engine/sink.ts";
import { StreamSink } from "../src/core/engine/stream.ts";
import { fitting, InputsByWeight } from "../src/core/engine/weighing.ts";
import { FakeClock, FakeWorld } from "./fakes.ts";
import { test } from "./harness.ts";
import { seeded } from "./seeded.ts";

const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const same = (value: unknown) => value;

interface Setup {
  chunkSize?: number;
  workers?: number;
  sink?: ListSink | StreamSink;
  weight?: (value: never) => number;
}

/** Numbers that weigh themselves. */
function weigh(
  numbers: Iterable<number>,
  { chunkSize, workers = 1, weight = same as () => number, ...more }: Setup =
    {},
) {
  const source = openSource(numbers, () => {}, new FakeClock(), false);
  const sink = more.sink ?? new ListSink(source.total);
  const inputs = new InputsByWeight(source, {
    weight,
    sink,
    workers,
    chunkSize,
  });
  return {
    inputs,
    /** Takes the next ones. */
    take(size = 1, most = Infinity): number[] | undefined {
      const taken = inputs.take(size, most);
      return taken && Array.from(taken.values as number[]);
    },
    /** Takes all, each time what weighs so much beside the mean. */
    all(size = 1, most = Infinity): number[][] {
      const all: number[][] = [];
      for (let next; (next = this.take(size, most)) !== undefined;) {
        if (next.length === 0) throw new Error("nothing is there");
        all.push(next);
      }
      return all;
    },
  };
}

test("the heaviest goes first, of equal ones the first", () => {
  assertEquals(weigh([3, 9, 1, 9, 4]).all(0).map(([n]) => n), [9, 9, 4, 3, 1]);
  const { inputs } = weigh([5, 5, 5]);
  assertEquals(range(3).map(() => inputs.take(0, 9)!.first), [0, 1, 2]);
});

test("what is taken is consecutive, and cut by weight", () => {
  const numbers = [1, 1, 1, 20, 1, 1, 1, 1, 3, 1]; // the mean is 3.1
  // the 20 alone; from the 3 on what comes after it; the others before them
  assertEquals(weigh(numbers).all(4 / 3.1), [[20], [3, 1], [1, 1, 1], [
    1,
    1,
    1,
    1,
  ]]);
  for (const size of [0, 0.5, 1, 3, 100]) {
    for (const workers of [1, 4, 64]) {
      const { inputs } = weigh(numbers, { workers });
      const seen: [number, unknown][] = [];
      for (let some; (some = inputs.take(size, Infinity)) !== undefined;) {
        for (let i = 0; i < some.values.length; i++) {
          seen.push([some.first + i, some.values[i]]);
          assertEquals(some.weights![i], numbers[some.first + i] / 3.1);
        }
      }
      seen.sort(([a], [b]) => a - b);
      assertEquals(seen, numbers.map((n, i) => [i, n]));
    }
  }
});

test("light ones go together, in as few chunks as without weights", () => {
  const numbers = range(10_000).map((n) => 1 + (n * 7919) % 10);
  const chunks = weigh(numbers, { workers: 2 }).all(500);
  assert(chunks.length < 40, `${chunks.length} chunks`);
  assertEquals(chunks.flat().length, 10_000);
});

test("inputs that weigh nothing are many in a chunk, not endlessly many", () => {
  assertEquals(weigh(range(1000).map(() => 0)).all(11)[0].length, 1000);
  const some = weigh([...range(1000).map(() => 0), 1000]).all(1.005);
  assertEquals(some[0], [1000]);
  assertEquals(some[1].length, 100);
  assertEquals(weigh([0, 0, 0]).all(0), [[0], [0], [0]]);
});

test("no more are taken than a worker may still have", () => {
  const chunks = weigh(range(100).map(() => 1)).all(50, 7);
  assert(chunks.every(({ length }) => length <= 7));
  assertEquals(chunks.flat().length, 100);
});

test("with chunkSize, so many go together, the heaviest of them first", () => {
  const chunks = weigh([1, 1, 5, 5, 3, 3, 9], { chunkSize: 2 }).all(1e9);
  assertEquals(chunks, [[5, 5], [9], [3, 3], [1, 1]]);
});

test("of an endless source, 1024 are read ahead", () => {
  let read = 0;
  function* numbers() {
    for (;;) yield read++ % 5000;
  }
  const { take, inputs } = weigh(numbers(), { chunkSize: 1 });
  assertEquals(take(0), [1023]);
  assertEquals(read, 1024);
  assertEquals(
    range(127).map(() => take(0)![0]),
    range(1023).reverse().slice(0, 127),
  );
  assertEquals(read, 1024);
  assertEquals(take(0), [1151]); // 128 more
  assertEquals(read, 1152);
  assertEquals([inputs.weight, inputs.weightLeft], [undefined, undefined]);
});

test("a stream reads no further than it may", () => {
  let read = 0;
  function* numbers() {
    for (;;) yield read++;
  }
  const sink = new StreamSink(() => 2, { bufferSize: 10 });
  const { take } = weigh(numbers(), { sink });
  assertEquals(range(10).map(() => take(0)![0]), range(10).reverse());
  assertEquals(take(0), []);
  assertEquals(read, 10);
});

test("what all weigh is known where their number is", () => {
  const { inputs, take } = weigh([1, 2, 3]); // the mean is 2
  assertEquals([inputs.weight, inputs.weightLeft], [3, 3]);
  take(0);
  assertEquals([inputs.weight, inputs.weightLeft], [3, 1.5]);
});

test("a weight that throws is told, and the source is closed", () => {
  const mine = new Error("mine");
  let closed = 0;
  function* numbers() {
    try {
      for (const n of range(9)) yield n;
    } finally {
      closed++;
    }
  }
  const weight = (n: number) => {
    if (n === 5) throw mine;
    return n;
  };
  const told = (sink: ListSink | StreamSink) => {
    const given: number[] = [];
    const { take } = weigh(numbers(), { sink, weight });
    try {
      for (let next; (next = take(0)) !== undefined;) given.push(...next);
    } catch (error) {
      assertStrictEquals(error, mine);
      return given;
    }
    throw new Error("nothing was told");
  };
  assertEquals(told(new ListSink(undefined)), []); // at once
  const sink = new StreamSink(() => 2, { bufferSize: 100 });
  assertEquals(told(sink), [4, 3, 2, 1, 0]); // in its turn
  assertEquals(closed, 2);
});

test("how many tasks fit, by what they weigh", () => {
  assertEquals(fitting([5, 1, 1], 0), 1);
  assertEquals(fitting([1, 1, 1], 2), 2);
  assertEquals(fitting([1, 1, 1], 9), 3);
});

test("weight: one that is wrong starts no worker", async () => {
  const world = new FakeWorld({ workers: 2 });
  const call = world.calls.map(
    same,
    [1, 2, -3],
    { weight: same as never },
    test,
  );
  const { status } = await world.finish(call);
  assertEquals(status, "rejected");
  assertEquals(world.backend.workers, []);
});

test("weight: the two heaviest are begun first, by two workers", async () => {
  const world = new FakeWorld({ workers: 2 });
  const inputs = [1, 1, 1, 50, 1, 1, 60, 1];
  const call = world.calls.map(same, inputs, { weight: same as never }, test);
  await world.flush();
  const begun = world.backend.workers.map((w) => w.receiveAll().begin()!.value);
  assertEquals(begun, [60, 50]);
  for (const worker of world.backend.workers) {
    const [task] = worker.lanes;
    worker.settle(task!, { value: task!.value });
  }
  assertEquals(await world.finish(call), {
    status: "fulfilled",
    value: inputs,
  });
});

test("weight: onProgress estimates by weight", async () => {
  const world = new FakeWorld({ workers: 1 });
  const told: Progress[] = [];
  const inputs = [10, 10, 60, 20];
  const call = world.calls.map(same, inputs, {
    chunkSize: 1,
    weight: same as never,
    onProgress: (progress: Progress) => told.push(progress),
  }, test);
  await world.flush();
  const worker = world.worker(0);
  for (const expected of [60, 20, 10]) {
    const task = worker.receiveAll().begin()!;
    assertEquals(task.value, expected);
    world.clock.pass(expected);
    worker.settle(task, { value: task.value });
    worker.deliverAll();
  }
  assertEquals(
    told.map(({ done, eta }) => [done, eta && Math.round(eta)]),
    [[0, undefined], [1, 40], [2, 20], [3, 10]],
  );
  await world.finish(call);
  assertEquals(told.at(-1)!.eta, 0);
});

test("of equal weights, as many go as their weight says", () => {
  for (const count of [6, 10, 49]) {
    const same = Array.from({ length: count }, () => 1);
    const sizes = weigh(same, { workers: 1, chunkSize: undefined }).all(4)
      .map(({ length }) => length);
    assertEquals(
      sizes.slice(0, -1).filter((size) => size !== 4),
      [],
      `${sizes}`,
    );
  }
});

test("weights whose sum is no number any more keep their order", () => {
  const most = Number.MAX_VALUE;
  const weights = [1, most, most / 2, most];
  const weight = (n: number) => weights[n]!;
  const taken = weigh([0, 1, 2, 3], { chunkSize: 1, weight }).all(0);
  assertEquals(taken, [[1], [3], [2], [0]]);
});

test("a stream ends whatever its inputs weigh, and says when", async () => {
  const random = seeded(20);
  const kinds = [0, 1e-300, 1, 1e15, 1e300, Number.MAX_VALUE];
  for (let round = 0; round < 20; round++) {
    const usual = kinds[Math.floor(random() * kinds.length)]!;
    const odd = Array.from(
      { length: 1 + random() * 3 },
      () => Math.floor(random() * 2000),
    );
    const heavy = kinds[Math.floor(random() * kinds.length)]!;
    const label = `${odd} of ${heavy}, the others of ${usual}`;
    const etas: (number | undefined)[] = [];
    const outcomes = parallelMapStream(same, range(2000), {
      workers: 0,
      weight: (n: number) => odd.includes(n) ? heavy : usual,
      onProgress: ({ eta }) => void etas.push(eta),
    });
    const seen: unknown[] = [];
    for await (const value of outcomes) seen.push(value);
    assertEquals(seen, range(2000), label);
    assertEquals(etas.filter((eta) => Number.isNaN(eta)), [], label);
    assertEquals(etas.at(-1), 0, label);
  }
});

test("nothing is weighed after the end of its run", async () => {
  const abort = new AbortController();
  let weighed = 0;
  const weight = () => {
    weighed++;
    abort.abort("enough");
    return 1;
  };
  const options = { weight, signal: abort.signal };
  const reason = await parallelMap(same, range(1000), options)
    .catch((reason) => reason);
  assertEquals([reason, weighed], ["enough", 1]);
});
