/**
 * Why it was not faster, in one plain sentence: a table of rules, the first
 * that holds speaks. Pure, from the facts.
 *
 * A sentence that may be wrong is worse than none. Each rule says what it rests
 * on; where that is missing it is silent, and a later rule says less. Nothing
 * is said of an option that the facts do not know, and nothing that other
 * programs on the same cores can make wrong.
 *
 * @module
 */

import type { Facts } from "./facts.ts";
import { duration, percent, plural } from "../words/units.ts";
import {
  largestLoss,
  onItsWay,
  reasons,
  start,
  whatWasDone,
} from "./wording.ts";

/** What a verdict is about. */
export type VerdictKind =
  | "nothing"
  | "two-pools"
  | "loop"
  | "running"
  | "stopped"
  | "inline"
  | "one-input"
  | "cores"
  | "small-chunks"
  | "transport"
  | "start-up"
  | "one-slow"
  | "starved"
  | "large-chunks"
  | "one-worker"
  | "uneven"
  | "good"
  | "mixed";

/** Why it was not faster, or that it could not be. */
export interface Verdict {
  /** What it is about. */
  kind: VerdictKind;
  /** One plain sentence, without its full stop. */
  text: string;
}

interface Rule {
  kind: VerdictKind;
  holds(facts: Facts): boolean;
  say(facts: Facts): string;
}

/** Workers that are in a task for this share of their time are busy. */
const BUSY = 0.7;

/** Something that took this share of the time is what took the time. */
const MOST = 0.5;

/** Waiting that took this share of the workers' time is worth its reason. */
const MUCH = 0.3;

/** What is less than this share of something does not count beside it. */
const LITTLE = 0.1;

/** What is less than this share of something else is less for sure. */
const CLEARLY_LESS = 0.8;

const RULES: Rule[] = [
  {
    // No run and no call.
    kind: "nothing",
    holds: ({ runs, calls }) => runs === 0 && calls === 0,
    say: () =>
      "Nothing was recorded: a Timeline hears of runs by onEvent, and of calls by measure()",
  },
  {
    // A run began while another went on, and its number was not a higher one.
    kind: "two-pools",
    holds: ({ heard }) => heard === "two pools",
    say: () =>
      "Two pools were recorded at once and cannot be told apart: give each a Timeline of its own",
  },
  {
    // Calls only. They came one after another unless two were open at once, as
    // those of async functions may be.
    kind: "loop",
    holds: ({ runs }) => runs === 0,
    say: ({ calls, wall, tasksAtOnce }) =>
      `One thread made ${plural(calls, "call")}${
        calls > 1 && tasksAtOnce < 2 ? ", one after another," : ""
      } in ${duration(wall)}`,
  },
  {
    // A run without an end. What it waits for may be about to come.
    kind: "running",
    holds: ({ open }) => open > 0,
    say: ({ open, runs }) =>
      runs === 1
        ? "The run is not over, and is judged when it is"
        : `${open} of ${runs} runs are not over, and are judged when they are`,
  },
  {
    // A run that ended with tasks left. Nothing more is said: its workers had
    // more to do, and a loop would have stopped as well.
    kind: "stopped",
    holds: ({ stopped }) => stopped > 0,
    say: ({ stopped, runs }) =>
      `${
        runs === 1 ? "The run was" : `${stopped} of ${runs} runs were`
      } stopped before the end, so how fast it was says little`,
  },
  {
    // Every run had its end, and no task ran.
    kind: "nothing",
    holds: ({ tasks }) => tasks === 0,
    say: ({ inputs }) =>
      inputs === 0 ? "There was no input" : "No task ran: see what failed",
  },
  {
    // All runs say that they had 0 workers: one of them with more is enough
    // for silence.
    kind: "inline",
    holds: ({ workers }) => workers === 0,
    say: () => `Everything ran in this thread, as "workers" was 0`,
  },
  {
    // Counted inputs, not tasks: one input can be tried often, and nine can
    // fail before they are sent.
    kind: "one-input",
    holds: ({ runs, inputs }) => runs === 1 && inputs === 1,
    say: () => "There was one input: only several inputs can be shared",
  },
  {
    // CPU time that the tasks certainly had. Silent where it does not fill the
    // cores, as then tasks waited or other programs had the rest; and up to as
    // many workers as cores, which is as good as it gets.
    kind: "cores",
    holds: ({ crowded }) => crowded,
    say: ({ cores, speedUp = 0, workers }) =>
      `The tasks kept ${plural(cores, "core")} busy for ${
        percent(Math.min(1, speedUp / cores))
      } of the time: more than ${plural(workers, "worker")} can hardly help`,
  },
  {
    // Workers with nothing in flight while inputs were still to be sent. This
    // thread sends them, so whatever kept it from that is named. Silent when
    // they may have had a run that nobody recorded.
    kind: "starved",
    holds: ({ starved, heard }) => starved > MUCH && heard === "all",
    say: ({ starved, reading, wall }) =>
      reading > MOST * wall
        ? `Reading the inputs took ${duration(reading)} of the ${
          duration(wall)
        }: the source is slower than the workers`
        : `The workers waited ${
          percent(starved)
        } of their time for inputs: the source, the reader of a stream, or this thread itself was slower than they`,
  },
  {
    // No run is shorter than its longest task. Silent where the input alone
    // may not have made it long, as it shared its worker or a core with other
    // tasks; where it did not come back, as its length is a guess; with several
    // runs, as then an index does not name an input; and where the workers had
    // enough to do beside it.
    kind: "one-slow",
    holds: (facts) => {
      const { slowest: [first], runs, wall, used, spent } = facts;
      return runs === 1 && used > 1 && spent.work < BUSY && first.ended &&
        first.ms > MOST * wall && !sharedItsCore(facts, first.ms);
    },
    say: ({ slowest: [first], wall }) =>
      `Input ${first.index} took ${
        percent(Math.min(1, first.ms / wall))
      } of the time: no number of workers makes a run shorter than that, only splitting the input`,
  },
  {
    // As below, when no message carried more than one input. Why is not known:
    // chunkSize, maxTasksPerWorker, a slow source or large values.
    kind: "small-chunks",
    holds: (facts) => facts.largestChunk === 1 && transportLoses(facts),
    say: (facts) => onItsWay(facts, ", in a message of its own"),
  },
  {
    // What the quick ones of the messages cost, so that one which other
    // programs or this thread held up does not count; and all the work was
    // shorter than the run.
    kind: "transport",
    holds: transportLoses,
    say: (facts) => onItsWay(facts, ""),
  },
  {
    // Time in which any worker was being started, and the workers did little
    // else. A loop may need the init of one worker as well, so it is named only
    // if it is faster with the quickest of the starts.
    kind: "start-up",
    holds: ({ startUp, wall, spent }) =>
      startUp > MOST * wall && spent.work < BUSY,
    say: (facts) => {
      const { work, quickestStart, wall } = facts;
      return start(facts, work + quickestStart < CLEARLY_LESS * wall);
    },
  },
  {
    // Without chunkSize a run begins with a chunk of one task. The messages
    // were too few for the workers, and those that had one had work enough.
    kind: "large-chunks",
    holds: ({ chunkSizeGiven, runs, used, workers, inputs, chunks, spent }) =>
      chunkSizeGiven && runs === 1 && inputs !== undefined &&
      used < Math.min(workers, inputs) && chunks <= used && spent.work > MOST,
    say: ({ inputs, chunks, used, workers }) =>
      `${plural(inputs!, "input")} went in ${
        plural(chunks, "message")
      }, so ${used} of ${workers} workers had any: leave chunkSize out, or make it smaller`,
  },
  {
    // One worker had all tasks, and never two at once: a loop does the same.
    kind: "one-worker",
    holds: ({ used, tasksInWorker }) => used === 1 && tasksInWorker < 2,
    say: ({ wall, work, workers }) =>
      `${
        workers > 1 ? `One of ${workers} workers` : "One worker"
      } did one task after another, ${duration(work)} of work in ${
        duration(wall)
      }: a loop is no slower`,
  },
  {
    // Workers with nothing in flight after the last input was sent, while
    // tasks ran. Silent when they may have had a run that nobody recorded.
    kind: "uneven",
    holds: ({ tail, heard }) => tail > MUCH && heard === "all",
    say: (facts) =>
      `The workers had nothing left for ${
        percent(facts.tail)
      } of their time, while the last tasks ran: ${reasons(facts)}`,
  },
  {
    // All workers were in a task for most of their time; or, by CPU time, most
    // cores were.
    kind: "good",
    holds: ({ spent, used, workers, tasks, speedUp, cores }) =>
      (spent.work > BUSY && used === Math.min(workers, tasks)) ||
      (speedUp ?? 0) > BUSY * Math.min(workers, cores),
    say: (facts) => whatWasDone(facts),
  },
  {
    // Nothing stands out.
    kind: "mixed",
    holds: () => true,
    say: (facts) => whatWasDone(facts) + largestLoss(facts),
  },
];

/**
 * Judges a recording.
 *
 * @param facts Its numbers.
 * @returns The first verdict that holds.
 */
export function judge(facts: Facts): Verdict {
  const rule = RULES.find(({ holds }) => holds(facts))!; // the last one does
  return { kind: rule.kind, text: rule.say(facts) };
}

/**
 * Whether other tasks may have made one longer that took so many ms: by more
 * than the CPU time of all tasks, shared by the cores, they cannot.
 */
function sharedItsCore(facts: Facts, ms: number): boolean {
  const { tasksInWorker, workersAtOnce, cores, cpu } = facts;
  if (tasksInWorker > 1) return true;
  const most = cpu === undefined ? Infinity : cpu.most / cores;
  return workersAtOnce > cores && most > LITTLE * ms;
}

/**
 * Whether a loop is faster than the workers: without the messages, and with one
 * thread instead of as many.
 */
function transportLoses(facts: Facts): boolean {
  const { transportPerTask, tasks, work, wall, used } = facts;
  return transportPerTask * tasks > Math.max(1, used - 1) * work &&
    work < CLEARLY_LESS * wall;
}
