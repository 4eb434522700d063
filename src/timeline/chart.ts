/**
 * A Gantt chart as HTML: a row for each track, in it a bar for each task, or, in
 * a large run, for short neighbours together. Bars are placed in percent of the
 * chart's time, so that zooming is nothing but making it wider.
 *
 * @module
 */

import { type Bar, bar, barsOf, joined } from "./bars.ts";
import type { Facts } from "./facts.ts";
import { lanesOf } from "./lanes.ts";
import { integral, overlaps, type Span, sum } from "./spans.ts";
import type { Track } from "./tracks.ts";
import { duration, percent, plural } from "../words/units.ts";

// No bench sets these numbers: they were chosen by looking.

/** With more tasks and starts, short neighbours are drawn as one bar. */
const MOST_TASKS = 1500;

/** Bars in a chart at most, roughly: what a phone scrolls without stutter. */
const MOST_BARS = 4000;

/** With more tasks than this, no bar is wide enough for an index. */
const MOST_LABELS = 300;

/** What a chart shows. */
export interface ChartSetup {
  /** Prefix of its elements' ids. */
  id: string;
  tracks: Track[];
  facts: Facts;
  /** When the chart begins. */
  zero: number;
  /** How much time its width is, in ms. */
  span: number;
  /** When what it shows ends. */
  end: number;
  /** Texts beside the rows, by worker number. */
  notes: Readonly<Record<number, string>>;
}

/** A chart, and where to find the slowest inputs in it. */
export interface Chart {
  html: string;
  /** Id of the bar of each, by its position among the slowest. */
  slow: Map<number, string>;
}

/**
 * Draws a chart.
 *
 * @param setup What it shows.
 * @returns HTML.
 */
export function drawChart(setup: ChartSetup): Chart {
  const { id, tracks, facts, span } = setup;
  const slow = new Map<number, string>();
  // Tasks that overlap in a worker take turns: what each had is not known.
  const crowded = facts.crowded && facts.tasksInWorker < 2;
  const tasks = sum(facts.rows, (row) => row.tasks);
  const marks = sum(
    tracks,
    ({ from, lost, startUp }) => from.length + lost.length + startUp.length,
  );
  const large = marks > MOST_TASKS;
  const most = large // in a row
    ? Math.ceil(Math.max(100, MOST_BARS / tracks.length))
    : Infinity;
  const least = span / most;
  const options = {
    leastGap: span / (large ? 200 : 1000),
    share: crowded
      ? integral(
        overlaps(tracks.filter(({ worker }) => worker !== undefined)),
        (open) => Math.min(1, facts.cores / Math.max(1, open)),
      )
      : undefined,
  };
  const label = tasks <= MOST_LABELS;
  const kinds = new Set<string>();
  const rows = tracks.map((track, row) => {
    const inLanes = lanesOf(track, track.lost, most);
    const { count: lanes } = inLanes;
    const drawn = barsOf(track, inLanes, {
      ...options,
      least: least * lanes, // they share the bars of their row
    }).map((bar, n) => {
      kinds.add(bar.kind);
      const position = facts.slowest.findIndex(({ run, index, ms }) =>
        bar.tasks > 0 && bar.run === run &&
        bar.first <= index && index <= bar.last &&
        Math.abs(bar.work - ms) < 1e-6
      );
      const name = position < 0 ? undefined : `${id}-${row}-${n}`;
      if (name !== undefined) slow.set(position, name);
      return drawBar(bar, setup, track, { lanes, label, name });
    });
    const here = joined(track.present.map((one) => bar("present", one)), least)
      .map((one) => `<i style="${place(one, setup)}"></i>`);
    return drawRow(track, setup, lanes, [...here, ...drawn].join(""));
  });
  const remarks = [
    ...large ? ["Tasks too short to see alone are drawn together."] : [],
    ...crowded ? [crowdedRemark(facts)] : [],
  ].map((text) => `<p class="remark">${text}</p>`);
  const hint = tracks.length === 0
    ? "Nothing was recorded"
    : `${plural(tasks, "task")}: point at a bar, or use Tab and the arrow keys`;
  return {
    slow,
    html: `<figure class="chart${large ? " dense" : ""}">
<div class="tools">${legend(kinds, crowded)}<div class="zoom">
<button type="button" data-by="0.5" aria-label="Zoom out">−</button>
<button type="button" data-by="0" aria-label="Fit the whole run">fit</button>
<button type="button" data-by="2" aria-label="Zoom in">+</button></div></div>
<div class="scroll"><div class="plane">
<div class="axis" aria-hidden="true"><div></div><div class="ticks">${
      axis(setup)
    }</div></div>
${rows.join("\n")}
</div></div>
<output class="readout">${hint}</output>
${remarks.join("\n")}
</figure>`,
  };
}

/**
 * Makes any text safe between tags and in quoted attributes.
 *
 * @param text Any text.
 * @returns HTML.
 */
export function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

function crowdedRemark({ workersAtOnce, cores }: Facts): string {
  return `The solid part of a bar is the share of a core that its task could have, with up to ${workersAtOnce} tasks on ${
    plural(cores, "core")
  }; for the pale part no core was free.`;
}

function axis({ zero, span, end }: ChartSetup): string {
  const ticks = tickTimes(span).map(({ ms, level }) =>
    `<span class="z${level}" style="left:${+(100 * ms / span).toFixed(4)}%">${
      duration(ms)
    }</span>`
  );
  const over = (end - zero) / span;
  if (over < 0.97) {
    ticks.push(`<b style="left:${100 * over}%">${duration(end - zero)}</b>`);
  }
  return ticks.join("");
}

function drawRow(
  track: Track,
  { notes }: ChartSetup,
  lanes: number,
  bars: string,
): string {
  const note = track.worker === undefined ? undefined : notes[track.worker];
  return `<div class="row"><div class="name"><span>${track.name}</span>${
    note === undefined ? "" : `<em>${escape(note)}</em>`
  }</div><div class="track" role="group" aria-label="${track.name}"${
    lanes > 1 ? ` style="--lanes:${lanes}"` : ""
  }>${bars}</div></div>`;
}

function drawBar(
  bar: Bar,
  setup: ChartSetup,
  track: Track,
  look: { lanes: number; label: boolean; name: string | undefined },
): string {
  const { kind, lane, tasks, first, share } = bar;
  const style = [place(bar, setup)];
  if (look.lanes > 1) style.push(`--lane:${lane}`);
  if (share < 0.995) style.push(`--share:${percent(share).replace(" ", "")}`);
  return `<button type="button" tabindex="-1" class="bar ${kind}"${
    look.name === undefined ? "" : ` id="${look.name}"`
  } style="${style.join(";")}" aria-label="${
    escape(describe(bar, track, setup.zero))
  }">${look.label && tasks === 1 ? `<span>${first}</span>` : ""}</button>`;
}

/** Where something is, as a style. */
function place({ from, to }: Span, { zero, span }: ChartSetup): string {
  const share = (ms: number) => +(100 * ms / span).toFixed(4);
  return `left:${share(from - zero)}%;width:${share(to - from)}%`;
}

/** What a bar is, in words; the page shows it for the bar at hand. */
function describe(bar: Bar, track: Track, zero: number): string {
  const { kind, tasks, first, last, work, from, to, why, share } = bar;
  const when = `from ${duration(from - zero)} to ${duration(to - zero)}`;
  const took = duration(to - from);
  const parts = tasks === 0
    ? [kind, took]
    : tasks === 1
    ? [`input ${first}`, took]
    : [`${plural(tasks, "task")}, inputs ${first} to ${last}`, duration(work)];
  if (why !== undefined) parts.push(why);
  if (share < 0.995) parts.push(`about ${percent(share)} of a core`);
  return [...parts, track.name, when].join(" · ");
}

function legend(kinds: Set<string>, crowded: boolean): string {
  const shown = ["task", "failed", "start-up", "transport"].filter((kind) =>
    kinds.has(kind)
  );
  const entries = shown.map((kind) =>
    `<li><i class="${kind}"></i>${kind}</li>`
  );
  if (crowded) {
    entries.push('<li><i class="task pale"></i>no core free</li>');
  }
  entries.push('<li><i class="waiting"></i>waiting</li>');
  return `<ul class="legend">${entries.join("")}</ul>`;
}

/** About five round times, and finer ones for when the chart is zoomed. */
function tickTimes(span: number): { ms: number; level: number }[] {
  const rough = span / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((n) => n * power >= rough)! * power;
  const times: { ms: number; level: number }[] = [];
  for (let n = 0; n * step / 20 < span * 0.93; n++) {
    const level = n % 20 === 0 ? 0 : n % 5 === 0 ? 1 : 2;
    times.push({ ms: n * step / 20, level });
  }
  return times;
}
