// A run on a machine, stepped by hand: whatever the engine there does with the
// tasks of its messages, each message gets an answer of its own.
import type { JsMsg } from "@nats-io/jetstream";
import { assert, assertEquals } from "@std/assert";
import { type Chunk, part } from "../src/core/engine/chunk.ts";
import type { Run } from "../src/core/engine/run.ts";
import type { Engine } from "../src/core/engine/engine.ts";
import { settle } from "../src/core/engine/settling.ts";
import { MachineRun } from "../src/nats/machine_run.ts";
import { type Fill, MachineSlot } from "../src/nats/machine_slot.ts";
import {
  type CallMessage,
  type ChunkMessage,
  wire,
} from "../src/nats/messages.ts";
import { counted } from "./counted.ts";
import { FakeClock } from "./fakes.ts";
import { test } from "./harness.ts";
import { seeded } from "./seeded.ts";

/** A machine's run, whose engine does nothing by itself. */
function begin(more: object = {}): { run: Run; machine: MachineRun } {
  let run: Run | undefined;
  const engine = { add: (added: Run) => run = added, touch() {} };
  const machine = new MachineRun({
    number: 1,
    call: {
      type: "call",
      fn: { name: "double" },
      chunkSize: 9,
      ...more,
    } as never as CallMessage & { type: "call" },
    fn: { from: "source", name: "double", source: "(n) => 2 * n" },
    combine: undefined,
    data: undefined,
    clock: new FakeClock(),
    engine: engine as never as Engine,
    slots: 2,
  });
  return { run: run!, machine };
}

test("each message to a machine has its own answer, whatever comes back", async () => {
  for (let seed = 1; seed <= 300; seed++) {
    const dice = seeded(seed);
    const whole = (from: number, to: number) =>
      from + Math.floor(dice() * (to - from + 1));
    const { run, machine } = begin();
    const answers: Promise<void>[] = [];
    let answered = 0;
    let first = 0;
    for (let number = 1, last = whole(2, 6); number <= last; number++) {
      const from = first;
      const values = Array.from({ length: whole(1, 9) }, (_, i) => from + i);
      first += values.length;
      const skip = values.length > 1 && dice() < 0.2 ? [0] : [];
      const message = { number, first: from, attempt: whole(1, 2), skip };
      const answer = machine.add(message as never as ChunkMessage, values);
      answers.push(answer.then((done) => {
        answered++;
        assert(done !== undefined);
        const wanted = values.slice(skip.length).map((value) => 2 * value);
        const results: unknown[] = Array(values.length);
        let at = 0;
        for (const [from, to] of done.pieces) {
          for (let i = from; i < to; i++) results[i] = done.results[at++];
        }
        assertEquals(results.slice(skip.length), wanted, `seed ${seed}`);
        assertEquals(at, wanted.length, `seed ${seed}`);
      }));
    }
    const sent: Chunk[] = [];
    while (true) {
      const chunk = sent.length < 4 ? run.take(whole(1, 30), true) : undefined;
      if (chunk !== undefined) sent.push(chunk);
      if (chunk !== undefined && dice() < 0.7) continue;
      const back = sent.shift();
      if (back === undefined) break;
      const { length } = back.values;
      const done = dice() < 0.4 ? length : whole(0, length - 1);
      const results = Array.from(back.values, (value) => 2 * Number(value));
      run.put(back, results.slice(0, done), 0, done);
      run.takeBack(back, done, length);
    }
    for (let turns = 0; turns < 10; turns++) await Promise.resolve();
    assertEquals(answered, answers.length, `seed ${seed}`);
    await Promise.all(answers);
  }
});

test("a machine takes a message fast of which every second task is not to run", async () => {
  const { run, machine } = begin();
  const values = Array.from({ length: 2001 }, (_, i) => i);
  const skip = counted(values.filter((i) => i % 2 === 0));
  const message = { number: 1, first: 0, attempt: 1, skip: skip.list };
  const answer = machine.add(message as never as ChunkMessage, values);
  for (let chunk; (chunk = run.take(Infinity, true)) !== undefined;) {
    run.put(chunk, chunk.values, 0, chunk.values.length);
  }
  const done = await answer;
  assertEquals(done!.results, values.filter((i) => i % 2 === 1));
  assertEquals(done!.pieces.slice(0, 3), [[1, 2], [3, 4], [5, 6]]);
  assert(skip.reads() < 10 * values.length, `${skip.reads()} reads`);
});

for (const who of ["the engine", "its worker"]) {
  test(`an answer of a machine tells the time of all its tasks, also where ${who} cut the chunk`, async () => {
    const { run, machine } = begin();
    const message = { number: 1, first: 0, attempt: 1, skip: [] };
    const values = [0, 1, 2, 3, 4];
    const answer = machine.add(message as never as ChunkMessage, values);
    /** Answers the next chunk, of which so many tasks were begun. */
    const settleNext = (tasks: number, ms: number) => {
      let chunk = run.take(Infinity, true)!;
      const { length } = chunk.values;
      const whole = tasks === length || who !== "the engine";
      if (!whole) {
        run.takeBack(chunk, tasks, length);
        chunk = part(chunk, 0, tasks);
      }
      const sent = {
        chunk,
        whole,
        bytes: 1,
        gone: new Set(),
        settled: new Map(),
      };
      const { packed } = wire.packing.pack(values.slice(0, tasks), false);
      const done = { type: "done", tasks, values: packed, ms, bytes: 1 };
      const clock = new FakeClock();
      settle(sent as never, done as never, 0, { ...wire, clock });
    };
    settleNext(3, 60);
    settleNext(2, 1);
    assertEquals((await answer)!.ms, 61);
  });
}

test("a message to a machine waits for nothing after a failure that ends its run", async () => {
  const turns = async () => {
    for (let i = 0; i < 10; i++) await Promise.resolve();
  };
  const values = [0, 1, 2, 3, 4, 5];
  const failure = { why: "threw", error: new Error("mine") } as const;
  for (const attempt of [1, 2]) {
    for (const inTurn of [undefined, false, true]) {
      const { run, machine } = begin({ lastAttempt: 2, inTurn });
      const message = { number: 1, first: 10, attempt, skip: [1] };
      const answer = machine.add(message as never as ChunkMessage, values);
      const before = run.take(1, true)!;
      const chunk = run.take(9, true)!;
      assertEquals([before.values, chunk.values], [[0], [2, 3, 4, 5]]);
      run.put(chunk, [4], 0, 1);
      run.fail(chunk, 2, failure, 7, true);
      run.takeBack(chunk, 3, 4); // as its worker stops there
      let isAnswered = false;
      void answer.then(() => isAnswered = true);
      await turns();
      assertEquals(isAnswered, attempt === 2 && inTurn !== true);
      run.put(before, [0], 0, 1);
      await turns();
      assertEquals(isAnswered, attempt === 2 && inTurn !== true);
      run.put(chunk, [6], 1, 2);
      await turns();
      assertEquals(isAnswered, attempt === 2);
      // Nothing after it begins any more; what may be tried again goes on.
      const rest = run.take(9, true);
      assertEquals(rest?.values, attempt === 2 ? undefined : [5]);
      if (rest !== undefined) run.put(rest, [10], 0, 1);
      const { pieces, results, failures } = (await answer)!;
      assertEquals(failures, [[4, failure, 7]]);
      const told = [[[2, 3], [0, 1], [3, 4], [5, 6]], [4, 0, 6, 10]];
      const count = attempt === 1 ? 4 : inTurn ? 3 : 1;
      assertEquals(
        [pieces, results],
        told.map((list) => list.slice(0, count)),
      );
    }
  }
});

test("a message to a machine waits no longer than its run, however that ends", async () => {
  const { run, machine } = begin();
  const values = Object.assign([1], { slice: "as a client may send it" });
  const message = { number: 1, first: 0, attempt: 1, skip: [] };
  const answer = machine.add(message as never as ChunkMessage, values);
  assertEquals(run.take(1, true), undefined);
  assertEquals(await answer, undefined);
});

test("a slot of a machine takes chunks until its lanes are full", async () => {
  const slot = new MachineSlot();
  let taken = 0;
  /** Takes a chunk; says what it fills, and that it is answered. */
  const take = () => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let say: Fill = () => {};
    slot.take((fill) => {
      say = fill;
      return promise;
    }).then(() => taken++);
    const settle = async (act: () => void) => {
      act();
      for (let turns = 0; turns < 10; turns++) await Promise.resolve();
      return taken;
    };
    return {
      fill: (tasks: number, lanes: number) => settle(() => say(tasks, lanes)),
      answer: () => settle(resolve),
      fail: () => settle(() => reject(new Error("its server is away"))),
    };
  };
  const first = take();
  assertEquals(await first.fill(1, 1), 0); // as without concurrency
  assertEquals(await first.answer(), 1);
  const waits = take(); // for its client
  assertEquals(await waits.fill(0, Infinity), 2);
  const two = take();
  assertEquals(await two.fill(2, 4), 3);
  const one = take();
  assertEquals(await one.fill(1, 4), 4);
  const last = take();
  assertEquals(await last.fill(1, 4), 4); // there is no lane for a fifth
  assertEquals(await two.answer(), 5);
  const other = take(); // of a run without concurrency
  assertEquals(await other.fill(1, 1), 5);
  assertEquals(await one.answer(), 5);
  assertEquals(await other.fail(), 6);
  const wide = take(); // more tasks than lanes
  assertEquals(await wide.fill(9, 4), 6);
  assertEquals(await last.answer(), 6);
  assertEquals(await wide.answer(), 7);
});

test("what is on its way to a machine that ends still comes there", async () => {
  for (const comes of [true, false]) {
    const slot = new MachineSlot();
    const message = {} as JsMsg;
    const { promise, resolve } = Promise.withResolvers<void>();
    let closed = false;
    const coming = {
      async *[Symbol.asyncIterator]() {
        await promise;
        if (!closed) yield message;
      },
      close() {
        closed = true;
        resolve();
        return Promise.resolve();
      },
    };
    const next = slot.next(() => Promise.resolve(coming));
    for (let turns = 0; turns < 10; turns++) await Promise.resolve();
    slot.stop(true);
    if (comes) resolve();
    assertEquals(await next, comes ? message : undefined);
    assertEquals(closed, !comes);
  }
});
