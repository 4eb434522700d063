/**
 * How the page looks: light and dark, from 360 px up.
 *
 * @module
 */

/** The style sheet of the page. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #f6f6f3; --card: #fff; --ink: #1c2024; --soft: #5c6470;
  --line: #dcdfe3; --grid: #eceef0; --lane: #f1f2f4;
  --task: #2b6cb8; --task-ink: #fff; --start: #d99a1c; --transport: #8a63c7;
  --failed: #c4313b; --idle: #dfe3e8; --focus: #111;
  --name: 8.5rem; --bar: 1.75rem;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171b; --card: #1c2026; --ink: #e8eaed; --soft: #9ea7b3;
    --line: #343b45; --grid: #262c34; --lane: #22272e;
    --task: #5c9fe6; --task-ink: #0c1a2b; --start: #e3b04b; --transport: #ab8ae0;
    --failed: #f0626b; --idle: #323944; --focus: #fff;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 78rem;
  background: var(--paper); color: var(--ink);
  font: 1rem/1.55 ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto,
    "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums;
}
h1, h2 { line-height: 1.2; letter-spacing: -0.015em; text-wrap: balance; margin: 0; }
h1 { font-size: clamp(1.6rem, 1.2rem + 1.8vw, 2.3rem); font-weight: 700; }
h2 { font-size: 1.3rem; font-weight: 650; }
p { margin: 0.6rem 0 0; max-width: 68ch; text-wrap: pretty; overflow-wrap: break-word; }
header p { color: var(--soft); }
section { margin-top: 1.75rem; padding: 1.5rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 0.75rem; }
section > :first-child { margin-top: 0; }
.facts { color: var(--soft); margin-top: 0.3rem; font-size: 0.9rem; }
.verdict { margin-top: 0.9rem; padding-left: 0.9rem; border-left: 3px solid var(--task);
  font-size: 1.06rem; font-weight: 500; }
.side { display: grid; gap: 1.75rem; margin-top: 1.25rem; }
@media (min-width: 62rem) { .side { grid-template-columns: minmax(0, 1fr) 19.5rem; } }
figure { margin: 0; min-width: 0; }
.tools { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; align-items: center;
  justify-content: space-between; }
.legend { display: flex; flex-wrap: wrap; gap: 0.15rem 0.9rem; margin: 0; padding: 0;
  list-style: none; font-size: 0.82rem; color: var(--soft); }
.legend i { display: inline-block; width: 0.8em; height: 0.8em; margin-right: 0.4em;
  border-radius: 2px; vertical-align: -0.06em; }
.zoom { display: flex; }
.zoom button { font: inherit; font-size: 0.85rem; color: inherit; background: none;
  border: 1px solid var(--line); min-width: 2.3rem; height: 2rem; cursor: pointer; }
.zoom button + button { border-left: 0; }
.zoom button:first-child { border-radius: 0.4rem 0 0 0.4rem; }
.zoom button:last-child { border-radius: 0 0.4rem 0.4rem 0; }
.zoom button:hover { background: var(--lane); }
.scroll { margin-top: 0.75rem; overflow-x: auto; overflow-y: hidden; padding-bottom: 0.25rem; }
.plane { --zoom: 1; position: relative;
  width: calc(var(--name) + (100% - var(--name)) * var(--zoom)); }
.axis, .row { display: grid; grid-template-columns: var(--name) minmax(0, 1fr); }
.axis { height: 1.4rem; font-size: 0.75rem; color: var(--soft); }
.ticks { position: relative; }
.ticks span, .ticks b { position: absolute; bottom: 0; top: 0; padding-left: 0.3rem;
  white-space: nowrap; border-left: 1px solid var(--line); }
.ticks b { color: var(--ink); font-weight: 650; background: var(--card);
  border-left: 2px solid var(--ink); padding-right: 0.3rem; z-index: 2; }
.ticks b::after { content: ""; position: absolute; left: -2px; top: 0; height: 200rem;
  border-left: 2px solid var(--ink); pointer-events: none; }
.ticks .z1, .ticks .z2 { display: none; }
.chart[data-zoom="1"] .z1, .chart[data-zoom="2"] :is(.z1, .z2) { display: block; }
.dense .bar { box-shadow: none; border-radius: 0; }
.row { padding: 3px 0; }
.name { position: sticky; left: 0; z-index: 3; background: var(--card);
  display: flex; flex-direction: column; justify-content: center;
  padding-right: 0.75rem; font-size: 0.85rem; line-height: 1.25; min-width: 0; }
.name em { font-style: normal; font-weight: 650; color: var(--task);
  overflow-wrap: anywhere; }
.track { --lanes: 1; position: relative; background: var(--lane); border-radius: 4px;
  height: calc(var(--bar) * max(1, min(var(--lanes), 6)) ); overflow: hidden; }
.track i { position: absolute; top: 0; bottom: 0; background:
  repeating-linear-gradient(135deg, var(--idle) 0 2px, transparent 2px 6px); }
.legend i.waiting { background:
  repeating-linear-gradient(135deg, var(--idle) 0 2px, var(--lane) 2px 5px);
  outline: 1px solid var(--idle); }
.bar { --lane: 0; --share: 100%; position: absolute;
  top: calc(100% / var(--lanes) * var(--lane)); height: calc(100% / var(--lanes));
  min-width: 2px; margin: 0; padding: 0; border: 0; border-radius: 3px; cursor: pointer;
  font: 600 0.75rem/1 inherit; font-family: inherit; color: var(--task-ink);
  overflow: hidden; box-shadow: inset 0 0 0 0.5px var(--card);
  container-type: inline-size; }
.bar.task, .legend i.task { background: linear-gradient(to top, var(--task) var(--share, 100%),
  color-mix(in srgb, var(--task) 32%, var(--card)) 0); }
.bar.task[style*="--share"] { color: var(--ink); }
.legend i.pale { --share: 0%; }
.bar.failed, .legend i.failed { background: repeating-linear-gradient(45deg,
  var(--failed) 0 5px, color-mix(in srgb, var(--failed) 72%, var(--card)) 5px 8px); }
.bar.start-up, .legend i.start-up { background: var(--start); }
.bar.transport, .legend i.transport { background: var(--transport); }
.bar.failed { z-index: 1; }
.bar:hover { filter: brightness(1.12); }
.bar:focus { outline: 3px solid var(--focus); outline-offset: -3px; z-index: 2;
  min-width: 7px; box-shadow: inset 0 0 0 4px var(--card); }
@container (max-width: 1.05rem) { .bar span { display: none; } }
.readout { display: block; min-height: 3.1em; margin-top: 0.5rem; padding: 0.45rem 0.7rem;
  font-size: 0.86rem; line-height: 1.5; background: var(--lane); border-radius: 0.4rem; }
.remark { font-size: 0.84rem; color: var(--soft); }
.numbers { display: grid; grid-template-columns: 1fr 1fr; gap: 0.9rem 1rem; margin: 0; }
.numbers dt { font-size: 0.8rem; color: var(--soft); }
.numbers dd { margin: 0; font-size: 1.4rem; font-weight: 650; letter-spacing: -0.01em;
  line-height: 1.25; }
.table { overflow-x: auto; margin-top: 1.25rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.82rem; }
th, td { padding: 0.25rem 0 0.25rem 0.6rem; text-align: right; font-weight: 400;
  border-top: 1px solid var(--grid); white-space: nowrap; }
thead th { color: var(--soft); border: 0; }
th:first-child { text-align: left; padding-left: 0; }
.slowest { margin: 1.25rem 0 0; padding: 0; list-style: none; font-size: 0.86rem; }
.slowest li { display: flex; justify-content: space-between; gap: 1rem;
  padding: 0.2rem 0; border-top: 1px solid var(--grid); }
.slowest li:first-child { color: var(--soft); font-size: 0.82rem; border: 0; }
a { color: var(--task); text-underline-offset: 0.15em; }
a:focus-visible, .zoom button:focus-visible, .table:focus-visible {
  outline: 3px solid var(--focus); outline-offset: 2px; }
.folded summary { cursor: pointer; color: var(--soft); font-size: 0.82rem; padding: 0.3rem 0; }
@media (max-width: 40rem) {
  :root { --name: 0rem; --bar: 1.6rem; }
  body { padding: 1.25rem 0.75rem 3rem; }
  section { padding: 1rem 0.85rem; }
  .axis, .row { display: block; }
  .name { flex-direction: row; justify-content: flex-start; gap: 0.6rem; width: max-content;
    max-width: 100%; padding: 0.15rem 0.5rem 0.1rem 0; }
  .axis { position: relative; }
  .ticks { height: 100%; }
  .chart:not([data-zoom]) .ticks .z0:nth-of-type(40n + 21) { color: transparent; }
}
@media (prefers-reduced-motion: no-preference) { .bar { transition: filter 0.12s; } }
@media (forced-colors: active) {
  .bar, .track i, .legend i { forced-color-adjust: none; } }
@media print { .zoom, .readout { display: none; } section { break-inside: avoid; } }
`.trim();
