/**
 * The report beside a chart, as HTML.
 *
 * @module
 */

import type { Facts } from "./facts.ts";
import { figures } from "./report.ts";
import { duration, percent } from "./units.ts";

/** Rows that are shown at once; the others are folded away. */
const MOST_ROWS = 12;

/**
 * Writes the report.
 *
 * @param facts The numbers.
 * @param slow Id of the bar of each slow input.
 * @returns HTML.
 */
export function drawPanel(facts: Facts, slow: Map<number, string>): string {
  if (facts.tasks === 0) return "";
  const numbers = [["wall time", duration(facts.wall)], ...figures(facts)].map(
    ([name, figure]) => `<div><dt>${name}</dt><dd>${figure}</dd></div>`,
  );
  return `<div class="panel"><dl class="numbers">
${numbers.join("\n")}
</dl>
${table(facts)}
${slowest(facts, slow)}
</div>`;
}

function table({ rows }: Facts): string {
  const lines = rows.map((row) => {
    const shares = [row.work, row.startUp, row.transport, row.waiting];
    return `<tr><th scope="row">${row.name.replace("worker ", "")}</th>${
      shares.map((ms) =>
        `<td>${row.present > 0 ? percent(ms / row.present) : "–"}</td>`
      ).join("")
    }</tr>`;
  });
  const head =
    '<thead><tr><th scope="col">worker</th><th scope="col">work</th><th scope="col">start-up</th><th scope="col">transport</th><th scope="col">waiting</th></tr></thead>';
  const shares = (lines: string[]) =>
    `<div class="table" tabindex="0" role="region" aria-label="Where the time of each worker went"><table>${head}<tbody>${
      lines.join("")
    }</tbody></table></div>`;
  const rest = lines.slice(MOST_ROWS);
  return shares(lines.slice(0, MOST_ROWS)) +
    (rest.length === 0
      ? ""
      : `<details class="folded"><summary>${rest.length} more workers</summary>${
        shares(rest)
      }</details>`);
}

function slowest({ slowest }: Facts, slow: Map<number, string>): string {
  const lines = slowest.map(({ index, ms }) => {
    const bar = slow.get(index);
    const name = bar === undefined
      ? `input ${index}`
      : `<a href="#${bar}" data-bar="${bar}">input ${index}</a>`;
    return `<li>${name}<span>${duration(ms)}</span></li>`;
  });
  return `<ul class="slowest"><li>slowest inputs</li>${lines.join("")}</ul>`;
}
