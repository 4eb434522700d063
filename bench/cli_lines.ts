/**
 * A million lines through a function that does as good as nothing: rate and
 * memory of `pmap` beside `jq -c` and a plain loop, in one run.
 *
 *     deno run -A bench/cli_lines.ts [lines] [repeats]
 */

import { appendFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { folder } from "../tests/pmap.ts";
import type { Contender } from "./commands.ts";
import { measure, print, printPlace, runtimes } from "./commands.ts";

const LINES = Number(process.argv[2] ?? 1_000_000);
const REPEATS = Number(process.argv[3] ?? 5);

const pathOf = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const main = pathOf("../src/cli/main.ts");
const loop = pathOf("./cli_loop.ts");
const pick = `${pathOf("./cli_work.ts")}#pick`;

using dir = folder();
function write(file: string, count: number): string {
  let text = "";
  for (let id = 0; id < count; id++) {
    const values = [id % 7, id % 11, id % 13];
    text += `${JSON.stringify({ id, name: `name ${id}`, values })}\n`;
    if (text.length < 1e6 && id < count - 1) continue;
    appendFileSync(file, text);
    text = "";
  }
  return file;
}

function contenders(file: string): Contender[] {
  const found: Contender[] = [];
  for (const { name, run } of runtimes()) {
    const log = dir.path(`log-${name}`);
    found.push(
      { name: `plain loop on ${name}`, command: `${run} ${loop} < ${file}` },
      { name: `pmap on ${name}`, command: `${run} ${main} ${pick} < ${file}` },
      {
        name: `pmap --joblog on ${name}`,
        command:
          `rm -f ${log}; ${run} ${main} ${pick} --joblog ${log} < ${file}`,
      },
      {
        name: `pmap --resume on ${name}, all kept`,
        command: `${run} ${main} ${pick} --joblog ${log} --resume < ${file}`,
      },
    );
  }
  const sum = "{id:.id,sum:(.values|add)}";
  return [...found, { name: "jq -c", command: `jq -c '${sum}' < ${file}` }];
}

printPlace(["deno", "bun", "jq"]);
for (const count of [LINES / 4, LINES]) {
  console.log(`${count.toLocaleString("en")} lines`);
  const file = write(dir.path(`${count}.ndjson`), count);
  print(measure(contenders(file), REPEATS, dir.path("time")), count);
  console.log();
}
