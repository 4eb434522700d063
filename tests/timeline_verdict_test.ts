import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertNotMatch,
} from "@std/assert";
import { parallelMap, Pool } from "../mod.ts";
import { type Facts, Timeline, type VerdictKind } from "../src/timeline/mod.ts";
import { judge } from "../src/timeline/verdict.ts";
import { FACTS } from "./fixtures/facts.ts";
import { test } from "./harness.ts";

/** When a rule speaks, and the nearest facts with which it must not. */
interface Row {
  kind: VerdictKind;
  title: string;
  facts: Partial<Facts>;
  says: string;
  /** What is said instead. */
  silent: Record<string, [Partial<Facts>, VerdictKind]>;
}

const uneven: Partial<Facts> = {
  tail: 0.4,
  spent: { startUp: 0, work: 0.55, transport: 0.01, waiting: 0.44 },
};

const ROWS: Row[] = [
  {
    kind: "nothing",
    title: "nothing was recorded",
    facts: { runs: 0, tasks: 0, used: 0, slowest: [] },
    says:
      "Nothing was recorded: a Timeline hears of runs by onEvent, and of calls by measure()",
    silent: { "a call was": [{ calls: 1, tasks: 1 }, "loop"] },
  },
  {
    kind: "nothing",
    title: "there was no input",
    facts: { inputs: 0, tasks: 0, used: 0, slowest: [] },
    says: "There was no input",
    silent: {
      "it goes on": [{ open: 1 }, "running"],
      "it was stopped": [{ stopped: 1 }, "stopped"],
    },
  },
  {
    kind: "nothing",
    title: "all inputs had a result already",
    facts: { inputs: 0, tasks: 0, used: 0, slowest: [], partial: true },
    says: "No input was left to map",
    silent: {},
  },
  {
    kind: "nothing",
    title: "no input could be sent",
    facts: { inputs: 3, failed: 3, tasks: 0, used: 0, slowest: [] },
    says: "No task ran: see what failed",
    silent: {},
  },
  {
    kind: "two-pools",
    title: "the events of two pools are mixed up",
    facts: { heard: "two pools", runs: 2 },
    says:
      "Two pools were recorded at once and cannot be told apart: give each a Timeline of its own",
    silent: { "runs of one pool": [{ heard: "part" }, "good"] },
  },
  {
    kind: "loop",
    title: "a plain loop",
    facts: { runs: 0, calls: 3, tasks: 3, wall: 15, tasksAtOnce: 1 },
    says: "One thread made 3 calls, one after another, in 15 ms",
    silent: { "workers as well": [{ runs: 1 }, "good"] },
  },
  {
    kind: "loop",
    title: "calls of async functions at once",
    facts: { runs: 0, calls: 3, tasks: 3, wall: 15, tasksAtOnce: 2 },
    says: "One thread made 3 calls in 15 ms",
    silent: {},
  },
  {
    kind: "running",
    title: "a run goes on",
    facts: { open: 1 },
    says: "The run is not over, and is judged when it is",
    silent: { "it is over": [{ open: 0 }, "good"] },
  },
  {
    kind: "stopped",
    title: "a run was stopped early",
    facts: { stopped: 1, runs: 2, tail: 0.9, speedUp: 1.9 },
    says:
      "1 of 2 runs were stopped before the end, so how fast it was says little",
    silent: { "it ran to its end": [{ stopped: 0 }, "uneven"] },
  },
  {
    kind: "inline",
    title: "everything ran in this thread",
    facts: { workers: 0, used: 1, cores: 1, tasksAtOnce: 1, workersAtOnce: 1 },
    says: 'Everything ran in this thread, as "workers" was 0',
    silent: {
      "one of the runs had workers": [{ workers: 2, runs: 2 }, "one-worker"],
    },
  },
  {
    kind: "one-input",
    title: "there was one input",
    facts: { inputs: 1, tasks: 3, again: 2, used: 1, tasksAtOnce: 1 },
    says: "There was one input: only several inputs can be shared",
    silent: {
      "nine more could not be sent": [{ inputs: 10, failed: 9 }, "one-worker"],
      "the source did not say": [{ inputs: undefined }, "one-worker"],
      "others had a result already": [{ partial: true }, "one-worker"],
      "each of two runs had one": [{ inputs: 2, runs: 2 }, "one-worker"],
    },
  },
  {
    kind: "cores",
    title: "more workers than cores compute",
    facts: {
      workers: 4,
      used: 4,
      tasksAtOnce: 4,
      workersAtOnce: 4,
      crowded: true,
      speedUp: 1.94,
    },
    says:
      "The tasks kept 2 cores busy for 97 % of the time: more than 4 workers can hardly help",
    silent: {
      "they wait, or others have the cores": [{
        crowded: false,
        speedUp: undefined,
      }, "good"],
    },
  },
  {
    kind: "starved",
    title: "a slow source of inputs, or a slow reader",
    facts: { starved: 0.6, inputs: undefined },
    says:
      "The workers waited 60 % of their time for inputs: the source, the reader of a stream, or this thread itself was slower than they",
    silent: {
      "they had runs that were not recorded": [{ heard: "part" }, "good"],
      "only some of the time": [{ starved: 0.3 }, "good"],
    },
  },
  {
    kind: "starved",
    title: "inputs that may have waited to be mapped again",
    facts: { starved: 0.6, inputs: undefined, partial: true },
    says: "The workers waited 60 % of their time for inputs",
    silent: { "only some of the time": [{ starved: 0.3 }, "good"] },
  },
  {
    kind: "starved",
    title: "inputs that take this thread long to make",
    facts: { starved: 0.6, reading: 300 },
    says:
      'Reading the inputs took 300 ms of the 520 ms: the source, or "weight", is slower than the workers',
    silent: {
      "the workers were busy all the same": [{ starved: 0.1 }, "good"],
    },
  },
  {
    kind: "one-slow",
    title: "one input took most of the time",
    facts: {
      ...uneven,
      slowest: [
        { index: 17, run: 0, ms: 312, ended: true },
        { index: 4, run: 0, ms: 10, ended: true },
      ],
    },
    says:
      "Input 17 took 60 % of the time: no number of workers makes a run shorter than that, only splitting the input",
    silent: {
      "it shared its worker with other tasks": [{ tasksInWorker: 4 }, "uneven"],
      "it may have shared the cores": [{ workersAtOnce: 4 }, "uneven"],
      "it may have had half a core": [
        { workersAtOnce: 4, cpu: { least: 60, most: 80, inTask: 600 } },
        "uneven",
      ],
      "another run has an input 17": [{ runs: 2 }, "uneven"],
      "it never came back": [
        { slowest: [{ index: 17, run: 0, ms: 312, ended: false }] },
        "uneven",
      ],
      "there was enough to do beside it": [
        { spent: FACTS.spent, tail: 0 },
        "good",
      ],
      "one worker did it all": [{ used: 1 }, "one-worker"],
      "it took less": [
        { slowest: [{ index: 17, run: 0, ms: 250, ended: true }] },
        "uneven",
      ],
    },
  },
  {
    kind: "one-slow",
    title: "one input of many that sleep took most of the time",
    facts: {
      ...uneven,
      workers: 4,
      used: 4,
      workersAtOnce: 4,
      cpu: { least: 0, most: 20, inTask: 600 },
      slowest: [{ index: 17, run: 0, ms: 312, ended: true }],
    },
    says:
      "Input 17 took 60 % of the time: no number of workers makes a run shorter than that, only splitting the input",
    silent: {
      "tasks overlapped": [{ tasksInWorker: 2 }, "uneven"],
    },
  },
  {
    kind: "small-chunks",
    title: "a message for each tiny task",
    facts: {
      tasks: 2000,
      inputs: 2000,
      chunks: 2000,
      work: 2,
      transportPerTask: 0.04,
      spent: { startUp: 0, work: 0.01, transport: 0.9, waiting: 0.09 },
    },
    says:
      "On average a task took 1.0 µs of work and at least 40 µs on its way, in a message of its own: a plain loop would be faster",
    silent: {
      "messages carried more": [{ largestChunk: 2 }, "transport"],
      "quick messages were quick": [{ transportPerTask: 0.0005 }, "mixed"],
    },
  },
  {
    kind: "transport",
    title: "messages cost more than the work",
    facts: {
      tasks: 2000,
      largestChunk: 100,
      work: 200,
      transportPerTask: 0.3,
      spent: { startUp: 0, work: 0.2, transport: 0.7, waiting: 0.1 },
    },
    says:
      "On average a task took 100 µs of work and at least 300 µs on its way: a plain loop would be faster",
    silent: {
      "workers made up for it": [{ used: 8, workers: 8 }, "mixed"],
      "other programs had the cores": [{ transportPerTask: 0.01 }, "mixed"],
      "too few messages to know": [{ transportPerTask: 0 }, "mixed"],
      "a loop takes as long": [{ work: 450 }, "mixed"],
      "a task would have ended a loop": [{ lost: 1 }, "mixed"],
    },
  },
  {
    kind: "start-up",
    title: "starting the workers took most of the time",
    facts: {
      wall: 400,
      work: 3,
      started: 2,
      startUp: 300,
      quickestStart: 150,
      spent: { startUp: 0.75, work: 0.01, transport: 0.1, waiting: 0.14 },
    },
    says:
      "Starting 2 workers took 300 ms of the 400 ms: a plain loop would be faster, and a Pool that is kept for many maps starts its workers once",
    silent: {
      "they worked most of the time": [{ spent: FACTS.spent }, "good"],
      "it took less than half": [{ startUp: 190 }, "mixed"],
    },
  },
  {
    kind: "start-up",
    title: "a task would have held a loop",
    facts: {
      wall: 400,
      work: 3,
      lost: 1,
      started: 2,
      restarts: 2,
      startUp: 300,
      quickestStart: 50,
      spent: { startUp: 0.75, work: 0.01, transport: 0.1, waiting: 0.14 },
    },
    says: "Starting workers 4 times took 300 ms of the 400 ms",
    silent: {},
  },
  {
    kind: "start-up",
    title: "a loop may need the same init",
    facts: {
      wall: 400,
      work: 100,
      started: 1,
      startUp: 290,
      quickestStart: 290,
      spent: { startUp: 0.7, work: 0.2, transport: 0.05, waiting: 0.05 },
    },
    says:
      "Starting 1 worker took 290 ms of the 400 ms: a Pool that is kept for many maps starts its workers once",
    silent: {},
  },
  {
    kind: "start-up",
    title: "workers are replaced after each task",
    facts: {
      wall: 400,
      work: 300,
      started: 2,
      restarts: 10,
      startUp: 290,
      quickestStart: 40,
      spent: { startUp: 0.7, work: 0.3, transport: 0, waiting: 0 },
    },
    says: "Starting workers 12 times took 290 ms of the 400 ms",
    silent: {},
  },
  {
    kind: "start-up",
    title: "each of three calls starts workers of its own",
    facts: {
      runs: 3,
      wall: 400,
      work: 3,
      started: 6,
      startUp: 300,
      quickestStart: 50,
      spent: { startUp: 0.75, work: 0.01, transport: 0.1, waiting: 0.14 },
    },
    says:
      "Starting workers 6 times took 300 ms of the 400 ms: a plain loop would be faster, and a Pool that is kept for many maps starts its workers once",
    silent: {},
  },
  {
    kind: "large-chunks",
    title: "chunks so large that workers went without",
    facts: {
      inputs: 5,
      tasks: 5,
      chunks: 2,
      largestChunk: 4,
      chunkSizeGiven: true,
      workers: 3,
      used: 2,
      spent: { startUp: 0, work: 0.62, transport: 0, waiting: 0.38 },
    },
    says:
      "5 inputs went in 2 messages, so 2 of 3 workers had any: a smaller chunkSize gives the others some",
    silent: {
      "chunkSize was left out": [{ chunkSizeGiven: false }, "mixed"],
      "there were no more inputs than messages": [{ inputs: 2 }, "mixed"],
      "the work was too little for more": [
        { spent: { startUp: 0.3, work: 0.1, transport: 0, waiting: 0.6 } },
        "mixed",
      ],
      "each worker had several": [{ chunks: 4 }, "mixed"],
    },
  },
  {
    kind: "one-worker",
    title: "one worker is no faster than a loop",
    facts: {
      workers: 1,
      used: 1,
      wall: 125,
      work: 120,
      tasksAtOnce: 1,
      workersAtOnce: 1,
    },
    says:
      "One worker did one task after another, 120 ms of work in 125 ms: a loop needs no more time for the tasks alone",
    silent: {
      "it had several tasks at once": [{ tasksInWorker: 3 }, "good"],
      "a task would have ended a loop": [{ lost: 1 }, "good"],
    },
  },
  {
    kind: "one-worker",
    title: "one worker did it all",
    facts: { workers: 4, used: 1, wall: 125, work: 120, tasksAtOnce: 1 },
    says:
      "One of 4 workers did one task after another, 120 ms of work in 125 ms: a loop needs no more time for the tasks alone",
    silent: {},
  },
  {
    kind: "uneven",
    title: "nothing left for some workers",
    facts: uneven,
    says:
      "The workers had nothing left for 40 % of their time, while the last tasks ran: too few tasks or tasks of different length (input 3 took 101 ms)",
    silent: {
      "they had runs that were not recorded": [{ heard: "part" }, "mixed"],
      "for some of the time": [{ tail: 0.2 }, "mixed"],
    },
  },
  {
    kind: "uneven",
    title: "nothing left while some are tried again",
    facts: {
      ...uneven,
      runs: 2,
      largestChunk: 4,
      again: 2,
      inputs: undefined,
      slowest: [{ index: 3, run: 0, ms: 10, ended: true }],
    },
    says:
      "The workers had nothing left for 40 % of their time, while the last tasks ran: too few tasks, chunks too large, second tries or a source that ended late",
    silent: {},
  },
  {
    kind: "good",
    title: "tasks that compute",
    facts: {
      speedUp: 1.8,
      cpu: { least: 936, most: 1000, inTask: 1000 },
    },
    says:
      "2 workers used 936 ms of CPU time in 520 ms: 1.8× as fast as a loop that needs the same",
    silent: {
      "half of the cores were not used": [
        { speedUp: 0.9, spent: uneven.spent },
        "mixed",
      ],
    },
  },
  {
    kind: "good",
    title: "tasks that wait, or lack a core",
    facts: { cpu: { least: 60, most: 112, inTask: 1000 } },
    says:
      "2 workers had a task for 96 % of their time, and a core for at most 12 % of that: the tasks waited, or others had the cores",
    silent: { "one worker had none": [{ workers: 3 }, "mixed"] },
  },
  {
    kind: "good",
    title: "tasks of which no CPU time is known",
    facts: { cpu: undefined },
    says: "2 workers had a task for 96 % of their time",
    silent: {},
  },
  {
    kind: "good",
    title: "several tasks at once in each worker",
    facts: { tasksAtOnce: 8, tasksInWorker: 4 },
    says: "2 workers had up to 8 tasks at once, and any for 96 % of their time",
    silent: {},
  },
  {
    kind: "mixed",
    title: "nothing stands out",
    facts: {
      spent: { startUp: 0.3, work: 0.6, transport: 0.04, waiting: 0.06 },
    },
    says:
      "2 workers had a task for 60 % of their time; for 30 % of their time they were starting",
    silent: {},
  },
  {
    kind: "mixed",
    title: "a module that takes long to load, or other programs on the cores",
    facts: {
      spent: { startUp: 0.05, work: 0.2, transport: 0.7, waiting: 0.05 },
    },
    says:
      "2 workers had a task for 20 % of their time; for 70 % of their time they had been sent tasks and ran none",
    silent: {},
  },
  {
    kind: "mixed",
    title: "beside runs that were not recorded",
    facts: {
      heard: "part",
      used: 1,
      workers: 2,
      tasksInWorker: 2,
      spent: { startUp: 0, work: 0.6, transport: 0.02, waiting: 0.38 },
    },
    says:
      "1 of 2 workers had up to 2 tasks at once, and any for 60 % of their time",
    silent: {},
  },
];

for (const { kind, title, facts, says, silent } of ROWS) {
  test(`verdict: ${title}`, () => {
    const close = { ...FACTS, ...facts };
    assertEquals(judge(close), { kind, text: says });
    for (const [why, [change, other]] of Object.entries(silent)) {
      const verdict = judge({ ...close, ...change });
      assertEquals(verdict.kind, other, `${why}: ${verdict.text}`);
      assertNotEquals(verdict.text, says, why);
    }
  });
}

// What follows really runs. How fast the machine is does not matter.

test("verdict: of calls that were really measured", () => {
  const timeline = new Timeline();
  for (const n of [1, 2, 3]) timeline.measure(() => n);
  assertMatch(
    timeline.report(),
    /^3 calls in .*, in this thread\n[^]*\nOne thread made 3 calls, one after another, in [^.]*(\.\d+)? .?s\.$/,
  );
});

test("verdict: of tasks that really sleep, four at once", async () => {
  const timeline = new Timeline();
  const nap = (ms: number) => new Promise((wake) => setTimeout(wake, ms));
  const options = { workers: 2, concurrency: 4, onEvent: timeline.record };
  await parallelMap(nap, new Array(16).fill(50), options);
  const { verdict, workersAtOnce, speedUp } = timeline.summary();
  assert(workersAtOnce <= 2, `${workersAtOnce}`);
  assertEquals(speedUp, undefined, verdict.text);
  assertNotMatch(timeline.report(), /[3-9] workers|a loop/);
});

test("verdict: of chunks that are really too large", async () => {
  const nap = (ms: number) =>
    void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  await using pool = new Pool({ workers: 3 });
  await pool.start();
  for (const chunkSize of [4, undefined]) {
    const timeline = new Timeline();
    const inputs = new Array(8).fill(100);
    await pool.map(nap, inputs, { chunkSize, onEvent: timeline.record });
    const { chunkSizeGiven, chunks, used } = timeline.summary();
    const large = chunkSize !== undefined;
    assertEquals(
      [chunkSizeGiven, chunks, used],
      large ? [true, 2, 2] : [false, 8, 3],
    );
    // On a busy machine the report says that first. What it says of these facts
    // stands in the table above.
    if (!large) assertNotMatch(timeline.report(), /smaller chunkSize/);
  }
});
