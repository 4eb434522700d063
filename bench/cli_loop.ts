// The loop one would write by hand instead of `pmap bench/cli_work.ts#pick`:
// one thread, lines in, lines out.

import process from "node:process";
import { readSome, writeAll } from "../src/cli/descriptors.ts";
import { LineSplitter } from "../src/cli/line_splitter.ts";
import { pick } from "./cli_work.ts";

const buffer = new Uint8Array(1 << 18);
const splitter = new LineSplitter();
const encoder = new TextEncoder();
for (let count; (count = await readSome(0, buffer)) > 0;) {
  splitter.push(buffer.subarray(0, count));
  let out = "";
  for (let line; (line = splitter.next()) !== undefined;) {
    out += `${JSON.stringify(pick(JSON.parse(line)))}\n`;
  }
  await writeAll(1, encoder.encode(out));
}
process.exit(0);
