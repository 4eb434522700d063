/**
 * What happens inside one process, measured by mitata: every group of benches,
 * or those named with `--only`. Run: `npm run bench:micro`, or this file with
 * Deno, Bun or Node.js.
 *
 * What is compared across processes and runtimes is in the harness of
 * bench/main.ts, as mitata runs one bench after another in one process, and so
 * cannot take sides in turn, which is what makes a ratio hold while the machine
 * has something else to do.
 *
 * @module
 */

import { run } from "mitata";
import process from "node:process";
import { parseArgs } from "node:util";

const FILES: Record<string, () => Promise<unknown>> = {
  task_loop: () => import("./task_loop.ts"),
  packing: () => import("./packing.ts"),
  columns: () => import("./columns.ts"),
  bare_lists: () => import("./bare_lists.ts"),
  records: () => import("./records.ts"),
  moving: () => import("./moving.ts"),
  inspection: () => import("./inspection.ts"),
  chunking: () => import("./chunking.ts"),
  starting: () => import("./starting.ts"),
};

const { values: { only, filter } } = parseArgs({
  args: process.argv.slice(2),
  options: {
    /** Names of files, with commas between them. */
    only: { type: "string" },
    /** What the name of a bench is to match. */
    filter: { type: "string" },
  },
});
const names = only?.split(",") ?? Object.keys(FILES);
const unknown = names.filter((name) => !Object.hasOwn(FILES, name));
if (unknown.length > 0) {
  const known = Object.keys(FILES).join(", ");
  console.error(
    `Cannot run ${unknown.join(", ")}: the files are ${known}`,
  );
  process.exit(1);
}
// Each registers its groups, after it has checked that all sides agree.
for (const name of names) await FILES[name]!();
await run({ filter: filter === undefined ? undefined : new RegExp(filter) });
