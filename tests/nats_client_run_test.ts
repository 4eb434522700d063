// What a client makes of the answers to its chunks, with answers that the test
// writes.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { type RunEvent, TaskError } from "../mod.ts";
import { FoldSink } from "../src/core/engine/fold.ts";
import { openSource } from "../src/core/engine/inputs.ts";
import { InputsInOrder } from "../src/core/engine/next_inputs.ts";
import { Run } from "../src/core/engine/run.ts";
import { SettledSink } from "../src/core/engine/sink.ts";
import { ClientRun, type OpenChunk } from "../src/nats/client_run.ts";
import {
  type AnswerMessage,
  type DoneMessage,
  encodeThrown,
  wire,
} from "../src/nats/messages.ts";
import { counted } from "./counted.ts";
import { FakeClock } from "./fakes.ts";
import { test } from "./harness.ts";

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

interface Setup {
  chunkSize?: number;
  folds?: boolean;
  /** ms that reading one input takes. */
  reading?: number;
  /** From which attempt on a failure ends it. */
  lastAttempt?: number;
}

/** What is said of a chunk that was sent more often than any is. */
const AGAIN = { sends: 99 };

/** A run whose chunks the test answers. */
function open(
  tasks: number,
  { chunkSize, folds = false, reading = 0, lastAttempt }: Setup = {},
) {
  const clock = new FakeClock();
  function* inputs() {
    for (let i = 0; i < tasks; i++) {
      clock.pass(reading);
      yield i;
    }
  }
  const source = openSource(inputs(), () => {}, clock, false);
  const combine = (one: unknown, other: unknown) => Number(one) + Number(other);
  const sink = folds
    ? new FoldSink({ combine, initial: undefined, error: String as never })
    : new SettledSink(tasks);
  const events: RunEvent[] = [];
  const run = new Run({
    number: 1,
    fn: { from: "source", name: "fn", source: String(range) },
    combine: folds
      ? { from: "source", name: "combine", source: String(combine) }
      : undefined,
    data: undefined,
    options: { chunkSize, onEvent: (event) => void events.push(event) },
    clock,
    inputs: new InputsInOrder(source, sink),
    sink,
    failing: { lastAttempt, inTurn: false },
    shared: {},
    site: {},
    workers: 2,
    onEvent: undefined,
  });
  let chunks = 0;
  const book = new ClientRun({
    run,
    lines: undefined,
    numberOf: (_, worker) => worker,
    nextNumber: () => ++chunks,
    now: () => clock.now(),
    origin: clock.origin,
  });
  let number = 0;
  return {
    run,
    events,
    /** Sends the next chunk, without some of its tasks; says how many it has. */
    send(skip: number[] = []): number {
      const chunk = run.take(Infinity, true)!;
      const at = { from: 0, to: 0, at: "sent", sends: 1, large: false };
      const more = { body: new Uint8Array(), bytes: 1, skip, ...at };
      book.add({ chunk, number: ++number, ...more } as OpenChunk);
      return chunk.values.length;
    },
    /** Answers the chunk that was sent last, as it was not done. */
    refuse(more: object): void {
      book.settle({ number, machine: "m", ...more } as AnswerMessage);
    },
    /** Gives it up, as it was sent so often. */
    giveUp: () => book.giveUp(Object.assign(book.open.get(number)!, AGAIN)),
    /** Answers the chunk that was sent last. */
    answer(results: unknown[], more: Partial<DoneMessage>): void {
      const { packed: values } = wire.packing.pack(results, false);
      const none = { pieces: [], refused: [], failures: [], tracks: [] };
      const told = { machine: "m", ms: 1, bytes: 1, values };
      book.settle({ type: "done", number, ...none, ...told, ...more });
    },
  };
}

/** What combine threw on two tasks of a machine. */
const unfolded = () => ({
  why: "unfolded" as const,
  error: encodeThrown(new Error("mine")),
  tasks: 2,
});

test("nats: a reduction rejects with what combine threw, though a part before it still runs", async () => {
  const { run, send, answer } = open(9, { chunkSize: 9, folds: true });
  send([0, 5]);
  // One worker has tasks 1 to 3, one that was faster 4 to 7.
  answer([1], { pieces: [[1, 2]], failures: [[6, unfolded()]] });
  const error = await assertRejects(() => run.done, TaskError);
  assertEquals([error.index, (error.cause as Error).message], [6, "mine"]);
});

test("nats: what a machine did not do after a failure that ends its run is not lost", async () => {
  const failure = () => ({
    why: "threw" as const,
    error: encodeThrown("mine"),
  });
  // It is what ends the run that says so, and not the answer.
  for (const lastAttempt of [undefined, 2]) {
    const { run, send, answer } = open(9, { chunkSize: 9, lastAttempt });
    send();
    answer([1], { pieces: [[1, 2]], failures: [[4, failure()]] });
    assertEquals(run.isSettled, true); // all have failed: it cannot be read
    assertEquals(run.take(9, true), undefined);
    assertEquals(await run.done, 9);
  }
  const { run, send, answer } = open(9, { chunkSize: 9, lastAttempt: 1 });
  send([0]);
  answer([1, 5], { pieces: [[1, 2], [5, 6]], failures: [[3, failure()]] });
  // The sink of this test goes on: what has no outcome is sent again.
  assertEquals(send(), 1);
  answer([2], { pieces: [[0, 1]] });
  assertEquals(send(), 1);
  answer([4], { pieces: [[0, 1]] });
  assertEquals(send(), 3);
  answer([6, 7, 8], { pieces: [[0, 3]] });
  assertEquals(run.isSettled, false); // the first was never sent
});

for (
  const [what, pieces] of Object.entries<[number, number][]>({
    "twice": [[0, 2], [1, 3]],
    "twice, after the end of the reduction": [[7, 8], [7, 9]],
    "of another chunk": [[8, 10]],
    "of no task": [[1, 1]],
    "of half a task": [[0.5, 1]],
  })
) {
  test(`nats: a reduction that ends by an answer takes none that tells ${what}`, async () => {
    const { run, send, answer } = open(9, { chunkSize: 9, folds: true });
    send();
    const results = pieces.map(() => 1);
    answer(results, { pieces, failures: [[5, unfolded()]] });
    await assertRejects(() => run.done, TaskError, "what cannot be read");
  });
}

for (const why of ["timeout", "lost"] as const) {
  test(`nats: tasks that end by "${why}" make the next chunks no larger`, () => {
    const { send, answer } = open(9999);
    const failure = why === "timeout"
      ? { why, timeout: 25, sendMs: undefined }
      : { why, code: 1, signal: undefined, error: undefined };
    assertEquals(send(), 1);
    answer([], { failures: [[0, failure]], ms: 0 });
    assertEquals(send(), 1);
    answer([1], { pieces: [[0, 1]], ms: 2 });
    assertEquals(send(), 2);
    answer([1], { pieces: [[0, 1]], failures: [[1, failure]], ms: 0 });
    assertEquals(send(), 2);
    answer([1, 1], { pieces: [[0, 2]], ms: 0.1 });
    assert(send() > 2);
  });
}

/** What the workers of a machine say of tasks: where they began, and ended. */
const track = (worker: number, first: number, ended: number[], more = {}) => ({
  worker,
  first,
  from: new Float64Array(ended.length).fill(0),
  to: Float64Array.from(ended),
  failed: [],
  cpu: undefined,
  ...more,
});

test("nats: how long reading took is told once, however many workers had the tasks", () => {
  const { send, answer, events } = open(8, { chunkSize: 4, reading: 1 / 8 });
  for (const number of [1, 2]) {
    send();
    const tracks = [track(1, 0, [5, 6]), track(2, 2, [5]), track(1, 3, [7])];
    answer([1, 1, 1, 1], { pieces: [[0, 4]], tracks });
    assertEquals(
      events.flatMap((event) =>
        event.type === "chunk-send" ? [event.reading] : []
      ).slice(3 * number - 3),
      [0.5, 0, 0],
    );
  }
});

test("nats: a task that failed did so in the worker that began it", () => {
  const { send, answer, events } = open(9, { chunkSize: 9 });
  const refusal = { what: "input" as const, reason: "odd", cause: undefined };
  const timeout = { why: "timeout" as const, timeout: 25, sendMs: undefined };
  const gone = { code: 1, signal: undefined, error: undefined };
  const threw = { why: "threw" as const, error: encodeThrown("mine") };
  send();
  answer([1], {
    tracks: [
      // The rest of these went elsewhere before it was begun.
      track(1, 0, [5, 6, 7], { from: Float64Array.of(1, NaN, NaN) }),
      track(2, 1, [NaN, 7], { failed: [1, 2] }), // the first was abandoned
      track(3, 3, [5, 6], { failed: [4] }),
      track(2, 5, [8], { failed: [5] }),
    ],
    pieces: [[3, 4]],
    failures: [
      [0, threw],
      [1, timeout, 2],
      [2, threw, 2],
      [4, threw], // an older machine tells it by the tracks alone
      [5, threw],
      // A worker that ended has no track.
      [6, { why: "lost", ...gone }, 4],
      [7, { ...timeout }, 5],
      [8, { why: "unsendable", ...refusal }, undefined], // it reached none
    ],
  });
  assertEquals(
    events.flatMap((event) =>
      event.type === "task-fail" ? [[event.index, event.worker]] : []
    ),
    [[0, 1], [1, 2], [2, 2], [4, 3], [5, 2], [6, 4], [7, 5], [8, undefined]],
  );
});

for (const skipped of [0, 1]) {
  const sent = range(2001).filter((i) => i % 2 !== skipped);
  const open2001 = () => {
    const skip = counted(range(2001).filter((i) => i % 2 === skipped));
    const { send, run, ...more } = open(2001, { chunkSize: 2001 });
    assertEquals(send(skip.list), 2001);
    const { fail } = run;
    const failed: number[] = [];
    run.fail = (...args) => void (failed.push(args[1]), fail.apply(run, args));
    return { ...more, run, failed, skip };
  };
  const when = `of which every second task was not sent, from ${skipped} on`;

  test(`nats: a client reads the answer to a chunk fast ${when}`, () => {
    const { answer, failed, skip } = open2001();
    const threw = { why: "threw" as const, error: encodeThrown("mine") };
    const pieces = sent.slice(1).map((i): [number, number] => [i, i + 1]);
    answer(sent.slice(1), { pieces, failures: [[sent[0], threw]] });
    assertEquals(failed, [sent[0]]);
    assert(skip.reads() < 20_000, `${skip.reads()} reads`);
  });

  test(`nats: a client gives a chunk up fast ${when}`, () => {
    const { giveUp, failed, skip } = open2001();
    assert(giveUp());
    assertEquals(failed, sent);
    assert(skip.reads() < 20_000, `${skip.reads()} reads`);
  });

  test(`nats: a client sends a chunk again fast ${when}`, () => {
    const { refuse, run, skip } = open2001();
    refuse({ type: "lost", deliveries: 3 });
    const again = sent.map(() => run.take(1, true)!);
    assertEquals(again.map(({ first }) => first), sent);
    assert(again.every(({ alone }) => alone));
    assertEquals(run.take(1, true), undefined);
    assert(skip.reads() < 20_000, `${skip.reads()} reads`);
  });
}

test("nats: an answer says nothing of tasks that were not sent", () => {
  for (const pieces of [[[0, 3]], [[1, 3]], [[0, 1], [1, 3]], [[0, 2]]]) {
    const { send, answer, events } = open(3, { chunkSize: 3 });
    send([1]);
    const results = pieces.flatMap(([from, to]) => range(to! - from!));
    answer(results, { pieces: pieces as [number, number][] });
    const failed = events.flatMap((event) =>
      event.type === "task-fail" ? [[event.index, event.why]] : []
    );
    assertEquals(failed, [[0, "unsendable"], [2, "unsendable"]]);
  }
});
