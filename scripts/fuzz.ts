// Looks for faults for long: random values and random programs, on Deno and Bun
// at once. The properties are those of tests/values_test.ts and
// tests/programs_test.ts. Ends with 1 at the first finding, with its seed.
//
//   npm run fuzz -- --minutes 30 [--seed 123]
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { join } from "@std/path";
import { count, counts, hooks, look } from "../tests/generators/campaign.ts";
import type { Property } from "../tests/generators/campaign.ts";
import {
  closePools,
  crossing,
  packing,
  stateCrossing,
  viewAsInputs,
} from "../tests/generators/crossings.ts";
import { playing } from "../tests/generators/playing.ts";

/** A process that has begun no run for so long hangs in one, in ms. */
const SILENT_MS = 90_000;

/** How long one property is looked at before the next one is, in ms. */
const TURN_MS = 10_000;

const { values: flags } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    seed: { type: "string" },
    /** Set for the processes that this one starts: where to note each run. */
    notes: { type: "string" },
  },
});
const minutes = Number(flags.minutes);
const seed = Number(flags.seed ?? Math.floor(Math.random() * 2 ** 31));

/** Looks at all properties in turn, in this process. */
async function search(notes: string): Promise<void> {
  const began = Date.now();
  const tell = (what: string) => {
    const spent = ((Date.now() - began) / 60_000).toFixed(1);
    const figures = [...counts].map(([name, n]) => `${n} ${name}`).join(", ");
    console.log(`${what} after ${spent} min: ${figures}`);
  };
  hooks.begin = (name, value) =>
    writeFileSync(notes, `${name}\n${JSON.stringify(value)}`);
  const timer = setInterval(() => tell("so far"), 60_000);
  // deno-lint-ignore no-explicit-any -- of different kinds of values
  const properties: Property<any>[] = [
    crossing({ workers: 0 }),
    packing,
    playing(0),
    playing(4),
    crossing({ workers: 1 }),
    crossing({ workers: 2 }),
    crossing({ workers: 1, backend: "threads" }),
    stateCrossing,
    viewAsInputs,
  ];
  const until = began + minutes * 60_000;
  try {
    for (let turn = 0; Date.now() < until; turn++) {
      const property = properties[turn % properties.length];
      const ms = Math.min(TURN_MS, until - Date.now());
      await look(property, { runs: 1e6, ms, seed: seed + turn });
      count("turns");
    }
    tell("no finding");
  } catch (error) {
    tell("A FINDING");
    console.log(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  } finally {
    clearInterval(timer);
    void closePools();
    // A call that hangs may keep this process alive.
    setTimeout(() => process.exit(), 1000);
  }
}

/** Starts one runtime, passes on what it says, and sees when it hangs. */
function watch(command: string[]): Promise<{ ok: boolean; last: string }> {
  const folder = mkdtempSync(join(tmpdir(), "parallel-map-fuzz-"));
  const notes = join(folder, "run");
  writeFileSync(notes, "");
  const [program, ...args] = [
    ...command,
    fileURLToPath(import.meta.url),
    `--minutes=${minutes}`,
    `--seed=${seed}`,
    `--notes=${notes}`,
  ];
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  let last = "it said nothing";
  createInterface({ input: child.stdout }).on("line", (line) => {
    console.log(`${program}: ${line}`);
    if (/^(no finding|A FINDING)/.test(line)) last = line;
  });
  let before = "";
  const watchdog = setInterval(() => {
    const now = readFileSync(notes, "utf8");
    if (now === before && now !== "") child.kill("SIGKILL");
    before = now;
  }, SILENT_MS);
  return new Promise((resolve) => {
    child.on("close", (code, signal) => {
      clearInterval(watchdog);
      if (code !== 0) {
        const run = readFileSync(notes, "utf8").slice(0, 5000);
        if (signal !== null) last = `A FINDING: ended by ${signal}`;
        console.log(`${program}: the last run was\n${run}`);
      }
      rmSync(folder, { recursive: true });
      resolve({ ok: code === 0, last });
    });
  });
}

if (flags.notes !== undefined) await search(flags.notes);
else {
  console.log(`seed ${seed}, ${minutes} minutes, on Deno and Bun at once`);
  const [deno, bun] = await Promise.all([
    watch(["deno", "run", "-A"]),
    watch(["bun"]),
  ]);
  console.log(`deno: ${deno.last}\nbun: ${bun.last}`);
  process.exitCode = deno.ok && bun.ok ? 0 : 1;
}
