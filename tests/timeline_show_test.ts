import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { parallelMap, parallelMapSettled } from "../mod.ts";
import { Timeline, toPage } from "../src/timeline/mod.ts";
import { barsOf } from "./fixtures/bars.ts";
import { record, rounds } from "./fixtures/scene.ts";
import { test } from "./harness.ts";

test("Timeline.report() is a short text", async () => {
  const timeline = new Timeline();
  await parallelMap((n: number) => n, [1, 2, 3, 4, 5, 6], {
    workers: 2,
    chunkSize: 1,
    onEvent: timeline.record,
  });
  const lines = timeline.report().split("\n");
  assertMatch(
    lines[0],
    /^6 tasks in .* workers? on (deno|bun|node), \d+ cores?$/,
  );
  assertMatch(lines[1], /^work .*, tasks at once \d+\.\d, workers busy \d+ %/);
  assertMatch(lines[3], /^ +tasks +work +start-up +transport +waiting$/);
  assertMatch(lines[4], /^worker 0 +\d+( +\d+ %){4}$/);
  assertMatch(lines.at(-3)!, /^slowest inputs {2}(\d: .*s(, )?){5}$/);
  for (const line of lines.slice(0, -1)) assert(line.length <= 80, line);
});

test("Timeline.toHtml() draws a bar for each task of a small run", async () => {
  const timeline = new Timeline();
  const inputs = Array.from({ length: 300 }, (_, i) => i);
  const { record: onEvent } = timeline;
  await parallelMap((n: number) => n, inputs, { workers: 2, onEvent });
  const bars = barsOf(timeline.toHtml()).filter(({ kind }) => kind === "task");
  const indexes = bars.map(({ label }) => Number(label.match(/\d+/)![0]));
  assertEquals(indexes.sort((a, b) => a - b), inputs);
});

test("Timeline.toHtml() draws a large run with few elements", async () => {
  const timeline = new Timeline();
  const inputs = Array.from({ length: 100_000 }, (_, i) => i);
  const { record: onEvent } = timeline;
  await parallelMap((n: number) => n % 7, inputs, { workers: 2, onEvent });
  const html = timeline.toHtml();
  const bars = barsOf(html).filter(({ kind }) => kind === "task");
  assert(bars.length < 8000, `${bars.length} bars`);
  assertEquals(tasksOf(bars), 100_000);
});

for (const concurrency of [100, 10_000]) {
  test(`Timeline.toHtml() draws ${concurrency} tasks at once with few elements`, () => {
    const times = 10_000 / concurrency;
    const timeline = record({
      runs: [{ from: 0, to: 5 * times + 2, total: 20_000 }],
      chunks: rounds({ times, ms: 5 }).map((chunk) => {
        const [[from, to]] = chunk.tasks;
        const tasks = Array.from({ length: concurrency }, (_, n) => {
          const late = n / concurrency;
          return [from + late, to + late] as [number, number];
        });
        return { ...chunk, tasks, heard: chunk.heard + 1 };
      }),
    });
    const bars = barsOf(timeline.toHtml());
    assert(bars.length < 8000, `${bars.length} bars`);
    assertEquals(tasksOf(bars.filter(({ kind }) => kind === "task")), 20_000);
  });
}

test("Timeline.toHtml() draws many lost tasks with few elements", async () => {
  const timeline = new Timeline();
  const inputs = Array.from({ length: 20_000 }, (_, i) => i);
  const { record: onEvent } = timeline;
  await parallelMapSettled((n: number) => () => n, inputs, {
    workers: 2,
    onEvent,
  });
  const bars = barsOf(timeline.toHtml());
  assert(bars.length < 8000, `${bars.length} bars`);
  assertEquals(tasksOf(bars.filter(({ kind }) => kind === "failed")), 20_000);
});

test("Timeline.toHtml() draws many starts of workers with few elements", () => {
  const timeline = new Timeline();
  const { record } = timeline;
  for (let from = 0; from < 20_000; from++) {
    const to = from + 0.5;
    record({ type: "worker-start", worker: 0, from, to: from });
    record({ type: "worker-ready", worker: 0, at: to });
    record({ type: "worker-end", worker: 0, lost: false, at: to });
  }
  const html = timeline.toHtml();
  assert(html.length < 1_000_000, `${html.length} bytes`);
});

/** How many tasks bars stand for. */
function tasksOf(bars: { label: string }[]): number {
  return bars.reduce((sum, { label }) => {
    const several = label.match(/^([\d,]+) tasks, /);
    return sum + (several ? Number(several[1].replace(/,/g, "")) : 1);
  }, 0);
}

test("Timeline.toHtml() shows no text that is given as an index", async () => {
  const inputOf = (() => "<img src=x>") as () => never;
  const timeline = new Timeline({ inputOf });
  const { record: onEvent } = timeline;
  const unsendable = (n: number) => () => n;
  await parallelMapSettled(unsendable, [1, 2], { workers: 1, onEvent });
  assertEquals(timeline.toHtml().includes("<img"), false);
  assertEquals(timeline.report().includes("<img"), false);
});

test("Timeline.toHtml() shows all of a task that goes on after its run", () => {
  const run = { from: 0, to: 100, total: 9, ok: false };
  const late = record({
    runs: [run],
    chunks: [{ worker: 0, sent: 0, heard: 181, tasks: [[0, 180]] }],
  });
  const at = { run: 1, worker: 0, at: 200 };
  const lost = record({
    runs: [run],
    chunks: [{ worker: 1, sent: 0, heard: 10, tasks: [[0, 10]] }],
    more: [{ type: "task-fail", ...at, index: 5, why: "lost", again: false }],
  });
  for (const timeline of [late, lost]) {
    const bars = [
      ...timeline.toHtml().matchAll(/left:([\d.]+)%;width:([\d.]+)%/g),
    ];
    const ends = bars.map(([, left, width]) => Number(left) + Number(width));
    assertAlmostEquals(Math.max(...ends), 100, 1e-3);
  }
});

/** The slowest inputs of a page, and what is said of the bars they lead to. */
function slowestOf(html: string): [input: string, bar: string][] {
  const links = html.matchAll(
    /<li><a href="#(.*?)" data-bar="\1">(.*?)<\/a><span>(.*?)<\/span>/g,
  );
  return [...links].map(([, id, input, took]) => {
    const bars = html.matchAll(RegExp(`id="${id}" [^>]*label="(.*?)"`, "g"));
    return [`${input}: ${took}`, [...bars].map(([, label]) => label).join()];
  });
}

test("Timeline.toHtml() leads from a slow input to its slowest try", () => {
  const chunk = { worker: 0, first: 0, failed: [0] };
  const timeline = record({
    runs: [{ from: 0, to: 500, total: 2 }],
    chunks: [
      { ...chunk, sent: 0, heard: 106, tasks: [[0, 106]] },
      { ...chunk, sent: 106, heard: 308, tasks: [[106, 308]], attempt: 2 },
      { ...chunk, sent: 308, heard: 408, tasks: [[308, 408]], attempt: 3 },
      { worker: 1, first: 1, sent: 0, heard: 50, tasks: [[0, 50]] },
    ],
  });
  assertEquals(slowestOf(timeline.toHtml()), [
    [
      "input 0: 202 ms",
      "input 0 · 202 ms · threw · worker 0 · from 106 ms to 308 ms",
    ],
    ["input 1: 50 ms", "input 1 · 50 ms · worker 1 · from 0 ms to 50 ms"],
  ]);
  assertMatch(timeline.report(), /\nslowest inputs {2}0: 202 ms, 1: 50 ms\n/);
});

test("Timeline names the run of a slow input where there are several", () => {
  const timeline = record({
    workers: 1,
    runs: [0, 200, 400].map((from) => ({ from, to: from + 200, total: 2 })),
    chunks: [0, 1, 2].map((run) => {
      const [at, middle] = [200 * run, 200 * run + 90 + 10 * (run % 2)];
      const tasks: [number, number][] = [[at, middle], [middle, at + 100]];
      return { worker: 0, run, sent: at, heard: at + 100, tasks };
    }),
  });
  const bar = (from: number, ms: number) =>
    ` · ${ms} ms · worker 0 · from ${from} ms to ${from + ms} ms`;
  assertEquals(slowestOf(timeline.toHtml()), [
    ["input 0 of run 2: 100 ms", `input 0${bar(200, 100)}`],
    ["input 0 of run 1: 90 ms", `input 0${bar(0, 90)}`],
    ["input 0 of run 3: 90 ms", `input 0${bar(400, 90)}`],
    ["input 1 of run 1: 10 ms", `input 1${bar(90, 10)}`],
    ["input 1 of run 3: 10 ms", `input 1${bar(490, 10)}`],
  ]);
  assertStringIncludes(
    timeline.report(),
    "slowest inputs  0 of run 2: 100 ms, 0 of run 1: 90 ms, 0 of run 3: 90 ms,",
  );
});

test("Timeline is shown in a notebook as a page in a frame", () => {
  const timeline = new Timeline();
  timeline.measure(() => 0);
  // What deno jupyter calls on the value of a cell.
  const cell = timeline as unknown as Record<
    symbol,
    () => Record<string, string>
  >;
  const shown = cell[Symbol.for("Jupyter.display")]();
  assertEquals(shown["text/plain"], timeline.report());
  const [, srcdoc] = shown["text/html"].match(
    /^<iframe sandbox="allow-scripts" [^<>]*srcdoc="([^"<>]*)"><\/iframe>$/,
  )!;
  const page = srcdoc.replaceAll("&quot;", '"').replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">").replaceAll("&amp;", "&");
  assertEquals(page, timeline.toHtml());
});

test("toPage() shows text as text, and fetches nothing", () => {
  const timeline = new Timeline();
  timeline.measure(() => 0);
  const html = toPage([{
    timeline,
    title: "<script>alert(1)</script>",
    text: "one & two\n\nthree",
    notes: { 0: "unseen" },
  }], { title: "</title><b>" });
  assert(!html.includes("<script>alert"));
  assertStringIncludes(html, "<p>one &amp; two</p>\n<p>three</p>");
  assertStringIncludes(html, "<title>&lt;/title&gt;&lt;b&gt;</title>");
  assert(!/\b(?:https?:|src=|@import|url\()/.test(html));
});

test("a page refuses options and sections that are unknown or of the wrong kind", () => {
  const timeline = new Timeline();
  const none = '"timeline" of a section must be a Timeline: received undefined';
  const wrong: [section: unknown, said: string][] = [
    [{ timeline: {} }, '"timeline" must be a Timeline: received Object'],
    [{}, none],
    [
      timeline,
      'options must be among timeline, title, text, notes, scale: received "record"',
    ],
    [{ timeline, titel: "" }, '"titel"'],
    [{ timeline, text: 1 }, '"text" must be a text: received 1'],
    [
      { timeline, notes: "" },
      '"notes" must be an object whose values are texts',
    ],
    [{ timeline, notes: { 0: 5 } }, "whose values are texts: received Object"],
  ];
  for (const [section, said] of wrong) {
    const error = assertThrows(() => toPage([section] as never), TypeError);
    assertMatch(error.message, /^Cannot write a page as /);
    assertStringIncludes(error.message, said);
  }
  const title = 'Cannot write a page as "title" must be a text: received 5';
  const options = { title: 5 } as never;
  assertThrows(() => timeline.toHtml(options), TypeError, title);
  assertThrows(() => toPage([], options), TypeError, title);
  assertThrows(
    () => toPage({ timeline } as never),
    TypeError,
    "Cannot write a page as its sections must be an array: received Object",
  );
});

test("toPage() draws sections of one scale to one scale", () => {
  // A clock of its own: on a busy machine, 10 ms may last as long as 40.
  const { now } = performance;
  let time = now.call(performance);
  performance.now = () => time;
  const [short, long] = [10, 40].map((ms) => {
    const timeline = new Timeline();
    timeline.measure(() => {
      time += ms;
    });
    return timeline;
  });
  performance.now = now;
  const widths = (scale?: string) =>
    [
      ...toPage([{ timeline: short, scale }, { timeline: long, scale }])
        .matchAll(/class="bar task".*?width:([\d.]+)%/g),
    ]
      .map(([, width]) => Math.round(Number(width)));
  assertEquals(widths(), [100, 100]);
  const [first, second] = widths("same");
  assert(first < 60, `${first}`);
  assertEquals(second, 100);
});
