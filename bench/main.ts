/**
 * The bench on the runtime at hand: every row, or those named with `--only`.
 * `--json` prints the figures as JSON lines; a run of all rows writes
 * `results/deno.md` or the like.
 *
 * @module
 */

import { mkdir, writeFile } from "node:fs/promises";
import process from "node:process";
import { parseArgs } from "node:util";
import { RUNTIME, RUNTIME_NAME } from "./processes.ts";
import { header, TABLE_HEAD, tableRows } from "./report.ts";
import type { Row } from "./row.ts";
import { backends } from "./rows/backends.ts";
import { breakEven } from "./rows/break_even.ts";
import { large, middling } from "./rows/buffers.ts";
import { calls, single } from "./rows/calls.ts";
import { chunkSize } from "./rows/chunk_size.ts";
import { scaling, skew, ten } from "./rows/computing.ts";
import { longTexts, vectors } from "./rows/long.ts";
import { oddRecords, records } from "./rows/records.ts";
import { reducing } from "./rows/reducing.ts";
import { sleeping } from "./rows/sleeping.ts";
import { digests, numbers, objects, strings } from "./rows/small.ts";
import { shared } from "./rows/shared.ts";
import { cold, cycles, first, start } from "./rows/starting.ts";
import { stream } from "./rows/streaming.ts";

const ROWS: Row[] = [
  numbers,
  shared,
  objects,
  strings,
  digests,
  records,
  oddRecords,
  longTexts,
  vectors,
  large,
  middling,
  skew,
  sleeping,
  ten,
  cold,
  first,
  start,
  cycles,
  stream,
  reducing,
  calls,
  single,
  chunkSize,
  scaling,
  breakEven,
  backends,
];

const { values: { only, json } } = parseArgs({
  args: process.argv.slice(2),
  options: {
    only: { type: "string", multiple: true },
    json: { type: "boolean" },
  },
});
const names = only?.flatMap((list) => list.split(","));
const unknown = names?.filter((name) => ROWS.every((row) => row.name !== name));
if (unknown !== undefined && unknown.length > 0) {
  console.error(
    `Cannot run ${unknown.join(", ")}: the rows are ${
      ROWS.map(({ name }) => name).join(", ")
    }`,
  );
  process.exit(1);
}

// Nobody waits for it who gets figures alone.
const head = json && names ? "" : await header("npm run bench");
const lines: string[] = [];
if (!json) console.log(`${head}\n\n${TABLE_HEAD}`);
for (const row of ROWS) {
  if (names !== undefined && !names.includes(row.name)) continue;
  for await (const found of row.measure()) {
    const text = tableRows(found);
    console.log(
      json
        ? JSON.stringify({ runtime: RUNTIME, row: row.name, ...found })
        : text,
    );
    lines.push(text);
  }
}
if (names === undefined) {
  const folder = new URL("results/", import.meta.url);
  await mkdir(folder, { recursive: true });
  const intro =
    `# ${RUNTIME_NAME}\n\n${head}\n\nMedians of runs taken in turn. \`raw\` is two bare workers written by hand, inputs\nsplit beforehand, one message each way; \`loop\` is a sequential loop. The ratio\nis to the first side of its work.\n\n`;
  await writeFile(
    new URL(`${RUNTIME}.md`, folder),
    `${intro}${TABLE_HEAD}\n${lines.join("\n")}\n`,
  );
}
