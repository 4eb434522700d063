// Step 7: the total that nobody shares, and two right ways to count.
/// <reference lib="dom" />

import { AMOUNTS } from "../code/amounts.js";
import { brokenCounter } from "../code/broken_counter.js";
import { byReturning } from "../code/by_returning.js";
import { inSharedMemory } from "../code/in_shared_memory.js";
import { find, findAll } from "./dom.ts";
import { lanes } from "./lecture.ts";
import { recorder } from "./recorder.ts";
import { type Outcome, Stage } from "./stage.ts";

/** The text of counter.js, by the build. */
declare const COUNTER: string;

/** A URL that the page and its workers can import, also in a file on a disk. */
const module = `data:text/javascript,${encodeURIComponent(COUNTER)}`;

/** What the code of the steps gets to draw and to show with. */
type Counter = (
  amounts: number[],
  tools: {
    module: string;
    show(where: "page" | number, total: number): void;
    onEvent: ReturnType<typeof recorder>;
  },
) => Promise<number>;

/** A way to count. */
function way(
  id: string,
  counter: Counter,
  why: (totals: number[]) => Pick<Outcome, "why" | "exactly">,
): Stage {
  return new Stage(id, [["this page", ...lanes(2)]], async (stage) => {
    const [picture] = stage.pictures;
    const places = findAll(".totals b", stage.section);
    for (const place of places) place.textContent = "0";
    const tools = {
      module,
      onEvent: recorder(picture, (index) => `+${AMOUNTS[index]}`, 1),
      show(where: "page" | number, total: number) {
        places[where === "page" ? 0 : where + 1].textContent = String(total);
        if (where === "page") {
          picture.mark(0, String(total), performance.now());
        }
      },
    };
    const total = await stage.time(() => counter(AMOUNTS, tools));
    const totals = places.map((place) => Number(place.textContent));
    return { figures: { total: String(total) }, ...why(totals) };
  });
}

/** Gives the parts of step 7 their buttons. */
export function counting(): void {
  way("broken", brokenCounter, ([page, ...workers]) => ({
    exactly: page,
    why: `Each worker has a total of its own: ${
      workers.join(" in one, ")
    } in the other. Together that is 15, and none of it is in the page, to whose total nobody added.`,
  }));
  way("returning", byReturning, () => ({
    why:
      "Four messages came back with an amount each, and one place added them up. It is the same on every run.",
  }));
  const isShared = crossOriginIsolated && "SharedArrayBuffer" in globalThis;
  const { section } = way("shared", inSharedMemory, () => ({
    why:
      "Both workers added to the same number, and the page looked at it. Each amount was added in one go.",
  }));
  if (isShared) return;
  const why = crossOriginIsolated
    ? "this browser has no shared memory."
    : "the page is not cross-origin isolated, so the browser gives it no shared memory. It would be, served with the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp; a file on a disk cannot have them.";
  section.classList.add("absent");
  find(".why", section).textContent = `This step does not run here: ${why}`;
}
