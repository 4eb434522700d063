// Runs a script on each runtime, one after the other, with the same arguments:
// on Deno, on Bun, and on Node.js, if there is one that is new enough.
//
//     deno run -A scripts/each.ts scripts/soak.ts --seconds 20

import { spawnSync } from "node:child_process";
import process from "node:process";
import { findNode, NAMES } from "./find_node.ts";

const [script, ...args] = process.argv.slice(2);
const node = findNode(24);
const commands = [
  ["deno", "run", "-A"],
  ["bun"],
  ...(node === undefined ? [] : [[node, ...NAMES]]),
];
for (const [program, ...flags] of commands) {
  const { status } = spawnSync(program, [...flags, script, ...args], {
    stdio: "inherit",
  });
  if (status !== 0) process.exitCode = 1;
}
