// Ten thousand random histories of the engine; `npm run fuzz:engine` plays more.
import { assert } from "@std/assert";
import { playHistory } from "./histories.ts";
import { isBrief, test } from "./harness.ts";

const COUNT = isBrief ? 1000 : 10_000;

/** On a busy machine it plays fewer. */
const ENOUGH_MS = 60_000;

test("random histories end as they must", async () => {
  // Others each time. A failure names its seed: playHistory(seed) repeats it.
  const first = Math.floor(Math.random() * 2 ** 31);
  const until = performance.now() + ENOUGH_MS;
  let played = 0;
  let [taken, told] = [0, 0];
  while (played < COUNT && (played < 500 || performance.now() < until)) {
    const counts = await playHistory(first + played++);
    taken += counts.taken;
    told += counts.told;
  }
  assert(taken > played / 100, `${taken} tasks were taken from busy workers`);
  assert(told > played / 10, `${told} parts of chunks were answered early`);
});
