/**
 * Where the time of each worker went: pure, from the tracks.
 *
 * @module
 */

import type { Recording } from "./recording.ts";
import { intersect, lengthOf, type Span, subtract, union } from "./spans.ts";
import type { Track } from "./tracks.ts";

/** Where the time of one worker went. */
export interface RowFacts {
  /** As in `worker 0`, or `this thread`. */
  name: string;
  /** How many tasks ran there, failed ones included. */
  tasks: number;
  /** Milliseconds there was something to share in, and a worker. */
  present: number;
  /** Milliseconds until the worker could take its first task. */
  startUp: number;
  /** Milliseconds in which a task ran. */
  work: number;
  /** Milliseconds in which tasks were on their way, and none ran. */
  transport: number;
  /** Milliseconds with nothing to do. */
  waiting: number;
}

/**
 * Works out where the time went in one place.
 *
 * @param track What happened there.
 * @returns The shares.
 */
export function rowOf(track: Track): RowFacts {
  const { name, from, to, present, startUp, inFlight } = track;
  const began = intersect(startUp, present);
  const flying = intersect(inFlight, present);
  // What never came back ran as well, after all that did.
  const work = covered(from, to) + lengthOf(union(track.lost));
  const transport = Math.max(0, lengthOf(flying) - work);
  const rest = lengthOf(present) - lengthOf(began) - work - transport;
  return {
    name,
    tasks: from.length + track.lost.length,
    present: lengthOf(present),
    startUp: lengthOf(began),
    work,
    transport,
    waiting: Math.max(0, rest),
  };
}

/**
 * Tells waiting while there was more to come from waiting when there was not.
 *
 * @param recording What was recorded.
 * @param places Its tracks.
 * @returns Two shares of the time the workers were there.
 */
export function waits(recording: Recording, places: Track[]) {
  const { chunks, runs, workers, last } = recording;
  // While a worker is started, the caller may be unable to send.
  const starting = union(workers.map(({ from, to }) => ({ from, to })));
  const more: Span[] = [];
  const over: Span[] = [];
  runs.forEach(({ from, to = last }, position) => {
    const sent = chunks.findLast(({ run }) => run === position)?.from ?? from;
    more.push({ from, to: sent });
    over.push({ from: sent, to });
  });
  let starved = 0;
  let tail = 0;
  let present = 0;
  for (const track of places) {
    const idle = subtract(
      track.present,
      union([...track.startUp, ...track.inFlight]),
    );
    starved += lengthOf(intersect(subtract(idle, starting), union(more)));
    tail += lengthOf(intersect(idle, union(over)));
    present += lengthOf(track.present);
  }
  if (present === 0) return { starved: 0, tail: 0 };
  return { starved: starved / present, tail: tail / present };
}

function covered(from: Float64Array, to: Float64Array): number {
  let total = 0;
  let end = -Infinity;
  for (let i = 0; i < from.length; i++) { // in the order of their starts
    total += Math.max(0, to[i] - Math.max(from[i], end));
    end = Math.max(end, to[i]);
  }
  return total;
}
