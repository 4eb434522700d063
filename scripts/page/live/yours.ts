// Step 8: the reader's own function, in a loop and in workers, with a verdict.
/// <reference lib="dom" />

import { parallelMap, TaskTimeoutError } from "@parallel/map";
import { factsOf } from "../../../src/timeline/facts.ts";
import { Recording } from "../../../src/timeline/recording.ts";
import { tracksOf } from "../../../src/timeline/tracks.ts";
import { judge } from "../../../src/timeline/verdict.ts";
import { duration } from "../../../src/words/units.ts";
import { cores, find, make, times } from "./dom.ts";
import { lanes } from "./lecture.ts";
import { recorder } from "./recorder.ts";
import { Stage } from "./stage.ts";

/** What a reader writes. */
type Fn = (value: unknown, context?: unknown) => unknown;

/** How long a call may take, in ms, lest it never ends. */
const TIMEOUT_MS = 20_000;

/** The same for all calls in a loop. */
const LOOP_MS = 60_000;

const PRIMES = `function countPrimes(limit) {
  let count = 0;
  next: for (let n = 2; n < limit; n++) {
    for (let d = 2; d * d <= n; d++) if (n % d === 0) continue next;
    count++;
  }
  return count;
}`;

const PRESETS: [name: string, fn: string, inputs: string][] = [
  [
    "counts primes",
    PRIMES,
    "Array.from({ length: 24 }, (_, i) => 400_000 + i)",
  ],
  ["too small", "(n) => n * 2", "Array.from({ length: 20_000 }, (_, i) => i)"],
  ["one is slow", PRIMES, "[2_000_000, 1000, 1000, 1000, 1000, 1000]"],
];

/** Makes a value of what the reader wrote. */
function valueOf(what: string, text: string): unknown {
  try {
    return new Function(`return (${text}\n);`)();
  } catch (error) {
    throw new Error(
      `The ${what} is no JavaScript: ${(error as Error).message}`,
    );
  }
}

function read(): { fn: Fn; inputs: unknown[] } {
  const fn = valueOf("function", find<HTMLTextAreaElement>("#fn").value);
  if (typeof fn !== "function") {
    throw new Error("The function must be one, as (n) => n + 1 is");
  }
  const given = valueOf(
    "list of values",
    find<HTMLTextAreaElement>("#inputs").value,
  );
  const isList = typeof given === "object" && given !== null &&
    Symbol.iterator in given;
  if (!isList) throw new Error("The values must be a list, as [1, 2, 3] is");
  const inputs = [...given as Iterable<unknown>];
  if (inputs.length === 0) throw new Error("The list of values is empty");
  return { fn: fn as Fn, inputs };
}

/**
 * All calls one after another, in a worker of its own: the page stays awake. An
 * error would be that of the whole loop: only what has none in workers comes here.
 */
async function inALoop(fn: Fn, inputs: unknown[]): Promise<number> {
  const loop = async (inputs: unknown[], context: { data: { fn: Fn } }) => {
    const { fn } = context.data;
    const from = performance.now();
    for (const value of inputs) await fn(value, context);
    return performance.now() - from;
  };
  const options = { workers: 1, data: { fn }, timeout: LOOP_MS };
  try {
    return (await parallelMap(loop, [inputs], options))[0];
  } catch (error) {
    throw new Error(
      error instanceof TaskTimeoutError
        ? `The loop took longer than ${duration(LOOP_MS)}`
        : `In a loop it failed: ${(error as Error).cause ?? error}`,
    );
  }
}

/** The first results, as a short text. */
function shorten(results: unknown[]): string {
  const text = results.slice(0, 40).map((result) => {
    try {
      return JSON.stringify(result) ?? String(result);
    } catch {
      return String(result);
    }
  }).join("  ");
  const more = results.length > 40 || text.length > 600 ? " …" : "";
  return text.slice(0, 600) + more;
}

/** Begins to listen. */
export function yours(): void {
  const presets = find("#yours .presets");
  for (const [name, fn, inputs] of PRESETS) {
    const button = make("button", "", name);
    const choose = () => {
      find<HTMLTextAreaElement>("#fn").value = fn;
      find<HTMLTextAreaElement>("#inputs").value = inputs;
    };
    button.addEventListener("click", choose);
    if (presets.children.length === 1) choose();
    presets.append(button);
  }
  const workers = Math.min(cores, 16);
  new Stage("yours", [lanes(workers)], async (stage) => {
    const place = find("#yours .results");
    place.textContent = "–";
    const { fn, inputs } = read();
    stage.say(`in ${workers} workers …`);
    const recording = new Recording();
    const draw = recorder(stage.pictures[0], String);
    const onEvent: typeof draw = (event) => {
      recording.hear(event);
      draw(event);
    };
    const options = { workers, onEvent, timeout: TIMEOUT_MS };
    const results = await stage.time(() => parallelMap(fn, inputs, options));
    place.textContent = shorten(results);
    stage.say("in a loop …");
    const loopMs = await inALoop(fn, inputs);
    const { kind, text } = judge(factsOf(recording, tracksOf(recording)));
    const isSlower = loopMs < stage.ms;
    const faster = `The ${isSlower ? "loop was" : "workers were"} faster.`;
    // Then nothing that is known of the workers made them slower.
    const others = isSlower && /good|cores/.test(kind)
      ? " Other programs may have had their share of the cores."
      : "";
    return {
      figures: {
        loop: duration(loopMs),
        workers: duration(stage.ms),
        speedup: times(loopMs / stage.ms),
      },
      why: `${faster} ${text}.${others}`,
    };
  });
}
