// Runs every test while each core is kept busy, several times: what depends on a
// quiet machine fails here. Long runs may keep the cores busy, in place of loops
// that do nothing: they are started again whenever they have ended, and have to
// be green, too.
//
//     deno run -A scripts/stress_tests.ts --times 10
//     deno run -A scripts/stress_tests.ts --beside "npm run fuzz -- --minutes 30"

import {
  type ChildProcess,
  spawn,
  type StdioOptions,
} from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";

const { values: { times, beside } } = parseArgs({
  args: process.argv.slice(2),
  options: {
    times: { type: "string", default: "10" },
    beside: { type: "string", multiple: true },
  },
});

const stdio: StdioOptions = ["ignore", "inherit", "inherit"];
/** What runs beside the tests, each in a process group of its own. */
const running = new Set<ChildProcess>();
let red = 0;

/** Keeps a command running. */
function keepRunning(command: string): void {
  const child = spawn(command, { shell: true, detached: true, stdio });
  running.add(child);
  child.on("close", (code) => {
    running.delete(child);
    console.log(`ended with ${code}: ${command}`);
    if (code === 0) keepRunning(command);
    else red++;
  });
}

/**
 * One that ends with this program, also if that is killed. It belongs to the
 * session of the tests, as a loop of the same terminal: where Linux groups by
 * sessions, each of another would get as much as all tests have together.
 */
function keepBusy(): void {
  const loop = `while (process.ppid === ${process.pid});`;
  spawn(process.execPath, ["eval", loop], { stdio: "ignore" }).unref();
}

beside?.forEach(keepRunning);
const loops = beside === undefined ? availableParallelism() : 0;
for (let i = 0; i < loops; i++) keepBusy();
const busy = beside?.join(" and ") ?? `${loops} busy loops`;

let green = 0;
for (let i = 0; i < Number(times); i++) {
  const [code] = await once(spawn("npm", ["test"], { stdio }), "close");
  if (code === 0) green++;
  console.log(`${green} of ${i + 1} runs green, beside ${busy}`);
}
for (const child of running) {
  child.removeAllListeners("close");
  process.kill(-child.pid!, "SIGKILL");
}
process.exitCode = green === Number(times) && red === 0 ? 0 : 1;
