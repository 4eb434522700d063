// Plays many random histories of the engine (tests/histories.ts): a million by
// default, in some seven minutes on a quiet core.
//
//     deno run -A scripts/histories.ts --count 100000 --seed 7
//
// A history that ends as it must not is printed with its seed and its steps;
// the same seed with `--count 1` plays it again.

import process from "node:process";
import { parseArgs } from "node:util";
import { playHistory } from "../tests/histories.ts";

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: { count: { type: "string" }, seed: { type: "string" } },
});
const count = Number(values.count ?? 1_000_000);
const first = Number(values.seed ?? Math.floor(Math.random() * 2 ** 30));
const runtime = "Deno" in globalThis ? "deno" : "bun";

for (let played = 0; played < count; played++) {
  try {
    await playHistory(first + played);
  } catch (error) {
    console.log((error as Error).message);
    process.exit(1);
  }
  if ((played + 1) % 100_000 === 0) console.log(`${runtime}: ${played + 1}`);
}
console.log(`${runtime}: ${count} histories from seed ${first}, no finding`);
