// What is made of a recording: scenes that never were, on a clock of their own.

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertNotMatch,
} from "@std/assert";
import type { RunEvent } from "../mod.ts";
import { type Summary, Timeline } from "../src/timeline/mod.ts";
import { Recording } from "../src/timeline/recording.ts";
import { tracksOf } from "../src/timeline/tracks.ts";
import {
  eventsOf,
  record,
  rounds,
  type Scene,
  type SceneChunk,
} from "./fixtures/scene.ts";
import { test } from "./harness.ts";

const LOOP = /as fast as a loop/;

function summary(scene: Scene): Summary {
  return record(scene).summary();
}

test("timeline: eight tasks in two workers are two workers", () => {
  const scene: Scene = {
    runs: [{ from: 0, to: 400, total: 8 }],
    chunks: [0, 1, 2, 3, 4, 5, 6, 7].map((n) => ({
      worker: n % 2,
      sent: 0,
      heard: 400,
      tasks: [[10, 390]],
      cpu: 90,
    })),
  };
  const { tasksAtOnce, tasksInWorker, workersAtOnce, verdict, ...facts } =
    summary(scene);
  assertEquals([tasksAtOnce, tasksInWorker, workersAtOnce], [8, 4, 2]);
  assertEquals(facts.speedUp, undefined, "of overlapping tasks little is read");
  assertEquals(
    verdict.text,
    "2 workers had up to 8 tasks at once, and any for 95 % of their time",
  );
  assertNotMatch(record(scene).report(), /[3-9] workers|no core free/);
});

test("timeline: workers of a machine that came later count as cores", () => {
  const scene: Scene = {
    runs: [{ from: 0, to: 400, total: 4 }],
    chunks: [0, 1, 2, 3].map((worker) => ({
      worker,
      sent: 0,
      heard: 400,
      tasks: [[5, 395]],
      cpu: 390,
    })),
  };
  const { cores, workers, workersAtOnce, verdict, speedUp } = summary(scene);
  assertEquals([cores, workers, workersAtOnce], [4, 4, 4]);
  assertNotMatch(verdict.text, /can hardly help/);
  assert(speedUp !== undefined && speedUp > 3);
});

test("timeline: tasks that waited are compared with no loop", () => {
  const { verdict, speedUp, atOnce } = summary({
    runs: [{ from: 0, to: 800, total: 16 }],
    chunks: rounds({ times: 8, ms: 100, share: 0.04 }),
  });
  assertEquals([speedUp, atOnce], [undefined, 2]);
  assertEquals(
    verdict.text,
    "2 workers had a task for 100 % of their time, and a core for at most 6 % of that: the tasks waited, or others had the cores",
  );
});

test("timeline: half a core for each is waiting, or other programs", () => {
  const { verdict } = summary({
    workers: 4,
    runs: [{ from: 0, to: 800, total: 32 }],
    chunks: rounds({ workers: 4, times: 8, ms: 100, share: 0.2 }),
  });
  assertEquals(verdict.kind, "good");
  assertNotMatch(verdict.text, LOOP);
});

test("timeline: tasks that computed are compared by their CPU time", () => {
  const { verdict, speedUp } = summary({
    runs: [{ from: 0, to: 1000, total: 16 }],
    chunks: rounds({ times: 8, ms: 100, share: 0.9 }),
  });
  assertAlmostEquals(speedUp!, 1.42); // 10 ms of each may be from before
  assertEquals(
    verdict.text,
    "2 workers used 1.42 s of CPU time in 1.00 s: 1.4× as fast as a loop that needs the same",
  );
});

test("timeline: four workers fill two cores", () => {
  const scene: Scene = {
    workers: 4,
    runs: [{ from: 0, to: 800, total: 32 }],
    chunks: rounds({ workers: 4, times: 8, ms: 100, share: 0.48 }),
  };
  assertEquals(
    summary(scene).verdict.text,
    "The tasks kept 2 cores busy for 94 % of the time: more than 4 workers can hardly help",
  );
  assertMatch(record(scene).toHtml(), /about 50 % of a core/);
  const [first, ...chunks] = scene.chunks!;
  const overlapping = { ...first, sent: 50, heard: 100, tasks: [[60, 90]] };
  assertNotMatch(
    record({
      ...scene,
      chunks: [first, ...chunks, overlapping as typeof first],
    })
      .toHtml(),
    /of a core|no core free/,
  );
});

test("timeline: a few ticks of CPU time prove nothing", () => {
  const { speedUp, cpu } = summary({
    workers: 1,
    runs: [{ from: 0, to: 49, total: 7 }],
    chunks: rounds({ workers: 1, times: 7, ms: 7, share: 1 }),
  });
  assertEquals([cpu!.least, speedUp], [42, undefined]);
});

test("timeline: CPU time outside of the tasks is not theirs", () => {
  // Each task sleeps 20 ms; the CPU time in its answer was used between them.
  const { cpu, speedUp } = summary({
    runs: [{ from: 0, to: 1200, total: 80 }],
    chunks: rounds({ times: 40, ms: 20, gap: 10, share: 0.5 }),
  });
  assertEquals([cpu!.least, speedUp], [0, undefined]);
  assertAlmostEquals(cpu!.most, 820);
});

test("timeline: CPU time that no worker reported is not known", () => {
  const runs = [{ from: 0, to: 800, total: 16 }];
  const chunks = rounds({ times: 8, ms: 100 });
  assertEquals(summary({ runs, chunks }).cpu, undefined);
  chunks[0].cpu = 1;
  const { least, most } = summary({ runs, chunks }).cpu!;
  assertEquals([least, most], [0, 1511], "the others may have computed");
});

test("timeline: a chunk of one task names no option", () => {
  for (const share of [undefined, 0.01]) {
    const { verdict, chunkSizeGiven } = summary({
      runs: [{ from: 0, to: 900, total: undefined }],
      chunks: rounds({ times: 200, ms: 0.01, gap: 4, share }),
    });
    assertEquals([verdict.kind, chunkSizeGiven], ["small-chunks", false]);
    assertNotMatch(verdict.text, /chunkSize|concurrency/);
  }
});

test("timeline: messages that other programs held up cost nothing", () => {
  const chunks = rounds({ times: 40, ms: 1, gap: 0.01 });
  for (const [i, chunk] of chunks.entries()) {
    const late = 20 * Math.floor(i / 8); // one message in four
    chunk.sent += late - (i % 8 < 2 ? 20 : 0);
    chunk.heard += late;
    chunk.tasks = chunk.tasks.map(([from, to]) => [from + late, to + late]);
  }
  const { transportPerTask, verdict, spent } = summary({
    runs: [{ from: 0, to: 250, total: 80 }],
    chunks: chunks.map((chunk) => ({
      ...chunk,
      sent: Math.max(0, chunk.sent),
    })),
  });
  assert(transportPerTask < 0.02, `${transportPerTask}`);
  assert(spent.transport > 0.5, `${spent.transport}`);
  assertEquals(verdict.kind, "mixed");
});

test("timeline: messages that all cost more than their tasks", () => {
  const { verdict } = summary({
    runs: [{ from: 0, to: 100, total: 400 }],
    chunks: rounds({ times: 40, ms: 0.5, gap: 2 }).map((chunk) => {
      const [[from]] = chunk.tasks;
      const tasks = [0, 1, 2, 3, 4].map((i): [number, number] => [
        from + i / 10,
        from + (i + 1) / 10,
      ]);
      return { ...chunk, tasks };
    }),
  });
  assertEquals(
    verdict.text,
    "On average a task took 100 µs of work and at least 400 µs on its way: a plain loop would be faster",
  );
});

test("timeline: a slow source and the load of a module are not transport", () => {
  const slow = rounds({ times: 40, ms: 1, gap: 9 }).map((chunk) => ({
    ...chunk,
    sent: chunk.sent + 9,
  }));
  const runs = [{ from: 0, to: 400, total: 80 }];
  assertEquals(summary({ runs, chunks: slow }).transportPerTask, 0);
  const loads = rounds({ times: 40, ms: 1, gap: 9 });
  for (const [run, chunk] of loads.entries()) chunk.run = run;
  const many = loads.map(() => ({ from: 0, to: 400, total: 1 }));
  const { transportPerTask, spent } = summary({ runs: many, chunks: loads });
  assertEquals([transportPerTask, spent.transport], [0, 0.9]);
});

test("timeline: who waits for a second try does not wait for inputs", () => {
  const { starved, tail, again, verdict } = summary({
    runs: [{ from: 0, to: 900, total: 2 }],
    chunks: [
      { worker: 0, sent: 0, heard: 300, tasks: [[0, 300]] },
      { worker: 1, sent: 0, heard: 10, tasks: [[0, 10]] },
      {
        worker: 0,
        sent: 300,
        heard: 900,
        tasks: [[300, 900]],
        first: 0,
        attempt: 2,
      },
    ],
  });
  assertEquals([starved, again], [0, 1]);
  assertAlmostEquals(tail, 890 / 1800);
  assertMatch(verdict.text, /^Input 0 took 67 % of the time/);
});

test("timeline: whether inputs or tasks were lacking does not depend on the order of the inputs, as with weights", () => {
  // One input each 50 ms, and each takes 10 ms.
  const waits = (order: number[]) => {
    const { starved, tail, verdict } = summary({
      runs: [{ from: 0, to: 50 * order.length - 40, total: order.length }],
      chunks: order.map((first, n) => ({
        worker: n % 2,
        sent: 50 * n,
        heard: 50 * n + 10,
        tasks: [[50 * n, 50 * n + 10]],
        first,
      })),
    });
    return { starved, tail, verdict };
  };
  const upwards = Array.from({ length: 80 }, (_, index) => index);
  const right = waits(upwards);
  assertEquals(right.verdict.kind, "starved");
  assertEquals(waits(upwards.toReversed()), right);
  const heaviest = upwards.map((index) => (7 * index + 40) % 80);
  assertEquals(waits(heaviest), right);
});

test("timeline: a part of a message that is sent again is no new input, whatever else is sent with it", () => {
  const tailWith = (...again: SceneChunk[]) =>
    summary({
      runs: [{ from: 0, to: 900, total: 71 }],
      chunks: [
        { worker: 0, sent: 0, heard: 300, tasks: tasks(40, 300), first: 31 },
        { worker: 1, sent: 0, heard: 100, tasks: tasks(31, 100), first: 0 },
        ...again,
      ],
    }).tail;
  const tasks = (count: number, to: number) =>
    Array.from({ length: count }, (): [number, number] => [0, to]);
  const second = { worker: 0, sent: 300, heard: 900 };
  // Worker 1 has nothing left from 100 on, though tasks were sent again at 300.
  const last: [number, number][] = [[300, 500], [500, 700], [700, 900]];
  for (const first of [32, 40, 62, 68]) {
    assertAlmostEquals(tailWith({ ...second, tasks: last, first }), 800 / 1800);
  }
  // With a new one among them, there was more to come until then.
  const more = tailWith({ ...second, tasks: last, first: 69 });
  assertAlmostEquals(more, 600 / 1800);
});

test("timeline: a source that ends late is not a lack of tasks", () => {
  const chunks = rounds({ times: 1, ms: 50 });
  const late = summary({ runs: [{ from: 0, to: 600 }], chunks });
  assertEquals(late.verdict.kind, "starved");
  assertEquals([late.tail, late.inputs], [0, 2]);
});

test("timeline: who waits for the end of a worker has inputs", () => {
  const { starved } = summary({
    runs: [{ from: 0, to: 1000, total: 3 }],
    chunks: [
      { worker: 0, sent: 0, heard: 100, tasks: [[0, 100]] },
      { worker: 0, sent: 900, heard: 1000, tasks: [[900, 1000]] },
      { worker: 1, sent: 0, heard: 1000, tasks: [[0, 1000]] },
    ],
    more: [{ type: "worker-end", worker: 0, lost: false, at: 890 }],
  });
  assertEquals(starved, 0);
});

test("timeline: a worker's clock that was set shows the same", () => {
  const scene: Scene = {
    runs: [{ from: 0, to: 900, total: 16 }],
    chunks: rounds({ times: 8, ms: 100, gap: 5, share: 0.9 }),
  };
  const { verdict } = summary(scene);
  for (const off of [-3_600_000, -50, 50, 3_600_000]) {
    const chunks = scene.chunks!.map((chunk) =>
      chunk.worker === 0 ? chunk : {
        ...chunk,
        tasks: chunk.tasks.map(([from, to]): [number, number] => [
          from + off,
          to + off,
        ]),
      }
    );
    const moved = summary({ ...scene, chunks });
    assertEquals(moved.verdict, verdict);
    assertAlmostEquals(moved.work, 1600, 1e-3);
  }
});

/** Tasks of 10 ms, one after another, which are all sent at once to one worker. */
function queued(from: number, offs: number[]): SceneChunk[] {
  return offs.map((off, n) => {
    const began = from + 1 + 10 * n;
    return {
      worker: 0,
      sent: from,
      heard: began + 11,
      tasks: [[began + off, began + 10 + off]],
    };
  });
}

test("timeline: tasks that waited for each other run one after another, however a worker's clock was set", () => {
  const facts = (chunks: SceneChunk[]) => {
    const { work, spent, ...all } = summary({
      workers: 1,
      cores: 1,
      runs: [{ from: 0, to: 172, total: 12 }],
      // The second life of the worker has a clock of its own.
      starts: [0, 100].map((from) => ({
        worker: 0,
        from,
        to: from,
        ready: from,
      })),
      chunks,
      more: [{ type: "worker-end", worker: 0, lost: false, at: 80 }],
    });
    const { tasksInWorker, atOnce, speedUp, verdict } = all;
    const rounded = [work, ...Object.values(spent)].map((n) => n.toFixed(2));
    return { tasksInWorker, atOnce, speedUp, verdict, rounded };
  };
  const scene = (first: number, second: number) => [
    ...queued(0, Array(6).fill(first)),
    ...queued(110, Array(6).fill(second)),
  ];
  const right = facts(scene(0, 0));
  assertEquals(right.tasksInWorker, 1);
  for (const off of [-5, -25, -1000, 25, 1000]) {
    assertEquals(facts(scene(off, off)), right, `${off} ms`);
    assertEquals(facts(scene(off, -off)), right, `${off} ms, then ${-off}`);
    assertEquals(facts(scene(0, off)), right, `none, then ${off} ms`);
  }
});

test("timeline: a clock that is set while its worker lives moves no task out of its chunk", () => {
  const recording = new Recording();
  const chunks = queued(0, [0, 0, 1000, 1000, -1000, -1000]);
  const runs = [{ from: 0, to: 63, total: 6 }];
  for (const event of eventsOf({ workers: 1, runs, chunks })) {
    recording.hear(event);
  }
  const [{ index, from, to }] = tracksOf(recording);
  assertEquals(index.length, 6);
  index.forEach((task, n) => {
    const { sent, heard } = chunks[task];
    assert(sent <= from[n] && to[n] <= heard, `task ${task}`);
    assertAlmostEquals(to[n] - from[n], 10);
  });
});

test("timeline: a worker that was there before is there all the time", () => {
  const { rows } = summary({
    runs: [{ from: 0, to: 300, total: 3 }],
    starts: [{ worker: 0, from: 210, to: 220, ready: 230 }],
    chunks: [
      { worker: 0, sent: 0, heard: 200, tasks: [[0, 200]] },
      { worker: 0, sent: 220, heard: 300, tasks: [[240, 300]] },
    ],
    more: [{ type: "worker-end", worker: 0, lost: true, at: 210 }],
  });
  const [{ present, work, startUp }] = rows;
  assertEquals([present, work, startUp], [300, 260, 20]);
});

test("timeline: so is that of a second pool", () => {
  const scenes = [0, 200].map((from): Scene => ({
    runs: [{ from, to: from + 100, total: 1 }],
    chunks: [{
      worker: 0,
      sent: from + 80,
      heard: from + 90,
      tasks: [[from + 80, from + 90]],
    }],
  }));
  const timeline = new Timeline();
  for (const event of scenes.flatMap(eventsOf)) timeline.record(event);
  const [{ present, waiting }] = timeline.summary().rows;
  assertEquals([present, waiting], [200, 180]);
});

test("timeline: calls in this thread are no workers", () => {
  const timeline = new Timeline();
  timeline.measure(() => 1);
  const runs = [{ from: 1e6, to: 1e6 + 800, total: 16 }];
  const chunks = rounds({ times: 8, ms: 100 }).map((chunk) => ({
    ...chunk,
    sent: chunk.sent + 1e6,
    heard: chunk.heard + 1e6,
    tasks: chunk.tasks.map(([from, to]): [number, number] => [
      from + 1e6,
      to + 1e6,
    ]),
  }));
  for (const event of eventsOf({ runs, chunks })) timeline.record(event);
  const { used, calls, tasks, wall, verdict } = timeline.summary();
  assertEquals([used, calls, tasks, wall], [2, 1, 16, 800]);
  assertEquals(verdict.text, "2 workers had a task for 100 % of their time");
  assertMatch(
    timeline.report(),
    /^16 tasks in 800 ms, 2 workers on deno, 2 cores, and 1 call here\n/,
  );
  assertMatch(timeline.report(), /\nthis thread +1 +100 % +0 % +0 % +0 %\n/);
});

test("timeline: calls of async functions may overlap", async () => {
  const timeline = new Timeline();
  const gate = Promise.withResolvers<void>();
  const slow = timeline.measure(() => gate.promise);
  timeline.measure(() => 1);
  gate.resolve();
  await slow;
  const { tasksAtOnce, verdict } = timeline.summary();
  assertEquals(tasksAtOnce, 2);
  assertMatch(verdict.text, /^One thread made 2 calls in \d/);
});

test("timeline: without workers there is this thread", () => {
  const report = record({
    workers: 0,
    runs: [{ from: 0, to: 30, total: 3 }],
    chunks: rounds({ workers: 1, times: 3, ms: 10 }),
  }).report();
  assertMatch(report, /^3 tasks in 30 ms, in this thread\n/);
  assertMatch(report, /\nthis thread +3 +100 %/);
});

test("timeline: inputs that could not be sent are inputs", () => {
  const { inputs, failed, verdict } = summary({
    runs: [{ from: 0, to: 100 }],
    chunks: rounds({ workers: 1, times: 1, ms: 100 }),
    more: [1, 2].map((index) => ({
      type: "task-fail",
      run: 1,
      worker: 0,
      index,
      why: "unsendable",
      again: false,
      at: 1,
    })),
  });
  assertEquals([inputs, failed, verdict.kind], [3, 2, "one-worker"]);
});

test("timeline: a task that never came back is among the slowest", () => {
  const timeline = record({
    runs: [{ from: 0, to: 500, total: 2 }],
    chunks: rounds({ times: 1, ms: 10 }).slice(0, 1),
    more: [
      {
        type: "chunk-send",
        run: 1,
        chunk: 2,
        worker: 1,
        first: 1,
        tasks: 1,
        attempt: 1,
        reading: 0,
        from: 0,
        to: 0,
      },
      {
        type: "task-fail",
        run: 1,
        worker: 1,
        index: 1,
        why: "timeout",
        again: false,
        at: 480,
      },
    ],
  });
  assertEquals(timeline.summary().slowest[0], {
    index: 1,
    run: 0,
    ms: 480,
    ended: false,
  });
  assertNotMatch(timeline.summary().verdict.text, /^Input 1 took/);
});

test("timeline: a task that failed is one, though two events tell of it", () => {
  const fail = { type: "task-fail", run: 1, worker: 0, again: false } as const;
  const run = { from: 0, to: 120, total: 4 };
  // Two that waited for too long, while their worker went on with others.
  const late = record({
    runs: [run],
    chunks: [{
      worker: 0,
      sent: 0,
      heard: 110,
      tasks: [[0, 100], [10, 100], [100, 110], [100, 110]],
      failed: [0, 1],
    }],
    more: [0, 1].map((index) => ({ ...fail, index, why: "timeout", at: 102 })),
  });
  const { tasks, failed, lost, tasksAtOnce, work } = late.summary();
  assertEquals([tasks, failed, lost, tasksAtOnce, work], [4, 2, 2, 2, 210]);
  assertMatch(
    late.toHtml(),
    /--lane:1"[^>]*"input 1 · 90 ms · timeout · worker 0 · from 10 ms/,
  );
  // One that threw, one whose result could not be sent, at its second try.
  const chunk = { worker: 0, first: 0, failed: [0] };
  const unsent = record({
    runs: [{ ...run, total: 1 }],
    chunks: [
      { ...chunk, sent: 0, heard: 10, tasks: [[1, 9]] },
      { ...chunk, sent: 20, heard: 30, tasks: [[21, 30]], attempt: 2 },
    ],
    more: [{ ...fail, index: 0, why: "unsendable", at: 30 }],
  });
  assertMatch(unsent.report(), /^2 tries in .*, 2 failed\n/);
  const { lost: gone, slowest } = unsent.summary();
  const slow = { index: 0, run: 0, ms: 9, ended: true };
  assertEquals([gone, slowest], [0, [slow]]);
  assertMatch(unsent.toHtml(), /input 0 · 9.0 ms · unsendable · /);
  assertMatch(unsent.toHtml(), /input 0 · 8.0 ms · threw · /);
});

test("timeline: however many fail, each is looked for near its own time", () => {
  const recording = new Recording();
  const times = 200;
  const chunks = rounds({ workers: 1, times, ms: 10 });
  const scene = {
    runs: [{ from: 0, to: 10 * times, total: times }],
    chunks: chunks.map((chunk, index) => ({ ...chunk, failed: [index] })),
    more: chunks.map(({ heard: at }, index): RunEvent => ({
      ...{ type: "task-fail", run: 1, worker: 0, index, again: false },
      ...{ why: "unsendable", at },
    })),
  };
  for (const event of eventsOf(scene)) recording.hear(event);
  let reads = 0;
  for (const chunk of recording.chunks) {
    const { from } = chunk;
    Object.defineProperty(chunk, "from", { get: () => (reads++, from) });
  }
  const { lost } = tracksOf(recording).find(({ worker }) => worker === 0)!;
  assertEquals(lost.length, times);
  assert(reads < 20 * times, `${reads}`);
});

test("timeline: second tries that never came back are tries", () => {
  const tries = [1, 2].map((attempt) => ({ attempt, at: 100 * attempt }));
  const report = record({
    runs: [{ from: 0, to: 200, total: 2 }],
    more: tries.flatMap(({ attempt, at }): RunEvent[] => {
      const task = { run: 1, worker: 0 };
      const sent = { chunk: attempt, first: 0, tasks: 1, attempt, reading: 0 };
      const again = attempt === 1;
      return [
        { ...task, ...sent, type: "chunk-send", from: at - 99, to: at - 99 },
        { ...task, type: "worker-end", lost: true, at },
        { ...task, type: "task-fail", index: 0, why: "timeout", again, at },
      ];
    }),
  }).report();
  assertMatch(report, /^2 tries in 200 ms, .*, 2 failed\n/);
});

test("timeline: a chunk that is never answered is not on its way for ever", () => {
  const sent = {
    type: "chunk-send",
    run: 1,
    worker: 1,
    tasks: 1,
    attempt: 1,
    reading: 0,
  } as const;
  const end = { type: "worker-end", worker: 1, lost: false, at: 1000 } as const;
  const rest = rounds({ workers: 1, times: 9, ms: 100, gap: 1 })
    .map((chunk, n) => ({ ...chunk, first: n, number: n + 2 }));
  // Its worker had not begun it when its run was stopped.
  const runs = [{ from: 0, to: 50, total: 1, ok: false }, {
    from: 60,
    to: 960,
  }];
  const dropped = record({
    runs,
    chunks: rest.map((chunk) => ({ ...chunk, run: 1 })),
    more: [{ ...sent, chunk: 1, first: 0, from: 0, to: 0 }, end],
  });
  // Its worker could not read it.
  const unread = record({
    runs: [{ from: 0, to: 960, total: 10 }],
    chunks: rest,
    more: [{ ...sent, chunk: 1, first: 9, from: 0, to: 0 }, {
      ...{ type: "task-fail", run: 1, worker: 1, index: 9, again: false },
      ...{ why: "unsendable", at: 50 },
    }, end],
  });
  for (const timeline of [dropped, unread]) {
    const row = timeline.summary().rows.find(({ name }) =>
      name === "worker 1"
    )!;
    assertEquals(row.transport, 50);
    assert(row.waiting > 800, `${row.waiting}`);
  }
});

test("timeline: chunks that are never answered do not pile up", () => {
  const run = { type: "run-start", total: 1, name: "fn" } as const;
  const where = { workers: 1, cores: 2, runtime: "deno" };
  const sent = { type: "chunk-send", tasks: 1, attempt: 1 } as const;
  const timeline = new Timeline();
  const late: RunEvent[] = [];
  // Two calls of their own pools, of which nobody says how their workers end,
  // then three of the second pool.
  for (const [n, number] of [1, 1, 2, 3].entries()) {
    const at = 100 * n;
    const same = { run: number, chunk: number, worker: 0, first: 0 };
    const times = { from: Float64Array.of(at), to: Float64Array.of(at + 9) };
    const rest = { failed: [], cpu: undefined, at: at + 9 };
    const done = { ...same, type: "chunk-done", ...times, ...rest } as const;
    timeline.record({ ...run, ...where, run: number, at });
    timeline.record({ ...sent, ...same, reading: 0, from: at, to: at });
    if (n !== 2) timeline.record(done); // it was not begun
    else late.push(done);
    timeline.record({ type: "run-end", run: number, ok: n !== 2, at: at + 10 });
  }
  // Such an answer never comes: it shows what is still waited for.
  for (const event of late) timeline.record(event);
  assertEquals(timeline.summary().tasks, 3);
});

test("timeline: runs that nobody recorded leave the waiting unexplained", () => {
  const scene: Scene = {
    runs: [{ from: 0, to: 800, total: 4 }],
    chunks: [
      { worker: 0, sent: 0, heard: 100, tasks: [[0, 100]] },
      { worker: 1, sent: 0, heard: 100, tasks: [[0, 100]] },
      { worker: 0, sent: 700, heard: 800, tasks: [[700, 800]] },
      { worker: 1, sent: 700, heard: 800, tasks: [[700, 800]] },
    ],
  };
  assertEquals(summary(scene).verdict.kind, "starved");
  const [a, b, c, d] = scene.chunks!;
  const others = [
    { ...scene, runs: [{ ...scene.runs[0], number: 2 }] },
    { ...scene, chunks: [a, b, { ...c, number: 7 }, { ...d, number: 8 }] },
  ];
  for (const other of others) {
    const { heard, verdict } = summary(other);
    assertEquals([heard, verdict.kind], ["part", "mixed"]);
    assertNotMatch(verdict.text, /wait/);
    assertMatch(
      record(other).report(),
      /^.*beside runs that are not recorded\n/,
    );
  }
});

test("timeline: calls one after another are not two pools", () => {
  const timeline = new Timeline();
  const scene: Scene = {
    runs: [{ from: 0, to: 100, total: 2 }],
    chunks: rounds({ times: 1, ms: 100 }),
  };
  for (const event of eventsOf(scene)) timeline.record(event);
  for (const event of eventsOf(scene)) timeline.record(event);
  const { heard, runs, tasks } = timeline.summary();
  assertEquals([heard, runs, tasks], ["all", 2, 4]);
});

test("timeline: calls one after another replace no workers, and a Pool helps", () => {
  /** A call whose worker is started at some time, and ready 80 ms later. */
  const call = (at: number, started: number): Scene => ({
    workers: 1,
    runs: [{ from: at, to: at + 100, total: 1 }],
    starts: [{ worker: 0, from: started, to: started + 1, ready: at + 80 }],
    chunks: [
      { worker: 0, sent: at + 80, heard: at + 90, tasks: [[at + 85, at + 86]] },
    ],
  });
  // The worker of the last one is started before its run begins.
  const calls = [call(0, 1), call(200, 201), call(400, 401), call(600, 590)];
  const timeline = new Timeline();
  for (const event of calls.flatMap(eventsOf)) timeline.record(event);
  const { started, restarts, verdict } = timeline.summary();
  assertEquals([started, restarts], [4, 0]);
  assertEquals(
    verdict.text,
    "Starting workers 4 times took 317 ms of the 400 ms: a plain loop would be faster, and a Pool that is kept for many maps starts its workers once",
  );
});

test("timeline: what workers of an aborted call still say is not of the next", () => {
  const run = { type: "run-start", run: 1, total: 1, name: "fn" } as const;
  const where = { workers: 1, cores: 2, runtime: "deno" };
  const start = { type: "worker-start", worker: 0 } as const;
  const same = { run: 1, chunk: 1, worker: 0, first: 0 };
  const sent = { ...same, type: "chunk-send", tasks: 1, attempt: 1 } as const;
  const at = (from: number) => ({ reading: 0, from, to: from });
  const done = (from: number, to: number): RunEvent => ({
    ...{ ...same, type: "chunk-done", failed: [], cpu: undefined, at: to },
    ...{ from: Float64Array.of(from), to: Float64Array.of(to) },
  });
  const end = { type: "worker-end", worker: 0, lost: false } as const;
  // It has seen the abort; it had not begun; or it is heard of after the next.
  const late = [done(20, 150), done(NaN, 150)];
  for (const [before, after] of [[late, []], [[], []], [[], late]]) {
    const timeline = new Timeline();
    const events: RunEvent[] = [
      { ...run, ...where, at: 0 },
      { ...start, from: 0, to: 1 },
      { ...sent, ...at(10) },
      { type: "run-end", run: 1, ok: false, at: 100 },
      { ...run, ...where, at: 101 },
      { ...start, from: 101, to: 102 },
      { ...sent, ...at(110) },
      ...before,
      ...(after.length > 0 ? [] : [{ ...end, at: 160 }]),
      done(120, 700),
      ...after,
      { type: "run-end", run: 1, ok: true, at: 700 },
      { ...end, at: 710 },
    ];
    for (const event of events) timeline.record(event);
    const { tasks, slowest, heard } = timeline.summary();
    assertEquals([tasks, slowest[0]?.ms, heard], [1, 580, "all"]);
  }
});

test("timeline: the events of two pools at once are mixed up", () => {
  const timeline = new Timeline();
  const [a] = eventsOf({ runs: [{ from: 0, to: 100 }] });
  timeline.record(a);
  timeline.record(a); // listener of the pool, and of its run
  assertEquals(timeline.summary().heard, "all");
  timeline.record({ ...a });
  assertEquals(timeline.summary().verdict.kind, "two-pools");
});

test("timeline: what ran on after the end of its run is not counted", () => {
  const { atOnce, spent, verdict } = summary({
    runs: [{ from: 0, to: 10, total: 9, ok: false }],
    chunks: rounds({ times: 1, ms: 500, share: 1 }),
  });
  assertEquals([atOnce, spent.work], [2, 1]);
  assertEquals(verdict.kind, "stopped");
});

test("timeline: tasks that took no time make no NaN", () => {
  const timeline = record({
    runs: [{ from: 5, to: 5, total: 2 }],
    chunks: [0, 1].map((worker) => ({
      worker,
      sent: 5,
      heard: 5,
      tasks: [[5, 5]],
      cpu: 0,
    })),
  });
  assertNotMatch(timeline.report(), /NaN|Infinity/);
  assertNotMatch(timeline.toHtml(), /NaN|Infinity/);
});
