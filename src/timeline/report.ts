/**
 * The report as a short text: pure, from the facts.
 *
 * @module
 */

import type { Facts } from "./facts.ts";
import type { RowFacts } from "./shares.ts";
import { duration, factor, percent, plural } from "./units.ts";
import type { Verdict } from "./verdict.ts";

/** Rows in the table at most: a screen, not a scroll. */
const MOST_ROWS = 12;

/**
 * Writes the report, no line longer than 80 characters but the verdict.
 *
 * @param facts The numbers.
 * @param verdict What they come to.
 * @returns Lines, without an end of the last.
 */
export function writeReport(facts: Facts, verdict: Verdict): string {
  const { rows, slowest } = facts;
  if (facts.tasks === 0) return `${verdict.text}.`;
  const shown = rows.slice(0, MOST_ROWS);
  const lines = [
    headline(facts),
    numbers(facts),
    "",
    ...table(shown),
  ];
  if (rows.length > shown.length) {
    lines.push(`and ${rows.length - shown.length} more`);
  }
  lines.push(
    "",
    `slowest inputs  ${
      slowest.map(({ index, ms }) => `${index}: ${duration(ms)}`).join(", ")
    }`,
    "",
    `${verdict.text}.`,
  );
  return lines.join("\n");
}

/** What ran where, as in `10 tasks in 205 ms, 5 workers on deno, 2 cores`. */
export function headline(facts: Facts): string {
  const { tasks, failed, wall, used, runtime, cores, runs, stopped } = facts;
  const parts = [`${plural(tasks, "task")} in ${duration(wall)}`];
  if (runtime === undefined) parts.push("in this thread");
  else {
    parts.push(`${plural(used, "worker")} on ${runtime}`);
    parts.push(plural(cores, "core"));
  }
  if (runs > 1) parts.push(plural(runs, "run"));
  if (failed > 0) parts.push(`${failed} failed`);
  if (stopped > 0) {
    parts.push(runs > 1 ? `${stopped} of them stopped early` : "stopped early");
  }
  return parts.join(", ");
}

function numbers(facts: Facts): string {
  const { work, speedUp, efficiency, cpu, wall } = facts;
  const parts = [
    `work ${duration(work)}`,
    `speed-up ${factor(speedUp)}`,
    `efficiency ${percent(efficiency)}`,
  ];
  if (cpu !== undefined && wall > 0) {
    parts.push(`CPU ${duration(cpu)} (${(cpu / wall).toFixed(1)} cores)`);
  }
  return parts.join(", ");
}

function table(rows: readonly RowFacts[]): string[] {
  const share = (row: RowFacts, ms: number) =>
    row.present > 0 ? percent(ms / row.present) : "–";
  const cells = [
    ["", "tasks", "work", "start-up", "transport", "waiting"],
    ...rows.map((row) => [
      row.name,
      String(row.tasks),
      share(row, row.work),
      share(row, row.startUp),
      share(row, row.transport),
      share(row, row.waiting),
    ]),
  ];
  const widths = cells[0].map((_, column) =>
    Math.max(...cells.map((line) => line[column].length))
  );
  return cells.map(([name, ...rest]) =>
    [
      name.padEnd(widths[0]),
      ...rest.map((cell, i) => cell.padStart(widths[i + 1])),
    ].join("  ").trimEnd()
  );
}
