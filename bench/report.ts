/**
 * Findings as Markdown.
 *
 * @module
 */

import { cpus, totalmem } from "node:os";
import process from "node:process";
import { RUNTIME, RUNTIME_NAME } from "./processes.ts";
import type { Finding } from "./row.ts";

/** For how long other programs are watched, in milliseconds. */
const WATCHED_MS = 5000;

/** How much all cores have computed so far, in milliseconds. */
function computed(): number {
  return cpus().reduce(
    (sum, { times: { user, nice, sys } }) => sum + user + nice + sys,
    0,
  );
}

/**
 * Says where, when and how the figures came about, once it has watched for some
 * seconds what else the machine does. (Its load average would tell of this
 * bench on another runtime, for minutes after it.)
 *
 * @param command What was run.
 * @returns Lines of Markdown.
 */
export async function header(command: string): Promise<string> {
  const before = computed();
  await new Promise((resolve) => setTimeout(resolve, WATCHED_MS));
  const busy = (computed() - before) / WATCHED_MS;
  const versions = process.versions as Record<string, string>;
  const [{ model }] = cpus();
  const engine = RUNTIME === "bun" ? "" : ` (V8 ${versions.v8})`;
  const gb = Math.round(totalmem() / 2 ** 30);
  return [
    `- Runtime: ${RUNTIME_NAME} ${versions[RUNTIME]}${engine}`,
    `- Machine: ${cpus().length} × ${model}, ${gb} GB, ${process.platform} ${process.arch}`,
    // Two workers on two cores that others use are not twice as fast.
    `- Busy before: ${busy.toFixed(1)} of ${cpus().length} cores${
      busy > 0.2 ? " (take no figure from this run)" : ""
    }`,
    `- Date: ${new Date().toISOString().slice(0, 10)}`,
    `- Command: \`${command}\``,
  ].join("\n");
}

/** The head of the table. */
export const TABLE_HEAD = [
  "| work | side | median ms | quartiles | ratio | aim |",
  "| --- | --- | ---: | --- | ---: | --- |",
].join("\n");

/**
 * Writes a finding as rows of a table.
 *
 * @param found What was measured.
 * @returns Lines of Markdown.
 */
export function tableRows(found: Finding): string {
  const { title, timings, base, figures, aim = "", note } = found;
  const baseline = timings.find(({ name }) => name === base)!;
  const lines = timings.map(({ name, median, low, high }, i) => {
    const ratio = `${digits(median / baseline.median)} ×`;
    const figure = figures?.get(name);
    return `| ${i === 0 ? title : ""} | ${name} | ${digits(median)} | ${
      digits(low)
    }–${digits(high)} | ${figure ? `${ratio}, ${figure}` : ratio} | ${
      name === "ours" ? aim : ""
    } |`;
  });
  if (note !== undefined) lines.push(`| | ${note} | | | | |`);
  return lines.join("\n");
}

/** Three digits that count, never fewer than two places below ten. */
function digits(n: number): string {
  return n.toFixed(n < 10 ? 2 : n < 100 ? 1 : 0);
}
