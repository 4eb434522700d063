// What a machine answers, with a connection that reads as the test says.
import type { JsMsg } from "@nats-io/jetstream";
import { headers } from "@nats-io/transport-node";
import { assertEquals } from "@std/assert";
import type { Engine } from "../src/core/engine/engine.ts";
import type { Failure } from "../src/core/engine/failures.ts";
import type { Run } from "../src/core/engine/run.ts";
import { Answers } from "../src/nats/answers.ts";
import { readBytes } from "../src/nats/byte_reader.ts";
import { type Connection, NUMBER } from "../src/nats/connection.ts";
import { MachineRun } from "../src/nats/machine_run.ts";
import type {
  AnswerMessage,
  CallMessage,
  DoneMessage,
} from "../src/nats/messages.ts";
import { FakeClock } from "./fakes.ts";
import { test } from "./harness.ts";
import { chunkOf } from "./nats_by_hand.ts";
import { until } from "./until.ts";

/** Answers of a machine that tries a chunk twice, and a run on it. */
function open(read: () => unknown) {
  let reads = 0;
  const connection = {
    envelopes: { unseal: () => Promise.resolve(++reads && read()) },
  } as unknown as Connection;
  const info = { id: "m" } as never;
  const setup = { connection, info, attempts: 2, ends: () => false };
  const answers = new Answers(setup);
  let added: Run | undefined;
  const engine = { add: (run: Run) => added = run, touch() {} };
  const run = new MachineRun({
    number: 1,
    call: { type: "call", chunkSize: 9, concurrency: 5 } as
      & CallMessage
      & { type: "call" },
    fn: { from: "source", name: "f", source: "(n) => n" },
    combine: undefined,
    data: undefined,
    clock: new FakeClock(),
    engine: engine as unknown as Engine,
    slots: 1,
  });
  const filled: [tasks: number, lanes: number][] = [];
  return {
    reads: () => reads,
    /** What the chunks said that they fill of their slots. */
    filled,
    isRunning: (number: number) => run.running(number) !== undefined,
    /** Does what came to the run: each task returns its input. */
    work() {
      const chunk = added!.take(Infinity, true)!;
      added!.put(chunk, chunk.values, 0, chunk.values.length);
    },
    /** The same, but each task fails, in these workers. */
    fail(why: Failure, workers: (number | undefined)[]) {
      const chunk = added!.take(Infinity, true)!;
      for (const [i, worker] of workers.entries()) {
        added!.fail(chunk, i, why, worker, true);
      }
    },
    /** Answers a chunk that came so often. */
    async answer(number: number, deliveryCount: number) {
      const own = headers();
      own.set(NUMBER, String(number));
      const message = {
        headers: own,
        info: { deliveryCount },
        data: undefined,
      };
      const answer = await answers.to(
        message as unknown as JsMsg,
        run,
        (tasks, lanes) => void filled.push([tasks, lanes]),
      );
      return readBytes(answer!) as AnswerMessage;
    },
  };
}

test("nats: a chunk under which machines were lost is not read once more", async () => {
  const { answer, reads } = open(() => {
    throw new Error("as of a value that is too large for the machine");
  });
  assertEquals((await answer(7, 2)).type, "unread");
  const lost = { type: "lost", number: 7, machine: "m", deliveries: 2 };
  assertEquals(await answer(7, 3), lost as AnswerMessage);
  assertEquals(reads(), 1);
});

test("nats: a chunk that comes again while its tasks run is not lost", async () => {
  const { answer, isRunning, reads, work } = open(() => chunkOf(7, [1, 2]));
  const first = answer(7, 1);
  await until(() => isRunning(7));
  const again = answer(7, 3);
  const other = await answer(8, 3);
  assertEquals(other.type, "lost");
  await until(() => reads() === 2);
  work();
  assertEquals([(await first).type, (await again).type], ["done", "done"]);
});

test("nats: an answer says in which worker a task failed, also in one that ended", async () => {
  const { answer, isRunning, fail } = open(() => chunkOf(7, [1, 2, 3]));
  const answered = answer(7, 1);
  await until(() => isRunning(7));
  const timeout = { why: "timeout", timeout: 25, sendMs: undefined } as const;
  fail(timeout, [4, 0, undefined]);
  const { failures } = await answered as DoneMessage;
  assertEquals(failures, [
    [0, timeout, 4],
    [1, timeout, 0],
    [2, timeout, undefined], // it reached none
  ]);
});

test("nats: a chunk that is suspect leaves no lane to another, nor does one that waits", async () => {
  let alone = false;
  let number = 0;
  const { answer, filled, isRunning, work } = open(() =>
    chunkOf(++number, [1, 2], { first: 9 * number, alone })
  );
  const first = answer(1, 1);
  await until(() => isRunning(1));
  assertEquals(filled, [[2, 5]]);
  alone = true;
  const suspect = answer(2, 1);
  await until(() => number === 2);
  alone = false;
  const behind = answer(3, 1);
  await until(() => number === 3);
  assertEquals(filled.length, 1);
  work();
  await first;
  await until(() => isRunning(2));
  assertEquals(filled.slice(1), [[2, 1]]);
  work();
  await suspect;
  await until(() => isRunning(3));
  assertEquals(filled.slice(2), [[2, 5]]);
  work();
  await behind;
});
