/**
 * The report as a short text: pure, from the facts.
 *
 * @module
 */

import type { Facts, SlowTask } from "./facts.ts";
import type { RowFacts } from "./shares.ts";
import { duration, factor, percent, plural } from "../words/units.ts";
import type { Verdict } from "./verdict.ts";

/** Rows of the table that are shown at once: a screen, not a scroll. No bench. */
export const MOST_ROWS = 12;

/**
 * Writes the report, most lines no longer than 80 characters.
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
      slowest.map((task) => `${inputName(task, facts)}: ${duration(task.ms)}`)
        .join(", ")
    }`,
    "",
    `${verdict.text}.`,
  );
  return lines.join("\n");
}

/** Which input a slow task was of: each of several runs has inputs from 0 on. */
export function inputName({ index, run }: SlowTask, { runs }: Facts): string {
  return runs > 1 ? `${index} of run ${run + 1}` : `${index}`;
}

/** What ran where, as in `10 tasks in 205 ms, 5 workers on deno, 2 cores`. */
export function headline(facts: Facts): string {
  const { tasks, again, failed, wall, used, workers, runtime, cores } = facts;
  const { runs, stopped, open, calls, heard } = facts;
  const what = runs === 0
    ? plural(calls, "call")
    : again > 0
    ? plural(tasks, "try", "tries")
    : plural(tasks, "task");
  const parts = [`${what} in ${duration(wall)}`];
  if (workers === 0) parts.push("in this thread");
  else {
    parts.push(`${plural(used, "worker")} on ${runtime}`);
    parts.push(plural(cores, "core"));
  }
  if (runs > 1) parts.push(`${runs} runs`);
  if (failed > 0) parts.push(`${failed} failed`);
  const of = (count: number) => runs > 1 ? `${count} of ${runs} runs ` : "";
  if (stopped > 0) parts.push(`${of(stopped)}stopped early`);
  if (open > 0) parts.push(`${of(open)}not over`);
  if (heard === "part") parts.push("beside runs that are not recorded");
  if (runs > 0 && calls > 0) parts.push(`and ${plural(calls, "call")} here`);
  return parts.join(", ");
}

/**
 * How well the workers shared the work.
 *
 * @param facts The numbers.
 * @returns Figures, each with its name.
 */
export function figures(facts: Facts): [name: string, figure: string][] {
  const { runs, speedUp, atOnce, spent } = facts;
  return [
    speedUp === undefined
      ? ["tasks at once", atOnce.toFixed(1)]
      : ["speed-up", factor(speedUp)],
    [runs > 0 ? "workers busy" : "busy", percent(spent.work)],
  ];
}

function numbers(facts: Facts): string {
  const { cpu, wall, work } = facts;
  const parts = [`work ${duration(work)}`];
  for (const [name, figure] of figures(facts)) parts.push(`${name} ${figure}`);
  const cores = cpu !== undefined && wall > 0 ? cpu.least / wall : 0;
  if (cores >= 0.05) {
    parts.push(`CPU ≥ ${duration(cpu!.least)} (${cores.toFixed(1)} cores)`);
  }
  return parts.join(", ");
}

/** What a worker does with its time: the columns of a table. */
export const SHARES = ["work", "start-up", "transport", "waiting"] as const;

/**
 * Where the time of a worker went.
 *
 * @param row Its numbers.
 * @returns A text for each of `SHARES`.
 */
export function sharesOf(row: RowFacts): string[] {
  return [row.work, row.startUp, row.transport, row.waiting].map((ms) =>
    row.present > 0 ? percent(ms / row.present) : "–"
  );
}

function table(rows: readonly RowFacts[]): string[] {
  const cells = [
    ["", "tasks", ...SHARES],
    ...rows.map((row) => [row.name, String(row.tasks), ...sharesOf(row)]),
  ];
  const widths = cells[0]!.map((_, column) =>
    Math.max(...cells.map((line) => line[column]!.length))
  );
  return cells.map(([name, ...rest]) =>
    [
      name!.padEnd(widths[0]!),
      ...rest.map((cell, i) => cell.padStart(widths[i + 1]!)),
    ].join("  ").trimEnd()
  );
}
