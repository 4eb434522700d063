// Ten thousand random histories of the engine; `npm run fuzz` plays more.
import { assert } from "@std/assert";
import { playHistory } from "./histories.ts";
import { test } from "./harness.ts";

const COUNT = 10_000;

test("random histories end as they must", { timeout: 120_000 }, async () => {
  // Others each time. A failure names its seed: playHistory(seed) repeats it.
  const first = Math.floor(Math.random() * 2 ** 31);
  let taken = 0;
  for (let seed = first; seed < first + COUNT; seed++) {
    taken += await playHistory(seed);
  }
  assert(taken > COUNT / 100, `${taken} tasks were taken from busy workers`);
});
