/**
 * One self-contained page: style, script and charts in it, nothing fetched.
 *
 * @module
 */

import { drawChart } from "./chart.ts";
import { type Facts, factsOf } from "./facts.ts";
import { escape, paragraphs } from "./html.ts";
import { pageMain } from "./page_script.ts";
import { drawPanel } from "./panel.ts";
import type { Recording } from "./recording.ts";
import { headline } from "./report.ts";
import { lengthOf } from "./spans.ts";
import { STYLE } from "./style.ts";
import { firstTime } from "./trace.ts";
import { activeTime, type Track, tracks } from "./tracks.ts";
import { judge } from "./verdict.ts";

/** What stands on a page above its charts. */
export interface PageOptions {
  /**
   * Heading and window title.
   *
   * @default {"Timeline"}
   */
  title?: string;
  /** Plain text below it; an empty line begins a new paragraph. */
  text?: string;
}

/** One recording with what is said about it. */
export interface Part {
  recording: Recording;
  title?: string;
  text?: string;
  /** Texts beside the rows, by worker number. */
  notes?: Readonly<Record<number, string>>;
  /** Parts of the same scale are drawn on one time scale. */
  scale?: string;
}

interface Drawing extends Part {
  places: Track[];
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
(${String(pageMain)})();
</script>
</body>
</html>
`;
}

function prepare(part: Part): Drawing {
  const { recording } = part;
  const places = tracks(recording);
  const zero = firstTime(recording);
  const end = activeTime(recording).at(-1)?.to ?? zero;
  return { ...part, places, facts: factsOf(recording, places), zero, end };
}

/** How much time the width of a chart is. */
function spanOf({ scale, zero, end }: Drawing, all: Drawing[]): number {
  const same = all.filter((one) => scale !== undefined && one.scale === scale);
  const longest = same.reduce(
    (most, { zero, end }) => Math.max(most, end - zero),
    end - zero,
  );
  return Math.max(longest, 1e-3);
}

function writeSection(drawing: Drawing, id: string, span: number): string {
  const { places, facts, zero, end, title, text = "" } = drawing;
  const { notes = {} } = drawing;
  const setup = { id, places, facts, zero, end, span, notes };
  const { html, slow } = drawChart(setup);
  const heading = title === undefined ? "" : `<h2>${escape(title)}</h2>`;
  const wall = lengthOf([{ from: zero, to: end }]) > 0
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
