// Draws what the workers of a pool do, event by event.
/// <reference lib="dom" />

import type { RunEvent } from "@parallel/map";
import type { Bar, Picture } from "./picture.ts";

/** Of more additions in one message, there is one bar: nobody could tell them apart. */
const MANY = 8;

/**
 * Makes what draws.
 *
 * @param picture Where to.
 * @param labelOf What stands on the bar of an input.
 * @param firstLane Which lane is the first worker's.
 * @returns An `onEvent`.
 */
export function recorder(
  picture: Picture,
  labelOf: (index: number) => string,
  firstLane = 0,
): (event: RunEvent) => void {
  const open = new Map<number, Bar>();
  return (event) => {
    if (event.type === "chunk-send") {
      const lane = event.worker + firstLane;
      const bar = picture.open(lane, labelOf(event.first), event.from);
      open.set(event.chunk, bar);
    } else if (event.type === "chunk-done") {
      const bar = open.get(event.chunk);
      if (bar === undefined) return;
      open.delete(event.chunk);
      const began = [...event.from].filter((_, i) => event.to[i] >= 0);
      const ended = [...event.to].filter((to) => to >= 0);
      if (began.length === 0) return picture.drop(bar);
      if (began.length > MANY) {
        return picture.close(bar, began[0], ended.at(-1)!, `× ${began.length}`);
      }
      picture.drop(bar);
      began.forEach((from, i) => {
        const label = labelOf(event.first + i);
        const done = picture.open(event.worker + firstLane, label, from);
        picture.close(done, from, ended[i]);
      });
    }
  };
}
