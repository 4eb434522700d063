// The lecture: ten additions, first in a loop, then in ten workers at once.
//
//     deno run --allow-read scripts/lesson.ts
//     bun scripts/lesson.ts
//
// Each step is one function; read them from top to bottom. The additions
// themselves are in lecture/additions.ts.

import { Pool } from "../mod.ts";
import { brokenCounter } from "./broken_counter.ts";
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
  await notes.time(
    { work: "one slow add", how: "a call" },
    () => [slowAdd([10, 1])],
  );
}

async function aLoop(notes: Notes) {
  notes.heading("Ten of them, one after the other");
  await notes.time({ work: "ten slow adds", how: "a loop" }, () => {
    const sums: number[] = [];
    for (const pair of PAIRS) sums.push(slowAdd(pair));
    return sums;
  });
}

async function aLazyMap(notes: Notes) {
  notes.heading("The same with a map of our own: lazy, and no faster");
  const sums = lazyMap(slowAdd, PAIRS); // nothing has been added yet
  await notes.time({ work: "ten slow adds", how: "lazy map" }, () => sums);
}

async function fiveWorkers(notes: Notes) {
  notes.heading("The same with five workers: five additions at a time");
  await using pool = new Pool({ workers: 5 });
  await notes.startUp(pool);
  await notes.time(
    { work: "ten slow adds", how: "5 workers" },
    () => pool.map(slowAdd, PAIRS),
  );
}

async function tenWorkers(notes: Notes) {
  notes.heading("The same with ten workers: all additions at once");
  await using pool = new Pool({ workers: 10 });
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
  await using pool = new Pool({ workers });
  await notes.startUp(pool);
  const how = workers === 1 ? "1 worker" : `${workers} workers`;
  // The best of three times, as other programs may want the cores as well.
  return await notes.time(
    { work: "ten busy adds", how, times: 3 },
    () => pool.map(busyAdd, PAIRS),
  );
}

async function theBug(notes: Notes) {
  notes.heading("The bug: a total that the workers do not share");
  await notes.time(
    { work: "3 + 2 + 9 + 1", how: "2 workers" },
    async () => [await brokenCounter()],
  );
  console.log(`
   Why 0? Each worker has a total of its own: see broken_counter.ts.
   How to get 15: see fixed_counter.ts.`);
}

if (import.meta.main) {
  const notes = new Notes();
  console.log(`The lecture, on ${navigator.userAgent}`);
  for (const step of STEPS) await step(notes);
  console.log(`
All steps. "start" is how long the workers took to start, before the clock of
the step ran (in step 7 while it ran). "speed-up" compares with the first way to
do the same work. Times are in seconds.
`);
  notes.printTable();
}
