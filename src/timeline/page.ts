/**
 * One self-contained page: style, script and charts in it, nothing fetched.
 *
 * @module
 */

import { drawChart, escape } from "./chart.ts";
import { type Facts, factsOf } from "./facts.ts";
import { pageMain } from "./page_script.ts";
import type { Recording } from "./recording.ts";
import {
  figures,
  headline,
  inputName,
  MOST_ROWS,
  SHARES,
  sharesOf,
} from "./report.ts";
import { STYLE } from "./style.ts";
import {
  activeTime,
  firstTime,
  lastTime,
  type Track,
  tracksOf,
} from "./tracks.ts";
import { type Rules, text } from "../words/check_options.ts";
import { keptNames } from "../words/kept_names.ts";
import { duration } from "../words/units.ts";
import { judge } from "./verdict.ts";

/** Rows of a chart that a frame has room for: more are scrolled to. No bench. */
const MOST_FRAME_ROWS = 8;

/** The checks of {@linkcode PageOptions}. */
export const PAGE_RULES: Rules = { title: text, text };

/** The checks of {@linkcode Caption}. */
export const CAPTION_RULES: Rules = {
  title: text,
  text,
  notes: {
    rule: "must be an object whose values are texts",
    kind: "object",
    holds: (value: object) =>
      Object.values(value).every((note) => typeof note === "string"),
  },
  scale: text,
};

/** What stands on a page above its charts. */
export interface PageOptions {
  /**
   * Heading and window title.
   *
   * @default {"Timeline"}
   */
  title?: string | undefined;
  /** Plain text below it; an empty line begins a new paragraph. */
  text?: string | undefined;
}

/** What is said about one chart on a page. */
export interface Caption {
  /** Heading. */
  title?: string | undefined;
  /** Plain text below it; an empty line begins a new paragraph. */
  text?: string | undefined;
  /** Short texts beside the rows, by the worker's number. */
  notes?: Readonly<Record<number, string>> | undefined;
  /**
   * Charts that name the same scale are drawn on one time scale, so that the
   * shorter run is the shorter picture.
   *
   * @default a scale of its own, as wide as the page.
   */
  scale?: string | undefined;
}

/** One recording with what is said about it. */
export interface Part extends Caption {
  recording: Recording;
}

interface Drawing extends Part {
  tracks: Track[];
  facts: Facts;
  zero: number;
  end: number;
}

/**
 * Writes a page.
 *
 * @param parts What it shows, in order.
 * @param options What stands above.
 * @returns A whole HTML document.
 */
export function writePage(parts: Part[], options: PageOptions): string {
  const { title = "Timeline", text = "" } = options;
  const drawings = parts.map(prepare);
  const sections = drawings.map((drawing, position) =>
    writeSection(drawing, `s${position}`, spanOf(drawing, drawings))
  );
  const script = `(${String(pageMain)})();`;
  const policy =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escape(title)}</title>
<link rel="icon" href="data:,">
<style>
${STYLE}
</style>
</head>
<body>
<header><h1>${escape(title)}</h1>
${paragraphs(text)}</header>
<main>
${sections.join("\n")}
</main>
<script type="module">
${keptNames(script)}${script}
</script>
</body>
</html>
`;
}

/**
 * Writes a page as a frame in another page, such as a notebook. Neither reaches
 * into the other: so the frame cannot grow to the height of its page.
 *
 * @param part What it shows.
 * @returns An element with all that it needs.
 */
export function writeFrame(part: Part): string {
  const rows = Math.min(tracksOf(part.recording).length, MOST_FRAME_ROWS);
  const style = `width:100%;height:${28 + 2.2 * rows}rem;border:0`;
  const page = escape(writePage([part], {}));
  return `<iframe sandbox="allow-scripts" style="${style}" srcdoc="${page}"></iframe>`;
}

function prepare(part: Part): Drawing {
  const { recording } = part;
  const tracks = tracksOf(recording);
  const zero = firstTime(recording);
  const end = Math.max(
    activeTime(recording).at(-1)?.to ?? zero,
    ...tracks.map(lastTime),
  );
  return { ...part, tracks, facts: factsOf(recording, tracks), zero, end };
}

/** Plain text as HTML; an empty line begins a new paragraph. */
function paragraphs(text: string): string {
  return text.split(/\n\s*\n/).filter((part) => part.trim() !== "")
    .map((part) => `<p>${escape(part.trim())}</p>`).join("\n");
}

/** How much time the width of a chart is. */
function spanOf({ scale, zero, end }: Drawing, all: Drawing[]): number {
  const same = all.filter((one) => scale !== undefined && one.scale === scale);
  const spans = same.map(({ zero, end }) => end - zero);
  return Math.max(1e-3, end - zero, ...spans);
}

function writeSection(drawing: Drawing, id: string, span: number): string {
  const { tracks, facts, zero, end, title, text = "" } = drawing;
  const { notes = {} } = drawing;
  const setup = { id, tracks, facts, zero, end, span, notes };
  const { html, slow } = drawChart(setup);
  const heading = title === undefined ? "" : `<h2>${escape(title)}</h2>`;
  const wall = end > zero
    ? `<p class="facts">${escape(headline(facts))}</p>`
    : "";
  return `<section>
${heading}
${paragraphs(text)}
<p class="verdict">${escape(judge(facts).text)}.</p>
${wall}
<div class="side">
${html}
${drawPanel(facts, slow)}
</div>
</section>`;
}

/** The report beside a chart; `slow` are the ids of the bars of slow inputs. */
function drawPanel(facts: Facts, slow: Map<number, string>): string {
  if (facts.tasks === 0) return "";
  const numbers = [
    ["wall time", duration(facts.wall)],
    ["work, added up", duration(facts.work)],
    ...figures(facts),
  ].map(([name, figure]) => `<div><dt>${name}</dt><dd>${figure}</dd></div>`);
  return `<div class="panel"><dl class="numbers">
${numbers.join("\n")}
</dl>
${table(facts)}
${slowest(facts, slow)}
</div>`;
}

function table({ rows }: Facts): string {
  const lines = rows.map((row) => {
    const cells = sharesOf(row).map((share) => `<td>${share}</td>`).join("");
    const name = row.name.replace("worker ", "");
    return `<tr><th scope="row">${name}</th>${cells}</tr>`;
  });
  const head = ["worker", ...SHARES].map((name) =>
    `<th scope="col">${name}</th>`
  ).join("");
  const shares = (lines: string[]) =>
    `<div class="table" tabindex="0" role="region" aria-label="Where the time of each worker went"><table><thead><tr>${head}</tr></thead><tbody>${
      lines.join("")
    }</tbody></table></div>`;
  const shown = shares(lines.slice(0, MOST_ROWS));
  const rest = lines.slice(MOST_ROWS);
  if (rest.length === 0) return shown;
  const more = `${rest.length} more workers`;
  return `${shown}<details class="folded"><summary>${more}</summary>${
    shares(rest)
  }</details>`;
}

function slowest(facts: Facts, slow: Map<number, string>): string {
  const lines = facts.slowest.map((task, position) => {
    const bar = slow.get(position);
    const input = `input ${inputName(task, facts)}`;
    const name = bar === undefined
      ? input
      : `<a href="#${bar}" data-bar="${bar}">${input}</a>`;
    return `<li>${name}<span>${duration(task.ms)}</span></li>`;
  });
  return `<ul class="slowest"><li>slowest inputs</li>${lines.join("")}</ul>`;
}
