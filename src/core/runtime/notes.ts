/**
 * What a worker that shares no memory with its caller says of itself instead:
 * which tasks it is at, now and then. docs/workers.md says what follows from it.
 *
 * @module
 */

import type { Board } from "../wire/board.ts";
import type { Tagged, ToWorker } from "../wire/protocol.ts";

/** What it says. */
export interface Notes {
  /**
   * Hears every message to the worker.
   *
   * @returns The message, with a board that the worker has for itself.
   */
  hear(message: ToWorker): ToWorker;
}

/**
 * Makes what says it. Self-contained: workers get this function by its source.
 *
 * @param send Sends a message to the caller.
 * @param over Four bytes, for the number of the run that is over.
 * @returns What hears the messages.
 */
export function createNotes(
  send: (message: Tagged) => void,
  over: ArrayBufferLike,
): Notes {
  // ms for which what the lanes are at is not said again.
  const NOTE_MS = 5;
  const { timeOrigin } = performance;
  const clock = performance.now.bind(performance);
  const ended = new Int32Array(over);
  const starts: number[] = []; // first tasks of chunks that are not begun
  let tag = 0;
  let run = 0;
  let board: Board | undefined; // once the function of the run is there
  let epoch = 0;
  let begun = 0;
  let noted = -Infinity;
  let timer: ReturnType<typeof setTimeout> | undefined;

  /** Says which tasks the lanes are at. */
  function note(folds?: number): void {
    clearTimeout(timer);
    timer = undefined;
    noted = clock();
    const now = Math.floor(timeOrigin + noted - epoch);
    const lanes = board?.lanes() ?? [];
    const tasks = lanes.map(({ serial, since = now }) => ({
      serial,
      ran: now - since,
    }));
    send([tag, { type: "at", tasks, begun, folds }]);
  }

  function onOpen(opened: Board): void {
    board = opened;
    note();
  }

  function onEnter(serial: number, folds: boolean): void {
    if (folds) return note(serial);
    begun = Math.max(begun, serial);
    // The first task of a chunk is always told, so that of the others in it
    // alone the caller cannot say whether they have begun.
    const first = starts.length > 0 && serial >= starts[0]!;
    while (starts.length > 0 && serial >= starts[0]!) starts.shift();
    if (first || clock() - noted > NOTE_MS) note();
    else timer ??= setTimeout(() => note(), NOTE_MS);
  }

  function onAnswer(serial: number): void {
    begun = Math.max(begun, serial);
    note();
  }

  return {
    hear(message) {
      if (message.type === "start") tag = message.tag;
      else if (message.type === "over") Atomics.store(ended, 0, run);
      else if (message.type === "ping") note();
      else if (message.type === "chunk") {
        const announcement = message.run;
        if (announcement !== undefined) {
          run = announcement.number;
          starts.length = 0;
          epoch = timeOrigin + clock();
          board = undefined;
          const lanes = announcement.concurrency ?? 1;
          announcement.board = {
            bytes: new ArrayBuffer(16 + 8 * lanes), // as board.ts lays it out
            epoch,
            own: {
              over: { memory: over, mark: run },
              onOpen,
              onEnter,
              onAnswer,
            },
          };
        }
        starts.push(message.serial);
      }
      return message;
    },
  };
}
