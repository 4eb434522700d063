// Random programs against a plain loop: see tests/generators/playing.ts for
// what is promised, programs.ts for what is tried. FUZZ_SEED and FUZZ_PATH run a
// counterexample again.
import { look, SEED } from "./generators/campaign.ts";
import { playing } from "./generators/playing.ts";
import { test } from "./harness.ts";

const LONG = { timeout: 300_000 };

console.log(`programs: FUZZ_SEED=${SEED}`);

test("any program ends as a plain loop would, inline", LONG, async () => {
  await look(playing(0), { runs: 300, ms: 2000, seed: SEED });
});

test("any program ends as a plain loop would, in workers", LONG, async () => {
  await look(playing(4), { runs: 60, ms: 2500, seed: SEED });
});
