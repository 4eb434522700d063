// Which functions can see their context: for the others none is made.
import { assertEquals } from "@std/assert";
import {
  createContexts,
  type Surroundings,
} from "../src/core/worker/task_context.ts";
import { test } from "./harness.ts";

const { isSeenBy } = createContexts();

/** What tasks of one run have in common. */
const surroundings = (): Surroundings => ({
  worker: 0,
  state: undefined,
  data: undefined,
  board: { isOver: () => false } as Surroundings["board"],
  isLeft: false,
  aborts: new Map(),
  waiting: undefined,
  abandoned: new Set(),
});

/** Functions by their text: a formatter, or a runtime, may change another. */
const make = (source: string) => (0, eval)(`(${source})`);

const UNSEEN = [
  "(n) => n * 2",
  "n => n * 2",
  "() => 5",
  "async (n) => await n",
  "async n => n",
  "async => async",
  "( $n1 ) => { return () => arguments }",
  "function f(n) { return n * 2; }",
  "function (n) { return n; }",
  "function f() { return 5; }",
  "async function f(n) { return await n; }",
  "function\nf ( n )\n{ return n; }",
];

const SEEN = [
  "(n, context) => context.index",
  "(n, { index }) => index",
  "(...all) => all.length",
  "(n = 1) => n",
  "(n, c = 0) => c",
  "({ id }) => id",
  "([a, b]) => a + b",
  "(n /* and more */, c) => c",
  "function f(n) { return arguments[1]; }",
  "function f(n) { return arg\\u0075ments[1]; }",
  "function f(n) { return eval('argu' + 'ments')[1]; }",
  "function f(...all) { return all[1]; }",
  "function f(n, c) { return c; }",
  "function* f(n) { yield n; }",
  "((n, c) => c).bind(null)",
  "Math.max",
  "new Proxy((n, c) => c, {})",
  "{ f(n) { return arguments[1]; } }.f",
  "class { static f(n) { return arguments[1]; } }.f",
];

test("a function that takes no second argument in any way sees no context", () => {
  for (const source of UNSEEN) {
    assertEquals(isSeenBy(make(source)), false, source);
  }
});

test("any other may see its context", () => {
  for (const source of SEEN) assertEquals(isSeenBy(make(source)), true, source);
});

test("no spaces in the text of a function take long to read", () => {
  const spaces = " ".repeat(200_000); // their square would be minutes
  for (const head of ["", "async ", "function ", "function f "]) {
    const body = head.startsWith("function") ? "{ }" : "=> 5";
    assertEquals(
      isSeenBy(make(`${head}(${spaces}[a]${spaces}) ${body}`)),
      true,
    );
    const source = `${head}(${spaces}a${spaces})${body}`;
    assertEquals(isSeenBy(make(source)), false);
  }
});

test("a signal that is first read after its task has settled is kept nowhere", () => {
  const contexts = createContexts();
  const around = surroundings();
  const all = Array.from({ length: 100 }, (_, index) => {
    const context = new contexts.Context(index, 1, around);
    contexts.at = 0;
    if (index % 2 === 1) return context;
    contexts.setWaiting(context, true);
    contexts.setWaiting(context, false);
    return context;
  });
  for (const { signal } of all) assertEquals(signal.aborted, false);
  assertEquals(around.aborts.size, 0);
});

test("a signal that is read while its task computes, or waits, aborts", () => {
  const contexts = createContexts();
  const around = surroundings();
  const first = new contexts.Context(5, 1, around);
  const second = new contexts.Context(5, 2, around);
  Object.assign(second, { index: 99 }); // as pmap gives a line its own
  const computes = second.signal;
  const left = first.signal; // while the next attempt computes
  const waiting = new contexts.Context(6, 2, around);
  contexts.at = 0;
  contexts.setWaiting(waiting, true);
  const waits = waiting.signal;
  contexts.abandon(around, 5);
  assertEquals(computes.aborted, true);
  contexts.end(around);
  assertEquals([left.aborted, waits.aborted], [false, true]);
});
