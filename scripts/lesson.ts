// The lecture: ten additions, first in a loop, then in ten workers at once.
//
//     deno run --allow-read scripts/lesson.ts
//     bun scripts/lesson.ts
//
// With --html lesson.html (Deno: and --allow-write) it also draws what happened,
// in lesson.deno.html, lesson.bun.html or lesson.node.html: `npm start` runs the
// lecture on one runtime after another.
//
// Each step is one function; read them from top to bottom. The additions
// themselves are in lecture/additions.ts.

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Pool } from "../mod.ts";
import { AMOUNTS, brokenCounter } from "./broken_counter.ts";
import { busyAdd, PAIRS, slowAdd } from "./lecture/additions.ts";
import { lazyMap } from "./lecture/lazy_map.ts";
import { Notes } from "./lecture/notes.ts";

const STEPS = [
  oneSlowAdd,
  aLoop,
  aLazyMap,
  fiveWorkers,
  tenWorkers,
  computing,
  theBug,
];

async function oneSlowAdd(notes: Notes) {
  notes.heading("One addition that takes a tenth of a second");
  notes.picture("One call", "One slow addition: a tenth of a second.", "slow");
  const add = notes.watch(slowAdd);
  await notes.time({ work: "one slow add", how: "a call" }, () => [
    add([10, 1]),
  ]);
}

async function aLoop(notes: Notes) {
  notes.heading("Ten of them, one after the other");
  notes.picture("A loop", "Each waits for the one before it.", "slow");
  const add = notes.watch(slowAdd);
  await notes.time({ work: "ten slow adds", how: "a loop" }, () => {
    const sums: number[] = [];
    for (const pair of PAIRS) sums.push(add(pair));
    return sums;
  });
}

async function aLazyMap(notes: Notes) {
  notes.heading("The same with a map of our own: lazy, and no faster");
  notes.picture("A lazy map", "Written differently, done the same.", "slow");
  const sums = lazyMap(notes.watch(slowAdd), PAIRS); // nothing has been added yet
  await notes.time({ work: "ten slow adds", how: "lazy map" }, () => sums);
}

async function fiveWorkers(notes: Notes) {
  notes.heading("The same with five workers: five additions at a time");
  notes.picture(
    "Five workers",
    "Five additions at a time, then five more: a fifth of the time.",
    "slow",
  );
  await using pool = new Pool({ workers: 5, onEvent: notes.record });
  await notes.startUp(pool);
  await notes.time(
    { work: "ten slow adds", how: "5 workers" },
    () => pool.map(slowAdd, PAIRS),
  );
}

async function tenWorkers(notes: Notes) {
  notes.heading("The same with ten workers: all additions at once");
  notes.picture(
    "Ten workers",
    "Every addition has a worker. They only sleep, so no core is needed.",
    "slow",
  );
  await using pool = new Pool({ workers: 10, onEvent: notes.record });
  await notes.startUp(pool);
  await notes.time(
    { work: "ten slow adds", how: "10 workers" },
    () => pool.map(slowAdd, PAIRS),
  );
}

async function computing(notes: Notes) {
  notes.heading("Ten additions that compute, where the others only slept");
  const one = await computeWith(1, notes);
  const ten = await computeWith(10, notes);
  const times = (one / ten).toFixed(1);
  console.log(`
   Ten workers that sleep are ten times as fast as one. Ten workers that
   compute need ten cores. How many cores does this machine have?
   By these times, about ${times}. Other programs may have had their share.`);
  const cores = navigator.hardwareConcurrency;
  console.log(
    `   The machine itself says ${cores}. So many workers are enough:`,
  );
  await computeWith(cores, notes);
}

async function computeWith(workers: number, notes: Notes): Promise<number> {
  const how = workers === 1 ? "1 worker" : `${workers} workers`;
  notes.picture(
    `Computing with ${how}`,
    "The same ten additions three times over. More workers than cores only " +
      "share the cores: each takes longer.",
    "busy",
  );
  await using pool = new Pool({ workers, onEvent: notes.record });
  await notes.startUp(pool);
  // The best of three times, as other programs may want the cores as well.
  return await notes.time(
    { work: "ten busy adds", how, times: 3 },
    () => pool.map(busyAdd, PAIRS),
  );
}

async function theBug(notes: Notes) {
  notes.heading("The bug: a total that the workers do not share");
  // Beside its row, each worker's own total: what the program's never sees.
  const totals: Record<number, number> = { 0: 0, 1: 0 };
  const beside: Record<number, string> = {};
  notes.picture(
    "Where the increments went",
    "Each worker has a total of its own. The program's total stays 0.",
    undefined,
    beside,
  );
  const onEvent: typeof notes.record = (event) => {
    notes.record?.(event);
    if (event.type !== "chunk-done") return;
    for (let i = 0; i < event.from.length; i++) {
      totals[event.worker] += AMOUNTS[event.first + i];
    }
    beside[event.worker] = `its total: ${totals[event.worker]}`;
  };
  await notes.time(
    { work: "3 + 2 + 9 + 1", how: "2 workers" },
    async () => [await brokenCounter({ onEvent })],
  );
  console.log(`
   Why 0? Each worker has a total of its own: see broken_counter.ts.
   How to get 15: see fixed_counter.ts.`);
}

if (import.meta.main) {
  const { values: { html } } = parseArgs({
    options: { html: { type: "string" } },
  });
  const notes = new Notes(html !== undefined);
  console.log(`The lecture, on ${navigator.userAgent}`);
  for (const step of STEPS) await step(notes);
  console.log(`
All steps. "start" is how long the workers took to start, before the clock of
the step ran (in step 7 while it ran). "speed-up" compares with the first way to
do the same work. Times are in seconds.
`);
  notes.printTable();
  if (html !== undefined) {
    const title = `The lecture, on ${navigator.userAgent}`;
    const runtime = navigator.userAgent.match(/^\w+/)![0].toLowerCase();
    const path = html.replace(/(\.\w+)?$/, `.${runtime}$1`);
    writeFileSync(path, notes.toPage(title));
    console.log(`\nThe picture of every step is in ${path}`);
  }
}
