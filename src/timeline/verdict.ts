/**
 * Why it was not faster, in one plain sentence: a table of rules, the first
 * that holds speaks. Pure, from the facts.
 *
 * @module
 */

import type { Facts } from "./facts.ts";
import { duration, factor, percent, plural } from "./units.ts";

/** What a verdict is about. */
export type VerdictKind =
  | "nothing"
  | "loop"
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

/** Below this share of what the workers could do, something is in the way. */
const GOOD = 0.7;

const RULES: Rule[] = [
  {
    kind: "nothing",
    holds: ({ tasks }) => tasks === 0,
    say: ({ runs }) =>
      runs === 0
        ? "Nothing was recorded: pass timeline.record as onEvent"
        : "No task ran to its end",
  },
  {
    kind: "loop",
    holds: ({ runs }) => runs === 0,
    say: ({ calls, wall }) =>
      `One thread made ${plural(calls, "call")}, one after another, in ${
        duration(wall)
      }`,
  },
  {
    kind: "inline",
    holds: ({ workers }) => workers === 0,
    say: () => `Everything ran in this thread, as "workers" was 0`,
  },
  {
    kind: "one-input",
    holds: ({ tasks }) => tasks === 1,
    say: () =>
      "There was one input, so one worker did everything: only several inputs can be shared",
  },
  {
    kind: "cores",
    holds: ({ computing, peak, cores, work, wall }) =>
      computing && peak > cores && work > 1.2 * cores * wall,
    say: ({ cores, peak }) =>
      `${plural(cores, "core")}, ${peak} workers computing: ${
        peak - cores === 1 ? "one" : peak - cores
      } of them waited for a core at any time, so more than ${
        plural(cores, "worker")
      } cannot help`,
  },
  {
    kind: "starved",
    holds: ({ starved, reading, wall }) => starved > 0.4 || reading > wall / 2,
    say: ({ starved, reading, wall }) =>
      reading > wall / 2
        ? `Reading the inputs took ${duration(reading)} of the ${
          duration(wall)
        }: the source is slower than the workers`
        : `The workers waited ${
          percent(starved)
        } of their time for inputs: the source, or the reader of the stream, is slower than they are`,
  },
  {
    kind: "one-slow",
    holds: ({ slowest: [first], wall, efficiency, workers }) =>
      workers > 1 && first.ms > wall / 2 && efficiency < GOOD,
    say: ({ slowest: [first], wall }) =>
      `Input ${first.index} took ${
        percent(Math.min(1, first.ms / wall))
      } of the time: no number of workers helps, only splitting that input`,
  },
  {
    kind: "small-chunks",
    holds: (facts) =>
      transportLoses(facts) && facts.chunks > 20 &&
      facts.tasks < 2 * facts.chunks,
    say: (facts) =>
      `Each message carried one input, with ${
        duration(facts.work / facts.tasks)
      } of work and ${
        duration(transport(facts) / facts.tasks)
      } of transport: leave chunkSize out, so that a message carries many`,
  },
  {
    kind: "transport",
    holds: transportLoses,
    say: (facts) =>
      `Each input took ${duration(facts.work / facts.tasks)} of work and ${
        duration(transport(facts) / facts.tasks)
      } of transport: a plain loop would be faster`,
  },
  {
    kind: "start-up",
    holds: ({ startUp, wall, efficiency }) =>
      startUp > wall / 2 && efficiency < GOOD,
    say: ({ used, startUp, wall, loop }) =>
      `Starting ${plural(used, "worker")} took ${duration(startUp)} of the ${
        duration(wall)
      }: ${
        loop < wall ? "a plain loop would be faster, unless" : "it helps when"
      } a Pool is kept for more than one map`,
  },
  {
    kind: "large-chunks",
    holds: ({ used, workers, tasks, chunks }) =>
      used < Math.min(workers, tasks) && chunks <= used,
    say: ({ tasks, chunks, used, workers }) =>
      `${plural(tasks, "input")} went in ${
        plural(chunks, "message")
      }, so ${used} of ${workers} workers had any: leave chunkSize out, or make it smaller`,
  },
  {
    kind: "one-worker",
    holds: ({ used }) => used === 1,
    say: ({ wall, work }) =>
      `One worker did one input after another, ${duration(work)} of work in ${
        duration(wall)
      }: only more workers make it faster`,
  },
  {
    kind: "uneven",
    holds: ({ tail }) => tail > 0.3,
    say: ({ tail, slowest: [first] }) =>
      `The workers had nothing left for ${
        percent(tail)
      } of their time, while the last tasks ran: the inputs are too few or too uneven (input ${first.index} took ${
        duration(first.ms)
      }), or the chunks too large`,
  },
  {
    kind: "good",
    holds: ({ efficiency, computing, speedUp, cores }) =>
      efficiency > GOOD || (computing && speedUp > GOOD * cores),
    say: (facts) =>
      `${plural(facts.used, "worker")} did ${duration(facts.work)} of work in ${
        duration(facts.wall)
      }: ${factor(facts.speedUp)} as fast as a loop${unsure(facts)}`,
  },
  {
    kind: "mixed",
    holds: () => true,
    say: (facts) =>
      `${plural(facts.used, "worker")} did ${duration(facts.work)} of work in ${
        duration(facts.wall)
      }, ${factor(facts.speedUp)} as fast as a loop: most of the rest was ${
        largestLoss(facts)
      }`,
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

function transport({ rows }: Facts): number {
  return rows.reduce((total, row) => total + row.transport, 0);
}

function transportLoses(facts: Facts): boolean {
  const { loop, wall, work, used, startUp } = facts;
  const lost = transport(facts);
  return loop < wall && lost > work && lost / used > startUp;
}

/** Work is timed by the clock: computing that had to wait counts as well. */
function unsure({ computing, cpu = 0, loop }: Facts): string {
  if (!computing || cpu > 0.75 * loop) return "";
  const had = percent(cpu / loop);
  return `, unless other programs took the cores (the tasks had one for ${had} of that time)`;
}

function largestLoss({ rows }: Facts): string {
  const present = rows.reduce((sum, row) => sum + row.present, 0);
  const losses = (["startUp", "transport", "waiting"] as const).map((name) => ({
    name: name === "startUp" ? "start-up" : name,
    ms: rows.reduce((sum, row) => sum + row[name], 0),
  })).sort((a, b) => b.ms - a.ms);
  return `${losses[0].name} (${percent(losses[0].ms / present)})`;
}
