import { assert, assertEquals, assertGreater } from "@std/assert";
import { ChunkSizer, type Pace } from "../src/core/engine/chunking.ts";
import { Paces } from "../src/core/engine/paces.ts";
import type { FunctionRef } from "../src/core/wire/function_ref.ts";
import { test } from "./harness.ts";

/** Sizes of the chunks a run of equal tasks would get. */
function sizes(
  { tasks, msPerTask, bytesPerTask = 8, workers = 2, known = true }: {
    tasks: number;
    msPerTask: number;
    bytesPerTask?: number;
    workers?: number;
    known?: boolean;
  },
): number[] {
  const sizer = new ChunkSizer(undefined, workers);
  const all: number[] = [];
  for (let left = tasks; left > 0;) {
    const size = Math.min(left, sizer.next(known ? left : undefined));
    all.push(size);
    left -= size;
    sizer.learn(size, size * msPerTask, size * bytesPerTask);
  }
  return all;
}

test("the first chunks have one task", () => {
  const sizer = new ChunkSizer(undefined, 5);
  for (let i = 0; i < 10; i++) assertEquals(sizer.next(10), 1);
});

test("chunks grow by doubling at most", () => {
  const all = sizes({ tasks: 1000, msPerTask: 1.2 });
  assertEquals(all.slice(0, 3), [1, 2, 4]);
  assert(all.every((size, i) => i === 0 || size <= 2 * all[i - 1]));
});

test("chunks grow faster while they take next to no time", () => {
  const all = sizes({ tasks: 100_000, msPerTask: 0.0001 });
  assertEquals(all.slice(0, 3), [1, 16, 256]);
  assert(all.every((size, i) => i === 0 || size <= 16 * all[i - 1]));
});

test("tasks take some time, also where the clock saw none", () => {
  const sizer = new ChunkSizer(1, 2, { msPerTask: 0, bytesPerTask: 8 });
  assertGreater(sizer.msPerTask!, 0); // else nothing would seem to be left
});

test("of tasks that become faster, the last chunk is believed", () => {
  const pace: Pace = { msPerTask: undefined, bytesPerTask: 0 };
  const sizer = new ChunkSizer(undefined, 2, pace);
  sizer.learn(1, 0.03, 8); // code that was never run
  assertEquals(sizer.next(undefined), 16);
  sizer.learn(16, 0.016, 128);
  assertEquals(pace.msPerTask, 0.001);
  assertEquals(sizer.next(undefined), 256);
  sizer.learn(1, 0.0005, 8); // one lucky task says less
  assertEquals(pace.msPerTask, 0.00075);
  sizer.learn(256, 256 * 0.003, 2048);
  assertEquals(pace.msPerTask, 0.001875);
});

test("no worker is started for what next to nothing is known of", () => {
  const pace: Pace = { msPerTask: undefined, bytesPerTask: 0 };
  const sizer = new ChunkSizer(undefined, 2, pace);
  assertEquals(sizer.msPerTask, undefined);
  sizer.learn(1, 0.03, 8);
  assertEquals(sizer.msPerTask, undefined);
  sizer.learn(1, 4.97, 8);
  assertEquals(sizer.msPerTask, 2.5);
  assertEquals(new ChunkSizer(undefined, 2, pace).msPerTask, 2.5);
});

test("tasks as long as a message is short travel alone", () => {
  assert(sizes({ tasks: 200, msPerTask: 100 }).every((size) => size === 1));
});

test("a chunk takes about five milliseconds", () => {
  const all = sizes({ tasks: 100_000, msPerTask: 0.05, known: false });
  assertEquals(Math.max(...all), 100);
});

test("chunks shrink towards a known end", () => {
  const all = sizes({ tasks: 10_000, msPerTask: 0.05 });
  const last = all.slice(-12);
  assert(last.every((size, i) => i === 0 || size <= last[i - 1]));
  // Not below half a millisecond, but for the very last one.
  assert(all.slice(5, -1).every((size) => size >= 10), `${all}`);
});

test("with many workers, no chunk is shorter than it takes to feed all", () => {
  const few = sizes({ tasks: 300_000, msPerTask: 0.02, workers: 12 });
  assertEquals(Math.min(...few.slice(5, -1)), 25); // 0.5 ms
  const many = sizes({ tasks: 300_000, msPerTask: 0.02, workers: 64 });
  assertEquals(Math.min(...many.slice(5, -1)), 127); // 64 times 0.04 ms, less 1
  assertEquals(Math.max(...many), 250); // 5 ms, as with few
  const most = sizes({ tasks: 1e6, msPerTask: 0.02, workers: 256 });
  assertEquals(Math.max(...most), 512); // 256 times 0.04 ms
});

test("large values travel a megabyte at a time", () => {
  const all = sizes({ tasks: 64, msPerTask: 0.001, bytesPerTask: 8 << 20 });
  assert(all.slice(2).every((size) => size === 1), `${all}`);
});

test("one long task does not shrink the chunks for good", () => {
  const sizer = new ChunkSizer(undefined, 2);
  const settle = () => {
    for (let i = 0; i < 40; i++) {
      const size = sizer.next(undefined);
      sizer.learn(size, size * 0.001, 8);
    }
    return sizer.next(undefined);
  };
  const before = settle();
  assert(before > 1000);
  sizer.learn(1, 500, 8);
  assertEquals(sizer.next(undefined), 1);
  assert(settle() > before * 0.9);
});

test("after a chunk whose rest went elsewhere, tasks go one by one again", () => {
  const sizer = new ChunkSizer(undefined, 2);
  for (let i = 0; i < 5; i++) sizer.learn(sizer.next(1e6), 0.01, 8);
  assert(sizer.next(1e6) > 100);
  sizer.startAgain();
  assertEquals([sizer.next(1e6), sizer.prefetches], [1, false]);
  sizer.learn(1, 0.01, 8);
  assert(sizer.next(1e6) > 1);
});

test("a second chunk waits in a worker only behind a short one", () => {
  const sizer = new ChunkSizer(undefined, 2);
  assertEquals(sizer.prefetches, false);
  sizer.learn(1, 0.01, 8);
  assertEquals(sizer.prefetches, true);
  sizer.learn(1, 100, 8);
  assertEquals(sizer.prefetches, false);
});

test("where chunks begin with several tasks, few have one", () => {
  const times = { target: 50, feed: 1, least: 10, cheap: 5, first: 62.5 };
  const make = (pace?: Pace, fixed?: number) =>
    new ChunkSizer(fixed, 8, pace, times);
  assertEquals(make().next(undefined), 62);
  assertEquals(make().next(160), 10); // each of the workers has some
  assertEquals(make().next(3), 1);
  assertEquals(make({ msPerTask: 200, bytesPerTask: 8 }).next(1e6), 62);
  assertEquals(make({ msPerTask: 200, bytesPerTask: 1 << 20 }).next(1e6), 1);
  assertEquals(make(undefined, 7).next(1e6), 7);
  const sizer = make();
  sizer.learn(62, 62 * 200, 8);
  assertEquals(sizer.next(undefined), 1); // what is learned holds
  sizer.learn(1, 0.1, 8);
  sizer.startAgain();
  assertEquals(sizer.next(undefined), 1); // with care
});

test("chunkSize is kept", () => {
  const sizer = new ChunkSizer(7, 2);
  sizer.learn(7, 1000, 1e9);
  assertEquals(sizer.next(100), 7);
});

test("a run begins with what is known of its function, carefully", () => {
  const pace: Pace = { msPerTask: undefined, bytesPerTask: 0 };
  const first = (left = 100_000) =>
    new ChunkSizer(undefined, 2, pace).next(left);
  assertEquals(first(), 1);
  new ChunkSizer(undefined, 2, pace).learn(1000, 0.1, 8000);
  assertEquals(first(), 64); // another run may have longer tasks
  assertEquals(first(40), 10);
  new ChunkSizer(7, 2, pace).learn(10, 1000, 80);
  assertEquals(first(), 1);
  new ChunkSizer(undefined, 2, pace).startAgain();
  assertEquals(pace.msPerTask, undefined);
  new ChunkSizer(undefined, 2, pace).learn(1, 0.01, 1 << 21);
  assertEquals(first(), 1); // not a message of 64 such values
});

test("functions are the same by their text, or by their place", () => {
  const paces = new Paces();
  const source = (source: string): FunctionRef => ({
    from: "source",
    name: "",
    source,
  });
  const pace = paces.of(source("() => 1"));
  assert(paces.of(source("() => 1")) === pace);
  assert(paces.of(source("() => 2")) !== pace);
  for (let i = 0; i < 1000; i++) paces.of(source(`${i}`));
  assert(paces.of(source("() => 1")) !== pace); // not all for ever
});
