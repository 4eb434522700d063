// Runs a script on each runtime with the same arguments: on Deno, on Bun, and on
// Node.js, if there is one that is new enough. One after the other, or all at
// once, which is said when they have ended.
//
//     deno run -A scripts/each.ts scripts/lesson.ts
//     deno run -A scripts/each.ts --at-once scripts/soak.ts --seconds 20
//
// All at once, a run in which Deno itself gave up, as docs/workers.md says ("What
// this cannot keep"), is shown and done once more: it tells nothing of the script.

import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { text } from "node:stream/consumers";
import { findNode, NAMES } from "./find_node.ts";
import { gaveUp } from "./gave_up.ts";

const atOnce = process.argv[2] === "--at-once";
const args = process.argv.slice(atOnce ? 3 : 2);
const node = findNode(24);
const commands = [
  ["deno", "run", "-A"],
  ["bun"],
  ...(node === undefined ? [] : [[node, ...NAMES]]),
];

async function run(
  [program, ...flags]: string[],
  again = false,
): Promise<void> {
  const how = atOnce ? "pipe" : "inherit";
  const child = spawn(program, [...flags, ...args], {
    stdio: ["inherit", how, how],
  });
  const [[status], said, wrong] = await Promise.all([
    once(child, "close").catch((error: Error) => {
      console.error(error.message); // it could not be started
      return [1];
    }),
    child.stdout && text(child.stdout),
    child.stderr && text(child.stderr),
  ]);
  process.stdout.write(said ?? "");
  process.stderr.write(wrong ?? "");
  if (status === 0) return;
  if (again || !gaveUp(wrong ?? "")) {
    process.exitCode = 1;
    return;
  }
  console.error("\nDeno gave up (denoland/deno#27075). Once more:\n");
  await run([program, ...flags], true);
}

const runs = [];
for (const command of commands) {
  runs.push(run(command));
  if (!atOnce) await runs.at(-1);
}
await Promise.all(runs);
