/**
 * Runs the bench on Deno and on Bun, one after the other, with the same
 * arguments.
 *
 * @module
 */

import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

const [script, ...args] = process.argv.slice(2);
const path = fileURLToPath(new URL(script, import.meta.url));
for (const command of [["deno", "run", "-A"], ["bun"]]) {
  const [program, ...flags] = command;
  const child = spawn(program, [...flags, path, ...args], { stdio: "inherit" });
  const code = await new Promise((resolve) => child.on("close", resolve));
  if (code !== 0) process.exitCode = 1;
}
