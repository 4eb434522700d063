// Ten thousand random histories of the engine; `npm run fuzz` plays more.
import { playHistory } from "./histories.ts";
import { test } from "./harness.ts";

const COUNT = 10_000;

test("random histories end as they must", { timeout: 120_000 }, async () => {
  // Others each time. A failure names its seed: playHistory(seed) repeats it.
  const first = Math.floor(Math.random() * 2 ** 31);
  for (let seed = first; seed < first + COUNT; seed++) await playHistory(seed);
});
