// Runs every test while a busy loop occupies each core, several times: what
// depends on a quiet machine fails here.
//
//     deno run -A scripts/stress_tests.ts --times 10

import { spawn, spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: { times: { type: "string" } },
});
const times = Number(values.times ?? 10);
const loops = Array.from(
  { length: availableParallelism() },
  // It ends with this program, also if that is killed.
  () =>
    spawn(process.execPath, [
      "eval",
      `while (process.ppid === ${process.pid});`,
    ], {
      stdio: "ignore",
    }),
);
let green = 0;
try {
  for (let i = 0; i < times; i++) {
    const { status } = spawnSync("npm", ["test"], { stdio: "inherit" });
    if (status === 0) green++;
    console.log(`${green} of ${i + 1} runs green, ${loops.length} busy loops`);
  }
} finally {
  for (const loop of loops) loop.kill("SIGKILL");
}
process.exitCode = green === times ? 0 : 1;
