// Which programs are tried: calls of the library as plain JSON, with what goes
// wrong in each. playing.ts says what is promised of them.

import type { Arbitrary } from "fast-check";
import fc from "fast-check";
import type { Deed } from "../fixtures/deeds.ts";
import type { Fault, SourcePlan } from "./sources.ts";

/** What ends a call before its time, or tries to. */
export type Interruption =
  /** After so many ms. */
  | { by: "timer"; does: "abort" | "close"; after: number }
  /** At the n-th call of a listener. */
  | {
    by: "onProgress" | "onEvent";
    does: "throw" | "abort" | "close";
    at: number;
  }
  /** The reader of a stream, after so many values. */
  | { by: "reader"; does: "return" | "throw"; after: number };

/** One call. */
export interface CallPlan {
  way: "map" | "mapSettled" | "stream";
  source: SourcePlan;
  deeds: Deed[];
  interruption?: Interruption;
  /** Whether the function is sent as its source, or imported. */
  shipped: boolean;
  options: {
    chunkSize?: number;
    concurrency?: number;
    retries?: number;
    transfer?: boolean;
    ordered?: boolean;
    bufferSize?: number;
  };
  /** Results in a typed array. */
  output: boolean;
}

/** Calls that run at the same time. */
export interface Program {
  /** One pool for all, or a pool for each: the one-shot functions. */
  pool: "shared" | "one-shot";
  workers: number;
  backend?: "web" | "threads";
  maxTasksPerWorker?: number;
  calls: CallPlan[];
}

/** Deeds that need no worker of their own. */
const HARMLESS: Deed[] = [
  "wait",
  "throw",
  "throw undefined",
  "throw what cannot be shown",
  "throw once",
  "reject",
  "return a function",
  "return a proxy",
  "return a bad thenable",
  "send a function",
  "send a proxy",
];

/** Deeds that would end the caller's own thread. */
const DEADLY: Deed[] = ["exit", "exit once", "close", "stray", "post"]
  .concat("stray rejection") as Deed[];

const among = <T>(list: readonly T[]) => fc.constantFrom(...list);
const maybe = <T>(arbitrary: Arbitrary<T>, freq = 2) =>
  fc.option(arbitrary, { nil: undefined, freq });

const FAULTS: Fault[] = [
  "next throws",
  "done throws",
  "value throws",
  "next answers undefined",
  "next answers a number",
  "next aborts",
  "next closes the pool",
];

const source: Arbitrary<SourcePlan> = fc.record({
  as: among<SourcePlan["as"]>([
    "array",
    "set",
    "typed array",
    "generator",
    "async generator",
    "iterator",
    "async iterator",
  ]),
  endless: fc.integer({ min: 0, max: 9 }).map((n) => n === 9),
  fault: maybe(fc.record({ at: fc.nat({ max: 12 }), what: among(FAULTS) }), 3),
  closing: among<SourcePlan["closing"]>([
    "ends",
    "ends",
    "is missing",
    "throws",
    "answers nonsense",
    "hangs",
  ]),
  slow: fc.boolean(),
  refills: fc.integer({ min: 0, max: 3 }).map((n) => n === 3),
});

const interruption: Arbitrary<Interruption> = fc.oneof(
  fc.record({
    by: fc.constant("timer" as const),
    does: among(["abort", "close"] as const),
    after: fc.nat({ max: 40 }),
  }),
  fc.record({
    by: among(["onProgress", "onEvent"] as const),
    does: among(["throw", "abort", "close"] as const),
    at: fc.integer({ min: 1, max: 12 }),
  }),
  fc.record({
    by: fc.constant("reader" as const),
    does: among(["return", "throw"] as const),
    after: fc.nat({ max: 12 }),
  }),
);

/** A call; without workers, only what does not end this thread. */
function call(deadly: boolean): Arbitrary<CallPlan> {
  const deed = fc.oneof(
    { weight: 20, arbitrary: fc.constant<Deed>("return") },
    { weight: 3, arbitrary: among(HARMLESS) },
    { weight: deadly ? 1 : 0, arbitrary: among(DEADLY) },
  );
  return fc.record({
    way: among<CallPlan["way"]>(["map", "mapSettled", "stream"]),
    source,
    deeds: fc.oneof(
      fc.array(deed, { maxLength: 12 }),
      fc.array(deed, { maxLength: 80, size: "max" }),
      fc.array(fc.constant<Deed>("return"), { maxLength: 200, size: "max" }),
    ),
    interruption: maybe(interruption, 2),
    shipped: fc.boolean(),
    options: fc.record({
      chunkSize: maybe(fc.integer({ min: 1, max: 40 })),
      concurrency: maybe(fc.integer({ min: 1, max: 5 })),
      retries: maybe(fc.integer({ min: 0, max: 2 })),
      transfer: maybe(fc.boolean()),
      ordered: maybe(fc.boolean()),
      bufferSize: maybe(fc.integer({ min: 1, max: 40 })),
    }),
    output: fc.integer({ min: 0, max: 5 }).map((n) => n === 5),
  }).map(possible);
}

/** Takes out what does not go together. */
function possible(plan: CallPlan): CallPlan {
  const { way, source, deeds, options } = plan;
  const { ordered: _, bufferSize: __, ...rest } = options;
  // A generator cannot answer nonsense, but throw.
  const { fault } = source;
  const sane = /iterator/.test(source.as) || !/answers/.test(fault?.what ?? "");
  const numbers = source.as === "typed array";
  const byHand = !["array", "set", "typed array"].includes(source.as);
  return {
    ...plan,
    source: {
      ...source,
      // Only a reader that leaves ends a source without end.
      endless: source.endless && byHand && deeds.length > 0 &&
        way === "stream" && plan.interruption?.by === "reader",
      fault: byHand && sane ? fault : undefined,
      // What cannot be copied stays the object that is filled again.
      refills: source.refills && !deeds.some((deed) => /^send/.test(deed)),
    },
    deeds: numbers ? deeds.map(() => "return") : deeds,
    interruption: way !== "stream" && plan.interruption?.by === "reader"
      ? undefined
      : plan.interruption,
    options: way === "stream" ? options : rest,
    output: plan.output && way === "map",
  };
}

/** Programs, with at most so many workers; 0 for none but this thread. */
export function programs(workers: number): Arbitrary<Program> {
  return fc.record({
    pool: among<Program["pool"]>(["shared", "one-shot"]),
    workers: fc.integer({ min: Math.min(1, workers), max: workers }),
    backend: workers === 0
      ? fc.constant(undefined)
      : maybe(among(["web", "threads"] as const)),
    maxTasksPerWorker: maybe(fc.integer({ min: 1, max: 30 }), 5),
    calls: fc.array(call(workers > 0), { minLength: 1, maxLength: 3 }),
  }).map(affordable);
}

/** A worker takes 50 ms to start: one for each task would take too long. */
function affordable(program: Program): Program {
  const { maxTasksPerWorker, calls } = program;
  if (maxTasksPerWorker === undefined) return program;
  const tasks = calls.reduce((sum, { deeds }) => sum + deeds.length, 0);
  const least = Math.ceil(tasks / 20);
  return { ...program, maxTasksPerWorker: Math.max(maxTasksPerWorker, least) };
}
