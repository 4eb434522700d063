// Steps 1 to 6: what their buttons do.
/// <reference lib="dom" />

import { type Pair, PAIRS } from "../../lecture/additions.ts";
import { aLoop } from "../code/a_loop.js";
import { computeWith } from "../code/compute_with.js";
import { fiveWorkers } from "../code/five_workers.js";
import { aLazyMap } from "../code/lazy_map.js";
import { slowAdd } from "../code/slow_add.js";
import { tenWorkers } from "../code/ten_workers.js";
import { cores, seconds, times } from "./dom.ts";
import { level } from "./picture.ts";
import { recorder } from "./recorder.ts";
import { type Outcome, Stage, started } from "./stage.ts";
import { msOf, note, speedUp, type Way } from "./ways.ts";

/** What stands on the bar of a pair. */
export const sumOf = ([a, b]: Pair): string => String(a + b);
const labelOf = (index: number) => sumOf(PAIRS[index]);

/** The names of so many lanes. */
export const lanes = (workers: number): string[] =>
  Array.from({ length: workers }, (_, i) => `worker ${i + 1}`);

/** The results of a step, as a line. */
export const line = (sums: number[]): string => `Sums: ${sums.join(" ")}`;

/** How many workers step 6 tries; no more than there are additions. */
const COUNTS: [Way, number][] = [
  ["busy-1", 1],
  ["busy-10", 10],
  ["busy-cores", Math.min(cores, 10)],
];

/** All of a step in this page, without workers. */
function here(
  id: string,
  work: (add: typeof slowAdd, stage: Stage) => Promise<number[]>,
  tell: (stage: Stage) => Outcome,
): Stage {
  return new Stage(id, [["this page"]], async (stage) => {
    const add = stage.watch(slowAdd, sumOf);
    const sums = await stage.time(() => work(add, stage));
    return { ...tell(stage), results: line(sums) };
  });
}

const one = () =>
  here(
    "one",
    async (add) => [await add(PAIRS[0])],
    ({ ms }) => ({
      figures: { measured: seconds(ms) },
      why: "Nearly all of it is sleep: the bar is as long as the nap.",
    }),
  );

const makeLoop = () =>
  here(
    "loop",
    (add) => aLoop(add, PAIRS),
    ({ ms }) => {
      note("loop", ms);
      return {
        figures: { measured: seconds(ms), speedup: times(1) },
        near: ms / 1000,
        why:
          "Each bar begins where the one before it ends: ten times a tenth of a second. The other steps are compared with this.",
      };
    },
  );

let loop: Stage;

/** Measures the loop first, if nobody has: the rest is compared with it. */
async function compared(stage: Stage): Promise<void> {
  if (msOf("loop") !== undefined) return;
  stage.say("first the loop of step 2, to compare …");
  await loop.run();
  stage.say("running …");
  stage.begin();
}

const lazy = () =>
  new Stage("lazy", [["this page"]], async (stage) => {
    await compared(stage);
    const add = stage.watch(slowAdd, sumOf);
    const sums: number[] = await stage.time(() => aLazyMap(add, PAIRS));
    const factor = msOf("loop")! / stage.ms;
    return {
      figures: { measured: seconds(stage.ms), speedup: times(factor) },
      near: stage.ms / 1000,
      results: line(sums),
      why:
        "Lazy means later, and not at the same time. Making the map took no time; asking it for ten sums takes as long as the loop.",
    };
  });

/** A step with so many workers. */
function working(
  id: "five" | "ten",
  workers: number,
  work: typeof fiveWorkers,
  why: string,
): Stage {
  return new Stage(id, [lanes(workers)], async (stage) => {
    await compared(stage);
    const [picture] = stage.pictures;
    const sums: number[] = await work(PAIRS, {
      time: <T>(run: () => Promise<T>) => stage.time(run),
      onEvent: recorder(picture, labelOf),
    });
    note(id, stage.ms);
    return {
      figures: { measured: seconds(stage.ms), speedup: times(speedUp(id)) },
      near: stage.ms / 1000,
      results: line(sums),
      why: `${why} ${started(stage)}`,
    };
  });
}

const five = () =>
  working(
    "five",
    5,
    fiveWorkers,
    "Five slept at the same time, and then five more: two naps instead of ten. The gaps are messages on their way.",
  );

const ten = () =>
  working(
    "ten",
    10,
    tenWorkers,
    `All ten slept at the same time. A nap needs no core, so it does not matter that there are ${cores}.`,
  );

const busy = () =>
  new Stage(
    "busy",
    COUNTS.map(([, workers]) => lanes(workers)),
    async (stage) => {
      const sums: number[][] = [];
      for (const [i, [way, workers]] of COUNTS.entries()) {
        const picture = stage.pictures[i];
        stage.say(workers === 1 ? "one worker …" : `${workers} workers …`);
        sums.push(
          await computeWith(workers, PAIRS, {
            time: <T>(run: () => Promise<T>) => stage.time(run, picture),
            onEvent: recorder(picture, labelOf),
          }),
        );
        note(way, stage.ms);
      }
      level(stage.pictures);
      const factor = speedUp("busy-10");
      const took = COUNTS.map(([way]) => seconds(msOf(way)!));
      return {
        figures: {
          measured: seconds(msOf("busy-10")!),
          speedup: times(factor),
        },
        near: factor,
        results: line(sums[0]),
        why: `One worker took ${took[0]}, ten took ${
          took[1]
        }, one for each core took ${
          took[2]
        }. Ten that compute need ten cores. Your browser says ${cores}; by these times, about ${
          factor.toFixed(1)
        } did the work. More workers than cores only share the cores: their bars are longer.`,
      };
    },
  );

/**
 * Gives steps 1 to 6 their buttons.
 *
 * @returns The steps in their order.
 */
export function lecture(): Stage[] {
  loop = makeLoop();
  return [one(), loop, lazy(), five(), ten(), busy()];
}
