// The page in a real browser: Chromium, without window or network.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { writeFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import { parallelMap, parallelMapSettled } from "../mod.ts";
import { Timeline, toPage } from "../src/timeline/mod.ts";
import { options, withBrowser } from "./fixtures/browser.ts";
import { record, rounds } from "./fixtures/scene.ts";
import { test } from "./harness.ts";

const looks = [360, 1280].flatMap((width) =>
  (["light", "dark"] as const).map((colorScheme) => ({ width, colorScheme }))
);

/** Opens a page in every look, and fails on whatever the browser objects to. */
async function inEveryLook(
  html: string,
  look: (page: Page, width: number) => Promise<void>,
): Promise<void> {
  await withBrowser(async (browser, folder) => {
    const file = join(folder, "page.html");
    await writeFile(file, html);
    for (const { width, colorScheme } of looks) {
      const page = await browser.newPage();
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme });
      const complaints: string[] = [];
      page.on("console", (message) => complaints.push(message.text()));
      page.on("pageerror", (error) => complaints.push(String(error)));
      page.on("request", (request) => {
        if (request.url() !== pathToFileURL(file).href) {
          complaints.push(`fetched ${request.url()}`);
        }
      });
      await page.goto(pathToFileURL(file).href);
      const [fits, background] = await page.evaluate(`[
        document.documentElement.scrollWidth <= innerWidth,
        getComputedStyle(document.body).backgroundColor,
      ]`) as [boolean, string];
      assert(fits, `scrolls sideways at ${width} px`);
      const [red] = background.match(/\d+/g)!.map(Number);
      assertEquals(red > 127, colorScheme === "light", background);
      await look(page, width);
      assertEquals(complaints, [], `${width} px, ${colorScheme}`);
      await page.close();
    }
  });
}

async function recordTen(): Promise<Timeline> {
  const timeline = new Timeline();
  const task = async (n: number) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (n === 7) throw new Error("seven");
  };
  await parallelMapSettled(task, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], {
    workers: 3,
    onEvent: timeline.record,
  });
  return timeline;
}

test(
  "page: a bar for each task, described by hover and keyboard",
  options,
  async () => {
    const timeline = await recordTen();
    await inEveryLook(timeline.toHtml({ title: "Ten" }), async (page) => {
      const bars = page.locator(".bar.task, .bar.failed");
      assertEquals(await bars.count(), 10);
      assertEquals(await page.locator(".bar.failed").count(), 1);
      assertEquals(await page.locator(".row").count(), 3);
      const readout = page.locator(".readout");
      await page.locator(".bar.failed").hover();
      assertMatch(
        await readout.innerText(),
        /^input 7 · \d+ ms · threw · worker/,
      );
      await page.mouse.move(0, 0);
      // One Tab reaches each chart's buttons, then its bars.
      const seen = new Set<string>();
      for (let i = 0; i < 8 && seen.size === 0; i++) {
        await page.keyboard.press("Tab");
        if (await page.locator(".bar:focus").count() > 0) seen.add("bar");
      }
      assertEquals(seen.size, 1, "a bar can be reached by Tab");
      for (let row = 0; row < 3; row++) {
        await page.keyboard.press("Home");
        for (let last = ""; last !== await readout.innerText();) {
          last = await readout.innerText();
          const [, index] = last.match(/^input (\d+) · \d+ ms/) ?? [];
          if (index !== undefined) seen.add(index);
          await page.keyboard.press("ArrowRight");
        }
        await page.keyboard.press("ArrowDown");
      }
      assertEquals(seen.size, 11, `reached ${[...seen]}`);
      // In the reader's own colors, bars are seen, and tell what they are.
      await page.emulateMedia({ forcedColors: "active" });
      const looks = await page.evaluate(`
        [".task", ".failed", ".start-up"].flatMap((kind) => [".bar", "i"].map(
          (one) => getComputedStyle(document.querySelector(one + kind)).background,
        ))`) as string[];
      assertEquals(new Set(looks).size, 3, looks.join("\n"));
    });
  },
);

test("page: zooming widens the chart, not the page", options, async () => {
  const timeline = await recordTen();
  await inEveryLook(timeline.toHtml(), async (page) => {
    const width = () =>
      page.evaluate("document.querySelector('.plane').offsetWidth");
    const before = await width() as number;
    await page.getByRole("button", { name: "Zoom in" }).click();
    assert(await width() as number > before * 1.5);
    await page.locator(".slowest a").first().click();
    assertMatch(await page.locator(".readout").innerText(), /^input \d/);
    await page.keyboard.press("+");
    assert(await width() as number > before * 3);
    assertEquals(
      await page.evaluate("document.documentElement.scrollWidth <= innerWidth"),
      true,
    );
    await page.keyboard.press("0");
    assertEquals(await width(), before);
  });
});

test("page: its frame works in the cell of a notebook", options, async () => {
  const runs = [{ from: 0, to: 100, total: 6 }];
  const chunks = rounds({ workers: 3, times: 2, ms: 40, gap: 10 });
  const timeline = record({ workers: 3, runs, chunks });
  const cell = timeline as unknown as Record<
    symbol,
    () => Record<string, string>
  >;
  const { "text/html": html } = cell[Symbol.for("Jupyter.display")]();
  await withBrowser(async (browser) => {
    for (const width of [500, 1280]) {
      const notebook = await browser.newPage();
      await notebook.setViewportSize({ width, height: 900 });
      const complaints: string[] = [];
      notebook.on("console", (message) => complaints.push(message.text()));
      notebook.on("pageerror", (error) => complaints.push(String(error)));
      await notebook.setContent("<div id='cell'></div>");
      await notebook.evaluate(`cell.innerHTML = ${JSON.stringify(html)}`);
      const frame = notebook.frameLocator("iframe");
      await frame.locator(".bar.task").last().hover();
      const readout = frame.locator(".readout");
      assertMatch(await readout.innerText(), /^input 5 · 40 ms · worker 2/);
      // All of the chart is in sight, and nothing has to be scrolled sideways.
      const [page] = notebook.frames().slice(1);
      assertEquals(
        await page.evaluate(`[
          scrollY,
          document.querySelector(".readout").getBoundingClientRect().bottom
            <= innerHeight,
          document.documentElement.scrollWidth <= innerWidth,
        ]`),
        [0, true, true],
        `${width} px`,
      );
      assertEquals(complaints, [], `${width} px`);
      await notebook.close();
    }
  });
});

test("page: several timelines, and a large one", options, async () => {
  const loop = new Timeline();
  for (let i = 0; i < 3; i++) loop.measure(() => i);
  const large = new Timeline();
  const inputs = Array.from({ length: 100_000 }, (_, i) => i);
  const { record: onEvent } = large;
  await parallelMap((n: number) => n % 7, inputs, { workers: 2, onEvent });
  const html = toPage([
    { title: "A loop", timeline: loop, scale: "a" },
    { title: "Large", timeline: large, notes: { 1: "a note" }, scale: "a" },
    { title: "Nothing", timeline: new Timeline() },
  ]);
  await inEveryLook(html, async (page) => {
    assertEquals(await page.locator("section").count(), 3);
    assertEquals(await page.locator(".name em").allInnerTexts(), ["a note"]);
    const elements = await page.evaluate(
      "document.querySelectorAll('*').length",
    );
    assert(elements as number < 15_000, `${elements} elements`);
  });
});

test("trace: Chromium's own DevTools read it", options, async () => {
  const timeline = await recordTen();
  timeline.measure(() => 1);
  await withBrowser(async (browser) => {
    const page = await browser.newPage();
    await page.goto("devtools://devtools/bundled/devtools_app.html");
    const read = await page.evaluate(
      `(async ({ traceEvents }) => {
        const url = "devtools://devtools/bundled/models/trace/trace.js";
        const { TraceModel } = await import(url);
        const model = TraceModel.Model.createWithAllHandlers();
        await model.parse(traceEvents, { metadata: {}, isFreshRecording: false });
        const [[, { threads }]] = model.parsedTrace().data.Renderer.processes;
        return [...threads.values()].map(({ name, entries }) => ({
          name,
          entries: entries.map(({ name, cat, ts, dur }) => ({ name, cat, ts, dur })),
        }));
      })(${timeline.toTrace()})`,
    ) as { name: string; entries: { name: string; cat: string }[] }[];
    const names = read.map(({ name }) => name).sort();
    assertEquals(names, [
      "caller",
      "this thread",
      ...[0, 1, 2].map((n) => `worker ${n}`),
    ]);
    const tasks = read.filter(({ name }) => name.startsWith("worker")).flatMap(
      ({ entries }) => entries,
    ).filter(({ cat }) => cat === "task" || cat === "failed");
    assertEquals(
      tasks.map(({ name }) => name).sort(),
      Array.from({ length: 10 }, (_, i) => `input ${i}`),
    );
    const sent = JSON.parse(timeline.toTrace()).traceEvents.filter(
      ({ ph }: { ph: string }) => ph === "X",
    );
    assertEquals(read.flatMap(({ entries }) => entries).length, sent.length);
  });
});
