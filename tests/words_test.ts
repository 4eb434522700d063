import { assertEquals } from "@std/assert";
import { stemOf, vocabularyOf, wordsOf, wrongWords } from "../scripts/words.ts";
import { test } from "./harness.ts";

const VOCABULARY = vocabularyOf([
  "# Contributing",
  "src/core/engine/   who does what next",
  "  chunking.ts      the sizer: how many tasks go in the next message",
  "## Words",
  "| word         | meaning               | not       |",
  "| ------------ | --------------------- | --------- |",
  "| chunk        | consecutive tasks     | batch     |",
  "| pool, slot   | a seat for one worker | lane      |",
  "| lane, rows   | one of the tasks      | fiber     |",
  "| track        | all in one place      | row       |",
  "## Conventions",
  "No cargo here.",
].join("\n"));

test("stemOf() makes one of the forms of a word", () => {
  const families = [
    ["settle", "settles", "settled", "settling"],
    ["pack", "packs", "packed", "packing"],
    ["inspect", "inspector", "inspection"],
    ["read", "reader", "readers"],
  ];
  for (const [first, ...others] of families) {
    for (const other of others) assertEquals(stemOf(other), stemOf(first));
  }
  assertEquals(["bus", "end", "to", "ring"].map(stemOf), [
    "bus",
    "end",
    "to",
    "ring",
  ]);
});

test("wordsOf() splits the names of classes, functions and files", () => {
  assertEquals(wordsOf("ChunkSizer"), ["chunk", "sizer"]);
  assertEquals(wordsOf("onAbort"), ["on", "abort"]);
  assertEquals(wordsOf("worker_plan"), ["worker", "plan"]);
});

test("wrongWords() finds a noun that is neither glossary nor house", () => {
  const source = [
    "export class ChunkSizer {}",
    "export interface SlotCargo {}",
    "export function anyVerb() {}",
    "interface Inner {}",
  ].join("\n");
  assertEquals(wrongWords("src/core/engine/chunking.ts", source, VOCABULARY), [
    'src/core/engine/chunking.ts: "cargo" in the name SlotCargo is neither in the glossary nor in the house',
  ]);
});

test("wrongWords() finds a word that is not used, in a name of any kind", () => {
  const source = [
    "export type TaskLanes = number;",
    "export async function sendFiber() {}",
    "export class RowLane {}", // "row" is not one for a track, but a word
    "export class TaskManager {}",
  ].join("\n");
  const end = "is a word that is not used";
  assertEquals(wrongWords("src/core/engine/batch.ts", source, VOCABULARY), [
    `src/core/engine/batch.ts: "batch" in the name batch ${end}`,
    `src/core/engine/batch.ts: "fiber" in the name sendFiber ${end}`,
    `src/core/engine/batch.ts: "manager" in the name TaskManager ${end}`,
  ]);
});
