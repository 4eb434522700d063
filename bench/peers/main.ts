/**
 * The peers beside raw workers and ours, each peer and kind of work in a
 * process of its own with a time limit, so that a peer that hangs is a result.
 * `--only` picks kinds of work, `--peer` peers. A run of all writes
 * `results/peers-deno.md` or the like.
 *
 * @module
 */

import { writeFile } from "node:fs/promises";
import process from "node:process";
import { parseArgs } from "node:util";
import { join } from "node:path";
import { compare, type Timing } from "../compare.ts";
import {
  type ColdPrograms,
  coldPrograms,
  outputOf,
  runScript,
  RUNTIME,
  RUNTIME_NAME,
} from "../processes.ts";
import { header } from "../report.ts";
import { PEERS } from "./adapters.ts";

const WORKS: Record<string, string> = {
  numbers: "20,000 trivial number tasks",
  single: "2,000 numbers, in ours a call and in raw a message for each",
  objects: "20,000 small objects in and out",
  copied: "64 buffers of 8 MB in, a number out, copied",
  moved: "the same, moved",
  early: "200 CPU tasks, one 50 times the mean, early",
  late: "the same, late",
  sleeping5: "the ten sleeping pairs, 5 warm workers",
  sleeping10: "the same, 10 warm workers",
  cold10: "the same, 10 cold workers",
  ten: "10 CPU tasks of 3 million steps, 2 workers",
  cold: "8 numbers, whole process, cold",
  cycles: "create a pool, map 10, dispose",
};

/** ms after which a peer counts as hanging. */
const LIMIT = 15_000;

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: {
    only: { type: "string", multiple: true },
    peer: { type: "string", multiple: true },
  },
});
const works = values.only?.flatMap((list) => list.split(",")) ??
  Object.keys(WORKS);
const peers = values.peer ?? Object.keys(PEERS);

/** Ratio to raw; HANG; or the first line of what went wrong. */
async function measure(
  peer: string,
  work: string,
): Promise<{ ours?: number; peer: string }> {
  if (work === "cold") return await measureCold(peer);
  const { code, output } = await runScript(["peers/one.ts", peer, work], LIMIT);
  if (code === undefined) return { peer: "HANG" };
  if (code !== 0) return { peer: failure(output) };
  const timings: Timing[] = JSON.parse(output.trim().split("\n").at(-1)!);
  const [raw, ours, other] = timings.map(({ median }) => median);
  return { ours: ours / raw, peer: ratio(other / raw) };
}

async function measureCold(peer: string) {
  const theirs: [string, string] = ["peers/cold.ts", peer];
  let failed: string | undefined;
  const run = async () => {
    const { code, output } = await runScript(theirs, LIMIT);
    if (code === 0) return output.trim();
    failed = code === undefined ? "HANG" : failure(output);
    throw new Error(failed);
  };
  const { raw, ours } = cold!;
  try {
    const timings = await compare([
      { name: "raw", run: () => outputOf([raw]) },
      { name: "ours", run: () => outputOf([ours]) },
      { name: peer, run },
    ], { budget: 3000, warmups: 1, most: 9 });
    const [least, own, other] = timings.map(({ median }) => median);
    return { ours: own / least, peer: ratio(other / least) };
  } catch (error) {
    if (failed === undefined) throw error; // it is not the peer's
    return { peer: failed };
  }
}

function failure(output: string): string {
  const [, what = ""] = output.match(/Error: (.*)/) ?? [];
  return `fails: ${what.split(/ and |[|.]/)[0].slice(0, 60)}`;
}

function ratio(n: number): string {
  return `${n.toFixed(n < 10 ? 2 : n < 100 ? 1 : 0)} ×`;
}

const cold: ColdPrograms | undefined = works.includes("cold")
  ? await coldPrograms(join(import.meta.dirname!, "../.."))
  : undefined;
const head = await header("npm run bench:peers");
const lines = [
  `| work | ours | ${peers.join(" | ")} |`,
  `| --- |${" ---: |".repeat(peers.length + 1)}`,
];
console.log(`${head}\n\n${lines.join("\n")}`);
for (const work of works) {
  const found = [];
  for (const peer of peers) found.push(await measure(peer, work));
  const ours = found.flatMap(({ ours }) => ours ?? []).toSorted((a, b) =>
    a - b
  );
  const middle = ours.length > 0 ? ratio(ours[ours.length >> 1]) : "";
  const line = `| ${WORKS[work]} | ${middle} | ${
    found.map(({ peer }) => peer).join(" | ")
  } |`;
  console.log(line);
  lines.push(line);
}
if (values.only === undefined && values.peer === undefined) {
  const intro =
    `# Peers on ${RUNTIME_NAME}\n\n${head}\n\nRatios of medians to \`raw\` (two bare workers, inputs split beforehand, one\nmessage each way) in the same process, runs taken in turn. Each peer is used as\nits documentation shows, one call a task. HANG: no end within ${
      LIMIT / 1000
    } s.\n\n`;
  await writeFile(
    new URL(`../results/peers-${RUNTIME}.md`, import.meta.url),
    `${intro}${lines.join("\n")}\n`,
  );
}
