// Takes the pictures of the live page that stand in docs/, in Chromium: at two
// widths, light and dark, after a run of every step.
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
      await page.locator("#strip .run").click();
      await page.getByText("done: all six").waitFor();
      await page.evaluate(`document.querySelector("${from}").scrollIntoView()`);
      const name = `docs/lecture-${width}-${colorScheme}.png`;
      await page.screenshot({ path: join(ROOT, name) });
      console.log(name);
      await page.close();
    }
  }
});
