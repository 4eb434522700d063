// Both ends of the memory that the caller and a worker share, in one thread.
import { assertEquals } from "@std/assert";
import { allotLanes, createBoard, raiseOver } from "../src/core/wire/board.ts";
import { test } from "./harness.ts";

const open = (lanes: number, epoch = 1000) => {
  const over = new SharedArrayBuffer(4);
  const memory = { over, lanes: allotLanes(lanes), epoch };
  return { over, worker: createBoard(memory), caller: createBoard(memory) };
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
  worker.leave(0);
  assertEquals(caller.lanes(), [{ serial: 9, since: 30 }]);
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

test("the worker sees that the run is over", () => {
  const { over, worker } = open(1);
  assertEquals(worker.isOver(), false);
  raiseOver(over);
  assertEquals(worker.isOver(), true);
});

test("the worker sees which chunk is to yield, and that none goes on", () => {
  const { worker, caller } = open(2);
  assertEquals([worker.goesOn(1), worker.goesOn(9)], [true, true]);
  caller.askToYield(9);
  assertEquals([worker.goesOn(1), worker.goesOn(9)], [true, false]);
  caller.stop();
  assertEquals([worker.goesOn(1), worker.goesOn(9)], [false, false]);
  assertEquals(caller.lanes(), []); // nothing else was touched
});

test("without memory, what is written is dropped", () => {
  const board = createBoard(undefined);
  board.enter(0, 1, 5);
  board.setRunning(1);
  board.leave(0);
  board.askToYield(1);
  board.stop();
  assertEquals([board.isOver(), board.running(), board.lanes()], [
    false,
    0,
    [],
  ]);
  assertEquals(board.goesOn(1), true);
});
