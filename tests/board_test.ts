// Both ends of the memory that the caller and a worker share, in one thread.
import { assert, assertEquals } from "@std/assert";
import {
  allotBoard,
  createBoard,
  type OwnMemory,
} from "../src/core/wire/board.ts";
import { test } from "./harness.ts";

const open = (lanes: number, epoch = 1000) => {
  const memory = { bytes: allotBoard(lanes), epoch };
  return { worker: createBoard(memory), caller: createBoard(memory) };
};

/** A board that a worker has for itself, and what is said of it. */
const openOwn = (over: OwnMemory["over"]) => {
  const said: unknown[] = [];
  const board = createBoard({
    bytes: new ArrayBuffer(24), // one lane
    epoch: 0,
    own: {
      over,
      onOpen() {},
      onEnter: (...entered) => said.push(entered),
      onAnswer: (serial) => said.push(serial),
    },
  });
  return { board, said };
};

test("the caller sees which tasks the lanes are at, and since when", () => {
  const { worker, caller } = open(3);
  assertEquals(caller.lanes(), []);
  worker.enter(0, 7, 1012.2);
  worker.enter(2, 9, 1030);
  assertEquals(caller.lanes(), [
    { serial: 7, since: 13 }, // rounded up: nobody is late too early
    { serial: 9, since: 30 },
  ]);
  assertEquals(caller.busyLanes(), 2);
  worker.leave(0);
  worker.leave(0);
  assertEquals(caller.lanes(), [{ serial: 9, since: 30 }]);
  assertEquals(caller.busyLanes(), 1);
  worker.enter(2, 10, 1031); // in place of 9
  worker.enterFold(2, 10, undefined);
  assertEquals(caller.busyLanes(), 1);
});

test("the caller sees which task holds the thread", () => {
  const { worker, caller } = open(2);
  assertEquals(caller.running(), 0);
  worker.setRunning(5);
  assertEquals(caller.running(), 5);
  worker.setRunning(0);
  assertEquals(caller.running(), 0);
});

test("times are exact after 60 hours, and after 24 days", () => {
  for (const hours of [60, 24 * 24]) {
    const { worker, caller } = open(1);
    const now = 1000 + hours * 3_600_000;
    worker.enter(0, 1, now);
    const [{ since }] = caller.lanes();
    assertEquals(Math.floor(now + 250 - 1000) - since! | 0, 250);
  }
});

test("the worker sees that its run is over, also once others have begun", () => {
  const memory = { bytes: allotBoard(1), epoch: 1000 };
  const caller = createBoard(memory);
  const before: ReturnType<typeof createBoard>[] = [];
  for (let serial = 1; serial < 5; serial++) {
    const worker = createBoard(memory);
    assertEquals(worker.isOver(), false);
    assertEquals(before.filter((worker) => !worker.isOver()), []);
    assertEquals(worker.claim(serial), true);
    if (serial % 2 > 0) { // else it goes on in other workers
      caller.stop();
      assertEquals(worker.isOver(), true);
    }
    caller.clear();
    assertEquals(worker.isOver(), true);
    assertEquals(caller.next(), 0);
    before.push(worker);
  }
});

test("the worker may be told elsewhere that the run is over", () => {
  const over = new SharedArrayBuffer(4);
  const { board } = openOwn({ memory: over, mark: 7 });
  Atomics.store(new Int32Array(over), 0, 6); // the run before
  assertEquals(board.isOver(), false);
  Atomics.store(new Int32Array(over), 0, 7);
  assertEquals(board.isOver(), true);
});

test("tasks that are not begun can be taken back, and then never begin", () => {
  const { worker, caller } = open(2);
  assertEquals([worker.claim(1), worker.claim(2)], [true, true]);
  assertEquals(caller.next(), 3);
  assertEquals(caller.takeBack(9), 3); // 3 to 8
  assertEquals(caller.takeBack(9), 9); // nothing more
  assertEquals([worker.claim(3), worker.claim(8)], [false, false]);
  assertEquals(caller.takeBack(12), 9); // what was sent since then
  assertEquals([worker.claim(9), worker.claim(11)], [false, false]);
  assertEquals(worker.claim(12), true);
  assertEquals(caller.takeBack(15), 13);
  assertEquals(caller.lanes(), []); // nothing else was touched
});

test("all that was sent can be taken back before any task began", () => {
  const { worker, caller } = open(1);
  assertEquals(caller.next(), 0);
  assertEquals(caller.takeBack(5), 0);
  assertEquals([worker.claim(4), worker.claim(5)], [false, true]);
});

test("after a stop no task begins, and none is taken back twice", () => {
  const { worker, caller } = open(1);
  assertEquals(worker.claim(1), true);
  caller.stop();
  assertEquals([worker.claim(2), worker.claim(1000)], [false, false]);
  assert(caller.takeBack(9) >= 9);
  assertEquals(worker.claim(9), false);
});

test("a worker whose memory is its own says when it is at a task, folds, or answers", () => {
  const { board, said } = openOwn({ memory: new ArrayBuffer(4), mark: 7 });
  board.enter(0, 1, undefined); // without a time
  board.leave(0);
  assertEquals([board.isOver(), board.lanes(), said], [false, [], []]);
  board.enter(0, 1, 5);
  board.leave(0);
  board.enterFold(0, 1, undefined);
  board.leave(0);
  board.noteAnswer(1);
  assertEquals([board.lanes(), said], [[], [[1, false], [1, true], 1]]);
  board.setRunning(1);
  assertEquals(board.running(), 1);
  assertEquals(board.claim(1), true);
  board.takeBack(5); // as the worker is asked by message
  assertEquals([board.claim(2), board.claim(5)], [false, true]);
});
