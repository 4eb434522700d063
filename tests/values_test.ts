// Random values through workers, against structuredClone: see
// tests/generators/crossings.ts for what is promised, values.ts for what is
// tried. FUZZ_SEED and FUZZ_PATH run a counterexample again.
import { look, SEED } from "./generators/campaign.ts";
import {
  closePools,
  crossing,
  filling,
  packing,
  stateCrossing,
  viewAsInputs,
} from "./generators/crossings.ts";
import { test } from "./harness.ts";

const LONG = { timeout: 300_000 };

console.log(`values: FUZZ_SEED=${SEED}`);

test("any values packed at once arrive as they are", LONG, async () => {
  await look(packing, { runs: 600, ms: 2500, seed: SEED });
});

test(
  "any value arrives as structuredClone gives it, inline",
  LONG,
  async () => {
    await look(crossing({ workers: 0 }), { runs: 400, ms: 2000, seed: SEED });
    await closePools();
  },
);

for (const workers of [1, 2]) {
  const title = `any value arrives as structuredClone gives it, ${workers} web`;
  test(title, LONG, async () => {
    await look(crossing({ workers }), { runs: 100, ms: 1000, seed: SEED });
    await closePools();
  });
}

test(
  "any value arrives as structuredClone gives it, threads",
  LONG,
  async () => {
    const options = { workers: 1, backend: "threads" };
    await look(crossing(options), { runs: 50, ms: 800, seed: SEED });
    await closePools();
  },
);

test("any workerData arrives as structuredClone gives it", LONG, async () => {
  await look(stateCrossing, { runs: 200, ms: 700, seed: SEED });
});

test(
  "any typed array can be the inputs, and stays as it is",
  LONG,
  async () => {
    await look(viewAsInputs, { runs: 200, ms: 700, seed: SEED });
    await closePools();
  },
);

for (const workers of [0, 2]) {
  const title = `any results fill an output in shared memory, ${workers} web`;
  test(title, LONG, async () => {
    await look(filling({ workers }), { runs: 200, ms: 1000, seed: SEED });
    await closePools();
  });
}
