// What a look at a worker means, as a table.
import { assertEquals } from "@std/assert";
import { canPass } from "../src/core/calls/check_call.ts";
import {
  judgeLateness,
  type Sight,
  type Step,
} from "../src/core/engine/deadline.ts";
import { findSent, type Sent } from "../src/core/engine/sent.ts";
import { test } from "./harness.ts";

const LIMIT = 100;
const task = (serial: number, ran: number) => ({ serial, ran });
const again = (ms: number): Step => ({ do: "look again", in: ms });
const blame = (serials: number[], sure = true, sendMs?: number): Step => ({
  do: "blame",
  serials,
  sure,
  ...(sendMs !== undefined && { sendMs }),
});

/** Of a worker that does nothing, and says nothing. */
const DEAF: Sight = {
  ...{ tasks: [], running: undefined, ping: "silent" },
};

const LOOKS: [title: string, sight: Sight, lanes: number, step: Step][] = [
  [
    "at no task: look again when one could be late",
    { tasks: [], running: undefined, ping: "not sent" },
    1,
    again(100),
  ],
  [
    "not late yet: look again when it would be",
    { tasks: [task(1, 30)], running: 1, ping: "not sent" },
    1,
    again(70),
  ],
  [
    "of several, the first that would be late",
    { tasks: [task(1, 30), task(2, 90)], running: undefined, ping: "not sent" },
    2,
    again(10),
  ],
  [
    "late, with one lane: it is to blame",
    { tasks: [task(1, 100)], running: undefined, ping: "not sent" },
    1,
    blame([1]),
  ],
  [
    "late, with several lanes: ask whether the thread is free",
    { tasks: [task(1, 100), task(2, 5)], running: 2, ping: "not sent" },
    2,
    { do: "ping" },
  ],
  [
    "the thread is free: all that are late are slow by themselves",
    {
      tasks: [task(1, 100), task(2, 170)],
      running: undefined,
      ping: "answered",
    },
    2,
    { do: "abandon", serials: [1, 2] },
  ],
  [
    "the thread is free, and nothing is late any more",
    { tasks: [task(2, 50)], running: undefined, ping: "answered" },
    2,
    again(50),
  ],
  [
    "silence: the late one that holds the thread is to blame",
    { tasks: [task(1, 400), task(2, 300)], running: 2, ping: "silent" },
    2,
    blame([2]),
  ],
  [
    "silence: one that holds the thread and is not late gets its time",
    { tasks: [task(1, 400), task(2, 60)], running: 2, ping: "silent" },
    2,
    again(40),
  ],
  [
    "silence, and nobody knows who holds the thread: all late ones are suspect",
    {
      tasks: [task(1, 400), task(2, 300), task(3, 20)],
      running: undefined,
      ping: "silent",
    },
    3,
    blame([1, 2], false),
  ],
  [
    "silence, and nobody knows who: several get as long as a task may take",
    {
      tasks: [task(1, 400), task(2, 300), task(3, 20)],
      running: undefined,
      ping: "silent",
      silence: 60,
    },
    3,
    again(40),
  ],
  [
    "silence, nobody knows who, but one is late: it is that one",
    { tasks: [task(1, 400), task(3, 20)], running: undefined, ping: "silent" },
    2,
    blame([1]),
  ],
  [
    "no shared memory: late, but an answer may be on its way: ask",
    {
      tasks: [task(1, 400)],
      running: undefined,
      unknown: { serials: [], ran: 390 },
      ping: "not sent",
    },
    1,
    { do: "ping" },
  ],
  [
    "no shared memory, silence: the one that is late is to blame",
    {
      tasks: [task(1, 400)],
      running: undefined,
      unknown: { serials: [], ran: 390 },
      ping: "silent",
    },
    1,
    blame([1]),
  ],
  [
    "no shared memory, silence: so may be those that began after the last note",
    {
      tasks: [task(1, 400), task(2, 20)],
      running: undefined,
      unknown: { serials: [3, 4], ran: 390 },
      ping: "silent",
    },
    2,
    blame([1, 2, 3, 4], false),
  ],
  [
    "no shared memory: long after a note, with tasks that may have begun: ask",
    {
      tasks: [],
      running: undefined,
      unknown: { serials: [3, 4], ran: 120 },
      ping: "not sent",
    },
    1,
    { do: "ping" },
  ],
  [
    "no shared memory: soon after a note, with tasks that may have begun",
    {
      tasks: [],
      running: undefined,
      unknown: { serials: [3, 4], ran: 20 },
      ping: "not sent",
    },
    1,
    again(80),
  ],
  [
    "no shared memory: it answers, and what it said is late",
    {
      tasks: [task(2, 130)],
      running: undefined,
      unknown: { serials: [3], ran: 0 },
      ping: "answered",
    },
    1,
    blame([2]),
  ],
  [
    "a result is made ready to send: that makes no task late",
    {
      tasks: [],
      running: 1,
      sending: { serials: [1], ran: 59_900 },
      ping: "not sent",
    },
    1,
    again(100),
  ],
  [
    "it is made ready for over a minute: ask",
    {
      tasks: [],
      running: 1,
      sending: { serials: [1], ran: 60_000 },
      ping: "not sent",
    },
    1,
    { do: "ping" },
  ],
  [
    "for over a minute, in silence: it is to blame",
    {
      tasks: [],
      running: 1,
      sending: { serials: [1], ran: 60_250 },
      ping: "silent",
    },
    1,
    blame([1], true, 60_000),
  ],
  [
    "for over a minute, and the thread is free: the answer is on its way",
    {
      tasks: [],
      running: undefined,
      sending: { serials: [1], ran: 60_250 },
      ping: "answered",
    },
    1,
    again(100),
  ],
  [
    "results of several, in silence: each is suspect",
    {
      tasks: [],
      running: undefined,
      sending: { serials: [1, 2], ran: 60_250 },
      ping: "silent",
    },
    1,
    blame([1, 2], false, 60_000),
  ],
  [
    "silence, and a result holds the thread: who waits beside it is not late",
    {
      tasks: [task(2, 400)],
      running: 1,
      sending: { serials: [1], ran: 300 },
      ping: "silent",
    },
    2,
    again(100),
  ],
  [
    "silence for over a minute, and a result holds the thread: it is that one",
    {
      tasks: [task(2, 60_400)],
      running: 1,
      sending: { serials: [1], ran: 60_300 },
      ping: "silent",
    },
    2,
    blame([1], true, 60_000),
  ],
  [
    "silence: who is late, or the results of a chunk: all are suspect",
    {
      tasks: [task(3, 400), task(4, 40)],
      running: undefined,
      sending: { serials: [1, 2], ran: 300 },
      ping: "silent",
    },
    2,
    blame([3, 1, 2], false),
  ],
  [
    "no shared memory, silence: so may be one whose result is made ready",
    {
      tasks: [task(2, 400)],
      running: undefined,
      unknown: { serials: [], ran: 390 },
      sending: { serials: [1], ran: 390 },
      ping: "silent",
    },
    2,
    blame([2, 1], false),
  ],
  [
    "it has the function, and has begun nothing: ask it",
    { ...DEAF, ping: "not sent", deaf: 0 },
    1,
    { do: "ping" },
  ],
  [
    "it answers: what it was sent takes long to read",
    { ...DEAF, ping: "answered", deaf: 0 },
    1,
    again(100),
  ],
  [
    "it is silent: look again, as a task may begin and be late",
    { ...DEAF, deaf: 4000 },
    1,
    again(100),
  ],
  [
    "it is silent for long: another is to do its tasks",
    { ...DEAF, deaf: 5000 },
    1,
    { do: "replace" },
  ],
  [
    "no shared memory: the same",
    { ...DEAF, unknown: { serials: [], ran: 6000 }, deaf: 5000 },
    2,
    { do: "replace" },
  ],
];

for (const [title, sight, lanes, step] of LOOKS) {
  test(`a look: ${title}`, () => {
    assertEquals(judgeLateness(sight, LIMIT, lanes), step);
  });
}

test("a look: a result may take ten times the limit, if that is longer", () => {
  const sight = (ran: number): Sight => ({
    tasks: [],
    running: 1,
    sending: { serials: [1], ran },
    ping: "silent",
  });
  assertEquals(judgeLateness(sight(99_999), 10_000, 1), again(1));
  const step = blame([1], true, 100_000);
  assertEquals(judgeLateness(sight(100_000), 10_000, 1), step);
});

test("a look: one that does nothing has the limit, if that is longer", () => {
  const after = (deaf: number) => judgeLateness({ ...DEAF, deaf }, 10_000, 1);
  assertEquals(after(9000), again(1000));
  assertEquals(after(10_000), { do: "replace" });
});

test("a limit can pass if a timer can wait for so long", () => {
  const limits = [undefined, 1, 2 ** 31 - 1, 2 ** 31, Infinity];
  assertEquals(limits.map(canPass), [false, true, true, false, false]);
});

test("the chunk of a task is found, whatever was taken back or has failed", () => {
  for (let count = 0; count < 9; count++) {
    let serial = 1;
    const sent = Array.from({ length: count }, (_, n) => {
      const size = n % 4; // none, where all were taken back
      const one = {
        chunk: { values: new Array(size) },
        serial,
        settled: new Set(size === 3 ? [1] : []),
      };
      serial += size + n % 3;
      return one as unknown as Sent;
    });
    const found = new Map<number, number>();
    for (const [at, { chunk, serial, settled }] of sent.entries()) {
      for (let offset = 0; offset < chunk.values.length; offset++) {
        if (!settled.has(offset)) found.set(serial + offset, at);
      }
    }
    for (let wanted = 0; wanted < serial + 3; wanted++) {
      assertEquals(findSent(sent, wanted), found.get(wanted) ?? -1);
    }
  }
});
