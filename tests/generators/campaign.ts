// Runs properties: with a seed that is told and can be given again, for a
// number of runs and a time, and counting what was tried.

import fc from "fast-check";
import process from "node:process";
import { isBrief } from "../harness.ts";

/** What was tried, by name. */
export const counts = new Map<string, number>();

/** Counts what was tried. */
export function count(what: string, by = 1): void {
  counts.set(what, (counts.get(what) ?? 0) + by);
}

/** One property: what is generated, and what is promised. */
export interface Property<T> {
  name: string;
  values: fc.Arbitrary<T>;
  /** Throws when the promise is broken. */
  check(value: T): Promise<void>;
  /** Forgets what a run that failed, or hangs, may have left behind. */
  reset(): void;
}

/** How long to look for a counterexample. */
export interface Effort {
  /** Runs at most. */
  runs: number;
  /** ms after which no more batch of runs is begun. */
  ms: number;
  seed: number;
}

/** A run that took so long has not ended by itself, in ms. */
export const HANG_MS = 200_000;

/** How long a batch, and making its counterexample smaller, may take, in ms. */
const SHRINKING_MS = 30_000;

/** The part of that effort that is made where Deno makes all of it. */
const BRIEFLY = 1 / 4;

/** Runs of one batch: they have one seed, and are not interrupted. */
const BATCH = 10;

/** Characters of a counterexample that are shown; seed and path give it all. */
const MOST_SHOWN = 3000;

/**
 * The seed of this process, from FUZZ_SEED or random. To run a counterexample
 * again, set FUZZ_SEED and FUZZ_PATH to what its report says.
 */
export const SEED: number = Number(
  process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31),
);

/**
 * Looks for a counterexample of a property.
 *
 * @throws With the counterexample, made small, and with seed and path.
 */
export async function look<T>(
  property: Property<T>,
  { runs: mostRuns, ms: mostMs, seed }: Effort,
): Promise<void> {
  const [runs, ms] = [mostRuns, mostMs].map((most) =>
    isBrief ? Math.ceil(most * BRIEFLY) : most
  );
  const path = process.env.FUZZ_PATH;
  if (path !== undefined) return await lookOnce(property, runs, seed, path);
  // In batches: a limit of time for one check would leave a run in its middle.
  const until = performance.now() + ms;
  for (let done = 0; done < runs && performance.now() < until; done += BATCH) {
    await lookOnce(property, Math.min(BATCH, runs - done), seed + done);
  }
}

async function lookOnce<T>(
  { name, values, check, reset }: Property<T>,
  numRuns: number,
  seed: number,
  path?: string,
): Promise<void> {
  const property = fc.asyncProperty(values, async (value) => {
    hooks.begin(name, value);
    try {
      await within(HANG_MS, check(value));
    } catch (error) {
      reset();
      throw error;
    }
    count("runs");
  });
  const details = await fc.check(property, {
    seed,
    path,
    numRuns,
    // A hang takes so long to see that shrinking it would take all day.
    skipAllAfterTimeLimit: SHRINKING_MS,
  });
  if (!details.failed || details.counterexample === null) return;
  const [example] = details.counterexample;
  const { errorInstance: error, counterexamplePath } = details;
  const why = error instanceof Error ? error.message : String(error);
  throw new Error(
    `${name}: ${why}\n` +
      `with ${JSON.stringify(example).slice(0, MOST_SHOWN)}\n` +
      `again: FUZZ_SEED=${seed} FUZZ_PATH=${counterexamplePath}`,
    { cause: error },
  );
}

/** Told of every run before it starts: a process that hangs cannot tell. */
export const hooks = { begin: (_name: string, _value: unknown): void => {} };

/** Waits for a promise, and no longer than that. */
async function within(ms: number, promise: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not settled in ${ms} ms`)), ms);
  });
  try {
    await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
