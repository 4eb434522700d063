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
  MOST,
  onItsWay,
  reasons,
  start,
  whatStarved,
  whatWasDone,
} from "./verdict_words.ts";

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

/**
 * Workers that are in a task for this share of their time are busy. No bench
 * sets this share or those below: a rule that asks for more speaks less often,
 * and is right more often.
 */
const BUSY = 0.7;

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
    // A run ended with tasks left. Nothing is said of its workers, which had
    // more to do, nor of a loop, which would have stopped as well.
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
    say: ({ inputs, partial }) =>
      inputs !== 0
        ? "No task ran: see what failed"
        : partial
        ? "No input was left to map"
        : "There was no input",
  },
  {
    // No run had a worker. Silent as soon as one of several had any.
    kind: "inline",
    holds: ({ workers }) => workers === 0,
    say: () => `Everything ran in this thread, as "workers" was 0`,
  },
  {
    // It counts inputs, not tasks: one input can be tried often, and an input
    // that cannot be sent is no task. Silent if it may be one of several.
    kind: "one-input",
    holds: ({ runs, inputs, partial }) =>
      runs === 1 && inputs === 1 && !partial,
    say: () => "There was one input: only several inputs can be shared",
  },
  {
    // The CPU time that the tasks certainly had fills the cores. Silent if it
    // does not, as tasks waited then, or other programs had the rest; and if
    // there are no more workers than cores, as more of them may help.
    kind: "cores",
    holds: ({ crowded }) => crowded,
    say: ({ cores, speedUp = 0, workers }) =>
      `The tasks kept ${plural(cores, "core")} busy for ${
        percent(Math.min(1, speedUp / cores))
      } of the time: more than ${plural(workers, "worker")} can hardly help`,
  },
  {
    // Workers had nothing in flight while inputs were still to be sent. This
    // thread sends them, so the sentence names what may keep it from sending;
    // none, if inputs may have waited to be mapped again.
    // Silent if the workers may have had tasks of a run that nobody recorded.
    kind: "starved",
    holds: ({ starved, heard }) => starved > MUCH && heard === "all",
    say: (facts) => whatStarved(facts),
  },
  {
    // No run is shorter than its longest task. Silent if that task may have been
    // slowed down by others in its worker or on its core; if it did not come
    // back, as its length is a guess then; if there are several runs, as an
    // index does not name an input then; and if the other workers had enough to
    // do meanwhile.
    kind: "one-slow",
    holds: (facts) => {
      const { slowest: [first], runs, wall, used, spent } = facts;
      return runs === 1 && used > 1 && spent.work < BUSY && first!.ended &&
        first!.ms > MOST * wall && !sharedItsCore(facts, first!.ms);
    },
    say: ({ slowest: [first], wall }) =>
      `Input ${first!.index} took ${
        percent(Math.min(1, first!.ms / wall))
      } of the time: no number of workers makes a run shorter than that, only splitting the input`,
  },
  {
    // As the next rule, and each message carried one input. The reason is not
    // known: chunkSize, maxTasksPerWorker, a slow source or large values.
    kind: "small-chunks",
    holds: (facts) => facts.largestChunk === 1 && transportLoses(facts),
    say: (facts) => onItsWay(facts, ", in a message of its own"),
  },
  {
    // The messages cost more time than several workers save. What a message
    // costs is read from the quickest ones, so that one which other programs or
    // this thread held up does not count.
    kind: "transport",
    holds: transportLoses,
    say: (facts) => onItsWay(facts, ""),
  },
  {
    // For most of the time a worker was being started, and the workers did
    // little else. A loop may need what init makes as well: so the sentence
    // names a loop only if it is faster even after the quickest of the starts,
    // and never where a task was lost: it would have ended the loop, or held it.
    kind: "start-up",
    holds: ({ startUp, wall, spent }) =>
      startUp > MOST * wall && spent.work < BUSY,
    say: (facts) => {
      const { work, quickestStart, wall, lost } = facts;
      const faster = work + quickestStart < CLEARLY_LESS * wall;
      return start(facts, faster && lost === 0);
    },
  },
  {
    // There were fewer messages than workers, and whoever got one had work
    // enough. Silent if the first chunk was of one task: it was not too large.
    // Whether chunkSize was given is not known: without it, the first chunk of a
    // function that was called before may have several tasks as well.
    kind: "large-chunks",
    holds: ({ chunkSizeGiven, runs, used, workers, inputs, chunks, spent }) =>
      chunkSizeGiven && runs === 1 && inputs !== undefined &&
      used < Math.min(workers, inputs) && chunks <= used && spent.work > MOST,
    say: ({ inputs, chunks, used, workers }) =>
      `${plural(inputs!, "input")} went in ${
        plural(chunks, "message")
      }, so ${used} of ${workers} workers had any: a smaller chunkSize gives the others some`,
  },
  {
    // One worker had all tasks, one after another: a loop does the same. Not
    // beside this thread, which may have had other work meanwhile.
    kind: "one-worker",
    holds: ({ used, tasksInWorker, lost }) =>
      used === 1 && tasksInWorker < 2 && lost === 0,
    say: ({ wall, work, workers }) =>
      `${
        workers > 1 ? `One of ${workers} workers` : "One worker"
      } did one task after another, ${duration(work)} of work in ${
        duration(wall)
      }: a loop needs no more time for the tasks alone`,
  },
  {
    // Workers had nothing in flight after the last input was sent, while others
    // still had tasks. Silent if nobody recorded what else they did, as above.
    kind: "uneven",
    holds: ({ tail, heard }) => tail > MUCH && heard === "all",
    say: (facts) =>
      `The workers had nothing left for ${
        percent(facts.tail)
      } of their time, while the last tasks ran: ${reasons(facts)}`,
  },
  {
    // All workers were in a task for most of their time; or the CPU time shows
    // that most cores were.
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
 * Whether other tasks may have slowed one down that took so many ms. They can
 * have held a core for no longer than the CPU time of all tasks, divided by the
 * number of cores.
 */
function sharedItsCore(facts: Facts, ms: number): boolean {
  const { tasksInWorker, workersAtOnce, cores, cpu } = facts;
  if (tasksInWorker > 1) return true;
  const most = cpu === undefined ? Infinity : cpu.most / cores;
  return workersAtOnce > cores && most > LITTLE * ms;
}

/**
 * Whether a loop is faster than the workers: it needs no messages, and has one
 * thread instead of `used` of them.
 */
function transportLoses(facts: Facts): boolean {
  const { transportPerTask, tasks, work, wall, used, lost } = facts;
  return lost === 0 &&
    transportPerTask * tasks > Math.max(1, used - 1) * work &&
    work < CLEARLY_LESS * wall;
}
