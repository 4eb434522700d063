// The lecture as a live page: the file is what its sources give, and looks right
// before anything runs. Its buttons are pressed by tests/browsers/lecture.ts.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { inPage } from "../scripts/browsers/bundle.ts";
import { buildPage, PAGE } from "../scripts/page/build.ts";
import { options, withBrowser } from "./fixtures/browser.ts";
import { test } from "./harness.ts";

/** In bytes. */
const LARGEST = 162_000;

const axe = readFileSync(
  createRequire(import.meta.url).resolve("axe-core/axe.min.js"),
  "utf8",
);

test("what stands in a script of a page neither ends it nor goes on", () => {
  const text = "<!-- <script> </script> </SCRIPT> <!--";
  const script = inPage(JSON.stringify(text));
  assertEquals((0, eval)(script), text);
  assertEquals(/<!--|<\/script/i.test(script), false);
  const pattern = (0, eval)(inPage(String.raw`/(?<!--)\bfoo/`)) as RegExp;
  assertEquals(["foo", "--foo"].map((one) => pattern.test(one)), [true, false]);
});

test("page: the lecture is what its sources give", () => {
  assert(
    buildPage() === readFileSync(PAGE, "utf8"),
    "docs/lecture.html is not what scripts/page/ gives: npm run build:page",
  );
});

test("page: the lecture is one small file that names no other", () => {
  const html = readFileSync(PAGE, "utf8");
  const bytes = new TextEncoder().encode(html).length;
  assert(bytes < LARGEST, `${bytes} bytes, and at most ${LARGEST}`);
  const links = html.replace(/<script>[^]*?<\/script>/, "")
    .match(/\b(?:src|href)=\S+|url\(.*?\)|@import/g);
  assertEquals(links, ['href="data:,">']);
});

test("page: no code of the lecture is longer than a dozen lines", () => {
  const codes = [
    ...readFileSync(PAGE, "utf8").matchAll(/<pre><code>([^]*?)<\/code>/g),
  ];
  assert(codes.length > 10, `${codes.length} codes`);
  for (const [, code] of codes) {
    const lines = code.split("\n").filter((line) => line !== "").length;
    assert(lines <= 12, `${lines} lines: ${code}`);
  }
});

test(
  "page: the lecture fits and is accessible in every look",
  options,
  async () => {
    await withBrowser(async (browser) => {
      for (
        const [width, colorScheme] of [[360, "dark"], [1280, "light"]] as const
      ) {
        const page = await browser.newPage();
        await page.setViewportSize({ width, height: 900 });
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        const complaints: string[] = [];
        page.on("console", (message) => complaints.push(message.text()));
        page.on("pageerror", (error) => complaints.push(String(error)));
        page.on("request", (request) => {
          if (!request.url().startsWith("blob:")) {
            complaints.push(request.url());
          }
        });
        await page.addInitScript(`{
          globalThis.moved = 0;
          new PerformanceObserver((list) => {
            for (const { value } of list.getEntries()) moved += value;
          }).observe({ type: "layout-shift", buffered: true });
        }`);
        await page.goto(pathToFileURL(PAGE).href);
        // By keyboard alone: the first guess, then the button beside it.
        await page.locator("#ten input").first().focus();
        await page.keyboard.press("ArrowRight");
        await page.keyboard.press("Tab");
        await page.keyboard.press("Enter");
        await page.locator("#ten .why:not(:empty)").waitFor();
        await page.locator(".run[aria-disabled]").first()
          .waitFor({ state: "detached" });
        assertMatch(await page.locator("#ten .why").innerText(), /^You /);
        const [fits, moved, violations] = await page.evaluate(`(async () => {
        ${axe};
        const { violations } = await axe.run();
        return [
          document.documentElement.scrollWidth <= innerWidth,
          moved,
          violations.map(({ id, nodes }) => id + " " + nodes[0].html),
        ];
      })()`) as [boolean, number, string[]];
        assert(fits, `scrolls sideways at ${width} px`);
        // The bars of a picture that needs more room, and nothing else.
        assert(moved < 0.02, `things move by ${moved}`);
        assertEquals(violations, [], `${width} px, ${colorScheme}`);
        assertEquals(complaints, [pathToFileURL(PAGE).href]);
        // In the reader's own colors, it is seen what is a bar, chosen, a button.
        await page.emulateMedia({ forcedColors: "active" });
        const [border, paper, ...colors] = await page.evaluate(`[
          getComputedStyle(document.querySelector(".run")).borderStyle,
          ...["body", ".bar.done", ".guess :checked + span", ".strip i"].map(
            (one) => getComputedStyle(document.querySelector(one)).backgroundColor,
          ),
        ]`) as string[];
        assertEquals(border, "solid");
        assertEquals(colors.length, 3);
        for (const color of colors) assert(color !== paper, `${colors}`);
        await page.close();
      }
    });
  },
);

test(
  "page: where there are no workers, the lecture says so",
  options,
  async () => {
    await withBrowser(async (browser) => {
      const page = await browser.newPage();
      await page.addInitScript("delete globalThis.Worker");
      await page.goto(pathToFileURL(PAGE).href);
      assertMatch(await page.locator("#here").innerText(), /no workers/);
      await page.locator("#loop .run").click();
      await page.locator("#loop .why:not(:empty)").waitFor();
      await page.locator("#five .run").click();
      await page.locator("#five .why:not(:empty)").waitFor();
      assertMatch(await page.locator("#five .why").innerText(), /no workers/);
      await page.locator("#strip .run").click();
      const state = page.locator("#strip .state", { hasText: /^done/ });
      assertMatch(await state.innerText(), /yours now: 1 of 6$/);
      await page.close();
    });
  },
);

test(
  "page: every picture of step 6 is filled on more than ten cores",
  options,
  async () => {
    await withBrowser(async (browser) => {
      const page = await browser.newPage();
      await page.addInitScript(
        'Object.defineProperty(navigator, "hardwareConcurrency", { value: 12 })',
      );
      await page.goto(pathToFileURL(PAGE).href);
      await page.locator("#busy .run").click();
      await page.locator("#busy .why:not(:empty)").waitFor();
      assertEquals(await page.locator("#busy .bar.done").count(), 30);
      const own = page.locator("#strip .own[data-way=busy-cores]");
      assertEquals(await own.count(), 1);
      await page.close();
    });
  },
);
