// Sources of inputs that go wrong at a step, and that note what is asked of
// them: for…of is the model of what a source may be asked.

import { pause } from "../until.ts";

/** What goes wrong at one step. */
export type Fault =
  | "next throws"
  | "done throws"
  | "value throws"
  | "next answers undefined"
  | "next answers a number"
  | "next aborts"
  | "next closes the pool";

/** A source as a plan. */
export interface SourcePlan {
  as:
    | "array"
    | "set"
    | "typed array"
    | "generator"
    | "async generator"
    | "iterator"
    | "async iterator";
  /** Goes on for ever after the values, with the last of them. */
  endless: boolean;
  fault?: { at: number; what: Fault };
  /** What `return` of a source written by hand does. */
  closing: "ends" | "is missing" | "throws" | "answers nonsense" | "hangs";
  /** Whether an async source keeps its reader waiting, now and then. */
  slow: boolean;
  /** Whether one that makes its values fills one object with each of them. */
  refills: boolean;
}

/** What a source was asked, and what it answered to the last question. */
export type Step = "next" | "value" | "done" | "threw" | "return";

/** An open source. */
export interface Opened {
  inputs: Iterable<unknown> | AsyncIterable<unknown>;
  log: Step[];
  /** What it throws, itself. */
  failure: Error;
}

/** What a fault may do to the program. */
export interface Reach {
  abort(): void;
  close(): void;
}

/** More questions than any reader with a bound asks: else a fault never ends. */
const MOST_QUESTIONS = 20_000;

/** Makes the source of a plan. */
export function openSource(
  plan: SourcePlan,
  values: unknown[],
  reach: Reach,
): Opened {
  const log: Step[] = [];
  const failure = new URIError("the source's own");
  const opened = (inputs: Opened["inputs"]) => ({ inputs, log, failure });
  if (plan.as === "array") return opened(values);
  if (plan.as === "set") return opened(new Set(values));
  if (plan.as === "typed array") {
    return opened(Float64Array.from(values as number[]));
  }
  const step = stepper(plan, values, reach, log, failure);
  if (plan.as === "generator") return opened(generator(step));
  if (plan.as === "async generator") return opened(asyncGenerator(step, plan));
  return opened(byHand(step, plan, log));
}

type Stepper = () => { done: boolean; value: unknown };

/** Answers one `next`, with the fault when its turn has come. */
function stepper(
  { endless, fault, refills }: SourcePlan,
  values: unknown[],
  reach: Reach,
  log: Step[],
  failure: Error,
): Stepper {
  let at = 0;
  let questions = 0;
  const row: Record<string, unknown> = {};
  const fill = (value: unknown) => {
    if (!refills || typeof value !== "object") return value;
    return Object.assign(row, value);
  };
  const fail = (): never => {
    log.push("threw");
    throw failure;
  };
  return () => {
    log.push("next");
    if (++questions > MOST_QUESTIONS) throw new Error("asked without end");
    const now = at === fault?.at ? fault.what : undefined;
    const value = values[at] ?? (endless ? values.at(-1) : undefined);
    const done = at++ >= values.length && !endless;
    if (now === "next throws") fail();
    if (now === "next aborts") reach.abort();
    if (now === "next closes the pool") reach.close();
    const broken = (answer: unknown) => {
      log.push("threw"); // as for…of would, with a TypeError of its own
      return answer as { done: boolean; value: unknown };
    };
    if (now === "next answers undefined") return broken(undefined);
    if (now === "next answers a number") return broken(5);
    if (now === "done throws") {
      return {
        get done() {
          return fail();
        },
        value,
      };
    }
    if (now === "value throws") {
      return {
        done: false,
        get value() {
          return fail();
        },
      };
    }
    log.push(done ? "done" : "value");
    return { done, value: fill(value) };
  };
}

function* generator(step: Stepper): Generator<unknown> {
  for (let answer; !(answer = step()).done;) yield answer.value;
}

async function* asyncGenerator(
  step: Stepper,
  { slow }: SourcePlan,
): AsyncGenerator<unknown> {
  for (let n = 0, answer; !(answer = step()).done; n++) {
    if (slow && n % 3 === 1) await pause(2);
    yield answer.value;
  }
}

function byHand(
  step: Stepper,
  { as, closing, slow }: SourcePlan,
  log: Step[],
): Opened["inputs"] {
  const close = () => {
    log.push("return");
    if (closing === "throws") throw new EvalError("return throws");
    return closing === "answers nonsense"
      ? 5
      : { done: true, value: undefined };
  };
  if (as === "iterator") {
    const iterator = { next: step, return: close };
    if (closing === "is missing") {
      delete (iterator as { return?: unknown }).return;
    }
    return { [Symbol.iterator]: () => iterator as Iterator<unknown> };
  }
  let n = 0;
  const iterator = {
    async next() {
      if (slow && n % 3 === 1) await pause(2);
      const answer = step();
      if (slow && n++ % 3 === 2) await pause(2);
      return answer;
    },
    async return() {
      const answer = close();
      if (closing === "hangs") await new Promise(() => {});
      return await answer;
    },
  };
  if (closing === "is missing") {
    delete (iterator as { return?: unknown }).return;
  }
  return {
    [Symbol.asyncIterator]: () => iterator as AsyncIterator<unknown>,
  };
}
